# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequence numbers: what is new, what was heard before, and clocks that jump."""

from __future__ import annotations

from typing import List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.election.replay import (
    MOST_SENDERS,
    ClockSequence,
    GroupSequence,
    Marks,
    after,
    skew_s,
    stale,
)

A, B = b"\xc6\x33\x64\x01", b"\xc6\x33\x64\x02"
MOST = 0xFFFFFFFD
WORD = 1 << 64
NOW_S = 1_700_000_000
sequences = st.integers(0, WORD - 1)


def at(seconds: int, rest: int = 0) -> int:
    """The number of a clock."""
    return (seconds % (1 << 32)) << 32 | rest


# -- the authentication header: one counter for the group


def test_a_backup_goes_on_from_the_highest_number_it_has_heard() -> None:
    counter = GroupSequence(0, MOST)
    assert counter.accept(41)
    assert [counter.next(), counter.next()] == [42, 43]


@given(st.lists(st.integers(1, 1000), min_size=1))
def test_only_what_is_higher_than_all_before_is_new(numbers: List[int]) -> None:
    counter, highest = GroupSequence(0, MOST), 0
    for number in numbers:
        assert counter.accept(number) is (number > highest)
        highest = max(highest, number)


def test_what_we_have_sent_ourselves_counts_as_heard() -> None:
    counter = GroupSequence(0, MOST)
    sent = counter.next()
    assert not counter.accept(sent)
    assert counter.accept(sent + 1)


def test_the_first_number_is_that_of_the_clock_so_that_a_restart_is_believed() -> None:
    before = GroupSequence(NOW_S, MOST)
    heard_by_others = [before.next() for _turn in range(5)][-1]
    assert GroupSequence(NOW_S + 6, MOST).next() > heard_by_others


def test_a_group_that_began_with_1_is_heard_by_one_that_will_not() -> None:
    """keepalived begins with 1; what we would send does not keep us from hearing it."""
    counter = GroupSequence(NOW_S, MOST)
    assert counter.accept(1)
    assert counter.next() == NOW_S
    assert not counter.accept(2), "from now on it counts on from ours"


def test_the_clock_is_only_a_beginning() -> None:
    counter = GroupSequence(NOW_S, MOST)
    assert counter.accept(NOW_S + 1000)
    assert counter.next() == NOW_S + 1001


def test_after_the_last_number_it_begins_anew_and_the_others_follow() -> None:
    ours, theirs = GroupSequence(0, MOST), GroupSequence(0, MOST)
    assert ours.accept(MOST - 1) and theirs.accept(MOST - 1)
    assert theirs.accept(ours.next())
    assert ours.next() == 1
    assert not theirs.accept(1), "so they hear nothing new, and become active"
    assert theirs.next() == 1
    assert ours.accept(theirs.next()), "and everybody hears everybody again"


def test_a_clock_beyond_the_last_number_does_no_harm() -> None:
    assert GroupSequence(1 << 40, MOST).next() == MOST


# -- the trailer: each sender has its clock


@given(st.lists(st.integers(0, 1 << 70), min_size=1))
def test_without_a_window_numbers_always_grow(clocks: List[int]) -> None:
    sender, last = ClockSequence(), 0
    for clock in clocks:
        number = sender.next(clock % WORD, None)
        assert after(number, last) or last == number == 0
        last = number


def test_a_clock_that_stands_still_is_counted_on() -> None:
    sender = ClockSequence()
    assert [sender.next(at(NOW_S), 5) for _turn in range(3)] == [at(NOW_S), at(NOW_S) + 1, at(NOW_S) + 2]


def test_a_clock_that_goes_back_a_little_is_counted_on_and_one_that_goes_back_far_is_followed() -> None:
    sender = ClockSequence()
    sender.next(at(NOW_S), 5)
    assert sender.next(at(NOW_S - 5), 5) == at(NOW_S) + 1
    assert sender.next(at(NOW_S - 6), 5) == at(NOW_S - 6)


def test_what_never_forgets_counts_on_however_far_the_clock_goes_back() -> None:
    sender = ClockSequence()
    sender.next(at(NOW_S), None)
    assert sender.next(at(NOW_S - 100_000), None) == at(NOW_S) + 1


def test_the_counter_runs_over_into_the_time() -> None:
    sender = ClockSequence()
    sender.next(at(1, 0xFFFFFFFF), None)
    assert sender.next(at(1), None) == at(2)


def test_nothing_is_heard_twice() -> None:
    marks = Marks()
    assert marks.accept(A, at(NOW_S, 5), NOW_S, 5)
    assert not marks.accept(A, at(NOW_S, 5), NOW_S, 5)
    assert not marks.accept(A, at(NOW_S, 4), NOW_S, 5)
    assert marks.accept(A, at(NOW_S, 6), NOW_S, 5)


def test_each_sender_has_a_mark_of_its_own() -> None:
    marks = Marks()
    assert marks.accept(A, at(NOW_S, 5), NOW_S, 5)
    assert marks.accept(B, at(NOW_S, 5), NOW_S, 5)


@pytest.mark.parametrize(("window_s", "believed"), [(5, True), (None, False)])
def test_a_sender_whose_clock_was_put_back_is_believed_after_the_window(
    window_s: Optional[int], believed: bool
) -> None:
    marks = Marks()
    assert marks.accept(A, at(NOW_S + 6), NOW_S, window_s)
    assert marks.accept(A, at(NOW_S), NOW_S, window_s) is believed


def test_a_flood_of_senders_does_not_fill_the_memory_and_the_last_heard_stay() -> None:
    marks = Marks()
    for number in range(MOST_SENDERS):
        assert marks.accept(bytes((number,)), at(NOW_S, 5), NOW_S, 5)
    assert marks.accept(bytes((0,)), at(NOW_S, 6), NOW_S, 5)
    assert marks.accept(b"one more", at(NOW_S, 5), NOW_S, 5)
    assert not marks.accept(bytes((0,)), at(NOW_S, 6), NOW_S, 5)
    assert marks.accept(bytes((1,)), at(NOW_S, 5), NOW_S, 5), "the one that was silent longest is forgotten"


# -- arithmetic


@given(sequences, st.integers(1, (1 << 63) - 1))
def test_after_knows_the_wrap(number: int, step: int) -> None:
    """RFC 1982."""
    later = (number + step) % WORD
    assert after(later, number)
    assert not after(number, later)
    assert not after(number, number)


@given(st.integers(0, (1 << 32) - 1), st.integers(-(1 << 31) + 1, (1 << 31) - 1))
def test_the_skew_of_clocks_knows_the_year_2106(seconds: int, difference: int) -> None:
    assert skew_s((seconds + difference) % (1 << 32), seconds) == difference


@pytest.mark.parametrize(("made_s", "found"), [(-6, True), (-5, False), (0, False), (5, False), (6, True)])
def test_the_window_goes_both_ways(made_s: int, found: bool) -> None:
    assert stale(NOW_S + made_s, NOW_S, 5) is found
