# SPDX-License-Identifier: GPL-3.0-or-later
"""Version 2 (RFC 3768): what differs from version 3."""

from __future__ import annotations

import pytest
from vrrp_agent.election.actions import RemoveAddresses, SendAdvert
from vrrp_agent.election.settings import State

from tests.unit.election.bench import DOWN, HIGHER, LOWER, MS, SECOND, Bench, without_notes


@pytest.mark.parametrize(("interval_s", "down_ms"), [(1, 3609.375), (2, 6609.375), (255, 765_609.375)])
def test_skew_is_a_part_of_a_second_whatever_the_interval(interval_s: int, down_ms: float) -> None:
    """R-V14."""
    bench = Bench(version=2, advert_int_ns=interval_s * SECOND).start()
    assert bench.router.deadline == int(down_ms * MS)
    bench.hear(0, at=SECOND)
    assert bench.router.deadline == SECOND + 609_375_000


def test_no_interval_is_learned() -> None:
    """R-V14. The receive checks discard such an advert already (R-V09); the core would not learn either."""
    bench = Bench(version=2).start()
    bench.hear(200, interval=4 * SECOND, at=SECOND)
    assert bench.router.active_interval_ns == SECOND
    assert bench.router.deadline == SECOND + DOWN


def test_the_states_are_those_of_version_3() -> None:
    """R-V15."""
    bench = Bench(version=2).start()
    bench.hear(200, at=SECOND)
    bench.hear(50, at=2 * SECOND)
    assert bench.router.deadline == SECOND + DOWN
    bench.run_until(20 * SECOND)
    assert bench.states()[1:] == [(SECOND + DOWN, State.ACTIVE)]
    assert without_notes(bench.hear(100, HIGHER))[0] == RemoveAddresses()
    assert bench.router.state is State.BACKUP
    bench.run_until(40 * SECOND)
    assert bench.router.stop(bench.now)[0] == SendAdvert(0)


def test_a_losing_advert_can_be_discarded_in_silence_as_rfc_3768_says() -> None:
    """R-V15: lower_prio_no_advert and no announcements; the default is keepalived's (K-05)."""
    bench = Bench(version=2, lower_prio_no_advert=True).become_active().forget()
    bench.hear(50, LOWER, at=DOWN + 100 * MS)
    assert bench.adverts() == []
    assert bench.router.deadline == DOWN + SECOND
