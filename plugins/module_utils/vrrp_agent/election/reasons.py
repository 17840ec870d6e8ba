# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why something happened, in one line for a person. Called on transitions and for notes only."""

from __future__ import annotations

from ..wire.address import text
from .memory import Heard, Memory, Occasion

OWNER_RESTORED = "priority restored to 255: the other address owner is gone"
PREEMPT_CLOCK_STOPPED = "preempt_delay put back: an equal or higher priority was heard"
RIVAL_LEFT = "the other address owner has stopped advertising"


def address(packed: bytes) -> str:
    """An address as people write it."""
    return text(packed) or "an unknown address"


def seconds(span_ns: int) -> str:
    """A time span to the millisecond."""
    return f"{span_ns / 1e9:.3f} s"


# Reasons of transitions, named by the state table. They are asked before any step is done.


def started(router: Memory, event: Occasion) -> str:
    return "started, listening for an active router"


def held_back(router: Memory, event: Occasion) -> str:
    return "address owner, held back by vrrp_startup_delay"


def owner(router: Memory, event: Occasion) -> str:
    return "priority 255, owner of the addresses"


def resumed(router: Memory, event: Occasion) -> str:
    return "continues what the process before it was doing"


def stopped(router: Memory, event: Occasion) -> str:
    return "stopped"


def healthy(router: Memory, event: Occasion) -> str:
    return "fault is over, listening for an active router"


def faults(router: Memory, event: Occasion) -> str:
    return ", ".join(router.faults + ((router.group_fault,) if router.group_fault else ()))


def told(router: Memory, event: Occasion) -> str:
    return router.told


def overslept(router: Memory, event: Occasion) -> str:
    since = seconds(event.now - (router.timer_ns - router.settings.advert_int_ns))
    return f"the last advert was sent {since} ago: a peer has taken over (timer_expired_backup)"


def silence(router: Memory, event: Occasion) -> str:
    who = address(router.heard_source)
    since = seconds(event.now - router.heard_ns)
    if router.heard is Heard.NOBODY:
        if router.settings.owner:
            return owner(router, event)
        return f"no advert from any router for {since}"
    if router.heard is Heard.GONE:
        return f"{who} resigned {since} ago"
    if router.heard is Heard.LOWER:
        return f"priority {router.heard_priority} of {who} is lower than ours, {router.effective_priority}"
    return f"no advert from {who} for {since}"


def outbid(router: Memory, event: Occasion) -> str:
    who = address(event.source)
    if event.priority > router.effective_priority:
        return f"priority {event.priority} heard from {who}, ours is {router.effective_priority}"
    return f"equal priority {event.priority} heard from {who}, which has the higher address"


def rival_owner(router: Memory, event: Occasion) -> str:
    return f"{address(event.source)} goes on as address owner with priority 255"


# Texts of notes.


def active_router(event: Occasion) -> str:
    return f"{address(event.source)} is active with priority {event.priority}"


def waits_for_group(router: Memory, event: Occasion) -> str:
    return f"{silence(router, event)}; it becomes active when all members of its group can"


def let_go(event: Occasion) -> str:
    return f"{address(event.source)} resigned"


def lower(router: Memory, event: Occasion) -> str:
    who, ours = address(event.source), router.effective_priority
    return f"{who} is active with the lower priority {event.priority}, ours is {ours}: takeover follows"


def beaten(router: Memory, event: Occasion) -> str:
    who, ours = address(event.source), router.effective_priority
    if event.priority == ours:
        return f"{who} advertises the same priority {ours} and has the lower address"
    return f"{who} advertises the lower priority {event.priority}, ours is {ours}"


def interval_learned(router: Memory, event: Occasion) -> str:
    new, old = seconds(event.interval_ns), seconds(router.active_interval_ns)
    return f"advert interval {new} learned from {address(event.source)}, before it was {old}"


def preempt_clock_started(router: Memory, event: Occasion) -> str:
    who, delay = address(event.source), seconds(router.settings.preempt_delay_ns)
    return f"{who} is active with the lower priority {event.priority}: preempt_delay of {delay} begins"


def two_owners(event: Occasion) -> str:
    return f"configuration error: {address(event.source)} is address owner (priority 255) too"


def late(late_ns: int) -> str:
    return f"an advert was sent {seconds(late_ns)} late: this host or its network is busy"
