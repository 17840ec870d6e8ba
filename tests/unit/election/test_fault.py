# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULT (K-07) and the startup delay."""

from __future__ import annotations

from vrrp_agent.election.actions import Note, RemoveAddresses, SendAdvert, StateChanged
from vrrp_agent.election.settings import State

from tests.unit.election.bench import DOWN, HIGHER, MS, SECOND, SKEW, Bench

LINK_DOWN = ("interface eth0 is down",)


def test_active_resigns_and_lets_the_addresses_go_when_something_breaks() -> None:
    bench = Bench().become_active().run_until(DOWN + 400 * MS).forget()
    assert bench.note(bench.router.set_faults(LINK_DOWN, bench.now)) == (
        SendAdvert(0),
        RemoveAddresses(),
        StateChanged(State.ACTIVE, State.FAULT, "interface eth0 is down", bench.now),
    )
    bench.run_until(DOWN + 100 * SECOND)
    assert len(bench.diary) == 3
    assert bench.router.deadline is None
    assert bench.router.active_source is None


def test_backup_falls_into_fault_without_a_word() -> None:
    bench = Bench().start()
    bench.hear(200, at=SECOND)
    assert bench.router.set_faults(LINK_DOWN, bench.now) == (
        StateChanged(State.BACKUP, State.FAULT, "interface eth0 is down", SECOND),
    )


def test_a_router_in_fault_hears_nothing() -> None:
    bench = Bench()
    bench.router.set_faults(LINK_DOWN, 0)
    bench.start()
    for priority in (0, 50, 255):
        assert bench.hear(priority, at=SECOND) == ()
    assert bench.router.state is State.FAULT


def test_all_reasons_of_a_fault_are_told_and_a_further_one_is_a_note() -> None:
    bench = Bench().start()
    both = (*LINK_DOWN, "interface eth1 is down")
    bench.router.set_faults(both, SECOND)
    assert bench.router.reason == "interface eth0 is down, interface eth1 is down"
    assert bench.router.set_faults(LINK_DOWN, 2 * SECOND) == (Note("still in fault: interface eth0 is down"),)
    assert bench.router.reason == "interface eth0 is down"
    assert bench.router.since_ns == SECOND


def test_the_same_faults_again_are_no_event() -> None:
    bench = Bench().start()
    bench.router.set_faults(LINK_DOWN, SECOND)
    assert bench.router.set_faults(LINK_DOWN, 2 * SECOND) == ()


def test_after_a_fault_a_router_is_backup_with_a_fresh_timer_and_its_own_interval() -> None:
    bench = Bench().start()
    bench.hear(200, interval=3 * SECOND, at=SECOND)
    bench.router.set_faults(LINK_DOWN, 2 * SECOND)
    bench.now = 10 * SECOND
    bench.note(bench.router.set_faults((), bench.now))
    assert bench.states()[-1] == (10 * SECOND, State.BACKUP)
    assert bench.router.deadline == 10 * SECOND + DOWN
    assert bench.router.active_interval_ns == SECOND
    bench.run_until(20 * SECOND)
    assert bench.router.reason == "no advert from any router for 3.609 s"


def test_an_owner_is_active_at_once_after_a_fault() -> None:
    bench = Bench(priority=255).start()
    bench.router.set_faults(LINK_DOWN, SECOND)
    actions = bench.router.set_faults((), 2 * SECOND)
    assert actions[0] == SendAdvert(255)
    assert bench.router.state is State.ACTIVE


def test_a_stopped_router_does_not_come_back_when_it_is_healthy() -> None:
    bench = Bench().start()
    bench.router.set_faults(LINK_DOWN, SECOND)
    bench.router.stop(2 * SECOND)
    assert bench.router.set_faults((), 3 * SECOND) == ()
    assert bench.router.state is State.INITIALIZE


def test_startup_delay_holds_the_timers_back() -> None:
    bench = Bench(startup_delay_ns=30 * SECOND).start(at=SECOND)
    assert bench.router.deadline == 31 * SECOND + DOWN


def test_adverts_in_the_startup_delay_count_as_if_they_came_at_its_end() -> None:
    bench = Bench(startup_delay_ns=30 * SECOND).start()
    bench.hear(200, at=20 * SECOND)
    bench.hear(200, at=21 * SECOND)
    assert bench.router.deadline == 30 * SECOND + DOWN
    assert bench.router.active_source == HIGHER
    bench.hear(0, at=25 * SECOND)
    assert bench.router.deadline == 30 * SECOND + SKEW
    bench.hear(200, at=29 * SECOND)
    bench.hear(200, at=30 * SECOND)
    bench.hear(200, at=31 * SECOND)
    assert bench.router.deadline == 31 * SECOND + DOWN


def test_an_owner_waits_for_the_end_of_the_startup_delay_and_no_longer() -> None:
    bench = Bench(priority=255, startup_delay_ns=30 * SECOND).start()
    assert bench.adverts() == []
    bench.hear(100, at=10 * SECOND)
    bench.run_until(30 * SECOND)
    assert bench.states() == [(0, State.BACKUP), (30 * SECOND, State.ACTIVE)]


def test_the_reason_of_an_owner_after_the_startup_delay() -> None:
    bench = Bench(priority=255, startup_delay_ns=30 * SECOND).start().run_until(30 * SECOND)
    assert bench.router.reason == "priority 255, owner of the addresses"


def test_preempt_delay_begins_no_earlier_than_the_startup_delay_ends() -> None:
    bench = Bench(startup_delay_ns=30 * SECOND, preempt_delay_ns=5 * SECOND).start()
    for at in range(25, 50):
        bench.hear(50, at=at * SECOND)
    assert bench.states()[1:] == [(34 * SECOND + DOWN, State.ACTIVE)]


def test_a_fault_in_the_startup_delay_does_not_shorten_it() -> None:
    bench = Bench(startup_delay_ns=30 * SECOND).start()
    bench.router.set_faults(LINK_DOWN, SECOND)
    bench.router.set_faults((), 2 * SECOND)
    assert bench.router.deadline == 30 * SECOND + DOWN


def test_after_a_fault_the_preempt_delay_begins_anew() -> None:
    bench = Bench(preempt_delay_ns=2 * SECOND).start()
    bench.hear(50, at=SECOND)
    bench.router.set_faults(LINK_DOWN, 2 * SECOND)
    bench.router.set_faults((), 3 * SECOND)
    bench.hear(50, at=3_500 * MS)
    assert bench.router.deadline == 3_500 * MS + DOWN


def test_a_successor_is_not_bound_by_a_startup_delay() -> None:
    bench = Bench(startup_delay_ns=30 * SECOND).start()
    bench.router.stop(SECOND)
    bench.router.resume_active(2 * SECOND)
    bench.now = 2 * SECOND
    bench.hear(200)
    assert bench.router.deadline == 2 * SECOND + DOWN
