# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sync groups at work: what one member decided, the others do in the same instant (election/sync.py)."""

from __future__ import annotations

import contextlib
import time
from typing import Callable, Collection, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from ..conf import model
from ..election.actions import StateChanged
from ..election.router import VirtualRouter
from ..election.settings import State
from ..election.sync import Member, Move, SyncGroup
from ..loop import log as logging
from ..loop.events import GROUP, Happening
from ..loop.log import Log
from .live import WORDS, Live

Tell = Callable[[Happening], None]


class LiveGroup:
    """One vrrp_sync_group and its members."""

    def __init__(self, name: str, log: Log, tell: Tell) -> None:
        self.sync = SyncGroup(name)
        self.since_wall_s = time.time()
        self.suspended = True
        """Members may move alone: a configuration is being applied, or the agent stops."""
        self._log = log
        self._tell = tell
        self._lives: Dict[int, Live] = {}
        self._settling = False
        self._held = False
        self._asked: Optional[Tuple[Optional[VirtualRouter], bool]] = None
        """While it is held: somebody asked for ``settle``, with these words."""

    @property
    def lives(self) -> List[Live]:
        """The members, in their order."""
        return list(self._lives.values())

    # What a member says.

    @property
    def split(self) -> bool:
        """The members are in different states: a reload made the group, and it is not settled yet."""
        return self.sync.awaits_opinions

    @property
    def waiting(self) -> bool:
        """Something that a member tracks is not known yet: none of them begins (keepalived)."""
        return any(live.verdict.waiting for live in self._lives.values())

    @property
    def postponed(self) -> bool:
        """The members have not begun for that reason."""
        return any(live.postponed for live in self._lives.values())

    def moved(self, live: Live, change: StateChanged, now: int) -> None:
        """A member is in another state."""
        left = live.router if (change.old, change.new) == (State.ACTIVE, State.BACKUP) else None
        # Only one that could not keep its addresses has set its timer to the skew time.
        self.settle(now, left, left is not None and live.router.timer_is_skew)

    def settle(self, now: int, left: Optional[VirtualRouter] = None, quickly: bool = False) -> None:
        """Bring the members into one state, and tell when it is a new one."""
        if self.suspended or self._settling:
            return
        if self._held:
            if self._asked is None or self._asked[0] is None:
                self._asked = (left, quickly)
            return
        self._settling = True
        try:
            self._do(self.sync.settle(now, left, quickly), now)
        finally:
            self._settling = False
        change = self.sync.find_state()
        if change is not None:
            self._say(change)

    def hold(self) -> None:
        """Something happens to many members: ``release`` settles once for all of them."""
        self._held = True

    def release(self, now: int) -> None:
        """It has happened to all whom it concerns."""
        self._held = False
        asked, self._asked = self._asked, None
        if asked is not None:
            self.settle(now, *asked)

    def lower_heard(self, live: Live, now: int) -> None:
        """A member was active and heard a lower priority."""
        if not self.suspended:
            self._do(self.sync.lower_heard(live.router, now), now)

    # What the agent says.

    def take_members(self, lives: Sequence[Live], now: int) -> None:
        """These are the members; those that have not begun yet will."""
        for live in self._lives.values():
            live.group = None
        moves = self.sync.set_members([Member(live.instance.name, live.router) for live in lives], now)
        self._do(moves, now)
        self._lives = {id(live.router): live for live in lives}
        for live in lives:
            live.group = self
        self._do(self.sync.settle(now), now)
        self._announce_start(lives)

    def end(self) -> None:
        """The agent has stopped: tell."""
        change = self.sync.find_state()
        if change is not None:
            self._say(change)

    def _announce_start(self, lives: Collection[Live]) -> None:
        """A group that begins as backup is told of before its members, as in keepalived."""
        routers = [live.router for live in lives]
        new = self.sync.state is State.INITIALIZE and all(one.state is State.INITIALIZE for one in routers)
        if not lives or not new or self.waiting or self.sync.starts_active():
            return
        if any(router.faults for router in routers):
            return
        self.sync.state, self.sync.reason = State.BACKUP, "started"
        self._say(StateChanged(State.INITIALIZE, State.BACKUP, "started", 0))

    def _do(self, moves: List[Move], now: int) -> None:
        for member, actions in moves:
            self._lives[id(member.router)].follow(actions, now)

    def _say(self, change: StateChanged) -> None:
        self.since_wall_s = time.time()
        level = logging.WARNING if change.new is State.FAULT else logging.NOTICE
        text = f"sync group {self.sync.name}: {change.old} -> {change.new}"
        self._log.write(level, f"{text}: {change.reason}" if change.reason else text)
        words = (WORDS[change.new], 0, WORDS[change.old], change.reason, self.since_wall_s)
        self._tell(Happening(GROUP, self.sync.name, *words))


class Groups:
    """All sync groups of a configuration."""

    def __init__(self, log: Log, tell: Tell) -> None:
        self._log = log
        self._tell = tell
        self._groups: Dict[str, LiveGroup] = {}

    def __iter__(self) -> Iterator[LiveGroup]:
        return iter(self._groups.values())

    def suspend(self) -> None:
        """Let every member move alone until ``settle``."""
        for group in self:
            group.suspended = True

    @contextlib.contextmanager
    def together(self, now: int) -> Iterator[None]:
        """For what happens to many at once, as a link that goes down: each group settles once, after it."""
        held = list(self)
        for group in held:
            group.hold()
        try:
            yield
        finally:
            for group in held:
                group.release(now)

    def arrange(self, wanted: Sequence[model.SyncGroup], lives: Iterable[Live], now: int) -> None:
        """Make, change and drop groups. Call it when new members are judged but have not begun."""
        by_name = {live.instance.name: live for live in lives}
        self.suspend()
        names = {group.name for group in wanted}
        for name in [name for name in self._groups if name not in names]:
            self._groups.pop(name).take_members([], now)
        members = {
            group.name: [by_name[name] for name in group.members if name in by_name] for group in wanted
        }
        for name, group in self._groups.items():  # first those that lose a member that another one gets
            group.take_members([live for live in members[name] if live.group is group], now)
        for name in members:
            if name not in self._groups:
                self._groups[name] = LiveGroup(name, self._log, self._tell)
            self._groups[name].take_members(members[name], now)
        self._groups = {name: self._groups[name] for name in members}

    def settle(self, now: int) -> None:
        """All members have begun: from now on they move together."""
        for group in self:
            if not group.postponed:
                group.suspended = False
                group.settle(now)

    def end(self) -> None:
        """The members have stopped."""
        for group in self:
            group.end()


def companions(live: Live) -> List[Live]:
    """The members of its sync group, it among them; itself alone without a group."""
    return live.group.lives if live.group is not None else [live]
