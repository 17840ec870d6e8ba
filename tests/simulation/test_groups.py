# SPDX-License-Identifier: GPL-3.0-or-later
"""Sync groups on simulated networks: both sides of a router move together, whatever happens."""

from __future__ import annotations

import random
from typing import Any, List

import pytest

from tests.simulation.machines import Machine, Machines
from tests.simulation.network import MS, SECOND

DELAY = 2 * MS


def routers(network: Machines, *priorities: int, sides: int = 2, **changes: Any) -> List[Machine]:
    """Machines of these priorities on all networks, started and settled."""
    machines = [network.add_machine(*[priority] * sides, **changes) for priority in priorities]
    network.boot(*machines)
    network.run_for(20 * SECOND)
    return machines


def test_the_best_machine_is_active_on_all_networks() -> None:
    network = Machines(delay_ns=(0, DELAY))
    machines = routers(network, 100, 150, 200, sides=3)
    assert network.active() == [machines[2]]
    assert network.partly_active() == []


def test_a_fault_on_one_side_moves_all_sides_and_its_end_brings_them_back() -> None:
    network = Machines(delay_ns=(0, DELAY))
    low, high = routers(network, 100, 200)
    network.set_faults(high.sides[1], "interface eth1 is down")
    assert high.holds == (False, False)
    network.run_for(5 * SECOND)
    assert network.active() == [low]
    network.set_faults(high.sides[1])
    network.run_for(20 * SECOND)
    assert network.active() == [high]


def test_a_crash_is_healed_within_the_down_interval_on_all_sides() -> None:
    network = Machines(delay_ns=(0, DELAY))
    low, high = routers(network, 100, 200)
    network.run_for(300 * MS)
    crash = network.now
    network.crash_machine(high)
    took = network.run_until(lambda: network.active() == [low], 20 * SECOND)
    assert took <= low.sides[0].down_interval_ns + DELAY
    assert network.now - crash == took


def test_after_an_orderly_stop_only_the_skew_time_passes_on_all_sides() -> None:
    network = Machines(delay_ns=(0, DELAY))
    low, high = routers(network, 100, 200)
    network.stop_machine(high)
    took = network.run_until(lambda: network.active() == [low], 10 * SECOND)
    assert took <= (256 - 100) * SECOND // 256 + DELAY


def test_a_side_that_hears_the_active_machine_keeps_the_others_back() -> None:
    """The inside is cut for an hour: the backup hears the outside, so it stays where it is."""
    network = Machines(delay_ns=(0, DELAY))
    low, high = routers(network, 100, 200)
    network.cut([low.sides[0]])
    network.run_for(3600 * SECOND)
    assert network.active() == [high]
    assert network.partly_active() == []
    network.cut(low.sides)
    network.run_for(20 * SECOND)
    assert network.active() == [low, high]
    network.heal()
    took = network.run_until(lambda: network.active() == [high], 10 * SECOND)
    assert took <= SECOND + 2 * DELAY


def test_machines_that_prefer_different_sides_agree_on_one_of_them() -> None:
    """One is better inside, the other outside: whoever is active stays, and after a split one is left."""
    network = Machines(delay_ns=(0, DELAY))
    first, second = network.add_machine(200, 50), network.add_machine(100, 150)
    network.boot(first, second)
    network.run_for(20 * SECOND)
    assert len(network.active()) == 1
    network.cut(first.sides)
    network.run_for(20 * SECOND)
    assert network.active() == [first, second]
    network.heal()
    network.run_for(20 * SECOND)
    assert len(network.active()) == 1
    network.run_for(600 * SECOND)
    assert len(network.active()) == 1


def test_lost_packets_never_leave_two_holders_for_long() -> None:
    """One packet of ten is lost on either network."""
    network = Machines(delay_ns=(0, DELAY), loss=0.1, seed=7)
    machines = routers(network, 100, 150, 200)
    network.run_for(20_000 * SECOND)
    assert network.partly_active() == []
    network.loss = 0.0
    network.run_for(30 * SECOND)
    assert network.active() == [machines[2]]


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("seed", range(25))
def test_after_any_trouble_one_machine_is_active_on_all_networks(seed: int, alike: bool) -> None:
    """Crashes, stops, stalls, faults of one side, cuts of one network and losses at random, then quiet.

    That a living machine is never split is asserted after every event (machines.py).
    """
    chance = random.Random(seed)
    network = Machines(delay_ns=(0, DELAY), loss=0.05, late_ns=MS, seed=seed)
    sides = chance.randrange(2, 4)
    preempt = chance.random() < 0.7
    for _n in range(chance.randrange(2, 4)):
        priority = chance.randrange(1, 255)
        priorities = [priority if alike else chance.randrange(1, 255) for _side in range(sides)]
        network.add_machine(*priorities, preempt=preempt)
    network.boot(*network.machines)
    for _round in range(10):
        for _n in range(chance.randrange(1, 8)):
            trouble(network, chance)
            network.run_for(chance.randrange(2 * SECOND))
        calm(network)
        network.run_for(60 * SECOND)
        assert network.partly_active() == []
        assert len(network.active()) == 1, [machine.holds for machine in network.machines]
        if alike and preempt:
            best = max(network.machines, key=lambda one: (one.sides[0].settings.priority, one.name))
            priority = network.active()[0].sides[0].settings.priority
            assert priority == best.sides[0].settings.priority
        network.loss = 0.05


def trouble(network: Machines, chance: random.Random) -> None:
    """One thing goes wrong, or right again."""
    machine = chance.choice(network.machines)
    kind = chance.randrange(6)
    if not machine.alive:
        network.boot(machine)
    elif machine.frozen:
        return
    elif kind == 0:
        network.crash_machine(machine)
    elif kind == 1:
        network.stop_machine(machine)
    elif kind == 2:
        network.freeze_machine(machine, chance.randrange(8 * SECOND))
    elif kind == 3:
        network.set_faults(chance.choice(machine.sides), *chance.choice([(), ("interface is down",)]))
    elif kind == 4:
        network.cut(chance.sample(network.hosts, chance.randrange(len(network.hosts))))
    else:
        network.heal()


def calm(network: Machines) -> None:
    """No further trouble: all machines live, are awake and healthy, and hear each other."""
    network.loss = 0.0
    network.heal()
    network.run_for(9 * SECOND)
    for machine in network.machines:
        if not machine.alive:
            network.boot(machine)
        for side in machine.sides:
            network.set_faults(side)
