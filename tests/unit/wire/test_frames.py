# SPDX-License-Identifier: GPL-3.0-or-later
"""Ethernet frames: tags, the virtual MAC, and what tells the network where an address lives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import ICMPv6ND_NA
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from vrrp_agent.wire.arp import gratuitous_arp
from vrrp_agent.wire.ethernet import build_frame, parse_frame, virtual_mac
from vrrp_agent.wire.nd import unsolicited_na

from tests.unit.wire.samples import KEEPALIVED_GARP, KEEPALIVED_NA, VIP4, VIP6, ethernet, packed

MAC = bytes.fromhex("367e5f2086d7")
GROUP_MAC = bytes.fromhex("01005e000012")


@pytest.mark.parametrize(
    ("vrid", "width", "mac"),
    [
        (1, 4, "00:00:5e:00:01:01"),
        (10, 4, "00:00:5e:00:01:0a"),
        (255, 4, "00:00:5e:00:01:ff"),
        (1, 16, "00:00:5e:00:02:01"),
        (255, 16, "00:00:5e:00:02:ff"),
    ],
)
def test_the_virtual_mac_follows_from_family_and_vrid(vrid: int, width: int, mac: str) -> None:
    assert virtual_mac(vrid, width).hex(":") == mac


@pytest.mark.parametrize(("vrid", "width"), [(0, 4), (256, 4), (-1, 16), (1, 6)])
def test_there_is_no_virtual_mac_for_no_virtual_router(vrid: int, width: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        virtual_mac(vrid, width)


def test_gratuitous_arp_is_byte_for_byte_that_of_keepalived() -> None:
    frame = gratuitous_arp(MAC, packed("198.51.100.2"))
    assert frame == KEEPALIVED_GARP
    assert len(frame) == 42


def test_scapy_reads_the_gratuitous_arp() -> None:
    mac = virtual_mac(10, 4)
    frame = Ether(gratuitous_arp(mac, VIP4))
    assert (frame.dst, frame.src, frame.type) == ("ff:ff:ff:ff:ff:ff", "00:00:5e:00:01:0a", 0x0806)
    arp = frame[ARP]
    assert (arp.hwtype, arp.ptype, arp.hwlen, arp.plen, arp.op) == (1, 0x0800, 6, 4, 1)
    assert (arp.hwsrc, arp.psrc) == ("00:00:5e:00:01:0a", "192.0.2.1")
    assert (arp.hwdst, arp.pdst) == ("ff:ff:ff:ff:ff:ff", "192.0.2.1")


def test_unsolicited_na_is_byte_for_byte_that_of_keepalived() -> None:
    # keepalived was on a host that does not forward, where it leaves the router flag clear.
    assert unsolicited_na(MAC, VIP6, router=False) == KEEPALIVED_NA


def test_scapy_reads_the_unsolicited_na() -> None:
    frame = Ether(unsolicited_na(virtual_mac(10, 16), VIP6, packed("fe80::10")))
    assert (frame.dst, frame.src, frame.type) == ("33:33:00:00:00:01", "00:00:5e:00:02:0a", 0x86DD)
    ip = frame.payload
    assert (ip.src, ip.dst, ip.hlim, ip.nh, ip.plen) == ("fe80::10", "ff02::1", 255, 58, 32)
    na = frame[ICMPv6ND_NA]
    assert (na.type, na.code, na.R, na.S, na.O, na.tgt) == (136, 0, 1, 0, 1, "2001:db8::1")
    assert na.payload.lladdr == "00:00:5e:00:02:0a"
    checksum = na.cksum
    del na.cksum
    assert Ether(bytes(frame))[ICMPv6ND_NA].cksum == checksum


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="4 expected"):
        gratuitous_arp(MAC, VIP6)
    with pytest.raises(ValueError, match="16 expected"):
        unsolicited_na(MAC, VIP4)
    for mac in (MAC[:5], MAC + b"\0", b""):
        with pytest.raises(ValueError, match="6 expected"):
            gratuitous_arp(mac, VIP4)
        with pytest.raises(ValueError, match="6 expected"):
            unsolicited_na(mac, VIP6)


@given(
    st.binary(min_size=6, max_size=6),
    st.binary(min_size=6, max_size=6),
    st.sampled_from([0x0800, 0x0806, 0x86DD, 0x1234]),
    st.lists(st.integers(0, 4095), max_size=4),
    st.binary(max_size=100),
)
def test_a_frame_is_parsed_as_it_was_built(
    destination: bytes, source: bytes, ethertype: int, vlans: list[int], payload: bytes
) -> None:
    frame = parse_frame(build_frame(destination, source, ethertype, payload, tuple(vlans)))
    assert frame is not None
    assert (frame.destination, frame.source, frame.vlans) == (destination, source, tuple(vlans))
    assert (frame.ethertype, frame.payload) == (ethertype, payload)


def test_scapy_reads_our_tags() -> None:
    frame = Ether(build_frame(GROUP_MAC, MAC, 0x0800, b"x" * 20, (60, 70)))
    assert (frame[Dot1AD].vlan, frame[Dot1Q].vlan) == (60, 70)
    frame = Ether(build_frame(GROUP_MAC, MAC, 0x0800, b"x" * 20, (50,)))
    assert frame[Dot1Q].vlan == 50


def test_priority_bits_of_a_tag_are_not_part_of_its_number() -> None:
    frame = parse_frame(ethernet(b"payload", tags=(0x8100F032,)))
    assert frame is not None
    assert frame.vlans == (0x032,)


@pytest.mark.parametrize("length", range(18))
def test_a_frame_shorter_than_its_headers_is_no_frame(length: int) -> None:
    assert parse_frame(ethernet(b"", tags=(0x81000032,))[:length]) is None


@pytest.mark.parametrize("vlan", [-1, 4096])
def test_a_vlan_number_has_twelve_bits(vlan: int) -> None:
    with pytest.raises(ValueError, match="4095"):
        build_frame(GROUP_MAC, MAC, 0x0800, b"", (vlan,))
