# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state table: what a virtual router does, as data. ``router.py`` executes it.

How to read a row: in this state, when this event comes and this condition holds (the first row that
fits is taken), the steps are done in order and the router is in the next state. A condition is a
function of ``conditions.py``, a step one of ``steps.py``, a reason one of ``reasons.py``. ``cites``
names the section the row follows: plain numbers are RFC 9568, "3768" is RFC 3768, other words are
keepalived's, which adds the state FAULT and everything marked with its name.

A pair of state and event without a row is a mistake of the caller: IllegalEvent, and nothing changes.

Where the sources disagree:

* An advert that loses to an active router is answered with an advert at once, in version 3 as RFC 9568
  says, and in version 2 too, where RFC 3768 is silent: keepalived does, and ends a double master one
  interval earlier. ``vrrp_lower_prio_no_advert`` turns it off. The Adver_Timer is not restarted
  (RFC 9568); keepalived restarts it, which a peer cannot tell from an early advert.
* An owner listens to other routers (erratum 8298), in version 2 too, as keepalived does. With
  ``owner_ignore_adverts`` it discards what they say (RFC 9568 7.1 as published, RFC 3768 7.1).
* An owner that leaves FAULT is active at once (6.4.1); keepalived lets it wait a down interval.
* A member of a sync group that lets go because another member was outbid resigns (5.2.4): nobody need
  have taken its own addresses yet. keepalived is silent there, and the peers wait a down interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Dict, Tuple

from .settings import State


class Event(str, Enum):
    """What can happen to a virtual router."""

    STARTUP = "startup"
    RESUME = "resume"
    """Startup in the place of a process that was active an instant ago."""
    SHUTDOWN = "shutdown"
    DOWN_TIMER = "down_timer"
    """Active_Down_Timer."""
    ADVER_TIMER = "adver_timer"
    ADVERT = "advert"
    FAULT = "fault"
    """Something the router needs is not there."""
    HEALTHY = "healthy"
    GROUP_ACTIVE = "group_active"
    """Every member of the sync group can be active."""
    GROUP_BACKUP = "group_backup"
    """Another member of the sync group is no longer active."""
    STEP_DOWN = "step_down"
    """The caller cannot keep the addresses."""

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Rule:
    """One row. ``reason`` is empty where the state stays."""

    state: State
    event: Event
    condition: str
    steps: Tuple[str, ...]
    next: State
    reason: str
    cites: str


INIT, BACKUP, ACTIVE, FAULT = State.INITIALIZE, State.BACKUP, State.ACTIVE, State.FAULT

_TAKE_OVER = ("use_own_interval", "send_advert", "add_addresses", "announce", "start_adver_timer")
_WAIT = ("forget_active_router", "use_own_interval", "start_down_timer")
_LET_GO = ("stop_announcing", "resign", "forget_active_router", "use_own_interval")
_GIVE_WAY = ("stop_announcing", "learn_interval", "follow", "start_down_timer", "remove_addresses")

# fmt: off
RULES: Tuple[Rule, ...] = (
    # Initialize
    Rule(INIT, Event.STARTUP, "faulty", (), FAULT, "faults", "keepalived"),
    Rule(INIT, Event.STARTUP, "owner_held_back", ("wait_for_startup_delay",), BACKUP, "held_back",
         "keepalived vrrp_startup_delay"),
    Rule(INIT, Event.STARTUP, "owner", _TAKE_OVER, ACTIVE, "owner", "6.4.1, erratum 7947"),
    Rule(INIT, Event.STARTUP, "always", _WAIT, BACKUP, "started", "6.4.1"),
    Rule(INIT, Event.RESUME, "faulty", ("resign", "remove_addresses"), FAULT, "faults", "keepalived"),
    Rule(INIT, Event.RESUME, "always", _TAKE_OVER, ACTIVE, "resumed", "6.4.3: it never left this state"),
    Rule(INIT, Event.SHUTDOWN, "always", (), INIT, "", "6.4.1"),
    Rule(INIT, Event.DOWN_TIMER, "always", (), INIT, "", "6.4.1: a stale timer"),
    Rule(INIT, Event.ADVER_TIMER, "always", (), INIT, "", "6.4.1: a stale timer"),
    Rule(INIT, Event.ADVERT, "always", (), INIT, "", "6.4.1"),
    Rule(INIT, Event.FAULT, "always", (), INIT, "", "6.4.1: seen at startup"),
    Rule(INIT, Event.HEALTHY, "always", (), INIT, "", "6.4.1"),
    Rule(INIT, Event.GROUP_ACTIVE, "always", (), INIT, "", "6.4.1"),
    Rule(INIT, Event.GROUP_BACKUP, "always", (), INIT, "", "6.4.1"),
    Rule(INIT, Event.STEP_DOWN, "always", (), INIT, "", "6.4.1"),
    # Backup
    Rule(BACKUP, Event.SHUTDOWN, "always", ("cancel_timer",), INIT, "stopped", "6.4.2"),
    Rule(BACKUP, Event.DOWN_TIMER, "group_waits", ("want_active", "start_down_timer"), BACKUP, "",
         "keepalived vrrp_sync_group"),
    Rule(BACKUP, Event.DOWN_TIMER, "always", ("restore_owner", *_TAKE_OVER), ACTIVE, "silence",
         "6.4.2, erratum 7949"),
    Rule(BACKUP, Event.ADVER_TIMER, "always", (), BACKUP, "", "6.4.2: a stale timer"),
    Rule(BACKUP, Event.ADVERT, "own_advert", (), BACKUP, "", "own packets that come back"),
    Rule(BACKUP, Event.ADVERT, "owner_ignores", (), BACKUP, "", "7.1, 3768 7.1, owner_ignore_adverts"),
    Rule(BACKUP, Event.ADVERT, "resignation", ("restore_owner_if_alone", "let_go", "start_skew_timer"),
         BACKUP, "", "6.4.2"),
    Rule(BACKUP, Event.ADVERT, "acceptable", ("restore_owner_if_alone", "learn_interval", "run_preempt_clock",
         "follow", "start_down_timer"), BACKUP, "", "6.4.2, preempt_delay, nopreempt"),
    Rule(BACKUP, Event.ADVERT, "always", ("restore_owner_if_alone", "remember_lower"), BACKUP, "", "6.4.2"),
    Rule(BACKUP, Event.FAULT, "always", ("cancel_timer",), FAULT, "faults", "keepalived"),
    Rule(BACKUP, Event.HEALTHY, "always", (), BACKUP, "", "keepalived"),
    Rule(BACKUP, Event.GROUP_ACTIVE, "always", ("restore_owner", *_TAKE_OVER), ACTIVE, "told",
         "keepalived vrrp_sync_group"),
    Rule(BACKUP, Event.GROUP_BACKUP, "always", (), BACKUP, "", "keepalived vrrp_sync_group"),
    Rule(BACKUP, Event.STEP_DOWN, "always", (), BACKUP, "", "keepalived"),
    # Active
    Rule(ACTIVE, Event.SHUTDOWN, "always", ("cancel_timer", "stop_announcing", "resign", "remove_addresses"),
         INIT, "stopped", "6.4.3"),
    Rule(ACTIVE, Event.DOWN_TIMER, "always", (), ACTIVE, "", "6.4.3: a stale timer"),
    Rule(ACTIVE, Event.ADVER_TIMER, "overslept", ("stop_announcing", *_WAIT, "remove_addresses"),
         BACKUP, "overslept", "keepalived timer_expired_backup"),
    Rule(ACTIVE, Event.ADVER_TIMER, "always", ("send_advert", "watch_rival_owner", "continue_adver_timer"),
         ACTIVE, "", "6.4.3"),
    Rule(ACTIVE, Event.ADVERT, "own_advert", (), ACTIVE, "", "own packets that come back"),
    Rule(ACTIVE, Event.ADVERT, "owner_ignores", (), ACTIVE, "", "7.1, 3768 7.1, owner_ignore_adverts"),
    Rule(ACTIVE, Event.ADVERT, "resignation", ("send_advert", "start_adver_timer"), ACTIVE, "", "6.4.3"),
    Rule(ACTIVE, Event.ADVERT, "overslept_and_replaced", _GIVE_WAY, BACKUP, "overslept",
         "keepalived timer_expired_backup"),
    Rule(ACTIVE, Event.ADVERT, "rival_owner_stays", ("step_down_as_owner", *_GIVE_WAY),
         BACKUP, "rival_owner", "keepalived: two owners"),
    Rule(ACTIVE, Event.ADVERT, "loses_to", ("send_farewell", "step_down_as_owner", *_GIVE_WAY),
         BACKUP, "outbid", "6.4.3, higher_prio_send_advert"),
    Rule(ACTIVE, Event.ADVERT, "always", ("mark_rival_owner", "answer", "announce_again"), ACTIVE, "",
         "6.4.3, lower_prio_no_advert, garp_lower_prio_*"),
    Rule(ACTIVE, Event.FAULT, "always", ("cancel_timer", "stop_announcing", "resign", "remove_addresses"),
         FAULT, "faults", "keepalived"),
    Rule(ACTIVE, Event.HEALTHY, "always", (), ACTIVE, "", "keepalived"),
    Rule(ACTIVE, Event.GROUP_ACTIVE, "always", (), ACTIVE, "", "keepalived vrrp_sync_group"),
    Rule(ACTIVE, Event.GROUP_BACKUP, "always", (*_LET_GO, "start_down_timer", "remove_addresses"), BACKUP,
         "told", "keepalived vrrp_sync_group"),
    Rule(ACTIVE, Event.STEP_DOWN, "always", (*_LET_GO, "start_skew_timer", "remove_addresses"), BACKUP,
         "told", "keepalived: an address or route was removed"),
    # Fault
    Rule(FAULT, Event.GROUP_ACTIVE, "always", (), FAULT, "", "keepalived vrrp_sync_group"),
    Rule(FAULT, Event.GROUP_BACKUP, "always", (), FAULT, "", "keepalived vrrp_sync_group"),
    Rule(FAULT, Event.STEP_DOWN, "always", (), FAULT, "", "keepalived"),
    Rule(FAULT, Event.SHUTDOWN, "always", (), INIT, "stopped", "keepalived"),
    Rule(FAULT, Event.DOWN_TIMER, "always", (), FAULT, "", "keepalived: a stale timer"),
    Rule(FAULT, Event.ADVER_TIMER, "always", (), FAULT, "", "keepalived: a stale timer"),
    Rule(FAULT, Event.ADVERT, "always", (), FAULT, "", "keepalived"),
    Rule(FAULT, Event.FAULT, "always", ("note_faults",), FAULT, "", "keepalived"),
    Rule(FAULT, Event.HEALTHY, "owner_held_back", ("wait_for_startup_delay",), BACKUP, "held_back",
         "keepalived vrrp_startup_delay"),
    Rule(FAULT, Event.HEALTHY, "owner", ("restore_owner", *_TAKE_OVER), ACTIVE, "owner", "6.4.1"),
    Rule(FAULT, Event.HEALTHY, "always", _WAIT, BACKUP, "healthy", "keepalived, 6.4.1"),
)
# fmt: on


def rules_by_pair() -> Dict[Tuple[State, Event], Tuple[Rule, ...]]:
    """The rows of each pair of state and event, in the order of the table."""
    pairs: Dict[Tuple[State, Event], Tuple[Rule, ...]] = {}
    for rule in RULES:
        pairs[rule.state, rule.event] = (*pairs.get((rule.state, rule.event), ()), rule)
    return pairs
