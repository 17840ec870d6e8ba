# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""strict_mode and vrrp_strict: what they make of an instance (keepalived vrrp_complete_instance).

``check/strict.py`` tells about each word that has no effect because of it.
"""

from __future__ import annotations

from dataclasses import replace

from ..model import Config, Instance
from ..tree import Node

OWNER = 255
DOWN_TIMER_ADVERTS = 3
"""The RFCs' number (RFC 9568 6.1)."""
ENFORCE = "enforce"


def fill(config: Config, tree: Node) -> Config:
    """``config`` with its strict instances as strict mode makes them."""
    nodes = {node.label: node for node in tree.all("vrrp_instance")}
    return replace(config, instances=tuple(strictly(one, nodes[one.name]) for one in config.instances))


def strictly(instance: Instance, node: Node) -> Instance:
    """The instance as strict mode makes it; itself when it is not strict. ``node`` is its block."""
    if not instance.strict:
        return instance
    owner = instance.priority == OWNER
    link, hmac = instance.virtual_link, instance.auth_hmac
    return replace(
        instance,
        start_active=owner,
        preempt_delay_ns=0,
        down_timer_adverts=DOWN_TIMER_ADVERTS,
        garp=replace(instance.garp, lower_prio_repeat=0, lower_prio_delay_ns=0),
        lower_prio_no_advert=True,
        higher_prio_send_advert=False,
        owner_ignore_adverts=owner,
        accept=accepts(node, owner, instance.version),
        auth_password=b"",
        auth_header=False,
        auth_hmac=replace(hmac, mode=ENFORCE) if hmac is not None else None,
        virtual_link=None
        if link is None
        else replace(link, transmit_on_base=False, mac=standard_mac(instance) if link.mac else b""),
    )


def accepts(node: Node, owner: bool, version: int) -> bool:
    """A strict router answers for addresses that it does not own only in version 3, and if it is told to."""
    told = ""
    for child in node.children:
        if child.name in ("accept", "no_accept"):
            told = child.name
    if not told:
        return owner
    return told == "accept" and (owner or version == 3)  # RFC 3768 6.4.3: MUST NOT accept


def standard_mac(instance: Instance) -> bytes:
    """The virtual MAC of the standard (RFC 9568 7.3)."""
    return bytes((0, 0, 0x5E, 0, 1 if instance.family == 4 else 2, instance.vrid))
