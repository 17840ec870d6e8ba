# SPDX-License-Identifier: GPL-3.0-or-later
"""Links as the kernel tells them."""

from __future__ import annotations

import socket
import struct
from dataclasses import replace
from typing import Any, List, Tuple, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from vrrp_agent.kernel.links import ARPHRD_ETHER, Link, LinkEvent, decode_link, list_links
from vrrp_agent.kernel.messages import RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK
from vrrp_agent.kernel.netlink import RouteSocket

from tests.unit.daemon.host import UP, link_message

LINK = Link(7, "eth0", UP, bytes.fromhex("02005e00530a"), 1500)
AF_BRIDGE = 7


def told(*attributes: Tuple[str, Any], family: int = 0, kind: int = RTM_NEWLINK) -> bytes:
    """A message made by another program's encoder."""
    message = ifinfmsg()
    message["family"], message["index"], message["flags"] = family, 7, UP
    message["ifi_type"] = ARPHRD_ETHER
    message["attrs"] = list(attributes)
    message["header"]["type"] = kind
    message.encode()
    return bytes(message.data)


WHOLE = (("IFLA_IFNAME", "eth0"), ("IFLA_MTU", 1500), ("IFLA_ADDRESS", "02:00:5e:00:53:0a"))


@pytest.mark.parametrize("kind, removed", [(RTM_NEWLINK, False), (RTM_DELLINK, True)])
def test_a_link_is_read_as_others_write_it(kind: int, removed: bool) -> None:
    assert decode_link(kind, told(*WHOLE, kind=kind)) == LinkEvent(LINK, removed)
    assert decode_link(kind, link_message(LINK, kind)) == LinkEvent(LINK, removed)


def test_a_vrf_tells_its_routing_table() -> None:
    data = {"attrs": [("IFLA_VRF_TABLE", 1009)]}
    info = {"attrs": [("IFLA_INFO_KIND", "vrf"), ("IFLA_INFO_DATA", data)]}
    event = decode_link(RTM_NEWLINK, told(*WHOLE, ("IFLA_LINKINFO", info)))
    assert event is not None
    assert (event.link.kind, event.link.mode) == ("vrf", 1009)


def test_attributes_that_mean_nothing_here_are_passed_over() -> None:
    more = (("IFLA_TXQLEN", 1000), *WHOLE, ("IFLA_OPERSTATE", "UP"), ("IFLA_IFALIAS", "uplink"))
    assert decode_link(RTM_NEWLINK, told(*more)) == LinkEvent(replace(LINK, alias="uplink"))


def test_a_virtual_link_says_what_it_is_and_where_it_stands() -> None:
    info = {
        "attrs": [
            ("IFLA_INFO_KIND", "macvlan"),
            ("IFLA_INFO_DATA", {"attrs": [("IFLA_MACVLAN_MODE", "private")]}),
        ]
    }
    more = (*WHOLE, ("IFLA_LINK", 2), ("IFLA_MASTER", 9), ("IFLA_GROUP", 5), ("IFLA_LINKINFO", info))
    event = decode_link(RTM_NEWLINK, told(*more))
    wanted = replace(LINK, parent=2, master=9, group=5, kind="macvlan", mode=1)
    assert event == LinkEvent(wanted)


def test_a_bridge_that_lets_a_link_go_does_not_make_it_vanish() -> None:
    """The kernel says RTM_DELLINK then, in the family of bridges, to everybody who hears of links."""
    assert decode_link(RTM_DELLINK, told(*WHOLE, family=AF_BRIDGE, kind=RTM_DELLINK)) is None
    assert decode_link(RTM_NEWLINK, told(*WHOLE, family=AF_BRIDGE)) is None


def test_news_that_are_not_of_the_link_itself_change_nothing() -> None:
    assert decode_link(RTM_NEWLINK, told(("IFLA_IFNAME", "wlan0"))) is None
    assert decode_link(RTM_NEWLINK, told(("IFLA_MTU", 1500))) is None


def test_a_link_without_a_mac_has_none() -> None:
    event = decode_link(RTM_NEWLINK, told(*WHOLE[:2]))
    assert event is not None and event.link.mac == b""
    assert not event.link.has_arp


@pytest.mark.parametrize(
    "flags, up, has_arp",
    [
        (0x1 | 0x40, True, True),
        (0x1, False, True),
        (0x40, False, True),
        (0x1 | 0x40 | 0x8, True, False),
        (0x1 | 0x40 | 0x80, True, False),
    ],
)
def test_flags(flags: int, up: bool, has_arp: bool) -> None:
    link = Link(1, "x", flags, bytes(6), 1500)
    assert (link.up, link.has_arp) == (up, has_arp)


@given(st.binary(max_size=80))
def test_garbage_after_the_head_is_survived(rest: bytes) -> None:
    head = struct.pack("=IHHII", 32, RTM_NEWLINK, 0, 0, 0) + struct.pack("=BxHiII", 0, 1, 7, UP, 0)
    event = decode_link(RTM_NEWLINK, head + rest)
    assert event is None or event.link.index == 7


def test_the_list_is_asked_for_in_the_kernels_words() -> None:
    asked: List[bytes] = []

    class Route:
        def dump(self, request: bytes) -> List[Tuple[int, bytes]]:
            asked.append(request)
            return [(RTM_NEWLINK, link_message(LINK)), (RTM_NEWLINK, told(("IFLA_MTU", 1500)))]

    assert list_links(cast(Any, Route())) == [LINK]
    request = ifinfmsg(asked[0])
    request.decode()
    assert request["header"]["type"] == RTM_GETLINK
    assert request["header"]["flags"] == 0x301, "a request for the whole list"
    assert request["header"]["length"] == len(asked[0])


def test_this_host_has_a_loopback_link() -> None:
    route = RouteSocket()
    try:
        found = {link.name: link for link in list_links(route)}
    finally:
        route.close()
    assert set(found) == {name for _index, name in socket.if_nameindex()}
    assert not found["lo"].has_arp
    assert found["lo"].mtu >= 1280
