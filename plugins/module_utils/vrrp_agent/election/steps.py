# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps that the state table names. Each changes the router's variables or adds actions, or both."""

from __future__ import annotations

from typing import List

from . import conditions, reasons
from .actions import ADD_ADDRESSES, LOWER_HEARD, REMOVE_ADDRESSES, RESIGNATION, Action, Announce, Note
from .memory import NO_PRIORITY, OWNER_STEPPED_DOWN, Heard, Memory, Occasion
from .settings import OWNER, State
from .timers import NEVER, next_advert_ns

_RIVAL_ADVERTS = 2
"""keepalived gives another owner the time of two adverts and 1.2 intervals to give way."""


# Timers


def start_down_timer(router: Memory, event: Occasion, out: List[Action]) -> None:
    """Active_Down_Timer := Active_Down_Interval."""
    router.timer_is_skew = False
    router.timer_ns = router.begin(event.now) + router.down_ns


def start_skew_timer(router: Memory, event: Occasion, out: List[Action]) -> None:
    """Active_Down_Timer := Skew_Time."""
    router.timer_is_skew = True
    router.timer_ns = router.begin(event.now) + router.skew_ns()


def wait_for_startup_delay(router: Memory, event: Occasion, out: List[Action]) -> None:
    """An owner becomes active when the startup delay ends."""
    forget_active_router(router, event, out)
    router.timer_ns = router.hold_until_ns


def start_adver_timer(router: Memory, event: Occasion, out: List[Action]) -> None:
    """Adver_Timer := Advertisement_Interval, from now."""
    router.timer_ns = event.now + router.settings.advert_int_ns


def continue_adver_timer(router: Memory, event: Occasion, out: List[Action]) -> None:
    """Adver_Timer := Advertisement_Interval, without drift; says so when a whole interval was missed."""
    interval_ns = router.settings.advert_int_ns
    late_ns = event.now - router.timer_ns
    if late_ns >= interval_ns:
        out.append(Note(reasons.late(late_ns), "late", warning=True))  # RFC 9568 2.5
    router.timer_ns = next_advert_ns(router.timer_ns, interval_ns, event.now)


def cancel_timer(router: Memory, event: Occasion, out: List[Action]) -> None:
    """Neither Active_Down_Timer nor Adver_Timer runs, and nobody is known to be active."""
    router.timer_ns = NEVER
    forget_active_router(router, event, out)


# What a backup knows


def forget_active_router(router: Memory, event: Occasion, out: List[Action]) -> None:
    """Begin as one that has heard nobody since now."""
    router.active_source = router.active_priority = None
    router.heard = Heard.NOBODY
    router.heard_ns = router.begin(event.now)
    router.preempt_at_ns = None
    router.usual_priority = NO_PRIORITY
    router.wants_active = False


def want_active(router: Memory, event: Occasion, out: List[Action]) -> None:
    """It would take over, but its group is not ready: it asks again after another down interval."""
    if not router.wants_active:
        out.append(Note(reasons.waits_for_group(router, event)))
    router.wants_active = True
    router.usual_priority = NO_PRIORITY  # the next advert may change its mind


def use_own_interval(router: Memory, event: Occasion, out: List[Action]) -> None:
    """Active_Adver_Interval := Advertisement_Interval (RFC 9568 6.1)."""
    if router.active_interval_ns != router.settings.advert_int_ns:
        router.active_interval_ns = router.settings.advert_int_ns
        router.interval_changed()


def learn_interval(router: Memory, event: Occasion, out: List[Action]) -> None:
    """Version 3: Active_Adver_Interval := that of the advert (RFC 9568 6.4.2). Version 2 does not learn."""
    if router.settings.version != 3 or event.interval_ns == router.active_interval_ns:
        return
    out.append(Note(reasons.interval_learned(router, event)))
    router.active_interval_ns = event.interval_ns
    router.interval_changed()


def follow(router: Memory, event: Occasion, out: List[Action]) -> None:
    """The sender is the active router, and the timer is (or is about to be) restarted by its advert."""
    if event.source != router.active_source and router.state is State.BACKUP:
        out.append(Note(reasons.active_router(event)))
    _remember(router, event, Heard.FOLLOWED)
    router.wants_active = False
    router.active_source, router.active_priority = event.source, event.priority
    # From now on the same advert needs no table, unless preempt_delay has to look at each one.
    plain = not router.settings.preempt_delay_ns or event.priority >= router.effective_priority
    router.usual_priority = event.priority if plain and event.now >= router.hold_until_ns else NO_PRIORITY


def remember_lower(router: Memory, event: Occasion, out: List[Action]) -> None:
    """The sender is active but lower: the timer keeps running, only ``status`` wants to know."""
    if router.heard is not Heard.LOWER or event.source != router.active_source:
        out.append(Note(reasons.lower(router, event)))
    _remember(router, event, Heard.LOWER)
    router.active_source, router.active_priority = event.source, event.priority


def let_go(router: Memory, event: Occasion, out: List[Action]) -> None:
    """The active router resigned."""
    out.append(Note(reasons.let_go(event)))
    _remember(router, event, Heard.GONE)
    router.active_source = router.active_priority = None


def _remember(router: Memory, event: Occasion, heard: Heard) -> None:
    router.heard = heard
    router.heard_ns = router.begin(event.now)
    router.heard_source = event.source
    router.heard_priority = event.priority
    router.usual_priority = NO_PRIORITY


def run_preempt_clock(router: Memory, event: Occasion, out: List[Action]) -> None:
    """preempt_delay: the clock starts at the first lower advert; an equal or higher one puts it back."""
    delay_ns = router.settings.preempt_delay_ns
    if not delay_ns:
        return
    if event.priority >= router.effective_priority:
        if router.preempt_at_ns is not None:
            out.append(Note(reasons.PREEMPT_CLOCK_STOPPED))
        router.preempt_at_ns = None
    elif router.preempt_at_ns is None:
        out.append(Note(reasons.preempt_clock_started(router, event)))
        router.preempt_at_ns = router.begin(event.now) + delay_ns


# What an active router does


def send_advert(router: Memory, event: Occasion, out: List[Action]) -> None:
    """An advert with the effective priority."""
    out.extend(router.own_advert)


def send_farewell(router: Memory, event: Occasion, out: List[Action]) -> None:
    """keepalived higher_prio_send_advert: one more advert before giving way."""
    if router.settings.higher_prio_send_advert:
        out.extend(router.own_advert)


def resign(router: Memory, event: Occasion, out: List[Action]) -> None:
    """An advert with priority 0: backups need not wait for the down interval (RFC 9568 6.4.3)."""
    out.append(RESIGNATION)


def answer(router: Memory, event: Occasion, out: List[Action]) -> None:
    """An advert at once, so that the sender gives way. The Adver_Timer runs on (RFC 9568 6.4.3)."""
    if not router.settings.lower_prio_no_advert:
        out.extend(router.own_advert)


def add_addresses(router: Memory, event: Occasion, out: List[Action]) -> None:
    """The virtual addresses are this router's."""
    out.append(ADD_ADDRESSES)
    router.took_over_from = router.heard
    router.active_source = router.source
    router.active_priority = router.effective_priority
    router.heard = Heard.NOBODY
    router.usual_priority = NO_PRIORITY
    router.preempt_at_ns = None
    router.wants_active = False


def remove_addresses(router: Memory, event: Occasion, out: List[Action]) -> None:
    """They are no longer."""
    out.append(REMOVE_ADDRESSES)


def announce(router: Memory, event: Occasion, out: List[Action]) -> None:
    """First burst of gratuitous ARP or NA, and the times of the later ones."""
    _burst(router.schedule.begin(event.now), out)


def announce_again(router: Memory, event: Occasion, out: List[Action]) -> None:
    """The sender may have announced itself to the hosts: win them back (garp_lower_prio_*)."""
    again = router.heard is Heard.LOWER and router.heard_source == event.source
    if not again or event.now - router.heard_ns > router.down_ns:  # one line an episode, not one an advert
        out.append(Note(reasons.beaten(router, event), "beaten", warning=True))
    _remember(router, event, Heard.LOWER)
    _burst(router.schedule.lower_priority_heard(event.now), out)
    out.append(LOWER_HEARD)


def stop_announcing(router: Memory, event: Occasion, out: List[Action]) -> None:
    """No further bursts, and no business with rivals: the router leaves the active state."""
    router.schedule.stop()
    router.rival_adverts = 0
    router.rival_until_ns = None
    router.preempt_at_ns = None
    router.active_source = router.active_priority = None


def _burst(repeat: int, out: List[Action]) -> None:
    if repeat:
        out.append(Announce(repeat))


# Two owners (keepalived): nobody may be the owner twice, so one of the two has to step down.


def mark_rival_owner(router: Memory, event: Occasion, out: List[Action]) -> None:
    """An owner with a lower address should give way to us: count what it is given to do so."""
    if event.priority != OWNER:
        return
    router.rival_interval_ns = event.interval_ns
    if not router.rival_adverts and router.rival_until_ns is None:
        router.rival_adverts = _RIVAL_ADVERTS
        out.append(Note(reasons.two_owners(event), "two owners", warning=True))


def watch_rival_owner(router: Memory, event: Occasion, out: List[Action]) -> None:
    """At each own advert: is the other owner's time over?"""
    if router.rival_until_ns is not None:
        if event.now >= router.rival_until_ns:
            router.rival_until_ns = None
            out.append(Note(reasons.RIVAL_LEFT))
    elif router.rival_adverts:
        router.rival_adverts -= 1
        if not router.rival_adverts:
            longest_ns = max(router.rival_interval_ns, router.settings.advert_int_ns)
            router.rival_until_ns = event.now + longest_ns * 12 // 10


def step_down_as_owner(router: Memory, event: Occasion, out: List[Action]) -> None:
    """Fall to 254 when the other one is an owner too."""
    if router.settings.owner and event.priority == OWNER:
        out.append(Note(reasons.two_owners(event), "two owners", warning=True))
        _set_priority(router, OWNER_STEPPED_DOWN)


def restore_owner_if_alone(router: Memory, event: Occasion, out: List[Action]) -> None:
    """Back to 255 when the advert shows that the other owner is gone."""
    if conditions.rival_owner_left(router, event):
        restore_owner(router, event, out)


def restore_owner(router: Memory, event: Occasion, out: List[Action]) -> None:
    """Back to 255."""
    if router.settings.owner and router.effective_priority != OWNER:
        out.append(Note(reasons.OWNER_RESTORED))
        _set_priority(router, OWNER)


def _set_priority(router: Memory, priority: int) -> None:
    router.effective_priority = priority
    router.priority_changed()


# Fault


def note_faults(router: Memory, event: Occasion, out: List[Action]) -> None:
    """The list of faults is another one."""
    router.reason = reasons.faults(router, event)
    out.append(Note("still in fault: " + router.reason))
