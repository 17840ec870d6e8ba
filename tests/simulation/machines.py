# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines with a virtual router on each of several networks, all in one sync group."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Set, Tuple

from vrrp_agent.election.actions import Actions, LowerHeard, StateChanged
from vrrp_agent.election.router import VirtualRouter
from vrrp_agent.election.settings import State
from vrrp_agent.election.sync import Member, SyncGroup

from tests.simulation.network import Host, Network


class Machine:
    """One host of the simulation for each network that the machine is on."""

    def __init__(self, name: str, sides: List[Host]) -> None:
        self.name = name
        self.sides = sides
        self.sync = SyncGroup(name)
        self.moving = False
        """Its members are being moved, or it is starting or stopping: they may be in different states."""

    def __repr__(self) -> str:
        return self.name

    @property
    def alive(self) -> bool:
        return self.sides[0].router is not None

    @property
    def frozen(self) -> bool:
        return self.sides[0].frozen

    @property
    def states(self) -> Set[Optional[State]]:
        return {side.state for side in self.sides}

    @property
    def holds(self) -> Tuple[bool, ...]:
        """Which networks it has the addresses of."""
        return tuple(side.holds_addresses for side in self.sides)


class Machines(Network):
    """The network of ``Network``, several times over; each machine is on all of them."""

    def __init__(self, **words: Any) -> None:
        super().__init__(**words)
        self.machines: List[Machine] = []
        self._of: Dict[int, Machine] = {}

    def add_machine(self, *priorities: int, **changes: Any) -> Machine:
        """A dead machine with one virtual router of each priority, on one network each."""
        number = len(self.machines) + 1
        sides = []
        for link, priority in enumerate(priorities):
            side = self.add(priority, number=number, **changes)
            side.link = link
            sides.append(side)
        machine = Machine(f"m{number}", sides)
        self.machines.append(machine)
        self._of.update({id(side): machine for side in sides})
        return machine

    def boot(self, *machines: Machine) -> None:
        """The machines come up."""
        for machine in machines:
            machine.moving = True
            machine.sync = SyncGroup(machine.name)
            for side in machine.sides:
                side.router = VirtualRouter(side.settings)
            now = self._clock(machine.sides[0])
            for side in machine.sides:  # one machine has one clock
                side.clock_offset_ns = machine.sides[0].clock_offset_ns
            members = [
                Member(f"net {side.link}", side.router) for side in machine.sides if side.router is not None
            ]
            machine.sync.set_members(members, now)
            for side in machine.sides:
                assert side.router is not None
                self._did(side, side.router.start(now))
            machine.moving = False
            self._settle(machine)

    def crash_machine(self, machine: Machine) -> None:
        """It is gone on all networks, without a word."""
        for side in machine.sides:
            self.crash(side)

    def stop_machine(self, machine: Machine) -> None:
        """It is shut down in order."""
        machine.moving = True
        for side in machine.sides:
            self.stop(side)
        machine.moving = False

    def freeze_machine(self, machine: Machine, span_ns: int) -> None:
        """It does nothing for a while."""
        for side in machine.sides:
            self.freeze(side, span_ns)

    def active(self) -> List[Machine]:
        """Machines that have the addresses of every network."""
        return [machine for machine in self.machines if all(machine.holds)]

    def partly_active(self) -> List[Machine]:
        """Machines that have the addresses of some networks only."""
        return [machine for machine in self.machines if any(machine.holds) and not all(machine.holds)]

    def _did(self, host: Host, actions: Actions) -> None:
        super()._did(host, actions)
        machine = self._of.get(id(host))
        if machine is None or machine.moving or host.router is None:
            return
        left = None
        for action in actions:
            if isinstance(action, StateChanged) and (action.old, action.new) == (State.ACTIVE, State.BACKUP):
                left = host.router
            if isinstance(action, LowerHeard):
                self._move(machine, machine.sync.lower_heard(host.router, self._clock(host)))
        self._settle(machine, left)

    def _settle(self, machine: Machine, left: Optional[VirtualRouter] = None) -> None:
        now = self._clock(machine.sides[0])
        self._move(machine, machine.sync.settle(now, left))
        machine.sync.find_state()
        assert len(machine.states) == 1, f"{machine} is split: {[side.state for side in machine.sides]}"

    def _move(self, machine: Machine, moves: List[Any]) -> None:
        machine.moving = True
        for member, actions in moves:
            (side,) = [side for side in machine.sides if side.router is member.router]
            super()._did(side, actions)
        machine.moving = False
