# SPDX-License-Identifier: GPL-3.0-or-later
"""Many deadlines, few wake-ups, none of them late."""

from __future__ import annotations

from typing import List, Optional

from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.loop.schedule import Schedule


class Alarm:
    """A timer that notes when it rang, and rings again every ``period_ns`` if there is one."""

    def __init__(self, deadline: Optional[int], slack_ns: int = 0, period_ns: int = 0) -> None:
        self.queued_ns: Optional[int] = None
        self.deadline = deadline
        self.slack_ns = slack_ns
        self.period_ns = period_ns
        self.rang: List[int] = []

    def expire(self, now: int) -> None:
        self.rang.append(now)
        self.deadline = now + self.period_ns if self.period_ns else None


def scheduled(*alarms: Alarm) -> Schedule:
    schedule = Schedule()
    for alarm in alarms:
        schedule.refresh(alarm)
    return schedule


def test_the_earliest_deadline_comes_first() -> None:
    late, early = Alarm(20), Alarm(10)
    schedule = scheduled(late, early)
    assert schedule.next_deadline() == 10
    assert schedule.run_due(10)
    assert (early.rang, late.rang) == ([10], [])
    assert schedule.next_deadline() == 20


def test_nothing_rings_before_its_time() -> None:
    alarm = Alarm(10)
    schedule = scheduled(alarm)
    assert not schedule.run_due(9)
    assert alarm.rang == []


def test_a_deadline_that_moved_back_needs_no_word() -> None:
    alarm = Alarm(10)
    schedule = scheduled(alarm)
    alarm.deadline = 30
    assert not schedule.run_due(10)
    assert schedule.next_deadline() == 30
    assert schedule.run_due(30)
    assert alarm.rang == [30]


def test_a_deadline_that_moved_forward_is_found_when_it_is_told() -> None:
    alarm = Alarm(30)
    schedule = scheduled(alarm)
    alarm.deadline = 10
    schedule.refresh(alarm)
    assert schedule.next_deadline() == 10
    schedule.run_due(10)
    assert schedule.next_deadline() is None, "the old entry is dead"
    assert not schedule.run_due(30)
    assert alarm.rang == [10]


def test_a_timer_without_a_deadline_never_rings() -> None:
    alarm = Alarm(None)
    schedule = scheduled(alarm)
    assert schedule.next_deadline() is None
    alarm.deadline = 10
    schedule.refresh(alarm)
    alarm.deadline = None
    assert not schedule.run_due(100)
    assert alarm.rang == []


def test_a_forgotten_timer_never_rings() -> None:
    alarm, other = Alarm(10), Alarm(20)
    schedule = scheduled(alarm, other)
    schedule.forget(alarm)
    assert schedule.next_deadline() == 20
    schedule.run_due(100)
    assert alarm.rang == []


def test_a_forgotten_timer_may_come_back_and_rings_once() -> None:
    alarm = Alarm(10)
    schedule = scheduled(alarm)
    schedule.forget(alarm)
    schedule.refresh(alarm)
    schedule.run_due(10)
    assert alarm.rang == [10]
    assert not schedule.run_due(10)


def test_one_that_may_be_early_shares_the_wake_up_of_another() -> None:
    due, near, far = Alarm(10), Alarm(14, slack_ns=5), Alarm(16, slack_ns=5)
    schedule = scheduled(due, near, far)
    schedule.run_due(10)
    assert (due.rang, near.rang, far.rang) == ([10], [10], [])


def test_one_that_must_not_be_early_is_not() -> None:
    due, strict = Alarm(10), Alarm(11)
    schedule = scheduled(due, strict)
    schedule.run_due(10)
    assert strict.rang == []
    assert schedule.next_deadline() == 11


def test_slack_alone_wakes_nobody() -> None:
    alarm = Alarm(14, slack_ns=5)
    schedule = scheduled(alarm)
    assert schedule.next_deadline() == 14
    assert not schedule.run_due(10)


def test_a_timer_rings_again_at_its_new_deadline_but_not_in_the_same_turn() -> None:
    alarm = Alarm(10, slack_ns=100, period_ns=5)
    schedule = scheduled(alarm)
    schedule.run_due(10)
    assert alarm.rang == [10]
    assert schedule.next_deadline() == 15


def test_a_wake_up_that_is_very_late_rings_everybody_once() -> None:
    alarms = [Alarm(when, period_ns=1000) for when in (10, 20, 30)]
    schedule = scheduled(*alarms)
    schedule.run_due(500)
    assert [alarm.rang for alarm in alarms] == [[500]] * 3


def test_moving_a_deadline_a_million_times_leaves_one_entry() -> None:
    alarm = Alarm(10)
    schedule = scheduled(alarm)
    for moment in range(10, 1_000_010):
        alarm.deadline = moment + 3
        if alarm.queued_ns is None or alarm.deadline < alarm.queued_ns:
            schedule.refresh(alarm)
        if moment % 1000 == 0:
            schedule.run_due(moment)
    assert alarm.rang == []
    assert len(schedule._heap) == 1


moves = st.lists(
    st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 50)), st.booleans()), max_size=40
)


@given(moves)
def test_whatever_moves_each_timer_rings_exactly_when_it_is_due(steps: object) -> None:
    """Against the plain way: look at every deadline at every moment."""
    assert isinstance(steps, list)
    alarms = [Alarm(None) for _ in range(5)]
    expected: List[List[int]] = [[] for _ in alarms]
    schedule = scheduled(*alarms)
    for now, (number, span, forget) in enumerate(steps):
        alarm = alarms[number]
        if forget:
            schedule.forget(alarm)
            alarm.deadline = None
        else:
            alarm.deadline = None if span is None else now + span
            schedule.refresh(alarm)
        for one, rang in zip(alarms, expected):
            if one.deadline is not None and one.deadline <= now:
                rang.append(now)
        schedule.run_due(now)
        assert [one.rang for one in alarms] == expected
