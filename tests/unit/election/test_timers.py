# SPDX-License-Identifier: GPL-3.0-or-later
"""Skew_Time, Active_Down_Interval and the Adver_Timer, against exact rational numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.election.timers import down_interval_ns, next_advert_ns, skew_ns

from tests.unit.election.bench import CENTISECOND, SECOND

PRIORITIES = st.integers(1, 255)
CENTISECONDS = st.integers(1, 4095)


def exact_skew_s(version: int, priority: int, interval_s: Fraction) -> Fraction:
    """RFC 9568 6.1 and RFC 3768 6.1, word for word."""
    return Fraction(256 - priority, 256) * (interval_s if version == 3 else 1)


# fmt: off
VECTORS = [
    # version, priority, interval in cs, skew in us, down in us
    (3, 100,  100, "609375",     "3609375"),
    (3, 254,    1, "78.125",     "30078.125"),
    (3, 100,    1, "6093.75",    "36093.75"),
    (3, 255,    1, "39.0625",    "30039.0625"),
    (3, 255,  100, "3906.25",    "3003906.25"),
    (3,   1,  100, "996093.75",  "3996093.75"),
    (3, 100,   10, "60937.5",    "360937.5"),
    (3, 100,  300, "1828125",    "10828125"),
    (3, 100,  400, "2437500",    "14437500"),
    (3, 100, 4095, "24953906.25", "147803906.25"),
    (3,   1, 4095, "40790039.0625", "163640039.0625"),
    (3, 253,   10, "1171.875",   "301171.875"),
    (2, 100,  100, "609375",     "3609375"),
    (2, 100,  200, "609375",     "6609375"),
    (2, 254,  100, "7812.5",     "3007812.5"),
    (2, 255,  100, "3906.25",    "3003906.25"),
    (2,   1, 25500, "996093.75", "765996093.75"),
]
# fmt: on


@pytest.mark.parametrize(("version", "priority", "interval_cs", "skew_us", "down_us"), VECTORS)
def test_the_published_numbers(
    version: int, priority: int, interval_cs: int, skew_us: str, down_us: str
) -> None:
    interval_ns = interval_cs * CENTISECOND
    assert skew_ns(version, priority, interval_ns) == math.ceil(Fraction(skew_us) * 1000)
    assert down_interval_ns(version, priority, interval_ns) == math.ceil(Fraction(down_us) * 1000)


@given(st.sampled_from([2, 3]), PRIORITIES, CENTISECONDS)
def test_a_timer_is_exact_and_where_it_cannot_be_it_is_late_by_less_than_a_nanosecond(
    version: int, priority: int, interval_cs: int
) -> None:
    exact = exact_skew_s(version, priority, Fraction(interval_cs, 100)) * SECOND
    off = skew_ns(version, priority, interval_cs * CENTISECOND) - exact
    assert 0 <= off < 1


@given(CENTISECONDS, st.integers(1, 254))
def test_the_better_backup_is_always_first(interval_cs: int, priority: int) -> None:
    interval_ns = interval_cs * CENTISECOND
    assert down_interval_ns(3, priority + 1, interval_ns) < down_interval_ns(3, priority, interval_ns)
    assert down_interval_ns(2, priority + 1, interval_ns) < down_interval_ns(2, priority, interval_ns)


def test_skew_never_vanishes_as_it_would_in_whole_centiseconds() -> None:
    assert skew_ns(3, 254, CENTISECOND) == 78_125


@given(PRIORITIES, CENTISECONDS, st.integers(1, 100))
def test_down_timer_adverts_is_the_number_of_missing_adverts(
    priority: int, interval_cs: int, adverts: int
) -> None:
    interval_ns = interval_cs * CENTISECOND
    expected = adverts * interval_ns + skew_ns(3, priority, interval_ns)
    assert down_interval_ns(3, priority, interval_ns, adverts) == expected


def test_a_late_wake_up_does_not_shift_the_adverts_that_follow() -> None:
    assert next_advert_ns(1000, 100, 1000) == 1100
    assert next_advert_ns(1000, 100, 1099) == 1100


def test_an_early_wake_up_is_not_followed_by_a_gap_longer_than_the_interval() -> None:
    assert next_advert_ns(1000, 100, 990) == 1090


def test_missed_adverts_are_not_sent_in_a_burst() -> None:
    assert next_advert_ns(1000, 100, 1100) == 1200
    assert next_advert_ns(1000, 100, 5000) == 5100


@given(st.integers(0, 10**12), st.integers(1, 10**9), st.integers(-(10**9), 10**10))
def test_the_next_advert_is_in_the_future_and_at_most_an_interval_away(
    due: int, interval: int, late: int
) -> None:
    now = due + late
    assert now < next_advert_ns(due, interval, now) <= now + interval
