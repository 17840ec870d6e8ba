# SPDX-License-Identifier: GPL-3.0-or-later
"""A bench for one virtual router: a fake clock, and a diary of what the router asked for and when."""

from __future__ import annotations

from typing import Any, List, Tuple, Type

from vrrp_agent.election.actions import Action, Actions, Announce, Note, SendAdvert, StateChanged
from vrrp_agent.election.memory import Memory
from vrrp_agent.election.router import VirtualRouter
from vrrp_agent.election.settings import RouterSettings, State

SECOND = 1_000_000_000
MS = 1_000_000
CENTISECOND = 10 * MS

HERE = bytes((192, 0, 2, 10))
"""Our own address in every story."""
HIGHER = bytes((192, 0, 2, 11))
LOWER = bytes((192, 0, 2, 9))

DOWN = 3_609_375_000
"""Active_Down_Interval of priority 100 at 1 s."""
SKEW = 609_375_000


def settings(**changes: Any) -> RouterSettings:
    """Version 3, priority 100, 1 s: Skew 609.375 ms, Active_Down 3609.375 ms."""
    return RouterSettings(
        **{"version": 3, "priority": 100, "advert_int_ns": SECOND, "source": HERE, **changes}
    )


class Bench:
    """Drives a router; ``diary`` has every action with its time."""

    def __init__(self, **changes: Any) -> None:
        self.router = VirtualRouter(settings(**changes))
        self.now = 0
        self.diary: List[Tuple[int, Action]] = []

    def note(self, actions: Actions) -> Actions:
        self.diary.extend([(self.now, action) for action in actions])
        return actions

    def start(self, at: int = 0) -> Bench:
        self.now = at
        self.note(self.router.start(at))
        return self

    def become_active(self) -> Bench:
        """Start and hear nothing until the takeover."""
        self.start()
        self.run_until(self.router.deadline or 0)
        assert self.router.state is State.ACTIVE
        return self

    def run_until(self, until: int) -> Bench:
        """Serve each deadline exactly when it is due, up to and with ``until``."""
        while self.router.deadline is not None and self.router.deadline <= until:
            self.now = self.router.deadline
            self.note(self.router.timer(self.now))
        self.now = until
        return self

    def hear(self, priority: int, source: bytes = HIGHER, interval: int = SECOND, at: int = -1) -> Actions:
        """An advert at ``at`` (default: now), after everything that was due before."""
        if at >= 0:
            self.run_until(at)
        return self.note(self.router.receive(priority, source, interval, self.now))

    def times(self, kind: Type[Any]) -> List[int]:
        """When actions of ``kind`` were asked for."""
        return [at for at, action in self.diary if isinstance(action, kind)]

    def adverts(self) -> List[Tuple[int, int]]:
        """(time, priority) of every advert."""
        return [(at, action.priority) for at, action in self.diary if isinstance(action, SendAdvert)]

    def announcements(self) -> List[Tuple[int, int]]:
        """(time, repeat) of every burst of announcements."""
        return [(at, action.repeat) for at, action in self.diary if isinstance(action, Announce)]

    def states(self) -> List[Tuple[int, State]]:
        """(time, new state) of every transition."""
        return [(at, action.new) for at, action in self.diary if isinstance(action, StateChanged)]

    def notes(self) -> List[str]:
        return [action.text for _at, action in self.diary if isinstance(action, Note)]

    def forget(self) -> Bench:
        """Begin a new page of the diary."""
        self.diary.clear()
        return self


def without_notes(actions: Actions) -> List[Action]:
    """What is to be done, without what is to be logged."""
    return [action for action in actions if not isinstance(action, Note)]


def picture(router: VirtualRouter) -> List[Any]:
    """Every variable of the router, to show that nothing has changed."""
    schedule = router.schedule
    values = [getattr(router, name) for name in Memory.__slots__ if name != "schedule"]
    return [*values, *[getattr(schedule, name) for name in type(schedule).__slots__]]
