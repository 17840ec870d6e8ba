# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests for virtual links, read by another program's decoder."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any, Dict

import pytest
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from vrrp_agent.conf.model import VirtualLink
from vrrp_agent.kernel import virtual_links as requests
from vrrp_agent.kernel.links import Link
from vrrp_agent.kernel.messages import RTM_DELLINK, RTM_NEWLINK

VMAC = bytes.fromhex("00005e000133")
LINK = VirtualLink("vrrp.51", base="eth0", vrid=51, mac=VMAC)
BASE = Link(2, "eth0", 0x41, bytes.fromhex("02005e00530a"), 1500, group=3)
CREATE, EXCLUSIVE, REQUEST = 0x400, 0x200, 0x1


def read(request: bytes) -> Any:
    """The request as pyroute2 reads it."""
    message = ifinfmsg(request)
    message.decode()
    return message


def info(message: Any) -> Dict[str, Any]:
    """Kind and settings of IFLA_LINKINFO."""
    found = message.get_attr("IFLA_LINKINFO")
    return {"kind": found.get_attr("IFLA_INFO_KIND"), "data": found.get_attr("IFLA_INFO_DATA")}


def test_a_macvlan_is_private_and_has_the_virtual_mac() -> None:
    message = read(requests.create_request(LINK, BASE, 7))
    assert message["header"]["type"] == RTM_NEWLINK
    assert message["header"]["flags"] == CREATE | EXCLUSIVE | REQUEST
    assert message["header"]["sequence_number"] == 7
    assert message.get_attr("IFLA_IFNAME") == "vrrp.51"
    assert message.get_attr("IFLA_LINK") == 2
    assert message.get_attr("IFLA_ADDRESS") == "00:00:5e:00:01:33"
    assert message.get_attr("IFLA_GROUP") == 3
    assert message.get_attr("IFLA_MASTER") is None
    assert info(message)["kind"] == "macvlan"
    assert info(message)["data"].get_attr("IFLA_MACVLAN_MODE") == "private"
    assert message["flags"] == message["change"] == 0, "it is set up when its settings are there"


def test_a_link_gets_another_name_and_nothing_else() -> None:
    message = read(requests.rename_request(7, "front", 3))
    assert (message["index"], message["header"]["type"]) == (7, RTM_NEWLINK)
    assert message["header"]["flags"] == REQUEST
    assert [name for name, _value in message["attrs"]] == ["IFLA_IFNAME"]
    assert message.get_attr("IFLA_IFNAME") == "front"
    assert message["flags"] == message["change"] == 0


def test_a_group_of_its_own_counts_before_that_of_the_base() -> None:
    message = read(requests.create_request(replace(LINK, group=0), BASE))
    assert message.get_attr("IFLA_GROUP") == 0


def test_a_link_goes_into_the_vrf_of_its_base() -> None:
    assert read(requests.create_request(LINK, replace(BASE, master=9))).get_attr("IFLA_MASTER") == 9


@pytest.mark.parametrize("mode, flags", [("bridge", 0), ("private", 1), ("vepa", 2)])
def test_an_ipvlan_is_of_layer_2(mode: str, flags: int) -> None:
    """No kernel of the tests has ipvlan, so its bytes are what can be held to account."""
    link = replace(LINK, kind="ipvlan", mode=mode, mac=b"")
    message = read(requests.create_request(link, BASE))
    assert message.get_attr("IFLA_ADDRESS") is None
    assert info(message)["kind"] == "ipvlan"
    data = info(message)["data"]
    assert data.get_attr("IFLA_IPVLAN_MODE") in (0, "l2")
    request = requests.create_request(link, BASE)
    assert bytes((6, 0, 2, 0, flags, 0)) in request, "IFLA_IPVLAN_FLAGS, sixteen bits"


def test_up_changes_nothing_but_up() -> None:
    message = read(requests.up_request(5))
    assert (message["index"], message["flags"], message["change"]) == (5, 1, 1)
    assert message["attrs"] == []


def test_a_link_is_removed_by_its_index() -> None:
    message = read(requests.delete_request(5))
    assert (message["header"]["type"], message["index"]) == (RTM_DELLINK, 5)


def test_settings_of_ipv4_go_by_number() -> None:
    settings = {"arp_ignore": 1, "rp_filter": 0}
    message = read(requests.configure_request(5, settings))
    conf = message.get_attr("IFLA_AF_SPEC").get_attr("AF_INET")
    assert conf is not None
    assert requests.IPV4_CONF == {
        "rp_filter": 8,
        "arp_filter": 13,
        "arp_announce": 18,
        "arp_ignore": 19,
        "promote_secondaries": 20,
        "accept_local": 23,
    }


def test_no_address_is_made_from_the_virtual_mac() -> None:
    """RFC 9568 7.4."""
    message = read(requests.no_address_request(5))
    spec = message.get_attr("IFLA_AF_SPEC").get_attr("AF_INET6")
    assert spec.get_attr("IFLA_INET6_ADDR_GEN_MODE") == 1
    assert socket.AF_INET6 == 10


def test_a_mark_and_a_group_and_a_master() -> None:
    assert read(requests.mark_request(5, "vrrp-agent /run/x")).get_attr("IFLA_IFALIAS") == "vrrp-agent /run/x"
    assert read(requests.group_request(5, 4)).get_attr("IFLA_GROUP") == 4
    assert read(requests.master_request(5, 0)).get_attr("IFLA_MASTER") == 0
