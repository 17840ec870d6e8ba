# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual servers on nf_tables by NAT: real connections from a client through a director to real servers."""

from __future__ import annotations

import socket
from typing import Any, Iterator, List

import pytest
from vrrp_agent.balance.backend import Change, ServiceKey
from vrrp_agent.conf.parts.balancing import TCP, UDP, Persistence
from vrrp_agent.kernel.conntrack import Asked, Conntrack

from tests.lab.farm import (
    OTHER_PORT,
    PORT,
    SERVERS,
    VIP,
    Farm,
    add_service,
    packed,
    server,
    server_address,
    service,
)
from tests.lab.plugin import MakeLan
from tests.lab.shell import wait_until

FAMILIES = (4, 6)


@pytest.fixture
def farm(make_lan: MakeLan) -> Iterator[Farm]:
    one = Farm(make_lan("client", "director", *SERVERS))
    one.lan.witnesses.append(one)
    try:
        yield one
    finally:
        one.close()


def changes_for(key: ServiceKey, *weights: int, scheduler: str = "rr", **words: Any) -> List[Change]:
    """A service with s1, s2, ... of these weights."""
    named = zip(SERVERS, weights)
    return [add_service(key, scheduler, **words), *(server(key, name, weight) for name, weight in named)]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("protocol", [TCP, UDP])
def test_shares_follow_the_weights_exactly(farm: Farm, family: int, protocol: int) -> None:
    key = service(family=family, protocol=protocol)
    assert farm.apply(*changes_for(key, 3, 2, 1, scheduler="wrr")) == []
    assert farm.shares(12, key) == {"s1": 6, "s2": 4, "s3": 2}
    other = service(OTHER_PORT, family=family, protocol=protocol)
    assert farm.apply(*changes_for(other, 3, 2, 1)) == []
    assert farm.shares(12, other) == {"s1": 4, "s2": 4, "s3": 4}


def test_source_hashing_keeps_a_client_and_spreads_its_ports_when_asked(farm: Farm) -> None:
    key, by_port = service(), service(protocol=UDP)
    changes = changes_for(key, 1, 1, 1, scheduler="sh")
    changes_by_port = changes_for(by_port, 1, 1, 1, scheduler="sh", flags=("flag-2",))
    farm.apply(*changes, *changes_by_port)

    def answers() -> List[str]:
        return [farm.ask(by_port, source=("", 40000 + number)) for number in range(24)]

    assert len(farm.shares(9, key)) == 1
    found, by_ports = farm.ask(key), answers()
    assert set(by_ports) == set(SERVERS)
    # another director finds the same servers: nothing is remembered
    farm.call(farm.backend.flush)
    farm.backend = farm.new_backend()
    farm.apply(*reversed_servers(changes), *reversed_servers(changes_by_port))
    assert farm.ask(key) == found
    assert answers() == by_ports


def reversed_servers(changes: List[Change]) -> List[Change]:
    return [changes[0], *reversed(changes[1:])]


def test_only_the_highest_weight_serves_with_fo(farm: Farm) -> None:
    key = service()
    farm.apply(*changes_for(key, 1, 5, 2, scheduler="fo"))
    assert farm.shares(4) == {"s2": 4}
    farm.apply(server(key, "s2", 0, what="set"))
    assert farm.shares(4) == {"s3": 4}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_persistent_client_stays_when_the_servers_change(farm: Farm, family: int) -> None:
    key = service(family=family)
    lasting = Persistence(300, 24 if family == 4 else 64)
    farm.apply(*changes_for(key, 1, 1, persistence=lasting))
    first = farm.ask(key)
    assert farm.shares(5, key) == {first: 5}
    farm.apply(server(key, "s3", 9))
    assert farm.shares(5, key) == {first: 5}
    # the granularity: a neighbour of the client counts as the client
    neighbour = "198.51.100.77" if family == 4 else "2001:db8::77"
    at_once = ("nodad",) if family == 6 else ()
    farm.client.ip("address", "add", f"{neighbour}/{lasting.prefix_length}", "dev", "eth0", *at_once)
    assert farm.ask(key, source=(neighbour, 0)) == first
    # its server drains: it gets another one and does not come back while that one is there
    farm.apply(server(key, first, 0, what="set"))
    second = farm.ask(key)
    assert second != first
    farm.apply(server(key, first, 1, what="set"))
    assert farm.shares(5, key) == {second: 5}


def test_a_persistent_client_is_forgotten_in_time(farm: Farm) -> None:
    key = service()
    farm.apply(*changes_for(key, 1, 1, 1, persistence=Persistence(1, 32)))
    first = farm.ask(key)
    wait_until("another server", lambda: farm.ask(key) != first, every_s=1.2)


@pytest.mark.parametrize("protocol", [TCP, UDP])
def test_weight_0_gets_nothing_new_and_keeps_what_it_has(farm: Farm, protocol: int) -> None:
    key = service(protocol=protocol)
    farm.apply(*changes_for(key, 1, 1))
    flows = {one.ask(): one for one in (farm.flow(key), farm.flow(key))}
    assert set(flows) == {"s1", "s2"}
    farm.apply(server(key, "s1", 0, what="set"))
    assert farm.shares(4, key) == {"s2": 4}
    assert {name: one.ask() for name, one in flows.items()} == {"s1": "s1", "s2": "s2"}


def test_connections_to_other_servers_survive_every_change(farm: Farm) -> None:
    key = service()
    farm.apply(*changes_for(key, 1, 1))
    flows = {one.ask(): one for one in (farm.flow(key), farm.flow(key))}
    farm.apply(server(key, "s3", 1), server(key, "s1", what="remove"))
    farm.apply(add_service(key, "wrr")._replace(what="set"))
    farm.apply(*changes_for(service(OTHER_PORT), 1))
    assert flows["s2"].ask() == "s2"
    assert farm.shares(4) == {"s2": 2, "s3": 2}


@pytest.mark.parametrize("family", FAMILIES)
def test_udp_of_one_port_leaves_a_server_that_is_removed(farm: Farm, family: int) -> None:
    key = service(family=family, protocol=UDP)
    farm.apply(*changes_for(key, 1, 1))
    flow = farm.flow(key)
    first = flow.ask()
    assert [flow.ask() for _time in range(3)] == [first] * 3
    farm.apply(server(key, first, what="remove"))
    assert flow.ask() == ({"s1", "s2"} - {first}).pop()


def test_tcp_to_a_server_that_is_removed_ends(farm: Farm) -> None:
    key = service()
    farm.apply(*changes_for(key, 1))
    flow = farm.flow(key)
    assert flow.ask() == "s1"
    farm.apply(server(key, "s1", what="remove"), server(key, "s2"))
    with pytest.raises(ConnectionResetError):
        flow.ask()
    assert farm.ask(key) == "s2"


def test_udp_that_was_there_before_the_service_is_balanced(farm: Farm) -> None:
    key = service(protocol=UDP)
    flow = farm.flow(key)
    listener = farm.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    listener.bind((VIP[4], PORT))
    flow.socket.send(b"?")
    listener.settimeout(3)
    assert listener.recv(10) == b"?"
    farm.apply(*changes_for(key, 1))
    assert flow.ask() == "s1"
    listener.close()


def test_a_firewall_mark_stands_for_what_is_marked(farm: Farm) -> None:
    farm.nft("add table ip marks")
    farm.nft("add chain ip marks pre { type filter hook prerouting priority mangle; }")
    farm.nft(f"add rule ip marks pre tcp dport {{ {PORT}, {OTHER_PORT} }} meta mark set 7")
    key = service(fwmark=7)
    farm.apply(*changes_for(key, 1, 1))
    both = [farm.shares(2, key, port=port) for port in (PORT, OTHER_PORT)]
    assert both == [{"s1": 1, "s2": 1}] * 2
    # a server with a port of its own gets all of it
    farm.apply(add_service(key), server(key, "s1", what="remove"), server(key, "s2", what="remove"))
    farm.apply(server(key, "s3", port=OTHER_PORT))
    assert farm.shares(2, key, port=PORT) == {"s3": 2}
    assert farm.apply(server(key, "s1", method="DR"))[0].why.startswith(
        "nftables cannot carry lvs_method DR by"
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_port_0_is_every_port_and_an_exact_port_goes_before(farm: Farm, family: int) -> None:
    key, exact = service(0, family=family), service(OTHER_PORT, family=family)
    farm.apply(*changes_for(key, 1))
    assert [farm.ask(key, port=port) for port in (PORT, OTHER_PORT)] == ["s1", "s1"]
    farm.apply(add_service(exact), server(exact, "s2"))
    assert [farm.ask(key, port=port) for port in (PORT, OTHER_PORT)] == ["s1", "s2"]


def test_a_server_may_have_another_port(farm: Farm) -> None:
    key = service(8080)
    farm.apply(add_service(key), server(key, "s1", port=PORT), server(key, "s2", port=OTHER_PORT))
    assert farm.shares(4, key) == {"s1": 2, "s2": 2}


@pytest.mark.parametrize("family", FAMILIES)
def test_programs_of_the_director_are_balanced_too(farm: Farm, family: int) -> None:
    key = service(family=family)
    farm.apply(*changes_for(key, 1, 1))
    assert farm.shares(4, key, by="director") == {"s1": 2, "s2": 2}


def test_a_director_without_the_address_leaves_packets_alone(farm: Farm) -> None:
    farm.apply(*changes_for(service(), 1))
    assert farm.ask() == "s1"
    farm.hold_addresses("del")
    farm.client.ip("address", "add", f"{VIP[4]}/32", "dev", "lo")  # the other director, as it were
    with pytest.raises(ConnectionRefusedError):
        farm.ask()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("protocol", [TCP, UDP])
def test_without_a_server_clients_are_refused_at_once(farm: Farm, family: int, protocol: int) -> None:
    key = service(family=family, protocol=protocol)
    farm.apply(*changes_for(key, 1))
    assert farm.ask(key) == "s1"
    farm.apply(server(key, "s1", what="remove"))
    with pytest.raises(ConnectionRefusedError):
        farm.ask(key)


def test_clients_are_seen_by_the_servers(farm: Farm) -> None:
    farm.apply(*changes_for(service(), 1))
    farm.ask(source=("", 40002))
    assert farm.answering.clients[-1] == ("s1", farm.client.ipv4, 40002)


def test_connections_are_counted(farm: Farm) -> None:
    key = service()
    farm.apply(*changes_for(key, 2, 1, scheduler="wrr"))
    flows = [farm.flow(key) for _time in range(6)]
    for one in flows:
        one.ask()
    counted = farm.call(farm.backend.counters)[key]
    by_name = {name: counted.destinations[server(key, name).destination] for name in ("s1", "s2")}
    assert (by_name["s1"].connections, by_name["s2"].connections) == (4, 2)
    assert (by_name["s1"].active_connections, by_name["s2"].active_connections) == (4, 2)
    assert (counted.service.connections, counted.service.active_connections) == (6, 6)
    # a change of the weight does not begin to count anew
    farm.apply(server(key, "s1", 1, what="set"))
    again = farm.call(farm.backend.counters)[key]
    assert again.service.connections == 6
    assert packed(server_address("s1", 4)) in {one.address for one in again.destinations}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_kernel_chooses_the_connections_of_a_service(farm: Farm, family: int) -> None:
    keys = [service(port, family=family, protocol=one) for one in (TCP, UDP) for port in (PORT, OTHER_PORT)]
    for key in keys:
        farm.apply(*changes_for(key, 1))
        assert farm.ask(key) == "s1"

    def listed(asked: Asked) -> set[tuple[int, int]]:
        conntrack = Conntrack()
        try:
            found = list(conntrack.connections(family, False, asked=asked))
        finally:
            conntrack.close()
        return {(one.asked.protocol, one.asked.destination_port) for one in found}

    vip = packed(VIP[family])
    assert farm.call(lambda: listed(Asked(UDP, vip, PORT))) == {(UDP, PORT)}
    assert farm.call(lambda: listed(Asked(UDP, vip))) == {(UDP, PORT), (UDP, OTHER_PORT)}
    if family == 4:  # the kernel does not choose by addresses of IPv6
        assert farm.call(lambda: listed(Asked(UDP, packed("198.51.100.99"), PORT))) == set()
