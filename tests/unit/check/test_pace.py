# SPDX-License-Identifier: GPL-3.0-or-later
"""The timing of one check, row by row, and what must hold whatever happens."""

from __future__ import annotations

import heapq
import random
from typing import List, NamedTuple, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.check.pace import Pace, Phase
from vrrp_agent.check.probe import Outcome
from vrrp_agent.conf.parts.checks import Timing

MS = 1_000_000
LOOP, RETRY, WARMUP, LIMIT = 1000 * MS, 100 * MS, 600 * MS, 250 * MS
GOOD, BAD = Outcome(True, "connected"), Outcome(False, "connection refused")
MORE, AT_ONCE = Outcome(True, "", settled=False), Outcome(True, "", settled=False, at_once=True)
NOT_ASKED = Outcome(False, "no socket", asked=False)


def timing(retry: int = 2, delay_loop_ns: int = LOOP, warmup_ns: int = WARMUP) -> Timing:
    return Timing(delay_loop_ns, warmup_ns, retry, RETRY)


def waiting(good: Optional[bool] = None, failures: int = 0, retry: int = 2) -> Pace:
    """A check whose next try is due at 0."""
    pace = Pace(timing(retry), LIMIT, good)
    pace.begin(0, 0.0)
    pace.failures = failures
    return pace


class Row(NamedTuple):
    """A try ends; what the check is then, whether that is news, and after how long the next try comes."""

    before: Optional[bool]
    failures: int
    outcome: Outcome
    after: Optional[bool]
    news: bool
    failures_after: int
    pause_ns: int


ROWS = [
    # Nothing is known: the first try decides.
    Row(None, 0, GOOD, True, True, 0, LOOP),
    Row(None, 0, BAD, False, True, 0, LOOP),
    Row(None, 0, MORE, None, False, 0, LOOP),
    Row(None, 0, AT_ONCE, None, False, 0, 0),
    # Good: so many failures more than retry, delay_before_retry apart.
    Row(True, 0, GOOD, True, False, 0, LOOP),
    Row(True, 0, BAD, True, False, 1, RETRY),
    Row(True, 1, BAD, True, False, 2, RETRY),
    Row(True, 2, BAD, False, True, 0, LOOP),
    Row(True, 2, GOOD, True, False, 0, LOOP),
    Row(True, 2, MORE, True, False, 0, LOOP),
    Row(True, 0, AT_ONCE, True, False, 0, LOOP),  # keepalived: fast_recovery is for a check that is not good
    # Bad: one good try is enough, and a bad one is nothing new.
    Row(False, 0, GOOD, True, True, 0, LOOP),
    Row(False, 0, BAD, False, False, 0, LOOP),
    Row(False, 0, MORE, False, False, 0, LOOP),
    Row(False, 0, AT_ONCE, False, False, 0, 0),
    # This host could not ask: nothing is learned.
    Row(None, 0, NOT_ASKED, None, False, 0, LOOP),
    Row(True, 1, NOT_ASKED, True, False, 1, LOOP),
    Row(False, 0, NOT_ASKED, False, False, 0, LOOP),
]


@pytest.mark.parametrize("row", ROWS)
def test_an_outcome_leads_to_a_state_and_a_pause(row: Row) -> None:
    pace = waiting(row.before, row.failures)
    assert pace.due(0)
    ended_ns = 20 * MS
    news = pace.ended(row.outcome, ended_ns)
    assert (pace.good, news, pace.failures) == (row.after, row.news, row.failures_after)
    assert pace.deadline == (LOOP if row.pause_ns == LOOP else ended_ns + row.pause_ns)
    assert pace.phase is Phase.WAITING


def test_a_long_try_does_not_shorten_the_pause() -> None:
    pace = waiting(True)
    assert pace.due(0)
    pace.ended(GOOD, 250 * MS)
    assert pace.deadline == 250 * MS + LOOP


def test_without_retries_one_failure_is_enough() -> None:
    pace = waiting(True, retry=0)
    assert pace.due(0)
    assert pace.ended(BAD, 1)
    assert pace.good is False


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.999])
def test_a_new_check_begins_after_a_part_of_warmup(fraction: float) -> None:
    pace = Pace(timing(), LIMIT)
    pace.begin(5 * MS, fraction)
    assert pace.deadline == 5 * MS + int(WARMUP * fraction)


def test_a_known_check_begins_within_one_round() -> None:
    pace = Pace(timing(warmup_ns=60 * LOOP), LIMIT, good=False)
    pace.go_on(0, 0.5)
    assert pace.deadline == LOOP // 2


def test_a_try_that_lasts_too_long_is_stopped_and_counts_as_failed() -> None:
    pace = waiting(True, failures=2)
    assert pace.due(0)
    assert pace.deadline == LIMIT
    assert pace.due(LIMIT) is False
    assert pace.ended(BAD, LIMIT)
    assert (pace.good, pace.deadline) == (False, LIMIT + LOOP)


def test_a_try_without_limit_waits_for_its_probe() -> None:
    pace = Pace(timing(), 0)
    pace.begin(0, 0.0)
    assert pace.due(0)
    assert pace.deadline is None


def test_a_suspended_check_waits_for_nothing_and_keeps_what_it_knows() -> None:
    pace = waiting(False)
    assert pace.rest() is False
    assert (pace.deadline, pace.good) == (None, False)
    pace.go_on(7 * LOOP, 0.0)
    assert pace.deadline == 7 * LOOP


def test_a_suspended_check_gives_its_try_up() -> None:
    pace = waiting(True)
    assert pace.due(0)
    assert pace.rest() is True


def test_a_shorter_delay_loop_holds_at_once_and_a_longer_one_from_the_next_try() -> None:
    pace = waiting(True)
    assert pace.due(0)
    pace.ended(GOOD, 0)
    pace.change(timing(delay_loop_ns=50 * MS), LIMIT, 10 * MS, 0.5)
    assert pace.deadline == 10 * MS + 25 * MS
    pace.change(timing(delay_loop_ns=9 * LOOP, warmup_ns=9 * LOOP), LIMIT, 10 * MS, 0.5)
    assert pace.deadline == 35 * MS


def test_fewer_retries_leave_one_more_failure_to_go() -> None:
    pace = waiting(True, failures=2)
    pace.change(timing(retry=1), LIMIT, 0, 0.0)
    assert pace.due(0)
    assert pace.ended(BAD, 0)
    assert pace.good is False


def test_a_try_may_be_early_by_a_small_part_of_its_round_and_is_never_cut_short() -> None:
    pace = waiting(True)
    assert 0 < pace.slack_ns <= LOOP // 64
    assert pace.due(-pace.slack_ns)
    assert pace.slack_ns == 0


@given(
    st.lists(st.integers(0, LOOP - 1), min_size=2, max_size=30, unique=True),
    st.integers(0, 100 * LOOP),
    st.integers(0, 5 * MS),
)
def test_checks_that_waited_together_do_not_stay_together(
    places: List[int], stall_ns: int, took_ns: int
) -> None:
    """Each keeps its place in the round, however long the process was stopped."""
    paces = [Pace(timing(), LIMIT, True) for _ in places]
    for pace, place in zip(paces, places):
        pace.begin(place - int(WARMUP * 0.5), 0.5)
    now = max(places) + stall_ns
    for pace in paces:
        assert pace.due(now)
        pace.ended(GOOD, now + took_ns)
    for pace, place in zip(paces, places):
        assert pace.deadline is not None
        assert now + took_ns < pace.deadline <= now + took_ns + LOOP
        assert pace.deadline % LOOP == place


@given(
    st.integers(0, 4),
    st.lists(st.sampled_from([GOOD, BAD, MORE, AT_ONCE, NOT_ASKED]), max_size=40),
    st.lists(st.integers(0, 3 * LOOP), min_size=40, max_size=40),
)
def test_it_is_bad_after_retry_and_one_failures_and_good_after_one_success(
    retry: int, outcomes: List[Outcome], late_ns: List[int]
) -> None:
    pace = Pace(timing(retry), LIMIT)
    pace.begin(0, 0.3)
    now, in_a_row, known = 0, 0, pace.good
    said: List[Tuple[Optional[bool], bool]] = []
    for outcome, late in zip(outcomes, late_ns):
        assert pace.phase is Phase.WAITING
        assert pace.deadline is not None
        now = max(now, pace.deadline) + late
        assert pace.due(now)
        news = pace.ended(outcome, now)
        assert pace.deadline >= now, "no try is due before the last one has ended"
        if outcome.asked:
            in_a_row = 0 if outcome.good else in_a_row + 1
            if outcome.good and outcome.settled:
                known = True
            elif not outcome.good and (not known or in_a_row > retry):
                known = False
        said.append((pace.good, news))
        assert pace.good is known, said
        if known is False:
            in_a_row = 0


def test_a_thousand_checks_on_a_busy_process_stay_spread() -> None:
    """The process does one thing after another and is kept from the CPU now and then, for 200 rounds."""
    draw, count = random.Random(4), 1000
    queue: List[Tuple[int, int]] = []
    paces = [Pace(timing(warmup_ns=LOOP), LIMIT, True) for _ in range(count)]
    for number, pace in enumerate(paces):
        pace.begin(0, draw.random())
        assert pace.deadline is not None
        queue.append((pace.deadline, number))
    heapq.heapify(queue)
    now = 0
    while now < 200 * LOOP:
        moment, number = heapq.heappop(queue)
        now = max(now, moment) + (300 * MS if draw.random() < 1e-4 else MS // 4)
        pace = paces[number]
        assert pace.due(now)
        now += MS // 4
        pace.ended(GOOD, now + draw.randrange(MS))
        assert pace.deadline is not None
        heapq.heappush(queue, (pace.deadline, number))
    parts = [0] * 10
    for moment, _number in queue:
        parts[moment % LOOP * 10 // LOOP] += 1
    assert max(parts) < 1.4 * count / 10, parts
