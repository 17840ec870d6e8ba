# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup: when it waits, and when it takes over (RFC 9568 6.4.2)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from vrrp_agent.election.actions import AddAddresses, Announce, SendAdvert, StateChanged
from vrrp_agent.election.settings import State

from tests.unit.election.bench import (
    CENTISECOND,
    DOWN,
    HERE,
    HIGHER,
    LOWER,
    MS,
    SECOND,
    SKEW,
    Bench,
    without_notes,
)


def test_a_new_router_listens_for_one_down_interval_and_sends_nothing() -> None:
    """R-F02."""
    bench = Bench().start()
    assert bench.router.deadline == DOWN
    bench.run_until(DOWN - 1)
    assert bench.states() == [(0, State.BACKUP)]
    assert bench.adverts() == []
    assert bench.announcements() == []


def test_backup_takes_over_when_active_goes_silent_and_the_advert_goes_first() -> None:
    """R-F09: RFC 9568 6.4.2 wants the advert before the announcements."""
    bench = Bench().start()
    for at in (100 * MS, 1100 * MS, 2100 * MS):
        bench.hear(200, at=at)
    bench.run_until(2100 * MS + DOWN - 1).forget()
    assert bench.router.state is State.BACKUP
    bench.run_until(2100 * MS + DOWN)
    why = "no advert from 192.0.2.11 for 3.609 s"
    assert [action for _at, action in bench.diary] == [
        SendAdvert(100),
        AddAddresses(),
        Announce(5),
        StateChanged(State.BACKUP, State.ACTIVE, why, 2100 * MS + DOWN),
    ]
    assert (bench.router.reason, bench.router.since_ns) == (why, 2100 * MS + DOWN)


def test_reason_of_a_takeover_when_nobody_was_ever_heard() -> None:
    bench = Bench().become_active()
    assert bench.router.reason == "no advert from any router for 3.609 s"


def test_backup_stops_without_a_word() -> None:
    """R-F08."""
    bench = Bench().start()
    bench.hear(200, at=SECOND)
    bench.forget()
    bench.note(bench.router.stop(bench.now))
    bench.run_until(100 * SECOND)
    assert bench.adverts() == []
    assert bench.states() == [(SECOND, State.INITIALIZE)]
    assert bench.router.deadline is None
    assert bench.router.active_source is None


def test_backup_waits_only_the_skew_time_when_the_active_router_resigns() -> None:
    """R-F10."""
    bench = Bench().start()
    for at in (SECOND, 2 * SECOND, 3 * SECOND):
        bench.hear(200, at=at)
    bench.hear(0, at=3_300 * MS)
    assert bench.router.active_source is None
    bench.run_until(10 * SECOND)
    assert bench.adverts()[0] == (3_300 * MS + SKEW, 100)
    assert bench.router.reason == "192.0.2.11 resigned 0.609 s ago"


def test_the_skew_after_a_resignation_follows_the_learned_interval_and_not_that_of_the_last_advert() -> None:
    """R-F10: the interval is not learned from an advert with priority 0."""
    bench = Bench().start()
    bench.hear(200, interval=2 * SECOND, at=SECOND)
    bench.hear(0, interval=40 * SECOND, at=2 * SECOND)
    assert bench.router.deadline == 2 * SECOND + 2 * SKEW
    assert bench.router.active_interval_ns == 2 * SECOND


def test_an_advert_after_a_resignation_makes_a_backup_wait_in_full_again() -> None:
    bench = Bench().start()
    bench.hear(200, at=SECOND)
    bench.hear(0, at=2 * SECOND)
    bench.hear(150, LOWER, at=2 * SECOND + 100 * MS)
    assert bench.router.deadline == 2 * SECOND + 100 * MS + DOWN
    assert (bench.router.active_source, bench.router.active_priority) == (LOWER, 150)


@pytest.mark.parametrize(
    ("priority", "preempt"), [(100, True), (101, True), (255, True), (50, False), (1, False)]
)
def test_backup_learns_the_interval_of_a_router_it_accepts(priority: int, preempt: bool) -> None:
    """R-F11, R-C02: 4 s make an Active_Down_Interval of 14.4375 s for priority 100."""
    bench = Bench(preempt=preempt).start()
    bench.hear(priority, interval=400 * CENTISECOND, at=SECOND)
    assert bench.router.deadline == SECOND + Fraction("14.4375") * SECOND
    assert bench.router.active_interval_ns == 400 * CENTISECOND


def test_an_active_router_goes_back_to_its_own_interval() -> None:
    """R-C02, R-C08."""
    bench = Bench().start()
    bench.hear(200, interval=300 * CENTISECOND, at=SECOND)
    takeover = SECOND + 10_828_125_000
    bench.run_until(takeover + 2 * SECOND)
    assert bench.adverts() == [(takeover, 100), (takeover + SECOND, 100), (takeover + 2 * SECOND, 100)]
    assert bench.router.active_interval_ns == SECOND


def test_a_lower_advert_neither_restarts_the_timer_nor_teaches_an_interval() -> None:
    """R-F12."""
    bench = Bench().start()
    for at in range(100 * MS, DOWN, 100 * MS):
        bench.hear(50, interval=400 * CENTISECOND, at=at)
    bench.run_until(DOWN)
    assert bench.adverts() == [(DOWN, 100)]
    assert bench.router.reason == "priority 50 of 192.0.2.11 is lower than ours, 100"


def test_lower_adverts_are_written_into_the_log_once() -> None:
    bench = Bench().start()
    for at in range(100 * MS, DOWN, 100 * MS):
        bench.hear(50, at=at)
    assert len(bench.notes()) == 1
    assert (bench.router.active_source, bench.router.active_priority) == (HIGHER, 50)


@pytest.mark.parametrize("source", [bytes((192, 0, 2, 1)), LOWER, HIGHER, b"\xff\xff\xff\xff", b"\0\0\0\0"])
def test_the_address_of_the_sender_plays_no_part_in_a_backup(source: bytes) -> None:
    """R-F13."""
    bench = Bench().start()
    bench.hear(100, source, at=SECOND)
    assert bench.router.deadline == SECOND + DOWN


def test_own_adverts_that_come_back_do_not_keep_a_backup_waiting() -> None:
    """R-X12."""
    bench = Bench().start()
    for at in range(100 * MS, DOWN, 100 * MS):
        assert bench.hear(100, HERE, at=at) == ()
    bench.run_until(DOWN)
    assert bench.router.state is State.ACTIVE


def test_the_best_backup_wins_at_one_centisecond() -> None:
    """R-C04: with priorities 253 and 254 the takeovers lie 39.0625 us apart."""
    takeovers = []
    for priority in (253, 254):
        bench = Bench(priority=priority, advert_int_ns=CENTISECOND).start()
        bench.hear(255, interval=CENTISECOND, at=MS)
        takeovers.append(bench.router.deadline)
    assert takeovers[0] - takeovers[1] == 39_063
    assert takeovers[1] == MS + 30_078_125


def test_down_timer_adverts_lengthens_the_wait() -> None:
    bench = Bench(down_timer_adverts=30).start()
    assert bench.router.deadline == 30 * SECOND + SKEW
    bench.hear(200, interval=2 * SECOND, at=SECOND)
    assert bench.router.deadline == SECOND + 60 * SECOND + 2 * SKEW


def test_a_backup_that_is_woken_early_does_not_take_over() -> None:
    bench = Bench().start()
    assert bench.router.timer(DOWN - 1) == ()
    assert (bench.router.state, bench.router.deadline) == (State.BACKUP, DOWN)


def test_a_backup_that_is_woken_late_takes_over_at_once_and_counts_from_then() -> None:
    bench = Bench().start()
    actions = bench.router.timer(DOWN + 200 * MS)
    assert without_notes(actions)[0] == SendAdvert(100)
    assert bench.router.deadline == DOWN + 1200 * MS


def test_status_knows_the_active_router_as_last_heard() -> None:
    bench = Bench().start()
    assert (bench.router.active_source, bench.router.active_priority) == (None, None)
    bench.hear(200, at=SECOND)
    assert (bench.router.active_source, bench.router.active_priority) == (HIGHER, 200)
    bench.hear(180, at=2 * SECOND)
    assert (bench.router.active_source, bench.router.active_priority) == (HIGHER, 180)
    bench.run_until(20 * SECOND)
    assert (bench.router.active_source, bench.router.active_priority) == (HERE, 100)


def test_a_new_active_router_is_noted_once() -> None:
    bench = Bench().start()
    for at in range(1, 4):
        bench.hear(200, at=at * SECOND)
    bench.hear(210, LOWER, at=4 * SECOND)
    assert bench.notes() == [
        "192.0.2.11 is active with priority 200",
        "192.0.2.9 is active with priority 210",
    ]
