# SPDX-License-Identifier: GPL-3.0-or-later
"""An active router: its adverts, and whom it gives way to (RFC 9568 6.4.3)."""

from __future__ import annotations

import pytest
from vrrp_agent.election.actions import Announce, LowerHeard, RemoveAddresses, SendAdvert, StateChanged
from vrrp_agent.election.settings import State

from tests.unit.election.bench import (
    CENTISECOND,
    DOWN,
    HERE,
    HIGHER,
    LOWER,
    MS,
    SECOND,
    Bench,
    without_notes,
)


def test_adverts_do_not_drift_over_a_thousand_intervals() -> None:
    """R-F22."""
    bench = Bench().become_active().run_until(DOWN + 1000 * SECOND)
    assert bench.adverts() == [(DOWN + n * SECOND, 100) for n in range(1001)]


def test_adverts_do_not_drift_when_every_wake_up_is_late() -> None:
    """R-F22: each call comes 3 ms late, yet 100 adverts take 100 intervals."""
    router = Bench(advert_int_ns=CENTISECOND).become_active().router
    first = router.deadline
    for _n in range(100):
        router.timer(router.deadline + 3 * MS)
    assert router.deadline == first + 100 * CENTISECOND


def test_an_advert_that_is_served_early_is_followed_by_one_interval() -> None:
    bench = Bench().become_active()
    due = bench.router.deadline
    assert bench.router.timer(due - 10 * MS) == (SendAdvert(100),)
    assert bench.router.deadline == due - 10 * MS + SECOND


def test_a_stall_is_followed_by_one_advert_and_a_line_in_the_log() -> None:
    """R-L09."""
    bench = Bench(advert_int_ns=CENTISECOND).become_active()
    due = bench.router.deadline
    bench.now = due + 100 * MS
    bench.forget().note(bench.router.timer(bench.now))
    assert bench.adverts() == [(due + 100 * MS, 100)]
    assert bench.notes() == ["an advert was sent 0.100 s late: this host or its network is busy"]
    assert bench.router.deadline == due + 110 * MS


def test_active_answers_a_resignation_and_starts_its_timer_anew() -> None:
    """R-F23."""
    bench = Bench().become_active().forget()
    bench.hear(0, at=DOWN + 300 * MS)
    bench.run_until(DOWN + 1500 * MS)
    assert bench.adverts() == [(DOWN + 300 * MS, 100), (DOWN + 1300 * MS, 100)]
    assert bench.states() == []


@pytest.mark.parametrize(
    ("priority", "source", "why"),
    [
        (101, LOWER, "priority 101 heard from 192.0.2.9, ours is 100"),
        (255, HIGHER, "priority 255 heard from 192.0.2.11, ours is 100"),
        (100, HIGHER, "equal priority 100 heard from 192.0.2.11, which has the higher address"),
    ],
)
def test_active_gives_way_to_a_better_router(priority: int, source: bytes, why: str) -> None:
    """R-F24."""
    bench = Bench().become_active()
    bench.run_until(DOWN + 400 * MS)
    actions = bench.hear(priority, source)
    assert actions == (
        RemoveAddresses(),
        StateChanged(State.ACTIVE, State.BACKUP, why, DOWN + 400 * MS),
    )
    assert bench.router.reason == why
    assert (bench.router.active_source, bench.router.active_priority) == (source, priority)
    bench.forget().run_until(2 * DOWN + 400 * MS - 1)
    assert bench.diary == []


def test_one_that_gave_way_waits_by_the_interval_it_learned() -> None:
    """R-F24: 3 s learned, priority 100: 10.828125 s."""
    bench = Bench().become_active()
    bench.hear(101, LOWER, interval=300 * CENTISECOND, at=DOWN + 400 * MS)
    bench.forget().run_until(DOWN + 20 * SECOND)
    assert bench.adverts()[0] == (DOWN + 400 * MS + 10_828_125_000, 100)
    assert bench.states() == [(DOWN + 400 * MS + 10_828_125_000, State.ACTIVE)]


def test_no_burst_of_announcements_is_left_after_giving_way() -> None:
    bench = Bench().become_active()
    bench.hear(101, at=DOWN + SECOND)
    bench.forget()
    for at in range(2, 9):
        bench.hear(101, at=DOWN + at * SECOND)
    assert bench.announcements() == []


def test_preemption_is_not_asked_for_when_active() -> None:
    """R-F25."""
    bench = Bench(preempt=False).become_active()
    bench.hear(101, LOWER)
    assert bench.router.state is State.BACKUP


@pytest.mark.parametrize(("priority", "source"), [(50, HIGHER), (100, LOWER), (1, LOWER)])
@pytest.mark.parametrize("version", [2, 3])
def test_active_answers_a_losing_advert_at_once_and_keeps_its_rhythm(
    priority: int, source: bytes, version: int
) -> None:
    """R-F26; K-05: keepalived does so in version 2 as well."""
    bench = Bench(version=version).become_active().forget()
    bench.hear(priority, source, at=DOWN + 400 * MS)
    bench.run_until(DOWN + SECOND)
    assert bench.adverts() == [(DOWN + 400 * MS, 100), (DOWN + SECOND, 100)]
    assert bench.announcements() == [(DOWN + 400 * MS, 5)]
    assert bench.states() == []


def test_a_losing_advert_teaches_no_interval() -> None:
    bench = Bench().become_active()
    bench.hear(50, interval=4 * SECOND)
    assert bench.router.active_interval_ns == SECOND


def test_lower_prio_no_advert_keeps_active_silent_but_wins_the_hosts_back() -> None:
    bench = Bench(lower_prio_no_advert=True).become_active()
    assert without_notes(bench.hear(50, at=DOWN + 400 * MS)) == [Announce(5), LowerHeard()]


def test_higher_prio_send_advert_shows_the_priority_once_more_before_giving_way() -> None:
    """K-05."""
    bench = Bench(higher_prio_send_advert=True).become_active()
    assert without_notes(bench.hear(150))[:2] == [SendAdvert(100), RemoveAddresses()]
    bench = Bench(higher_prio_send_advert=True).become_active()
    assert without_notes(bench.hear(100, HIGHER))[:2] == [SendAdvert(100), RemoveAddresses()]
    bench = Bench(higher_prio_send_advert=True).become_active()
    assert without_notes(bench.hear(50)) == [SendAdvert(100), Announce(5), LowerHeard()]


def test_a_hundred_own_adverts_that_come_back_cause_no_storm() -> None:
    """R-X12: R-F26 would answer each."""
    bench = Bench().become_active().forget()
    for n in range(100):
        bench.hear(100, HERE, at=DOWN + n * MS)
    assert bench.diary == []
    assert bench.router.deadline == DOWN + SECOND


def test_active_resigns_when_it_stops() -> None:
    """R-F21."""
    bench = Bench().become_active().run_until(DOWN + 400 * MS).forget()
    assert bench.note(bench.router.stop(bench.now)) == (
        SendAdvert(0),
        RemoveAddresses(),
        StateChanged(State.ACTIVE, State.INITIALIZE, "stopped", DOWN + 400 * MS),
    )
    bench.run_until(DOWN + 100 * SECOND)
    assert len(bench.adverts()) == 1
    assert bench.router.stop(bench.now) == ()


def test_a_stopped_router_can_start_again() -> None:
    bench = Bench().become_active()
    bench.router.stop(bench.now)
    bench.forget().start(at=20 * SECOND)
    assert bench.router.deadline == 20 * SECOND + DOWN
    assert bench.states() == [(20 * SECOND, State.BACKUP)]


def test_losing_adverts_of_one_episode_make_one_line_in_the_log() -> None:
    bench = Bench().become_active().forget()
    for n in range(1, 6):
        bench.hear(50, at=DOWN + n * SECOND)
    assert bench.notes() == ["192.0.2.11 advertises the lower priority 50, ours is 100"]
    bench.hear(50, at=DOWN + 60 * SECOND)
    bench.hear(100, LOWER)
    assert bench.notes()[1:] == [
        "192.0.2.11 advertises the lower priority 50, ours is 100",
        "192.0.2.9 advertises the same priority 100 and has the lower address",
    ]


def test_successor_of_a_killed_process_is_active_at_once() -> None:
    bench = Bench(startup_delay_ns=10 * SECOND)
    actions = bench.note(bench.router.resume_active(5 * SECOND))
    assert [type(action).__name__ for action in actions] == [
        "SendAdvert",
        "AddAddresses",
        "Announce",
        "StateChanged",
    ]
    assert bench.router.deadline == 6 * SECOND
    bench.run_until(8 * SECOND)
    assert bench.adverts() == [(0, 100), (6 * SECOND, 100), (7 * SECOND, 100), (8 * SECOND, 100)]


def test_successor_that_finds_a_fault_gives_the_addresses_up() -> None:
    bench = Bench()
    bench.router.set_faults(("interface eth0 is down",), 0)
    assert bench.router.resume_active(0) == (
        SendAdvert(0),
        RemoveAddresses(),
        StateChanged(State.INITIALIZE, State.FAULT, "interface eth0 is down", 0),
    )
