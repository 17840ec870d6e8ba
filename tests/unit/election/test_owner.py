# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner of the addresses, priority 255: alone, beside another owner (K-05a, R-X05), and deaf (R-V12)."""

from __future__ import annotations

from typing import Any

import pytest
from vrrp_agent.election.actions import AddAddresses, Announce, SendAdvert
from vrrp_agent.election.settings import State

from tests.unit.election.bench import HIGHER, LOWER, MS, SECOND, Bench

OWNER_DOWN = 3_003_906_250
"""Active_Down_Interval of priority 255 at 1 s."""


def owner(**changes: Any) -> Bench:
    return Bench(priority=255, **changes).start()


def test_owner_is_active_at_once() -> None:
    """R-F01, erratum 7947."""
    bench = Bench(priority=255)
    actions = bench.start(at=5 * SECOND).diary
    assert [action for _at, action in actions[:3]] == [SendAdvert(255), AddAddresses(), Announce(5)]
    assert bench.router.deadline == 6 * SECOND
    assert bench.router.reason == "priority 255, owner of the addresses"


def test_owner_does_not_give_way_to_any_other_priority() -> None:
    bench = owner()
    for priority in (1, 100, 254):
        assert SendAdvert(255) in bench.hear(priority, HIGHER)
    assert bench.router.state is State.ACTIVE


def test_owner_keeps_its_priority_whatever_trackers_say() -> None:
    bench = owner()
    assert bench.router.set_priority(100, SECOND) == ()
    bench.run_until(SECOND)
    assert bench.adverts()[-1] == (SECOND, 255)


@pytest.mark.parametrize("version", [2, 3])
def test_owner_with_the_lower_address_falls_to_254_and_becomes_backup(version: int) -> None:
    """K-05a; erratum 8298: an owner that does not listen would let an impostor stay beside it."""
    bench = owner(version=version)
    bench.hear(255, HIGHER, at=300 * MS)
    assert bench.router.state is State.BACKUP
    assert bench.router.effective_priority == 254
    assert bench.router.deadline == 300 * MS + OWNER_DOWN
    assert "configuration error: 192.0.2.11 is address owner (priority 255) too" in bench.notes()


def test_owner_that_fell_back_is_255_again_when_the_other_disappears() -> None:
    """K-05a."""
    bench = owner()
    for at in range(1, 4):
        bench.hear(255, HIGHER, at=at * SECOND - 500 * MS)
    takeover = 2_500 * MS + OWNER_DOWN
    bench.run_until(takeover)
    assert bench.adverts()[-1] == (takeover, 255)
    assert bench.router.effective_priority == 255


@pytest.mark.parametrize(("priority", "source"), [(254, HIGHER), (100, LOWER)])
def test_owner_that_fell_back_is_255_again_when_it_hears_a_lower_priority(
    priority: int, source: bytes
) -> None:
    """K-05a: and then such an advert does not stop it."""
    bench = owner()
    bench.hear(255, HIGHER, at=300 * MS)
    bench.hear(priority, source, at=800 * MS)
    assert bench.router.effective_priority == 255
    assert bench.router.deadline == 300 * MS + OWNER_DOWN


def test_owner_that_fell_back_is_255_again_when_the_other_resigns() -> None:
    bench = owner()
    bench.hear(255, HIGHER, at=300 * MS)
    bench.hear(0, HIGHER, at=800 * MS)
    assert bench.router.effective_priority == 255
    assert bench.router.deadline == 800 * MS + 3_906_250


def test_owner_with_the_higher_address_stays_while_the_other_gives_way() -> None:
    """K-05a."""
    bench = owner()
    bench.hear(255, LOWER, at=300 * MS)
    bench.run_until(20 * SECOND)
    assert bench.states() == [(0, State.ACTIVE)]
    assert [at for at, _priority in bench.adverts()] == [0, 300 * MS, *[n * SECOND for n in range(1, 21)]]
    assert bench.notes()[-1] == "the other address owner has stopped advertising"


def test_owner_with_the_higher_address_falls_to_254_when_the_other_goes_on() -> None:
    """K-05a: after two own adverts (1 s, 2 s) and within 1.2 intervals another advert is proof enough."""
    bench = owner()
    for at in (300, 1300, 1999):
        bench.hear(255, LOWER, at=at * MS)
        assert bench.router.state is State.ACTIVE
    bench.hear(255, LOWER, at=2_300 * MS)
    assert bench.router.state is State.BACKUP
    assert bench.router.effective_priority == 254
    assert bench.router.reason == "192.0.2.9 goes on as address owner with priority 255"


def test_the_other_owner_has_until_the_end_of_its_time() -> None:
    for at, state in ((3_200 * MS - 1, State.BACKUP), (3_200 * MS, State.ACTIVE)):
        bench = owner()
        bench.hear(255, LOWER, at=300 * MS)
        bench.hear(255, LOWER, at=at)
        assert bench.router.state is state


def test_a_slow_owner_gets_more_time() -> None:
    """The longer of both intervals counts: 2 s + 1.2 * 5 s."""
    bench = owner()
    bench.hear(255, LOWER, interval=5 * SECOND, at=300 * MS)
    bench.run_until(7 * SECOND)
    assert bench.router.rival_until_ns == 8 * SECOND


def test_an_episode_with_another_owner_is_forgotten_when_active_ends() -> None:
    bench = owner()
    bench.hear(255, LOWER, at=300 * MS)
    bench.run_until(2_100 * MS)
    bench.router.set_faults(("interface eth0 is down",), bench.now)
    bench.router.set_faults((), bench.now)
    bench.hear(255, LOWER, at=2_300 * MS)
    assert bench.router.state is State.ACTIVE


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("priority", [0, 100, 255])
def test_owner_that_is_told_to_ignore_adverts_stays_active(version: int, priority: int) -> None:
    """R-V12, R-X05 as published: owner_ignore_adverts."""
    bench = owner(version=version, owner_ignore_adverts=True).forget()
    assert bench.hear(priority, HIGHER, at=300 * MS) == ()
    bench.run_until(10 * SECOND)
    assert bench.states() == []
    assert bench.adverts() == [(n * SECOND, 255) for n in range(1, 11)]


def test_two_owners_never_stay_active_together() -> None:
    """Both of ours, joined by a perfect wire: whoever has the higher address keeps the addresses."""
    low, high = owner(), Bench(priority=255, source=HIGHER).start()
    for step in range(1, 200):
        now = step * 100 * MS
        for one, other in ((low, high), (high, low)):
            one.run_until(now)
            for at, priority in one.adverts():
                if at > now - 100 * MS:
                    other.run_until(now)
                    other.note(other.router.receive(priority, one.router.source, SECOND, now))
    assert (low.router.state, high.router.state) == (State.BACKUP, State.ACTIVE)
    assert len(low.states()) == 2
    assert len(high.states()) == 1
