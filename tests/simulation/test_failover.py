# SPDX-License-Identifier: GPL-3.0-or-later
"""Failovers of a whole group on a simulated network: what the addresses' users get."""

from __future__ import annotations

import random
from typing import Any, List

import pytest
from vrrp_agent.election.settings import State

from tests.simulation.network import MS, SECOND, Host, Network, best, holder_changes, none, several

DELAY = 2 * MS
"""Longest way of a packet in these tests."""


def group(network: Network, *priorities: int, **changes: Any) -> List[Host]:
    """Hosts of these priorities, all started and settled."""
    hosts = [network.add(priority, **changes) for priority in priorities]
    network.start(*hosts)
    network.run_for(20 * SECOND)
    return hosts


def quiet_time(hosts: List[Host]) -> int:
    """After this long without trouble every question is decided."""
    return 2 * max(host.down_interval_ns for host in hosts) + 10 * DELAY


def test_of_a_new_group_the_best_becomes_active_and_nobody_else() -> None:
    network = Network(delay_ns=(0, DELAY))
    hosts = group(network, 100, 150, 200)
    assert network.holders() == [hosts[2]]
    assert [new for _at, _host, _old, new in network.transitions].count(State.ACTIVE) == 1


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("interval", [SECOND, 2 * SECOND])
def test_a_crash_is_healed_within_the_down_interval_of_the_best_backup(version: int, interval: int) -> None:
    network = Network(delay_ns=(0, DELAY), seed=version)
    hosts = group(network, 100, 150, 200, version=version, advert_int_ns=interval)
    active, successor = hosts[2], hosts[1]
    network.run_for(412 * MS)
    crash = network.now
    network.crash(active)
    network.run_for(20 * SECOND)
    assert network.holders() == [successor]
    (outage,) = network.spans(crash, none)
    assert outage <= successor.down_interval_ns + DELAY
    takeover = crash + outage
    assert takeover >= active.last_advert_ns + successor.down_interval_ns


def test_after_an_orderly_stop_only_the_skew_time_passes() -> None:
    network = Network(delay_ns=(0, DELAY))
    hosts = group(network, 100, 150, 200)
    begin = network.now
    network.stop(hosts[2])
    network.run_for(20 * SECOND)
    (outage,) = network.spans(begin, none)
    assert outage <= (256 - 150) * SECOND // 256 + DELAY
    assert network.holders() == [hosts[1]]


def test_a_fault_of_the_active_router_moves_the_addresses_and_its_end_brings_them_back() -> None:
    network = Network(delay_ns=(0, DELAY))
    low, high = group(network, 100, 200)
    network.set_faults(high, "interface eth1 is down")
    network.run_for(5 * SECOND)
    assert network.holders() == [low]
    begin = network.now
    network.set_faults(high)
    network.run_for(20 * SECOND)
    assert network.holders() == [high]
    assert network.spans(begin, none) == []
    assert sum(network.spans(begin, several)) <= DELAY


def test_a_better_router_that_comes_back_takes_over_without_a_gap() -> None:
    network = Network(delay_ns=(0, DELAY))
    low, high = group(network, 100, 200)
    network.crash(high)
    network.run_for(20 * SECOND)
    begin = network.now
    network.start(high)
    network.run_for(20 * SECOND)
    assert holder_changes(network, begin) == [{low, high}, {high}]
    assert network.spans(begin, none) == []
    assert sum(network.spans(begin, several)) <= DELAY


def test_without_preemption_nothing_moves_that_need_not() -> None:
    network = Network(delay_ns=(0, DELAY))
    low, high = group(network, 100, 200, preempt=False)
    network.crash(high)
    network.run_for(20 * SECOND)
    begin = network.now
    for _n in range(10):
        network.start(high)
        network.run_for(60 * SECOND)
        network.crash(high)
        network.run_for(5 * SECOND)
    assert holder_changes(network, begin) == [{low}] * 10  # noted at each crash, the same each time
    assert network.holders() == [low]


def test_preempt_delay_moves_the_addresses_when_it_is_over() -> None:
    network = Network(delay_ns=(0, DELAY))
    low = network.add(100)
    high = network.add(200, preempt_delay_ns=60 * SECOND)
    network.start(low)
    network.run_for(10 * SECOND)
    begin = network.now
    network.start(high)
    took = network.run_until(lambda: network.holders() == [high], 120 * SECOND)
    assert 60 * SECOND <= took <= 60 * SECOND + SECOND + high.down_interval_ns + DELAY
    assert network.spans(begin, none) == []


def test_of_equals_that_start_together_the_highest_address_is_active() -> None:
    for order in ((1, 2, 3), (3, 2, 1), (2, 3, 1)):
        network = Network(delay_ns=(MS, DELAY))
        hosts = [network.add(100, number=number) for number in order]
        network.start(*hosts)
        network.run_for(10 * SECOND)
        assert network.holders() == [best(hosts)]


def test_an_equal_with_a_higher_address_that_comes_later_changes_nothing() -> None:
    network = Network(delay_ns=(0, DELAY))
    first, later = network.add(100), network.add(100)
    network.start(first)
    network.run_for(10 * SECOND)
    network.start(later)
    network.run_for(60 * SECOND)
    assert network.holders() == [first]


def test_each_half_of_a_cut_network_has_one_active_router_and_the_whole_has_one_again() -> None:
    network = Network(delay_ns=(0, DELAY))
    hosts = group(network, 100, 120, 150, 200)
    network.cut(hosts[:2], hosts[2:])
    network.run_for(quiet_time(hosts))
    for members in network.segments().values():
        assert [host for host in members if host.holds_addresses] == [best(members)]
    begin = network.now
    network.heal()
    took = network.run_until(lambda: network.holders() == [hosts[3]], 10 * SECOND)
    assert took <= SECOND + 2 * DELAY
    network.run_for(60 * SECOND)
    assert network.spans(begin, several) == [took]
    assert network.spans(begin, none) == []


def test_a_short_stall_of_the_active_router_costs_nothing() -> None:
    """Two adverts are missed; the third comes before any backup gives up."""
    network = Network(delay_ns=(0, DELAY))
    hosts = group(network, 100, 200)
    begin = network.now
    for _n in range(20):
        network.freeze(hosts[1], 2_500 * MS)
        network.run_for(10 * SECOND)
    assert holder_changes(network, begin) == []


def test_a_long_stall_of_the_active_router_ends_with_one_holder() -> None:
    network = Network(delay_ns=(0, DELAY))
    low, high = group(network, 100, 200)
    network.freeze(high, 30 * SECOND)
    network.run_for(29 * SECOND)
    assert low.holds_addresses
    network.run_for(10 * SECOND)
    assert network.holders() == [high]


def test_a_backup_that_slept_hears_first_and_does_not_steal_the_addresses() -> None:
    network = Network(delay_ns=(0, DELAY))
    low, high = group(network, 100, 200)
    begin = network.now
    for _n in range(20):
        network.freeze(low, 30 * SECOND)
        network.run_for(60 * SECOND)
    assert holder_changes(network, begin) == []
    assert network.holders() == [high]


def test_lateness_below_the_skew_time_causes_no_takeover_in_30_000_adverts() -> None:
    """Adverts every 10 ms, wake-ups up to 2 ms late, packets up to 1 ms: Skew is 6.09375 ms."""
    network = Network(delay_ns=(0, MS), late_ns=2 * MS, seed=3)
    hosts = [network.add(priority, advert_int_ns=10 * MS) for priority in (100, 200)]
    network.start(*hosts)
    network.run_for(SECOND)
    begin = network.now
    network.run_for(300 * SECOND)
    assert holder_changes(network, begin) == []
    assert hosts[1].adverts_sent > 29_900


def test_of_a_group_with_different_intervals_everyone_waits_by_that_of_the_active_router() -> None:
    network = Network(delay_ns=(0, DELAY))
    slow = network.add(200, advert_int_ns=3 * SECOND)
    fast = network.add(100)
    network.start(slow)
    network.run_for(15 * SECOND)
    network.start(fast)
    network.run_for(SECOND)
    begin = network.now
    network.run_for(120 * SECOND)
    assert holder_changes(network, begin) == []
    crash = network.now
    network.crash(slow)
    network.run_for(30 * SECOND)
    (outage,) = network.spans(crash, none)
    assert slow.last_advert_ns + 10_828_125_000 <= crash + outage <= crash + 10_828_125_000 + DELAY


def test_lost_packets_never_leave_two_holders_for_long() -> None:
    """One packet of ten is lost. Each advert of a rival ends the double holding, if it arrives."""
    network = Network(delay_ns=(0, DELAY), loss=0.1, seed=7)
    hosts = group(network, 100, 150, 200)
    network.run_for(20_000 * SECOND)
    assert max(network.spans(0, several), default=0) <= 4 * SECOND
    assert sum(network.spans(20 * SECOND, none)) == 0
    network.loss = 0.0
    network.run_for(quiet_time(hosts))
    assert network.holders() == [best(hosts)]


@pytest.mark.parametrize("preempt", [True, False])
def test_two_thousand_failovers(preempt: bool) -> None:
    """Active routers die one after the other; each time the best of the living follows within its limit."""
    network = Network(delay_ns=(0, DELAY), seed=11)
    hosts = group(network, 100, 150, 200, preempt=preempt)
    chance = random.Random(5)
    for _n in range(1000):
        (active,) = network.holders()
        backups = [host for host in hosts if host is not active]
        successor = best(backups)
        crash = network.now
        network.crash(active)
        took = network.run_until(lambda: bool(network.holders()), 10 * SECOND)
        assert network.holders() == [successor]
        assert took <= successor.down_interval_ns + DELAY
        network.run_for(chance.randrange(SECOND))
        network.start(active)
        network.run_for(2 * active.down_interval_ns + chance.randrange(SECOND))
        expected = best(hosts) if preempt else successor
        assert network.holders() == [expected]
        assert len(network.spans(crash, none)) == 1
        network.changes = network.changes[-1:]


@pytest.mark.parametrize("seed", range(40))
def test_after_any_trouble_each_segment_has_its_best_router_and_no_other(seed: int) -> None:
    """Crashes, stops, stalls, faults, cuts and losses at random, then quiet."""
    chance = random.Random(seed)
    network = Network(delay_ns=(0, DELAY), loss=0.05, late_ns=MS, seed=seed)
    interval = chance.choice([100 * MS, SECOND])
    version = 3 if interval < SECOND else chance.choice([2, 3])
    priorities = chance.sample(range(1, 255), chance.randrange(2, 6))
    hosts = [network.add(priority, version=version, advert_int_ns=interval) for priority in priorities]
    network.start(*hosts)
    for _round in range(15):
        for _n in range(chance.randrange(1, 8)):
            trouble(network, chance)
            network.run_for(chance.randrange(2 * interval))
        calm(network)
        network.run_for(quiet_time(hosts) + interval)
        for members in network.segments().values():
            assert [host for host in members if host.holds_addresses] == [best(members)]
        assert len(network.holders()) == len(network.segments())
        network.loss = 0.05


def trouble(network: Network, chance: random.Random) -> None:
    """One thing goes wrong, or right again."""
    host = chance.choice(network.hosts)
    kind = chance.randrange(6)
    if host.router is None:
        network.start(host)
    elif kind == 0:
        network.crash(host)
    elif kind == 1 and not host.frozen:
        network.stop(host)
    elif kind == 2 and not host.frozen:
        network.freeze(host, chance.randrange(8 * host.settings.advert_int_ns))
    elif kind == 3 and not host.frozen:
        network.set_faults(host, *chance.choice([(), ("interface eth1 is down",)]))
    elif kind == 4:
        network.cut(chance.sample(network.hosts, chance.randrange(len(network.hosts))))
    else:
        network.heal()


def calm(network: Network) -> None:
    """No further trouble: every living host is awake and healthy, and no packet is lost."""
    network.loss = 0.0
    network.run_for(8 * SECOND)
    for host in network.alive:
        network.set_faults(host)
