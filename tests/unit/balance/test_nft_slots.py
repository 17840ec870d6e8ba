# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server has which slot: shares by weight, and few moves when servers change."""

from __future__ import annotations

from collections import Counter
from typing import List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vrrp_agent.balance.backend import DestinationKey
from vrrp_agent.balance.nft_slots import HASH_SLOTS, MOST_TURNS, hash_slots, scaled, slots, turns

A, B, C = (DestinationKey(bytes((198, 18, 0, last)), 80) for last in (1, 2, 3))
NAMES = {A: "a", B: "b", C: "c"}


def spelled(owners: Tuple[DestinationKey, ...]) -> str:
    return "".join(NAMES[owner] for owner in owners)


@pytest.mark.parametrize(
    ("scheduler", "weights", "expected"),
    [
        ("rr", (5, 1, 1), "abc"),
        ("rr", (5, 0, 1), "ac"),
        ("wrr", (1, 1, 1), "abc"),
        ("wrr", (4, 2, 2), "abca"),
        ("wrr", (300, 200, 100), "abacba"),
        ("wrr", (0, 0, 7), "c"),
        ("wrr", (0, 0, 0), ""),
        ("fo", (1, 3, 3), "b"),
        ("fo", (0, 0, 0), ""),
    ],
)
def test_turns(scheduler: str, weights: Tuple[int, ...], expected: str) -> None:
    assert spelled(slots(scheduler, list(zip((A, B, C), weights)))) == expected


@settings(deadline=None)
@given(st.lists(st.integers(1, 65535), min_size=1, max_size=12))
def test_shares_are_those_of_the_weights(weights: List[int]) -> None:
    small = scaled(weights)
    assert min(small) >= 1
    if sum(small) < MOST_TURNS - len(weights):  # not scaled down
        assert [one * weights[0] for one in small] == [one * small[0] for one in weights]
    assert sum(small) <= MOST_TURNS + len(weights)


@settings(deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=8))
def test_turns_are_spread(weights: List[int]) -> None:
    """No server waits longer for its turn than twice its fair distance."""
    servers = [(DestinationKey(bytes((198, 18, 0, at)), 80), weight) for at, weight in enumerate(weights)]
    order = turns(servers)
    assert Counter(order) == dict(zip((key for key, _weight in servers), scaled(weights)))
    for key, share in Counter(order).items():
        places = [at for at, one in enumerate(order) if one == key]
        gaps = [after - before for before, after in zip(places, [*places[1:], places[0] + len(order)])]
        assert max(gaps) <= 2 * len(order) / share + 1


def test_hashes_have_the_shares_of_the_weights() -> None:
    counted = Counter(slots("sh", [(A, 2), (B, 1), (C, 1)]))
    assert counted == {A: HASH_SLOTS // 2, B: HASH_SLOTS // 4, C: HASH_SLOTS // 4}
    counted = Counter(slots("dh", [(A, 2), (B, 1), (C, 0)]))
    assert counted == {A: HASH_SLOTS // 2, B: HASH_SLOTS // 2}


@settings(deadline=None)
@given(st.permutations([(A, 3), (B, 2), (C, 1)]))
def test_hashes_do_not_depend_on_the_order(
    servers: List[Tuple[DestinationKey, int]],
) -> None:
    assert hash_slots(tuple(servers)) == hash_slots(((A, 3), (B, 2), (C, 1)))


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 20), st.integers(0, 19))
def test_a_server_that_leaves_moves_little_but_its_own(number: int, leaver: int) -> None:
    servers = [(DestinationKey(bytes((198, 18, 1, at)), 80), 1) for at in range(number)]
    gone = servers[leaver % number]
    before, after = hash_slots(tuple(servers)), hash_slots(tuple(one for one in servers if one != gone))
    others = [(old, new) for old, new in zip(before, after) if old != gone[0]]
    moved = sum(old != new for old, new in others)
    assert moved <= len(others) / 3, f"{moved} of {len(others)} slots of others moved"


def test_hashes_are_the_same_on_every_director() -> None:
    """A value that must never change: directors of two versions would send a client to different servers."""
    assert spelled(hash_slots(((A, 1), (B, 1), (C, 1)))[:16]) == "bbaaabaaaaabbabc"
