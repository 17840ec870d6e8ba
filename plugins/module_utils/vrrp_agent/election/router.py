# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One virtual router: events with the time in, actions and the next deadline out.

It reads no clock and touches no socket. Times are integer nanoseconds of one monotonic clock that the
caller reads. ``deadline`` says when to call ``timer`` next; it may change with every call.

Every rule is a row of ``table.py``. Two things happen many times a second for weeks, and each has a
short way that does what its row says without walking the table: ``timer`` when only an advert is due,
and ``receive`` when the active router says the same as last time.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Tuple

from . import conditions, reasons, steps
from .actions import ANNOUNCE_ELSEWHERE, NOTHING, Action, Actions, Announce, Note, StateChanged
from .memory import NO_PRIORITY, Heard, Memory, Occasion
from .settings import OWNER, RouterSettings, State
from .table import Event, Rule, rules_by_pair
from .timers import NEVER

_Condition = Callable[[Memory, Occasion], bool]
_Step = Callable[[Memory, Occasion, List[Action]], None]
_Row = Tuple[_Condition, Tuple[_Step, ...], Rule]

_BACKUP = State.BACKUP  # members of an Enum are slow to look up through their class
_ACTIVE = State.ACTIVE


class IllegalEvent(ValueError):
    """The event has no meaning in this state. Nothing has changed."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"a virtual router in state {state} cannot take the event {event}")
        self.state = state
        self.event = event


def _compiled() -> Dict[Tuple[State, Event], Tuple[_Row, ...]]:
    """The table with functions in place of their names."""
    return {pair: tuple([_row(rule) for rule in rules]) for pair, rules in rules_by_pair().items()}


def _row(rule: Rule) -> _Row:
    return getattr(conditions, rule.condition), tuple([getattr(steps, name) for name in rule.steps]), rule


def _in_order(actions: List[Action]) -> Actions:
    """Notes last: a line in the log must not hold up a packet."""
    actions.sort(key=lambda action: isinstance(action, Note))
    return tuple(actions)


_ROWS = _compiled()


class VirtualRouter(Memory):
    """The election core of one virtual router. See the module for how it is driven.

    Attributes for reading: ``state``, ``reason``, ``since_ns``, ``deadline``, ``active_source``,
    ``active_priority``, ``active_interval_ns``, ``effective_priority``, ``faults``, ``settings``.
    """

    __slots__ = ()

    def start(self, now: int) -> Actions:
        """Begin, as backup or as owner (RFC 9568 6.4.1). Raises IllegalEvent when it has begun."""
        self._refuse_unless_new(Event.STARTUP)
        self.hold_until_ns = now + self.settings.startup_delay_ns
        return self._happen(Event.STARTUP, Occasion(now))

    def resume_active(self, now: int) -> Actions:
        """Begin as active router, because a killed predecessor held the addresses an instant ago.

        Sends an advert and announces at once; there is no startup delay. The caller has checked how
        fresh the predecessor's state is. Raises IllegalEvent when the router has begun.
        """
        self._refuse_unless_new(Event.RESUME)
        self.hold_until_ns = now
        return self._happen(Event.RESUME, Occasion(now))

    def stop(self, now: int) -> Actions:
        """End in order; an active router resigns (RFC 9568 6.4.3). May be called twice."""
        return self._happen(Event.SHUTDOWN, Occasion(now))

    def timer(self, now: int) -> Actions:
        """Do all that is due at ``now``.

        An active router may be served before its deadline, when one wake-up serves several routers: it
        does then what it would have done at the deadline. A backup never takes over early.
        """
        if self.state is _ACTIVE:
            due = self.timer_ns
            others = self.schedule.next_ns
            if due < others and now < others and not self.rival_adverts and self.rival_until_ns is None:
                following = due + self.settings.advert_int_ns
                if now < following:
                    # Row (active, adver_timer), with next_advert_ns written out.
                    if now < due:
                        following = now + self.settings.advert_int_ns
                    self.timer_ns = following
                    self.deadline = following if following < others else others
                    return self.own_advert
            return self._serve_active(now)
        if self.state is _BACKUP and now >= self.timer_ns:
            return self._happen(Event.DOWN_TIMER, Occasion(now))
        return NOTHING

    def receive(self, priority: int, source: bytes, interval_ns: int, now: int) -> Actions:
        """An advert that passed every check (``wire`` and ``admit``) came at ``now``.

        ``source`` is packed; ``interval_ns`` is the interval that the advert carries.
        """
        if (
            priority == self.usual_priority
            and source == self.active_source
            and interval_ns == self.active_interval_ns
        ):
            # Row (backup, advert, acceptable) with nothing new in it.
            self.heard_ns = now
            self.timer_ns = self.deadline = now + self.down_ns
            return NOTHING
        return self._happen(Event.ADVERT, Occasion(now, priority, source, interval_ns))

    def set_faults(self, faults: Tuple[str, ...], now: int) -> Actions:
        """What the router needs and has not got, as texts for people; empty when it is healthy."""
        if faults == self.faults:
            return NOTHING
        self.faults = faults
        return self._look_at_faults(now)

    def set_group_fault(self, text: str, now: int) -> Actions:
        """Which other member of the sync group is in fault, as a text for people; empty when none is."""
        if text == self.group_fault:
            return NOTHING
        self.group_fault = text
        return self._look_at_faults(now)

    def join_active(self, why: str, now: int) -> Actions:
        """The other members of the sync group are active: take over, if this is a backup."""
        return self._be_told(Event.GROUP_ACTIVE, why, now)

    def leave_active(self, why: str, now: int) -> Actions:
        """The sync group cannot be active: let go, if this is an active router."""
        return self._be_told(Event.GROUP_BACKUP, why, now)

    def step_down(self, why: str, now: int) -> Actions:
        """The addresses or routes cannot be kept: let go, and take over again after the skew time unless
        another router does first. Does nothing unless this is an active router."""
        return self._be_told(Event.STEP_DOWN, why, now)

    def announce_for_group(self, now: int) -> Actions:
        """Another member of the sync group heard a lower priority: win the hosts back for this one too.

        The peer's members all had been active, and all fall silent at the one advert that is the answer.
        """
        if self.state is not _ACTIVE:
            return NOTHING
        repeat = self.schedule.lower_priority_heard(now)
        self.find_deadline()
        return (Announce(repeat),) if repeat else NOTHING

    def mind_the_group(self) -> None:
        """The members of the sync group are others now: the next advert goes by the table, and a new or
        changed opinion is told by a Note."""
        self.usual_priority = NO_PRIORITY
        if self.state is _BACKUP and self.heard is not Heard.FOLLOWED:
            self.active_source = self.active_priority = None

    def set_priority(self, priority: int, now: int) -> Actions:
        """Trackers make the effective priority ``priority``; it is clipped to 1..254. An owner keeps 255.

        A running takeover timer is moved by the difference of the skew times, as in keepalived. An
        active router shows the new priority with its next advert.
        """
        priority = min(max(priority, 1), OWNER - 1)
        if self.settings.owner or priority == self.effective_priority:
            return NOTHING
        before_ns = self._takeover_span_ns()
        self.effective_priority = priority
        self.priority_changed()
        self._move_takeover(self._takeover_span_ns() - before_ns, now)
        if self.state is _ACTIVE:
            self.active_priority = priority
        return NOTHING

    def set_source(self, source: bytes, now: int) -> Actions:
        """Adverts are sent from another address; empty when there is none."""
        self.source = source
        self.usual_priority = NO_PRIORITY
        if self.state is _ACTIVE:
            self.active_source = source
        return NOTHING

    def reconfigure(self, settings: RouterSettings, now: int) -> Actions:
        """Go on in the same state with other settings. Nothing is sent for it.

        What trackers added to the priority stays until ``set_priority`` says otherwise. A takeover
        timer is moved by the difference of the spans, an Adver_Timer only shortened.
        """
        before_ns = self._takeover_span_ns()
        old, self.settings = self.settings, settings
        weight = 0 if old.owner else self.effective_priority - old.priority
        if settings.owner:
            self.effective_priority = self.effective_priority if old.owner else OWNER
        else:
            self.effective_priority = min(max(settings.priority + weight, 1), OWNER - 1)
        # A learned interval belongs to the active router, not to our settings (RFC 9568 6.1).
        learned = settings.version == old.version == 3 and self.state is _BACKUP and self.active_source
        if not learned:
            self.active_interval_ns = settings.advert_int_ns
        if not settings.preempt_delay_ns:
            self.preempt_at_ns = None
        self.priority_changed()
        self.set_source(settings.source, now)
        self.schedule.reconfigure(settings.garp, now)
        self._move_takeover(self._takeover_span_ns() - before_ns, now)
        if self.state is _ACTIVE:
            self.active_priority = self.effective_priority
            self.timer_ns = min(self.timer_ns, now + settings.advert_int_ns)
        self.find_deadline()
        return NOTHING

    def _serve_active(self, now: int) -> Actions:
        """Everything an active router has due at ``now``, or at its deadline when it is served early."""
        horizon = max(now, min(self.timer_ns, self.schedule.next_ns))
        out: List[Action] = []
        if self.timer_ns <= horizon:
            out.extend(self._happen(Event.ADVER_TIMER, Occasion(now)))
        if self.schedule.next_ns <= horizon:
            if self.schedule.elsewhere_due(horizon):
                out.append(ANNOUNCE_ELSEWHERE)
            repeat = self.schedule.due(horizon)
            if repeat:
                out.append(Announce(repeat))
        self.find_deadline()
        return _in_order(out)

    def _happen(self, event: Event, occasion: Occasion) -> Actions:
        """Take the first row of the table that fits, and do what it says."""
        for condition, row_steps, rule in _ROWS.get((self.state, event), ()):
            if condition(self, occasion):
                return self._take(rule, row_steps, occasion)
        raise IllegalEvent(self.state, event)

    def _take(self, rule: Rule, row_steps: Tuple[_Step, ...], occasion: Occasion) -> Actions:
        if not row_steps and rule.next is rule.state:
            return NOTHING
        why = getattr(reasons, rule.reason)(self, occasion) if rule.reason else ""
        out: List[Action] = []
        for step in row_steps:
            step(self, occasion, out)
        if rule.next is not rule.state:
            out.append(StateChanged(rule.state, rule.next, why, occasion.now))
            self.state = rule.next
            self.reason = why
            self.since_ns = occasion.now
        self.find_deadline()
        return _in_order(out)

    def _look_at_faults(self, now: int) -> Actions:
        return self._happen(Event.FAULT if self.faults or self.group_fault else Event.HEALTHY, Occasion(now))

    def _be_told(self, event: Event, why: str, now: int) -> Actions:
        self.told = why
        return self._happen(event, Occasion(now))

    def _refuse_unless_new(self, event: Event) -> None:
        if self.state is not State.INITIALIZE:
            raise IllegalEvent(self.state, event)

    def _takeover_span_ns(self) -> int:
        """Length of the timer that a backup has running."""
        return self.skew_ns() if self.timer_is_skew else self.down_ns

    def _move_takeover(self, by_ns: int, now: int) -> None:
        if self.state is _BACKUP and self.timer_ns != NEVER:
            self.timer_ns = max(self.timer_ns + by_ns, now)
            self.find_deadline()
