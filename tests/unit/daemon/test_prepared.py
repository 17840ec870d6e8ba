# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes that lie ready for a takeover are the right ones."""

from __future__ import annotations

from typing import Any

import pytest
from vrrp_agent.conf.model import UnicastPeer
from vrrp_agent.daemon.host.interfaces import Interfaces
from vrrp_agent.daemon.prepared import Moves, Prepared, destinations, essence, placed
from vrrp_agent.kernel.addresses import decode_address
from vrrp_agent.kernel.links import Link
from vrrp_agent.kernel.netlink import sequence_of
from vrrp_agent.wire import arp, ip, nd
from vrrp_agent.wire.advert import GROUP_IPV4, GROUP_IPV6, Advert, decode

from tests.unit.daemon.host import RTM_DELADDR, RTM_NEWADDR, UP, packed
from tests.unit.daemon.make import OURS, OURS6, PEER, SECOND, VIP, VIP6, address, addresses, instance

MAC, MAC1 = b"\x02\0\0\0\0\x02", b"\x02\0\0\0\0\x03"
LOOPBACK = 0x8


@pytest.fixture
def interfaces() -> Interfaces:
    found = Interfaces()
    links = [
        Link(1, "lo", UP | LOOPBACK, bytes(6), 65536),
        Link(2, "eth0", UP, MAC, 1500),
        Link(3, "eth1", UP, MAC1, 1500),
    ]
    found.replace(links, [])
    return found


def prepared(interfaces: Interfaces, source: str = OURS, **words: Any) -> Prepared:
    return Prepared(instance(**words), packed(source), interfaces)


def test_a_multicast_advert_is_a_whole_datagram_to_the_group(interfaces: Interfaces) -> None:
    ((data, destination),) = prepared(interfaces, addresses=addresses(VIP, "198.51.100.101")).adverts(100)
    datagram = ip.parse_ipv4(data)
    assert destination == datagram.destination == GROUP_IPV4
    assert (datagram.source, datagram.ttl) == (packed(OURS), 255)
    assert decode(datagram.payload, datagram.source, datagram.destination) == Advert(
        3, 10, 100, SECOND, (packed(VIP), packed("198.51.100.101"))
    )


def test_an_ipv6_advert_too(interfaces: Interfaces) -> None:
    ((data, destination),) = prepared(interfaces, OURS6, family=6).adverts(7)
    datagram = ip.parse_ipv6(data)
    assert destination == GROUP_IPV6
    advert = decode(datagram.payload, packed(OURS6), GROUP_IPV6)
    assert (advert.priority, advert.addresses) == (7, (packed(VIP6),))


def test_each_unicast_peer_gets_its_own_checksum_and_the_configured_ttl(interfaces: Interfaces) -> None:
    peers = (UnicastPeer(packed(PEER)), UnicastPeer(packed("198.51.100.3")))
    packets = prepared(interfaces, unicast_peers=peers, unicast_ttl=64).adverts(100)
    assert [destination for _data, destination in packets] == [peer.packed for peer in peers]
    for data, destination in packets:
        datagram = ip.parse_ipv4(data)
        assert datagram.ttl == 64
        assert decode(datagram.payload, datagram.source, destination).priority == 100


def test_version_2_carries_its_password_and_version_3_may_leave_the_pseudo_header_out(
    interfaces: Interfaces,
) -> None:
    ((data, group),) = prepared(interfaces, version=2, auth_password=b"secret\0\0").adverts(100)
    advert = decode(ip.parse_ipv4(data).payload, packed(OURS), group)
    assert (advert.version, advert.auth_type, advert.auth_data) == (2, 1, b"secret\0\0")
    with_header = prepared(interfaces).adverts(100)[0][0]
    without = prepared(interfaces, checksum_as_v2=True).adverts(100)[0][0]
    assert with_header[:26] == without[:26] and with_header[26:28] != without[26:28]


@pytest.mark.parametrize("version", [2, 3])
def test_an_instance_without_advertised_addresses_sends_a_count_of_zero(
    interfaces: Interfaces, version: int
) -> None:
    """keepalived no_virtual_ipaddress; excluded addresses are moved, but not advertised."""
    excluded = addresses("203.0.113.1/32")
    ready = prepared(interfaces, version=version, addresses=(), excluded_addresses=excluded)
    ((data, group),) = ready.adverts(100)
    payload = ip.parse_ipv4(data).payload
    assert payload[3] == 0
    assert decode(payload, packed(OURS), group, allow_empty=True).addresses == ()
    assert len(ready.moves.add) == 1


def test_every_priority_has_its_own_bytes_and_they_are_made_once(interfaces: Interfaces) -> None:
    ready = prepared(interfaces)
    assert ready.adverts(100) is ready.adverts(100)
    datagram = ip.parse_ipv4(ready.adverts(0)[0][0])
    assert decode(datagram.payload, datagram.source, datagram.destination).priority == 0
    ready.complete()
    assert ready.moves is ready.moves


def test_without_a_source_everything_but_adverts_can_be_made(interfaces: Interfaces) -> None:
    ready = Prepared(instance(), b"", interfaces)
    ready.complete()
    assert ready.moves.add


def test_excluded_addresses_move_with_the_others(interfaces: Interfaces) -> None:
    one = instance(
        addresses=addresses(f"{VIP}/24"), excluded_addresses=(address("2001:db8::9/64", device="eth1"),)
    )
    assert [(place[0].packed, place[1]) for place in placed(one)] == [
        (packed(VIP), "eth0"),
        (packed("2001:db8::9"), "eth1"),
    ]
    moves = Moves(placed(one), interfaces)
    for kind, requests in ((RTM_NEWADDR, moves.add), (RTM_DELADDR, moves.remove)):
        events = [decode_address(kind, request) for request in requests]
        found = [(event.held.index, event.held.packed, event.held.prefix_length) for event in events if event]
        assert found == [(2, packed(VIP), 24), (3, packed("2001:db8::9"), 64)]
        assert [sequence_of(request) for request in requests] == [0, 1]


def test_announcements_carry_the_mac_of_their_interface(interfaces: Interfaces) -> None:
    one = instance(addresses=(address(VIP), address("2001:db8::9/64", device="eth1")))
    first, second = Moves(placed(one), interfaces).frames
    assert (first.interface, first.data, first.arp) == ("eth0", arp.gratuitous_arp(MAC, packed(VIP)), True)
    assert (second.interface, second.data, second.arp) == (
        "eth1",
        nd.unsolicited_na(MAC1, packed("2001:db8::9")),
        False,
    )


def test_an_address_on_the_loopback_interface_is_not_announced(interfaces: Interfaces) -> None:
    moves = Moves([(address(f"{VIP}/32"), "lo")], interfaces)
    assert len(moves.add) == 1
    assert moves.frames == []


def test_an_address_whose_interface_is_away_is_left_out_and_the_rest_keeps_its_numbers(
    interfaces: Interfaces,
) -> None:
    moves = Moves([(address(VIP), "eth9"), (address("198.51.100.101"), "eth0")], interfaces)
    assert [place[1] for place in moves.places] == ["eth0"]
    assert sequence_of(moves.add[0]) == 0


def test_destinations() -> None:
    assert destinations(instance()) == [GROUP_IPV4]
    assert destinations(instance(family=6)) == [GROUP_IPV6]
    own_group = packed("224.0.0.77")
    assert destinations(instance(multicast_group=own_group)) == [own_group]


def test_two_lines_that_are_the_same_to_the_kernel_are_the_same_place() -> None:
    plain, named = (address(VIP), "eth0"), (address(VIP, device="eth0", no_track=True), "eth0")
    assert essence(plain) == essence(named)
    assert essence(plain) != essence((address(VIP), "eth1"))
    assert essence(plain) != essence((address(VIP, label="eth0:1"), "eth0"))
