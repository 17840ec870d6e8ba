# SPDX-License-Identifier: GPL-3.0-or-later
"""From a table and changes to what nf_tables is to carry, and what it cannot."""

from __future__ import annotations

from typing import List

import pytest
from vrrp_agent.balance.backend import (
    Change,
    DestinationKey,
    DestinationWords,
    Placed,
    ServiceKey,
    ServiceWords,
    Table,
)
from vrrp_agent.balance.nft_plan import difference, lost_servers, plan
from vrrp_agent.conf.parts.balancing import DIRECT, NAT, TUNNEL, Forwarding

KEY = ServiceKey(4, 6, bytes((198, 51, 100, 10)), 80, 0)
MARK = ServiceKey(4, 0, b"", 0, 7)
WORDS = ServiceWords("rr")
ONE, TWO = (DestinationKey(bytes((198, 18, 0, last)), 80) for last in (1, 2))
SIX = DestinationKey(bytes(16), 80)


def words(method: str = NAT, weight: int = 1) -> DestinationWords:
    return DestinationWords(weight, Forwarding(method))


def add(key: ServiceKey, destination: DestinationKey, method: str = NAT, what: str = "add") -> Change:
    return Change(what, key, destination=destination, destination_words=words(method))


def table(**methods: str) -> Table:
    servers = {"one": ONE, "two": TWO}
    return {KEY: Placed(WORDS, {servers[name]: words(method) for name, method in methods.items()})}


def test_the_table_that_came_in_is_left_as_it_was() -> None:
    before = table(one=NAT)
    wanted = plan(before, [add(KEY, TWO), Change("remove", KEY, destination=ONE)])
    assert wanted.refusals == []
    assert before == table(one=NAT)
    assert wanted.table == table(two=NAT)


@pytest.mark.parametrize(
    ("changes", "whys"),
    [
        ([Change("remove", MARK)], ["there is no such service"]),
        ([add(MARK, ONE)], ["there is no such service"]),
        ([Change("remove", KEY, destination=TWO)], ["there is no such server"]),
        ([add(KEY, TWO, TUNNEL)],
         ["nftables cannot carry lvs_method TUN: use NAT or DR, or a kernel with ip_vs"]),
        ([add(KEY, SIX)], ["the server's address is of another family than the service"]),
        ([add(KEY, TWO, DIRECT)], ["nftables cannot carry lvs_method DR beside NAT in one service"]),
        ([Change("add", MARK, WORDS), add(MARK, ONE, DIRECT)],
         ["nftables cannot carry lvs_method DR by firewall mark: name addresses and ports, or use NAT"]),
        ([Change("add", KEY)], ["nothing is said about the service"]),
        ([Change("add", KEY, destination=TWO)], ["nothing is said about the server"]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_and_the_rest_stays(changes: List[Change], whys: List[str]) -> None:
    wanted = plan(table(one=NAT), changes)
    assert [refusal.why for refusal in wanted.refusals] == whys
    assert wanted.table[KEY] == table(one=NAT)[KEY]


def test_a_service_may_change_its_method_as_a_whole() -> None:
    changes = [add(KEY, TWO, DIRECT), Change("remove", KEY, destination=ONE)]
    assert plan(table(one=NAT), changes) == (table(two=DIRECT), [])
    assert plan(table(one=NAT), [add(KEY, ONE, DIRECT, "set")]) == (table(one=DIRECT), [])


def test_removed_services_are_the_first_difference() -> None:
    old: Table = {MARK: Placed(WORDS, {}), KEY: Placed(WORDS, {})}
    new: Table = {KEY: Placed(ServiceWords("wrr"), {})}
    assert difference(old, new) == [MARK, KEY]
    assert difference(old, old) == []


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        (table(one=NAT, two=NAT), table(one=NAT), [TWO]),
        (table(one=NAT), {}, [ONE]),
        (table(one=NAT), table(one=DIRECT), [ONE]),
        (table(one=DIRECT), table(two=DIRECT), []),
        (table(one=NAT), table(one=NAT, two=NAT), []),
    ],
)
def test_connections_end_where_a_server_is_gone(old: Table, new: Table, lost: List[DestinationKey]) -> None:
    assert lost_servers(old, new) == [(KEY, one.address, one.port) for one in lost]
