# SPDX-License-Identifier: GPL-3.0-or-later
"""From services to the entries of a table, and from one table to another."""

from __future__ import annotations

from typing import Dict, List

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from vrrp_agent.balance.actions import Entry
from vrrp_agent.balance.backend import (
    Change,
    DestinationKey,
    DestinationWords,
    Placed,
    ServiceKey,
    ServiceWords,
    Table,
)
from vrrp_agent.balance.describe import change_text, member_text
from vrrp_agent.balance.difference import ADD, REMOVE, SET, apply, difference
from vrrp_agent.balance.expand import keys_of, owners_of, table_of
from vrrp_agent.conf.parts.balancing import (
    DIRECT,
    NAT,
    TCP,
    TUNNEL,
    UDP,
    Forwarding,
    Member,
    Persistence,
    VirtualServer,
)

from tests.unit.balance.farm import copied, packed, server, service, sorry

# Members.


def member(first: str, count: int = 1, port: int = 80) -> Member:
    return Member(6 if ":" in first else 4, packed(first), count, port)


def key(address: str, port: int = 80, protocol: int = TCP) -> ServiceKey:
    return ServiceKey(6 if ":" in address else 4, protocol, packed(address), port, 0)


def mark(number: int, family: int = 4) -> ServiceKey:
    return ServiceKey(family, 0, b"", 0, number)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(service(), [key("198.51.100.10")], id="one-address"),
        pytest.param(
            service(members=(member("198.51.100.254", 3),), protocol=UDP),
            [
                key("198.51.100.254", 80, UDP),
                key("198.51.100.255", 80, UDP),
                key("198.51.101.0", 80, UDP),
            ],
            id="a-range-goes-on-past-a-byte",
        ),
        pytest.param(
            service(members=(member("2001:db8::ffff", 2),), family=6),
            [key("2001:db8::ffff"), key("2001:db8::1:0")],
            id="a-range-of-ipv6",
        ),
        pytest.param(
            service(members=(Member(4, fwmark=7), Member(6, fwmark=7)), protocol=TCP),
            [mark(7), mark(7, 6)],
            id="marks-have-no-protocol",
        ),
        pytest.param(
            service(members=(member("198.51.100.10", 2), member("198.51.100.11", 1)), group="web"),
            [key("198.51.100.10"), key("198.51.100.11")],
            id="members-that-overlap-are-one",
        ),
    ],
)
def test_a_service_is_the_keys_of_its_members(one: VirtualServer, expected: List[ServiceKey]) -> None:
    assert list(keys_of(one)) == expected


@pytest.mark.parametrize(
    ("method", "server_port", "members", "group", "expected"),
    [
        (NAT, 8080, (member("198.51.100.10"),), "", 8080),
        (NAT, 0, (member("198.51.100.10"),), "", 80),
        (NAT, 0, (member("198.51.100.10"),), "web", 0),
        (NAT, 8080, (Member(4, fwmark=7),), "", 8080),
        (NAT, 0, (Member(4, fwmark=7),), "", 0),
        (DIRECT, 8080, (member("198.51.100.10"),), "", 80),
        (TUNNEL, 0, (member("198.51.100.10", port=443),), "web", 443),
        (DIRECT, 8080, (Member(4, fwmark=7),), "", 0),
    ],
)
def test_only_nat_leads_to_another_port(
    method: str,
    server_port: int,
    members: tuple,
    group: str,
    expected: int,  # type: ignore[type-arg]
) -> None:
    one = service(server(1, method=method, port=server_port), members=members, group=group)
    pool = {each.key: Entry(each, 1) for each in one.servers}
    table = table_of(owners_of([one]), {one.key: pool}, lambda words: words, keys_of(one))
    (entry,) = table.values()
    assert [each.port for each in entry.destinations] == [expected]


def test_a_sorry_server_that_waits_does_not_hide_the_real_server_of_the_same_address() -> None:
    real, waiting = server(1, method=DIRECT), server(1, method=DIRECT, port=0)
    one = service(real, sorry_server=waiting)
    pool = {real.key: Entry(real, 3), waiting.key: Entry(waiting, 0)}
    table = table_of(owners_of([one]), {one.key: pool}, lambda words: words, keys_of(one))
    assert [each.weight for each in table[key("198.51.100.10")].destinations.values()] == [3]


def test_services_that_share_an_entry_bring_their_servers_together() -> None:
    first = service(server(1), scheduler="rr")
    second = service(server(2), name="[web]:tcp", scheduler="sh", group="web")
    pools = {one.key: {each.key: Entry(each, 1) for each in one.servers} for one in (first, second)}
    table = table_of(owners_of([first, second]), pools, lambda words: words, keys_of(first))
    entry = table[key("198.51.100.10")]
    assert entry.words.scheduler == "rr"
    assert [one.address[-1] for one in entry.destinations] == [1, 2]


@pytest.mark.parametrize(
    ("family", "written", "lengths"), [(4, 24, {4: 24, 6: 128}), (6, 64, {4: 32, 6: 64})]
)
def test_a_granularity_is_for_the_family_it_was_written_for(
    family: int, written: int, lengths: Dict[int, int]
) -> None:
    members = (member("198.51.100.10"), member("2001:db8::10"), Member(4, fwmark=7), Member(6, fwmark=7))
    one = service(group="web", family=family, members=members, persistence=Persistence(50, written, "sip"))
    table = table_of(owners_of([one]), {}, lambda words: words, keys_of(one))
    assert len(table) == 4
    for each, entry in table.items():
        assert entry.words.persistence == Persistence(50, lengths[each.family], "sip")


def test_members_and_steps_have_words() -> None:
    assert member_text(member("198.51.100.10", 11), TCP) == "198.51.100.10-198.51.100.20 tcp port 80"
    assert member_text(member("2001:db8::1", port=0), UDP) == "2001:db8::1 udp port any"
    assert member_text(Member(6, fwmark=7), 0) == "fwmark 7 inet6"
    step = Change(ADD, key("198.51.100.10"), destination=DestinationKey(packed("198.18.0.1"), 80))
    assert change_text(step) == "add [198.18.0.1]:80 to [198.51.100.10]:tcp:80"
    assert change_text(Change(REMOVE, mark(7, 6))) == "remove FWM 7 inet6"
    assert sorry().name.startswith("[")


# Differences.

SERVICE_KEYS = st.sampled_from([key("198.51.100.10"), key("198.51.100.10", 443), mark(7)])
DESTINATION_KEYS = st.builds(
    DestinationKey, st.sampled_from([b"\xc6\x12\0\x01", b"\xc6\x12\0\x02"]), st.just(80)
)
DESTINATIONS = st.builds(
    DestinationWords,
    st.integers(0, 2),
    st.builds(Forwarding, st.sampled_from([NAT, DIRECT])),
    st.integers(0, 1),
)
PLACED = st.builds(
    Placed,
    st.builds(ServiceWords, st.sampled_from(["rr", "wlc"])),
    st.dictionaries(DESTINATION_KEYS, DESTINATIONS),
)
TABLES = st.dictionaries(SERVICE_KEYS, PLACED)


@given(old=TABLES, new=TABLES)
@budget(max_examples=400, deadline=None)
def test_the_steps_lead_from_one_table_to_the_other(old: Table, new: Table) -> None:
    steps = difference(old, new)
    table = copied(old)
    apply(table, steps)
    assert table == new


@given(table=TABLES)
def test_equal_tables_need_no_step(table: Table) -> None:
    assert difference(table, copied(table)) == []


@given(old=TABLES, new=TABLES)
@budget(max_examples=400, deadline=None)
def test_what_is_the_same_is_never_touched(old: Table, new: Table) -> None:
    for step in difference(old, new):
        was, is_now = old.get(step.service), new.get(step.service)
        assert was != is_now
        if step.destination is not None and was is not None and is_now is not None:
            assert was.destinations.get(step.destination) != is_now.destinations.get(step.destination)
        elif was is not None and is_now is not None:
            assert was.words != is_now.words


@given(old=TABLES, new=TABLES)
@budget(max_examples=400, deadline=None)
def test_no_service_is_without_a_server_on_the_way(old: Table, new: Table) -> None:
    """What is in both is never removed, and a service that had and has servers has one at each moment."""
    steps = difference(old, new)
    removed = [(step.service, step.destination) for step in steps if step.what == REMOVE]
    for service_key, destination in removed:
        assert service_key not in new or (
            destination is not None and destination not in new[service_key].destinations
        )
    steady = [one for one in new if one in old and new[one].destinations and old[one].destinations]
    table = copied(old)
    for step in steps:
        apply(table, [step])
        for one in steady:
            assert table[one].destinations


def test_steps_come_in_an_order_that_drops_no_connection() -> None:
    old: Table = {key("198.51.100.10"): placed("rr", {1: 1, 2: 1}), mark(1): placed("rr", {1: 1})}
    new: Table = {key("198.51.100.10"): placed("wlc", {2: 5, 3: 1}), mark(2): placed("rr", {1: 1})}
    assert [
        (step.what, step.destination and step.destination.address[-1]) for step in difference(old, new)
    ] == [
        (SET, None),
        (SET, 2),
        (ADD, 3),
        (REMOVE, 1),
        (ADD, None),
        (ADD, 1),
        (REMOVE, None),
    ]


def placed(scheduler: str, weights: Dict[int, int]) -> Placed:
    return Placed(
        ServiceWords(scheduler),
        {
            DestinationKey(bytes([198, 18, 0, number]), 80): DestinationWords(weight, Forwarding())
            for number, weight in weights.items()
        },
    )
