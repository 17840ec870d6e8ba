# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the election core of one virtual router has to know, and the states it can be in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from ..conf import model
from .timers import down_interval_ns

OWNER = 255
"""Priority of the router that owns the addresses (RFC 9568 5.2.4)."""
RESIGN = 0
"""Priority in the last advert of a router that lets go (RFC 9568 5.2.4)."""


class State(str, Enum):
    """RFC 9568 6.3, and keepalived's FAULT. The values are the words of ``status``."""

    INITIALIZE = "init"
    BACKUP = "backup"
    ACTIVE = "active"
    FAULT = "fault"

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class RouterSettings:
    """The part of an instance that decides elections, with contradictions already resolved."""

    version: int
    """2 or 3."""
    priority: int
    """1..255, before trackers add or subtract their weights."""
    advert_int_ns: int
    source: bytes = b""
    """Packed address that adverts are sent from; empty while the interface has none."""
    preempt: bool = True
    preempt_delay_ns: int = 0
    down_timer_adverts: int = 3
    """How many missing adverts make an active router dead; the RFCs say 3."""
    startup_delay_ns: int = 0
    """keepalived vrrp_startup_delay: no timer of a new router begins earlier."""
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    owner_ignore_adverts: bool = False
    timer_expired_backup: int = 0
    """Highest priority of the peers; 0 is off."""
    garp: model.GarpPolicy = field(default_factory=model.GarpPolicy)

    @property
    def owner(self) -> bool:
        """True for priority 255."""
        return self.priority == OWNER

    @property
    def peers_wait_ns(self) -> int:
        """timer_expired_backup: how long the best peer waits for our adverts; 0 when that does not matter."""
        if not self.timer_expired_backup:
            return 0
        return down_interval_ns(self.version, self.timer_expired_backup, self.advert_int_ns)


def settings_of(instance: model.Instance, source: bytes = b"", startup_delay_ns: int = 0) -> RouterSettings:
    """The settings of ``instance`` when its adverts come from ``source`` (packed, or empty).

    Resolves what cannot go together as keepalived does: an owner and ``state MASTER`` always preempt
    and at once (RFC 9568 6.1 for the owner), without preemption there is nothing to delay, and a router
    that preempts need not step down first (timer_expired_backup).
    """
    eager = instance.priority == OWNER or instance.start_active
    preempt = instance.preempt or eager
    delayed = preempt and not eager and not instance.strict
    return RouterSettings(
        version=instance.version,
        priority=instance.priority,
        advert_int_ns=instance.advert_int_ns,
        source=source,
        preempt=preempt,
        preempt_delay_ns=instance.preempt_delay_ns if delayed else 0,
        down_timer_adverts=instance.down_timer_adverts,
        startup_delay_ns=startup_delay_ns,
        lower_prio_no_advert=instance.lower_prio_no_advert,
        higher_prio_send_advert=instance.higher_prio_send_advert,
        owner_ignore_adverts=instance.owner_ignore_adverts,
        timer_expired_backup=0 if preempt else instance.timer_expired_backup,
        garp=instance.garp if _lives_elsewhere(instance) else replace(instance.garp, extra_interval_ns=0),
    )


def _lives_elsewhere(instance: model.Instance) -> bool:
    """Some address is on another link than the adverts (keepalived: else garp_extra_if is off)."""
    link = instance.virtual_link
    if link is not None and link.transmit_on_base:
        return True
    every = instance.addresses + instance.excluded_addresses
    return any(one.use_vmac or one.device not in (None, instance.interface) for one in every)
