# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One virtual router at work: an election, the hands that do what it decides, and its history."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Deque, FrozenSet, NamedTuple, Optional, Tuple

from ..conf.model import Instance
from ..conf.parts.link_names import links_of
from ..election import actions as act
from ..election.router import VirtualRouter
from ..election.settings import State, settings_of
from ..kernel.advert_socket import AdvertSocket
from ..loop import events
from ..loop import log as logging
from ..loop.events import INSTANCE, Happening
from .counters import Counters
from .hands import LIMIT_WINDOW_NS, Hands, Services
from .host.health import OWNER, Verdict
from .prepared import placed
from .sides.trackers import keys_of
from .ways import way_devices, ways_of

if TYPE_CHECKING:
    from .groups import LiveGroup

_COALESCE = 32
"""An active router may send up to 1/32 of its interval early, to share a wake-up with others."""
_NOTES = 8
"""Lines of an election's notes in a window: its peers decide how many there are to say."""
_ACTIVE = State.ACTIVE
WORDS = {
    State.ACTIVE: events.MASTER,
    State.BACKUP: events.BACKUP,
    State.FAULT: events.FAULT,
    State.INITIALIZE: events.STOP,
}
"""What keepalived's scripts and pipes call a state."""


class Transition(NamedTuple):
    """A change of state, for ``status``."""

    old: str
    new: str
    reason: str
    wall_time_s: float


class Live:
    """A timer for the schedule, and the owner of everything that belongs to one vrrp_instance."""

    def __init__(self, instance: Instance, services: Services, startup_delay_ns: int) -> None:
        self.instance = instance
        self.devices = devices(instance)
        self.trackers = keys_of(instance)
        self.postponed = False
        """It has not begun, because something that it tracks is not known yet."""
        self.counters = Counters()
        self.transitions: Deque[Transition] = deque(maxlen=20)
        self.verdict = Verdict(b"", (), instance.priority, ())
        self.since_wall_s = time.time()
        self.began_ns = 0
        """When it last left INIT or FAULT, on the monotonic clock; 0 while it is in one of them."""
        self.hands = Hands(instance, services, self.counters)
        self.socket: Optional[AdvertSocket] = None
        self.group: Optional[LiveGroup] = None
        """The sync group that it is a member of."""
        self.queued_ns: Optional[int] = None
        self.slack_ns = 0
        self._end_told = events.STOP
        self._services = services
        self._startup_delay_ns = startup_delay_ns
        self._made_ns = services.loop.clock()
        self.router = VirtualRouter(settings_of(instance, b"", startup_delay_ns))

    # What the schedule and the receiver call.

    @property
    def deadline(self) -> Optional[int]:
        """When the election wants to be woken."""
        return self.router.deadline

    def expire(self, now: int) -> None:
        """The election's deadline has come, or is so near that it shares this wake-up."""
        router = self.router
        deadline = router.deadline
        if deadline is None:
            return
        if router.state is _ACTIVE:
            if now - deadline > self.instance.advert_int_ns:
                self.counters.late_adverts += 1
        elif self._services.loop.behind:
            return  # an advert may wait unread: nobody is declared dead before it is heard
        self._perform(router.timer(now), now)

    def heard(self, priority: int, source: bytes, interval_ns: int, now: int) -> None:
        """An advert for this router has passed every check."""
        router = self.router
        self.counters.adverts_received += 1
        done = router.receive(priority, source, interval_ns, now)
        if done:
            self._perform(done, now)
            if self.group is not None and self.group.split:
                self.group.settle(now)
        deadline, queued_ns = router.deadline, self.queued_ns
        if deadline is not None and (queued_ns is None or deadline < queued_ns):
            self._services.loop.schedule.refresh(self)

    # What the agent calls.

    def begin(self, now: int, resume: bool = False) -> None:
        """Take part. ``resume``: a predecessor was active an instant ago and its addresses are still here."""
        router = self.router
        if self.postponed:  # what it waited for is part of the startup delay
            left_ns = max(self._startup_delay_ns - (now - self._made_ns), 0)
            router.settings = replace(router.settings, startup_delay_ns=left_ns)
        self.postponed = False
        self._perform(router.resume_active(now) if resume else router.start(now), now)
        self._services.loop.schedule.refresh(self)

    def end(self, now: int, told: str = events.STOP) -> None:
        """Leave in order: an active router resigns (RFC 9568 6.4.3). Others are told ``told``."""
        self._end_told = told
        self._perform(self.router.stop(now), now)
        self._services.loop.schedule.forget(self)

    def take_verdict(self, verdict: Verdict, now: int) -> None:
        """The host has changed: other faults, another priority, another source address."""
        before, self.verdict = self.verdict, verdict
        if verdict.source != before.source:
            self.hands.equip(self.instance, self.socket, verdict.source)
            self._perform(self.router.set_source(verdict.source, now), now)
        if verdict.faults != before.faults:
            self._set_faults(verdict.faults, now)
        if verdict.priority != self.router.effective_priority:
            self._set_priority(verdict.priority, now)
        self._services.loop.schedule.refresh(self)

    def use_socket(self, socket: Optional[AdvertSocket]) -> None:
        """Adverts go this way from now on; None while the interface is away."""
        self.socket = socket
        self.hands.equip(self.instance, socket, self.verdict.source)

    def change(self, instance: Instance, socket: Optional[AdvertSocket], verdict: Verdict, now: int) -> None:
        """Go on as the same virtual router with other settings, and send nothing needlessly."""
        before = placed(self.instance)
        self.instance, self.socket, self.verdict = instance, socket, verdict
        self.devices = devices(instance)
        self.trackers = keys_of(instance)
        self.hands.equip(instance, socket, verdict.source)
        settings = settings_of(instance, verdict.source, self._startup_delay_ns)
        self.hands.take_new(before, now)
        priority = self.router.effective_priority
        self._perform(self.router.reconfigure(settings, now), now)
        # keepalived does not tell of a new priority in the file, only of what trackers make of it
        self._set_priority(verdict.priority, now, priority if verdict.priority != instance.priority else None)
        self._set_faults(verdict.faults, now)
        self._set_slack()
        self._services.loop.schedule.refresh(self)

    def step_down(self, why: str, now: int) -> None:
        """It cannot keep its addresses or routes: an active router lets go, and its sync group with it.

        It is active again after its skew time, unless another router is first (keepalived).
        """
        self.follow(self.router.step_down(why, now), now)

    def follow(self, actions: act.Actions, now: int) -> None:
        """Do what the sync group makes of it."""
        self._perform(actions, now)
        self._services.loop.schedule.refresh(self)

    @property
    def must_wait(self) -> bool:
        """keepalived: nobody begins before what it tracks is known, nor before its sync group can."""
        return self.group.waiting if self.group is not None else bool(self.verdict.waiting)

    @property
    def owner(self) -> bool:
        """True for priority 255: the virtual addresses are the interface's own."""
        return self.instance.priority == OWNER

    # What the election decided.

    def _perform(self, actions: act.Actions, now: int) -> None:
        hands = self.hands
        moved: Optional[act.StateChanged] = None
        for action in actions:
            if isinstance(action, act.SendAdvert):
                hands.send_advert(action.priority, now)
            elif isinstance(action, act.Announce):
                hands.announce(action.repeat, now)
            elif isinstance(action, act.AddAddresses):
                hands.add_addresses()
            elif isinstance(action, act.RemoveAddresses):
                hands.remove_addresses()
            elif isinstance(action, act.StateChanged):
                self._state_changed(action)
                moved = action
            elif isinstance(action, act.AnnounceElsewhere):
                hands.announce_elsewhere(now)
            elif isinstance(action, act.LowerHeard):
                self._lower_heard(now)
            else:
                self._tell(action, now)
        if moved is not None and self.group is not None:
            self.group.moved(self, moved, now)

    def _set_faults(self, faults: Tuple[str, ...], now: int) -> None:
        self._perform(self.router.set_faults(faults, now), now)
        if self.group is not None:
            self.group.settle(now)  # what ails this one ails the others, also when its state stays

    def _set_priority(self, priority: int, now: int, before: Optional[int] = None) -> None:
        """Tell when the effective priority is another one than ``before`` (default: than now)."""
        router = self.router
        before = router.effective_priority if before is None else before
        self._perform(router.set_priority(priority, now), now)
        if router.effective_priority != before:
            active = router.state is State.ACTIVE
            self._tell_event(events.MASTER_PRIORITY if active else events.BACKUP_PRIORITY)

    def _lower_heard(self, now: int) -> None:
        self._tell_event(events.LOWER_PRIORITY)
        if self.group is not None:
            self.group.lower_heard(self, now)

    def _tell_event(self, event: str) -> None:
        name, priority = self.instance.name, self.router.effective_priority
        self._services.tell(Happening(INSTANCE, name, event, priority, wall_time_s=time.time()))

    def _state_changed(self, change: act.StateChanged) -> None:
        old, new = change.old, change.new
        self.since_wall_s = time.time()
        self.transitions.append(Transition(str(old), str(new), change.reason, self.since_wall_s))
        if new in (State.INITIALIZE, State.FAULT):
            self.began_ns = 0
        elif not self.began_ns:
            self.began_ns = change.at_ns
        if new is State.ACTIVE:
            self.counters.became_active += 1
        elif old is State.ACTIVE:
            self.counters.released_active += 1
        self._set_slack()
        level = logging.WARNING if new is State.FAULT else logging.NOTICE
        self._services.log.write(level, f"{self.instance.name}: {old} -> {new}: {change.reason}")
        self._tell_others(old, new, change.reason)
        healthy = old is State.FAULT and new is not State.INITIALIZE
        if healthy and self.instance.unicast and change.at_ns >= self.router.hold_until_ns:
            self.hands.announce_source()

    def _tell_others(self, old: State, new: State, reason: str) -> None:
        priority = self.router.effective_priority
        word = self._end_told if new is State.INITIALIZE else WORDS[new]
        names = (word, priority, WORDS[old], reason, self.since_wall_s)
        self._services.tell(Happening(INSTANCE, self.instance.name, *names))

    def _set_slack(self) -> None:
        # Only adverts may leave early: a backup that is early would take over from a router that lives.
        active = self.router.state is State.ACTIVE
        self.slack_ns = self.instance.advert_int_ns // _COALESCE if active else 0

    def _tell(self, note: act.Note, now: int) -> None:
        """A line for the log; a kind that comes too often is held back for a while."""
        name = self.instance.name
        level = logging.WARNING if note.warning else logging.INFO
        log = self._services.log
        burst = 1 if note.kind else _NOTES
        log.limited(level, name, note.kind or "note", f"{name}: {note.text}", now, LIMIT_WINDOW_NS, burst)


def devices(instance: Instance) -> FrozenSet[str]:
    """Every interface that ``instance`` has to do with."""
    names = {instance.interface}
    names.update(device for _address, device in placed(instance))
    names.update(link.name for link in links_of(instance))
    names.update(tracked.name for tracked in instance.track_interfaces)
    names.update(way_devices(ways_of(instance)))
    return frozenset(names)
