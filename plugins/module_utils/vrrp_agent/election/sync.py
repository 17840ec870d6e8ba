# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One sync group (keepalived vrrp_sync_group): virtual routers that are active together or not at all.

Each member decides for itself by the state table, where two conditions look at the group: a backup does
not take over before every other member is active or wants to be (``group_waits``), and an owner starts
as active router only if all are owners (``owner``). After a member has changed, ``settle`` brings the
others to where it is:

* one in fault: all are in fault, until none has a fault of its own;
* one that is no longer active: none is;
* the last one that wanted to be active is: all are.

The group decides nothing about time and reads no clock; everything here is keepalived's vrrp_sync.
A group that a reload makes of active and backup routers is the one case that keepalived leaves split.
Here an active member waits until each backup knows whether it can follow: when a backup hears a router
that it lets be active, the group steps down together.
"""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence, Set, Tuple

from .actions import Actions, StateChanged
from .memory import Heard, Memory, Partners
from .router import VirtualRouter
from .settings import State

_INIT, _BACKUP, _ACTIVE, _FAULT = State.INITIALIZE, State.BACKUP, State.ACTIVE, State.FAULT


class Member(NamedTuple):
    """A virtual router and its name."""

    name: str
    router: VirtualRouter


class Move(NamedTuple):
    """What a member has to do for its group."""

    member: Member
    actions: Actions


class SyncGroup(Partners):
    """The members of one group on this host. ``state`` is that of the group, ``reason`` says why."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: Tuple[Member, ...] = ()
        self.state = _INIT
        self.reason = "not started"

    def set_members(self, members: Sequence[Member], now: int) -> List[Move]:
        """These are the members from now on; call ``settle`` when all of them have begun.

        Returns what the members that left have to do: the fault of another one is no longer theirs.
        """
        staying = {id(member.router) for member in members}
        gone = [member for member in self.members if id(member.router) not in staying]
        moves: List[Move] = []
        for member in gone:
            member.router.group = None
            _note(moves, member, member.router.set_group_fault("", now))
        if [id(member.router) for member in self.members] != [id(member.router) for member in members]:
            for member in members:
                member.router.mind_the_group()
        self.members = tuple(members)
        for member in members:
            member.router.group = self
        return moves

    def ready(self, asker: Memory) -> bool:
        """Every other member is active or wants to be (keepalived vrrp_sync_can_goto_master)."""
        return all(_ready(router) for _name, router in self.members if router is not asker)

    def starts_active(self) -> bool:
        """All members are owners, and none has a fault of its own."""
        return all(router.settings.owner and not router.faults for _name, router in self.members)

    @property
    def awaits_opinions(self) -> bool:
        """Some are active, some are not: only right after a reload has made the group."""
        return len({router.state for _name, router in self.members}) > 1

    def settle(self, now: int, left: Optional[VirtualRouter] = None, quickly: bool = False) -> List[Move]:
        """What the members have to do so that all are in one state; doing it settles the group.

        ``left`` is a member that has just ceased to be active. ``quickly``: it did so because it could
        not keep its addresses, so that all take over again after their skew time (keepalived).
        """
        moves = self._share_faults(now)
        active = [member for member in self.members if member.router.state is _ACTIVE]
        waiting = [member for member in self.members if member.router.state is _BACKUP]
        if len(active) + len(waiting) < len(self.members):
            return moves  # in fault, or not all have begun
        if waiting and all(member.router.wants_active for member in waiting) and left is None:
            why = f"all members of sync group {self.name} can be active"
            for member in waiting:
                _note(moves, member, member.router.join_active(why, now))
        elif active and (left is not None or any(_follows(member.router) for member in waiting)):
            why = self._why_backup(left, waiting)
            for member in active:
                step = member.router.step_down if quickly else member.router.leave_active
                _note(moves, member, step(why, now))
        return moves

    def find_state(self) -> Optional[StateChanged]:
        """The state of the group after its members have moved, if it is another one. Takes it over."""
        states = {router.state for _name, router in self.members}
        new = self._state_of(states)
        if new is self.state:
            return None
        old, self.state = self.state, new
        since = max((router.since_ns for _name, router in self.members), default=0)
        self.reason = self._first_reason(new)
        return StateChanged(old, new, self.reason, since)

    def lower_heard(self, by: VirtualRouter, now: int) -> List[Move]:
        """A member answered an advert of lower priority: all announce their addresses again (keepalived)."""
        moves: List[Move] = []
        for member in self.members:
            if member.router is not by:
                _note(moves, member, member.router.announce_for_group(now))
        return moves

    def _share_faults(self, now: int) -> List[Move]:
        """Everyone's fault is the others' too.

        Each is told of one that is not itself, and of the same one as long as that is in fault: in a large
        group that fails as a whole nobody is told of the next one again and again.
        """
        moves: List[Move] = []
        texts = {
            f"{name} of sync group {self.name} is in fault": router
            for name, router in self.members
            if router.faults
        }
        two = [*texts.items()][:2]
        for member in self.members:
            router = member.router
            if texts.get(router.group_fault, router) is not router:
                continue
            text = next((text for text, faulty in two if faulty is not router), "")
            _note(moves, member, router.set_group_fault(text, now))
        return moves

    def _why_backup(self, left: Optional[VirtualRouter], waiting: Sequence[Member]) -> str:
        for name, router in waiting:
            if router is left or (left is None and _follows(router)):
                return f"{name} of sync group {self.name} is backup"
        return f"sync group {self.name} is backup"

    def _state_of(self, states: Set[State]) -> State:
        if _FAULT in states:
            return _FAULT
        if len(states) == 1:
            return next(iter(states))
        if _ACTIVE in states and self.state is not _INIT:
            return self.state  # made by a reload, and not settled yet
        return _BACKUP if states else _INIT

    def _first_reason(self, state: State) -> str:
        """Of the member that has a reason of its own."""
        members = [member for member in self.members if member.router.state is state]
        members.sort(key=lambda one: (not one.router.faults, one.router.reason == one.router.told))
        if not members:
            return ""
        name, router = members[0]
        own = ", ".join(router.faults) if state is _FAULT else ""  # without those of the other members
        return f"{name}: {own or router.reason}"


def _ready(router: VirtualRouter) -> bool:
    return router.state is _ACTIVE or (router.state is _BACKUP and router.wants_active)


def _follows(router: VirtualRouter) -> bool:
    """It hears a router that it lets be active, and so is a backup by its own decision."""
    return router.heard is Heard.FOLLOWED and not router.wants_active


def _note(moves: List[Move], member: Member, actions: Actions) -> None:
    if actions:
        moves.append(Move(member, actions))
