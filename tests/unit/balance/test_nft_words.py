# SPDX-License-Identifier: GPL-3.0-or-later
"""Services and destinations as comments: what is written is read back, whatever it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.balance.backend import DestinationKey, DestinationWords, Placed, ServiceKey, ServiceWords
from vrrp_agent.balance.nft_words import (
    PlacedDestination,
    destination_comment,
    destination_name,
    read_destination,
    read_service,
    read_table,
    service_comment,
    service_name,
)
from vrrp_agent.conf.parts.balancing import Forwarding, Persistence
from vrrp_agent.kernel.nft_changes import TableChanges

MOST_BYTES = 252
PORTS = st.integers(0, 65535)
ADDRESSES = st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16))
SERVICES = st.one_of(
    st.builds(lambda p, a, n: ServiceKey(4 if len(a) == 4 else 6, p, a, n, 0), st.sampled_from((6, 17, 132)),
              ADDRESSES, PORTS),
    st.builds(lambda f, m: ServiceKey(f, 0, b"", 0, m), st.sampled_from((4, 6)), st.integers(1, 2**32 - 1)),
)  # fmt: skip
PERSISTENCE = st.builds(Persistence, st.integers(1, 2**31), st.integers(1, 128), st.sampled_from(("", "sip")))
WORDS = st.builds(
    ServiceWords,
    st.sampled_from(("rr", "wrr", "sh", "lblcr")),
    st.sets(st.sampled_from(("hashed", "ops", "flag-1", "flag-2", "flag-3"))).map(
        lambda one: tuple(sorted(one))
    ),
    st.none() | PERSISTENCE,
)
WAYS = st.builds(
    Forwarding,
    st.sampled_from(("NAT", "DR", "TUN")),
    st.sampled_from(("ipip", "gue", "gre")),
    PORTS,
    st.sampled_from(("nocsum", "csum", "remcsum")),
)
DESTINATIONS = st.builds(DestinationKey, ADDRESSES, PORTS)
DESTINATION_WORDS = st.builds(
    DestinationWords, st.integers(0, 65535), WAYS, st.integers(0, 2**31), st.integers(0, 2**31)
)


@given(SERVICES, WORDS)
def test_a_service_is_read_back(key: ServiceKey, words: ServiceWords) -> None:
    comment = service_comment(key, words)
    assert read_service(comment) == (key, words)
    assert len(comment.encode()) <= MOST_BYTES


@given(DESTINATIONS, DESTINATION_WORDS, st.integers(0, 2**31))
def test_a_destination_is_read_back(key: DestinationKey, words: DestinationWords, device: int) -> None:
    comment = destination_comment(key, words, device)
    assert read_destination(comment) == PlacedDestination(key, words, device)
    assert len(comment.encode()) <= MOST_BYTES


@given(SERVICES, DESTINATIONS)
def test_names_are_such_as_nft_reads(service: ServiceKey, destination: DestinationKey) -> None:
    name = destination_name(service, destination)
    assert re.fullmatch(r"[a-z][A-Za-z0-9./-]*", name)
    assert name.partition("/")[0] == service_name(service)


@given(st.text(max_size=60))
def test_other_comments_are_nothing_of_ours(text: str) -> None:
    for comment in (text, "service " + text, "server " + text):
        read_service(comment)
        read_destination(comment)
    assert read_table([("chain", text), ("chain/x", "server " + text)]).table == {}


@pytest.mark.parametrize(
    "comment",
    [
        "service tcp 198.51.100.10 port x scheduler rr",
        "service tcp nothing port 80 scheduler rr",
        "service tcp 198.51.100.10 port 80",
        "service mark 7 scheduler rr",
        "service tcp 198.51.100.10 port 80 scheduler rr persistence 5",
    ],
)
def test_damaged_comments_are_not_believed(comment: str) -> None:
    assert read_service(comment) is None


def test_a_table_has_services_and_what_stands_behind_them() -> None:
    key = ServiceKey(4, 6, bytes((198, 51, 100, 10)), 80, 0)
    words = ServiceWords("wrr")
    one, other = (DestinationKey(bytes((198, 18, 0, last)), 80) for last in (1, 2))
    placed = DestinationWords(3, Forwarding("DR"))
    chain = service_name(key)
    found = read_table(
        [
            (destination_name(key, one), destination_comment(one, placed, 5)),
            (chain, service_comment(key, words)),
            (destination_name(key, other), destination_comment(other, placed)),
            ("tcp-198.51.100.99-80/x", destination_comment(other, placed)),
        ]
    )
    assert found.table == {key: Placed(words, {one: placed, other: placed})}
    assert found.devices == {key: {one: 5, other: 0}}


def test_a_comment_without_room_is_an_error() -> None:
    with pytest.raises(ValueError, match="253 are possible"):
        TableChanges(2, "t").rule("c", comment="x" * 253)
