# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual servers on nf_tables by DR: packets go on as they came, and servers answer clients themselves."""

from __future__ import annotations

import socket
from typing import Iterator, List

import pytest
from vrrp_agent.balance.backend import Change, ServiceKey
from vrrp_agent.conf.parts.balancing import DIRECT, TCP, UDP, Persistence

from tests.lab.farm import OTHER_PORT, PORT, SERVERS, VIP, Farm, add_service, server, server_address, service
from tests.lab.lan import batch
from tests.lab.namespace import open_socket
from tests.lab.plugin import MakeLan
from tests.lab.shell import wait_until

FAMILIES = (4, 6)


@pytest.fixture
def farm(make_lan: MakeLan) -> Iterator[Farm]:
    one = Farm(make_lan("client", "director", *SERVERS))
    one.lan.witnesses.append(one)
    try:
        one.answer_directly()
        one.director.sysctl("net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0")
        yield one
    finally:
        one.close()


def direct(
    key: ServiceKey, *weights: int, scheduler: str = "rr", persistence: Persistence | None = None
) -> List[Change]:
    """A service with s1, s2, ... of these weights."""
    servers = [server(key, name, weight, method=DIRECT) for name, weight in zip(SERVERS, weights)]
    return [add_service(key, scheduler, (), persistence), *servers]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("protocol", [TCP, UDP])
def test_shares_follow_the_weights_and_connections_stay(farm: Farm, family: int, protocol: int) -> None:
    key = service(family=family, protocol=protocol)
    assert farm.apply(*direct(key, 3, 2, 1, scheduler="wrr")) == []
    assert farm.backend.problem == ""
    flows = [farm.flow(key) for _time in range(12)]
    first = [one.ask() for one in flows]
    assert {name: first.count(name) for name in SERVERS} == {"s1": 6, "s2": 4, "s3": 2}
    # every packet of a connection goes to its server, whatever becomes of the weights and of others
    farm.apply(
        server(key, "s1", 0, what="set", method=DIRECT), server(key, "s2", 9, what="set", method=DIRECT)
    )
    farm.apply(server(key, "s3", what="remove"))
    staying = [(one, name) for one, name in zip(flows, first) if name != "s3"]
    assert [one.ask() for one, _name in staying] == [name for _one, name in staying]
    assert farm.shares(4, key) == {"s2": 4}
    counted = farm.call(farm.backend.counters)[key].service
    assert (counted.packets_in or 0) >= 12 * (3 if protocol == TCP else 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_udp_of_one_port_leaves_a_server_that_is_removed(farm: Farm, family: int) -> None:
    key = service(family=family, protocol=UDP)
    farm.apply(*direct(key, 1, 1))
    flow = farm.flow(key)
    first = flow.ask()
    assert [flow.ask() for _time in range(3)] == [first] * 3
    farm.apply(server(key, first, what="remove"))
    assert flow.ask() == ({"s1", "s2"} - {first}).pop()


def test_a_persistent_client_stays(farm: Farm) -> None:
    key = service()
    farm.apply(*direct(key, 1, 1, persistence=Persistence(300, 32)))
    first = farm.ask(key)
    farm.apply(server(key, "s3", 9, method=DIRECT))
    assert farm.shares(4, key) == {first: 4}


def test_connections_stay_when_the_persistence_changes(farm: Farm) -> None:
    key = service()
    farm.apply(*direct(key, 1, 1, 1))
    flows = [farm.flow(key) for _time in range(3)]
    first = [one.ask() for one in flows]
    assert set(first) == set(SERVERS)
    for persistence in (Persistence(300, 32), Persistence(60, 24), None):
        before = farm.call(farm.backend.counters)[key].service.packets_in or 0
        assert farm.apply(add_service(key, "rr", (), persistence)._replace(what="set")) == []
        assert [one.ask() for one in flows] == first
        assert (farm.call(farm.backend.counters)[key].service.packets_in or 0) > before


def test_hashing_and_every_port(farm: Farm) -> None:
    key = service(0)
    farm.apply(*direct(key, 1, 1, 1, scheduler="sh"))
    answers = {farm.ask(key, port=port) for port in (PORT, OTHER_PORT) for _time in range(3)}
    assert len(answers) == 1
    rows = service(0, protocol=UDP)
    farm.apply(*direct(rows, 1, 1))
    both = [farm.flow(rows, port=port, source=("", 40003)) for port in (PORT, OTHER_PORT)]
    assert [one.ask() for one in both for _time in range(2)] == ["s1", "s1", "s2", "s2"]


def test_a_router_is_one_hop(farm: Farm) -> None:
    """The TTL goes down by one, as with IPVS, so that a loop ends; the client's address stays."""
    farm.apply(*direct(service(protocol=UDP), 1))
    tap = open_socket(farm.lan.s1.namespace, socket.AF_PACKET, socket.SOCK_DGRAM, 0x0008)
    tap.bind(("eth0", 0x0800))
    tap.settimeout(3)
    flow = farm.flow(service(protocol=UDP), source=("", 40004))
    flow.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 9)
    assert flow.ask() == "s1"
    while True:
        packet = tap.recv(2048)
        if packet[9] == UDP and packet[16:20] == socket.inet_aton(VIP[4]):
            break
    tap.close()
    assert packet[8] == 8
    assert farm.answering.clients[-1] == ("s1", farm.client.ipv4, 40004)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_long_upload_gets_through(farm: Farm, family: int) -> None:
    """Packets that the device has put together (GRO) are taken apart again on their way out."""
    key = service(family=family)
    farm.apply(*direct(key, 1))
    flow = farm.flow(key)
    flow.socket.sendall(b"x" * (1 << 20))
    assert flow.ask().startswith("s1")
    wait_until("all of it", lambda: farm.answering.received >= (1 << 20) + 1)


def test_packets_for_a_virtual_mac_are_handed_on(farm: Farm) -> None:
    """They come in on a link above the device (use_vmac), whose chain alone takes them."""
    farm.hold_addresses("del")
    mac = "00:00:5e:00:01:33"
    words = f"link add vrrp.51 link eth0 address {mac} type macvlan mode private"
    batch(farm.director.namespace, words, "link set vrrp.51 up", f"addr add {VIP[4]}/32 dev vrrp.51")
    farm.client.ip("neighbor", "replace", VIP[4], "lladdr", mac, "dev", "eth0")
    key = service(protocol=UDP)
    farm.apply(*direct(key, 1))
    flow = farm.flow(key)
    assert [flow.ask() for _time in range(3)] == ["s1"] * 3
    assert farm.call(farm.backend.counters)[key].service.packets_in == 3


def test_only_the_holder_of_the_address_hands_on(farm: Farm) -> None:
    farm.apply(*direct(service(), 1))
    assert farm.ask() == "s1"
    farm.hold_addresses("del")
    farm.client.ip("neighbor", "replace", VIP[4], "lladdr", farm.director.mac, "dev", "eth0")
    flow = None
    with pytest.raises(OSError):
        flow = farm.flow(service(), source=("", 0))
    assert flow is None


def test_without_a_server_clients_are_refused_at_once(farm: Farm) -> None:
    for family in FAMILIES:
        key = service(family=family)
        farm.apply(*direct(key, 1))
        farm.apply(server(key, "s1", what="remove"))
        with pytest.raises(ConnectionRefusedError):
            farm.ask(key)


def test_a_server_on_another_device_is_followed(farm: Farm) -> None:
    """A device that is new is hung onto the table, and one that leads to a server is found anew."""
    key = service(protocol=UDP)
    farm.apply(*direct(key, 1))
    assert farm.ask(key) == "s1"
    farm.director.add_interface("eth1", bridged=True)
    batch(
        farm.director.namespace,
        "addr del 198.18.0.254/24 dev eth0",
        "addr add 198.18.0.254/24 dev eth1",
    )
    farm.call(farm.backend.counters)
    assert farm.ask(key) == "s1"
    assert 'device "eth1"' in farm.nft("list", "chain", "netdev", "vrrp_agent_balance", "ingress-eth1")
    assert "dev eth1" not in farm.backend.problem
    farm.director.ip("link", "del", "eth1")
    farm.call(farm.backend.counters)
    assert server_address("s1", 4) in farm.backend.problem
    with pytest.raises(ConnectionRefusedError):
        farm.ask(key)


def test_the_methods_do_not_mix(farm: Farm) -> None:
    key = service()
    refused = farm.apply(*direct(key, 1), server(key, "s2"), server(key, "s3", method="TUN"))
    assert {one.change.destination: one.why for one in refused} == {
        server(key, "s2").destination: "nftables cannot carry lvs_method NAT beside DR in one service",
        server(key, "s3").destination: (
            "nftables cannot carry lvs_method TUN: use NAT or DR, or a kernel with ip_vs"
        ),
    }
    assert farm.shares(3) == {"s1": 3}
    # all of a service may change its method at once
    farm.director.sysctl("net.ipv4.ip_forward=1")
    steps = [server(key, "s1", what="remove"), server(key, "s2")]
    assert farm.apply(*steps) == []
    assert "netdev" not in farm.nft("list", "tables")
