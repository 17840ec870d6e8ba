# SPDX-License-Identifier: GPL-3.0-or-later
"""Priorities and settings that change while the router runs."""

from __future__ import annotations

import pytest
from vrrp_agent.conf.model import GarpPolicy
from vrrp_agent.election.settings import State

from tests.unit.election.bench import DOWN, HERE, HIGHER, LOWER, MS, SECOND, SKEW, Bench, picture, settings

STEP = 3_906_250
"""Skew of one priority at 1 s."""


def test_a_lower_priority_makes_a_backup_wait_longer_at_once() -> None:
    bench = Bench().start()
    bench.hear(200, at=SECOND)
    assert bench.router.set_priority(90, 2 * SECOND) == ()
    assert bench.router.deadline == SECOND + DOWN + 10 * STEP
    bench.hear(200, at=2 * SECOND)
    assert bench.router.deadline == 2 * SECOND + DOWN + 10 * STEP


def test_a_higher_priority_makes_a_backup_wait_shorter_but_never_into_the_past() -> None:
    bench = Bench().start()
    bench.hear(200, at=SECOND)
    bench.router.set_priority(150, SECOND)
    assert bench.router.deadline == SECOND + DOWN - 50 * STEP
    late = bench.router.deadline - STEP
    bench.router.set_priority(160, late)
    assert bench.router.deadline == late


def test_the_wait_after_a_resignation_changes_with_the_priority_too() -> None:
    bench = Bench().start()
    bench.hear(0, at=SECOND)
    bench.router.set_priority(120, SECOND)
    assert bench.router.deadline == SECOND + SKEW - 20 * STEP


def test_active_shows_the_new_priority_with_its_next_advert() -> None:
    bench = Bench().become_active()
    assert bench.router.set_priority(80, DOWN + 100 * MS) == ()
    bench.run_until(DOWN + SECOND)
    assert bench.adverts()[-1] == (DOWN + SECOND, 80)
    assert (bench.router.active_priority, bench.router.effective_priority) == (80, 80)


def test_a_raised_priority_preempts_a_router_that_was_followed() -> None:
    bench = Bench().start()
    for at in range(1, 4):
        bench.hear(120, at=at * SECOND)
    bench.router.set_priority(130, 3 * SECOND)
    for at in range(4, 10):
        bench.hear(120, at=at * SECOND)
    assert bench.states()[1:] == [(3 * SECOND + DOWN - 30 * STEP, State.ACTIVE)]


def test_a_lowered_priority_makes_a_backup_follow_a_router_it_did_not() -> None:
    bench = Bench().start()
    bench.hear(90, at=SECOND)
    bench.router.set_priority(80, SECOND)
    bench.hear(90, at=2 * SECOND)
    assert bench.router.deadline == 2 * SECOND + DOWN + 20 * STEP


@pytest.mark.parametrize(("asked", "given"), [(-50, 1), (0, 1), (255, 254), (400, 254)])
def test_trackers_cannot_make_an_owner_or_a_resignation(asked: int, given: int) -> None:
    bench = Bench().start()
    bench.router.set_priority(asked, 0)
    assert bench.router.effective_priority == given


def test_the_address_that_decides_ties_can_change() -> None:
    bench = Bench().become_active()
    bench.router.set_source(bytes((192, 0, 2, 99)), bench.now)
    bench.hear(100, HIGHER)
    assert bench.router.state is State.ACTIVE
    assert bench.router.active_source == bytes((192, 0, 2, 99))


def test_a_new_address_of_our_own_is_not_followed() -> None:
    bench = Bench().start()
    bench.hear(200, HIGHER, at=SECOND)
    bench.router.set_source(HIGHER, SECOND)
    assert bench.hear(200, HIGHER, at=2 * SECOND) == ()
    assert bench.router.deadline == SECOND + DOWN


def test_the_same_settings_again_change_nothing() -> None:
    for bench in (Bench(), Bench().start(), Bench().become_active().run_until(DOWN + 7 * SECOND)):
        before = picture(bench.router)
        bench.router.reconfigure(settings(), bench.now)
        assert picture(bench.router) == before


@pytest.mark.parametrize("state", [State.BACKUP, State.ACTIVE, State.FAULT])
def test_other_settings_keep_the_state_and_send_nothing(state: State) -> None:
    bench = Bench().start() if state is not State.ACTIVE else Bench().become_active()
    if state is State.FAULT:
        bench.router.set_faults(("interface eth0 is down",), 0)
    other = settings(priority=150, advert_int_ns=2 * SECOND, preempt=False, version=2)
    assert bench.router.reconfigure(other, bench.now) == ()
    assert bench.router.state is state
    assert bench.router.effective_priority == 150


def test_a_shorter_interval_is_kept_from_the_next_advert_on() -> None:
    bench = Bench().become_active()
    bench.now = DOWN + 600 * MS
    bench.router.reconfigure(settings(advert_int_ns=100 * MS), bench.now)
    assert bench.router.deadline == DOWN + 700 * MS
    bench.forget().run_until(DOWN + 900 * MS)
    assert [at for at, _p in bench.adverts()] == [DOWN + n * MS for n in (700, 800, 900)]


def test_a_longer_interval_does_not_put_off_the_advert_that_is_due() -> None:
    bench = Bench().become_active()
    bench.router.reconfigure(settings(advert_int_ns=10 * SECOND), DOWN + 600 * MS)
    bench.forget().run_until(DOWN + 12 * SECOND)
    assert [at for at, _p in bench.adverts()] == [DOWN + SECOND, DOWN + 11 * SECOND]


def test_a_backup_keeps_the_interval_it_learned() -> None:
    bench = Bench().start()
    bench.hear(200, interval=3 * SECOND, at=SECOND)
    bench.router.reconfigure(settings(advert_int_ns=2 * SECOND), SECOND)
    assert bench.router.active_interval_ns == 3 * SECOND
    assert bench.router.deadline == SECOND + 9 * SECOND + 3 * SKEW


def test_a_backup_that_heard_nobody_waits_by_its_new_interval() -> None:
    bench = Bench().start()
    bench.router.reconfigure(settings(advert_int_ns=2 * SECOND), SECOND)
    assert bench.router.deadline == 2 * DOWN


def test_a_new_interval_stretches_the_timer_that_runs_and_not_another() -> None:
    bench = Bench().start()
    bench.hear(0, at=SECOND)
    bench.router.reconfigure(settings(advert_int_ns=2 * SECOND), SECOND)
    assert bench.router.deadline == SECOND + 2 * SKEW
    bench.hear(200, interval=2 * SECOND, at=2 * SECOND)
    bench.router.stop(bench.now)
    bench.start(at=10 * SECOND)
    bench.router.reconfigure(settings(), bench.now)
    assert bench.router.deadline == 10 * SECOND + DOWN


def test_what_trackers_subtract_survives_other_settings() -> None:
    bench = Bench().start()
    bench.router.set_priority(80, 0)
    bench.router.reconfigure(settings(priority=150), 0)
    assert bench.router.effective_priority == 130


def test_a_router_can_be_made_owner_and_back() -> None:
    bench = Bench().start()
    bench.hear(200, at=SECOND)
    bench.router.reconfigure(settings(priority=255), SECOND)
    for at in range(2, 6):
        bench.hear(200, at=at * SECOND)
    assert bench.router.state is State.ACTIVE
    assert bench.adverts()[0] == (SECOND + 3_003_906_250, 255)
    bench.router.reconfigure(settings(priority=100), bench.now)
    bench.forget().run_until(bench.now + SECOND)
    assert [priority for _at, priority in bench.adverts()] == [100]


def test_nopreempt_can_be_switched_on_and_off() -> None:
    bench = Bench(preempt=False).start()
    bench.hear(50, at=SECOND)
    bench.router.reconfigure(settings(), SECOND)
    bench.hear(50, at=2 * SECOND)
    assert bench.router.deadline == SECOND + DOWN
    bench.router.reconfigure(settings(preempt=False), 2 * SECOND)
    bench.hear(50, at=3 * SECOND)
    assert bench.router.deadline == 3 * SECOND + DOWN


def test_a_preempt_delay_that_is_taken_away_no_longer_holds_back() -> None:
    bench = Bench(preempt_delay_ns=60 * SECOND).start()
    for at in range(1, 4):
        bench.hear(50, LOWER, at=at * SECOND)
    bench.router.reconfigure(settings(), bench.now)
    for at in range(4, 10):
        bench.hear(50, LOWER, at=at * SECOND)
    assert bench.states()[1:] == [(3 * SECOND + DOWN, State.ACTIVE)]


def test_a_preempt_delay_that_is_given_back_begins_anew() -> None:
    bench = Bench(preempt_delay_ns=2 * SECOND).start()
    bench.hear(50, at=SECOND)
    bench.router.reconfigure(settings(), bench.now)
    bench.router.reconfigure(settings(preempt_delay_ns=2 * SECOND), bench.now)
    bench.hear(50, at=3_500 * MS)
    assert bench.router.deadline == 3_500 * MS + DOWN


def test_a_new_refresh_of_announcements_begins_while_active() -> None:
    bench = Bench().become_active().run_until(DOWN + 10 * SECOND).forget()
    bench.router.reconfigure(settings(garp=GarpPolicy(master_refresh_ns=60 * SECOND)), bench.now)
    bench.run_until(DOWN + 200 * SECOND)
    assert bench.announcements() == [(DOWN + at * SECOND, 1) for at in (70, 130, 190)]
    bench.router.reconfigure(settings(), bench.now)
    bench.forget().run_until(DOWN + 500 * SECOND)
    assert bench.announcements() == []


def test_settings_bring_their_address() -> None:
    bench = Bench().start()
    bench.router.reconfigure(settings(source=LOWER), 0)
    assert bench.router.source == LOWER
    assert bench.router.settings.source != HERE
