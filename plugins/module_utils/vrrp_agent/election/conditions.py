# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The conditions that the state table names. Each only looks."""

from __future__ import annotations

from .memory import OWNER_STEPPED_DOWN, Memory, Occasion
from .settings import OWNER, RESIGN


def always(router: Memory, event: Occasion) -> bool:
    """The row for everything that no row above it took."""
    return True


def faulty(router: Memory, event: Occasion) -> bool:
    """Something that the router, or another member of its group, needs is missing."""
    return bool(router.faults or router.group_fault)


def owner(router: Memory, event: Occasion) -> bool:
    """The configured priority is 255; in a group, that of every member."""
    return router.settings.owner and (router.group is None or router.group.starts_active())


def owner_held_back(router: Memory, event: Occasion) -> bool:
    """An owner, but the startup delay is not over."""
    return owner(router, event) and event.now < router.hold_until_ns


def group_waits(router: Memory, event: Occasion) -> bool:
    """Another member of the group neither is active nor wants to be."""
    return router.group is not None and not router.group.ready(router)


def overslept(router: Memory, event: Occasion) -> bool:
    """timer_expired_backup: the last advert is so long ago that a peer has taken over."""
    span_ns = router.settings.peers_wait_ns
    if not span_ns:
        return False
    return event.now - (router.timer_ns - router.settings.advert_int_ns) >= span_ns


def overslept_and_replaced(router: Memory, event: Occasion) -> bool:
    """The same, and the advert shows who has."""
    return event.priority != RESIGN and overslept(router, event)


def own_advert(router: Memory, event: Occasion) -> bool:
    """The advert has this router's own source address: a loop, or another host with our address."""
    return event.source == router.source


def owner_ignores(router: Memory, event: Occasion) -> bool:
    """An owner that is told not to listen (keepalived owner_ignore_adverts)."""
    return router.settings.owner_ignore_adverts and router.effective_priority == OWNER


def resignation(router: Memory, event: Occasion) -> bool:
    """Priority 0."""
    return event.priority == RESIGN


def acceptable(router: Memory, event: Occasion) -> bool:
    """A backup leaves the sender in its place: not lower, or preemption is off or still delayed."""
    if not router.settings.preempt:
        return True
    priority = OWNER if rival_owner_left(router, event) else router.effective_priority
    return event.priority >= priority or preemption_delayed(router, event)


def preemption_delayed(router: Memory, event: Occasion) -> bool:
    """preempt_delay is set, and its clock stands or still runs."""
    if not router.settings.preempt_delay_ns:
        return False
    return router.preempt_at_ns is None or router.preempt_at_ns > router.begin(event.now)


def loses_to(router: Memory, event: Occasion) -> bool:
    """An active router hears a better one: higher priority, or equal and the higher address (RFC 9568 6.4.3).

    Packed addresses compare as unsigned bytes in network order.
    """
    if event.priority == router.effective_priority:
        return event.source > router.source
    return event.priority > router.effective_priority


def rival_owner_stays(router: Memory, event: Occasion) -> bool:
    """Another owner, with the lower address, did not give way although it had the time to."""
    until = router.rival_until_ns
    return (
        until is not None
        and event.now < until
        and event.priority == OWNER
        and router.effective_priority == OWNER
    )


def rival_owner_left(router: Memory, event: Occasion) -> bool:
    """We stepped down for another owner, and this advert is not its (keepalived)."""
    if not router.settings.owner or router.effective_priority != OWNER_STEPPED_DOWN:
        return False
    return event.priority != OWNER or event.source != router.active_source
