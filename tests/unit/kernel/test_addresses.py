# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests for addresses, read back by another program's decoder."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from vrrp_agent.conf.model import Address
from vrrp_agent.kernel.addresses import (
    AddressEvent,
    HeldAddress,
    add_request,
    decode_address,
    prefix_length,
    remove_held_request,
    remove_request,
)
from vrrp_agent.kernel.messages import RTM_DELADDR, RTM_NEWADDR

from tests.unit.daemon.host import address_message, packed

REQUEST, CREATE, REPLACE, ACK = 0x1, 0x400, 0x100, 0x4
NODAD, HOME, MANAGETEMP, NOPREFIXROUTE, AUTOJOIN = 0x02, 0x10, 0x100, 0x200, 0x400


def read(request: bytes) -> Dict[str, Any]:
    """The fields and attributes that the kernel sees."""
    message = ifaddrmsg(request)
    message.decode()
    assert message["header"]["length"] == len(request)
    found = {name: message[name] for name in ("family", "prefixlen", "scope", "index")}
    found.update(message["attrs"])
    return {**found, **{name: message["header"][name] for name in ("type", "flags", "sequence_number")}}


def add(text: str = "198.51.100.100", length: int = 24, moves: bool = True, **words: Any) -> Dict[str, Any]:
    return read(add_request(Address(packed(text), length, **words), 7, moves, sequence=3))


def test_a_plain_address() -> None:
    found = add()
    assert (found["family"], found["prefixlen"], found["scope"], found["index"]) == (2, 24, 0, 7)
    assert found["IFA_LOCAL"] == found["IFA_ADDRESS"] == "198.51.100.100"
    assert (found["type"], found["sequence_number"]) == (RTM_NEWADDR, 3)
    assert found["flags"] == REQUEST | CREATE | REPLACE, "no answer is asked for: errors come anyway"
    assert not {"IFA_LABEL", "IFA_BROADCAST", "IFA_CACHEINFO", "IFA_FLAGS"} & set(found)


def test_the_options_of_its_line() -> None:
    found = add(
        label="eth0:vip", scope=253, broadcast=packed("198.51.100.255"), preferred_lft_s=0, noprefixroute=True
    )
    assert (found["IFA_LABEL"], found["scope"]) == ("eth0:vip", 253)
    assert found["IFA_BROADCAST"] == "198.51.100.255"
    assert found["IFA_CACHEINFO"]["ifa_preferred"] == 0
    assert found["IFA_CACHEINFO"]["ifa_valid"] == 0xFFFFFFFF
    assert found["IFA_FLAGS"] == NOPREFIXROUTE


def test_a_point_to_point_address_has_the_prefix_of_its_peer() -> None:
    words: Dict[str, Any] = {"peer": packed("203.0.113.1"), "peer_prefix_length": 30}
    found = add(length=32, **words)
    assert (found["IFA_LOCAL"], found["IFA_ADDRESS"], found["prefixlen"]) == (
        "198.51.100.100",
        "203.0.113.1",
        30,
    )
    assert prefix_length(Address(packed("198.51.100.100"), 32, **words)) == 30
    gone = read(remove_request(Address(packed("198.51.100.100"), 32, **words), 7))
    assert (gone["IFA_LOCAL"], gone["IFA_ADDRESS"], gone["prefixlen"]) == (
        "198.51.100.100",
        "203.0.113.1",
        30,
    )


@pytest.mark.parametrize(
    "moves, words, flags",
    [
        (True, {}, NODAD),
        (False, {}, None),
        (False, {"nodad": True}, NODAD),
        (True, {"home": True}, NODAD | HOME),
        (True, {"mngtmpaddr": True, "autojoin": True}, NODAD | MANAGETEMP | AUTOJOIN),
    ],
)
def test_a_virtual_ipv6_address_answers_at_once(moves: bool, words: Any, flags: Any) -> None:
    """Duplicate address detection would hold it back for a second."""
    found = add("2001:db8::100", 64, moves, **words)
    assert (found["family"], found["prefixlen"], found["IFA_LOCAL"]) == (10, 64, "2001:db8::100")
    assert found.get("IFA_FLAGS") == flags


def test_an_ipv4_address_knows_no_duplicate_detection() -> None:
    assert "IFA_FLAGS" not in add(nodad=True)


def test_the_removal_names_only_what_the_kernel_needs() -> None:
    address = Address(packed("198.51.100.100"), 24, label="eth0:vip", broadcast=packed("198.51.100.255"))
    found = read(remove_request(address, 7, sequence=4))
    assert found["type"] == RTM_DELADDR
    assert found["flags"] == REQUEST
    assert (found["IFA_LOCAL"], found["prefixlen"], found["sequence_number"]) == ("198.51.100.100", 24, 4)
    assert not {"IFA_LABEL", "IFA_BROADCAST"} & set(found)


addresses = st.builds(
    HeldAddress,
    st.integers(1, 2**31 - 1),
    st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16)),
    st.integers(0, 32),
    st.sampled_from([0, 200, 253, 254]),
    st.integers(0, 255),
)


@given(addresses, st.booleans())
def test_what_the_kernel_tells_is_read_exactly(held: HeldAddress, removed: bool) -> None:
    kind = RTM_DELADDR if removed else RTM_NEWADDR
    assert decode_address(kind, address_message(held, kind)) == AddressEvent(held, removed)


@given(addresses)
def test_what_is_held_can_be_removed_as_it_is(held: HeldAddress) -> None:
    request = remove_held_request(held, sequence=9)
    found = read(request)
    assert (found["type"], found["index"], found["prefixlen"]) == (
        RTM_DELADDR,
        held.index,
        held.prefix_length,
    )
    event = decode_address(RTM_DELADDR, request)
    assert event is not None and event.held.packed == held.packed


def test_the_local_address_counts_where_there_is_a_peer() -> None:
    words: Dict[str, Any] = {"peer": packed("203.0.113.1"), "peer_prefix_length": 30}
    request = add_request(Address(packed("198.51.100.100"), 32, **words), 7)
    event = decode_address(RTM_NEWADDR, request)
    assert event is not None and event.held.packed == packed("198.51.100.100")


def test_addresses_of_other_families_mean_nothing() -> None:
    message = bytearray(address_message(HeldAddress(2, packed("198.51.100.1"), 24, 0, 0)))
    message[16] = 28  # AF_MPLS
    assert decode_address(RTM_NEWADDR, bytes(message)) is None


def test_only_ipv4_knows_secondary_addresses() -> None:
    assert HeldAddress(2, packed("198.51.100.1"), 24, 0, 0x01).secondary
    assert not HeldAddress(2, packed("2001:db8::1"), 64, 0, 0x01).secondary, "the bit says temporary there"
