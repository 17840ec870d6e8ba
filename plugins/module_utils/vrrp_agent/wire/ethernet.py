# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ethernet frames, 802.1Q and 802.1ad tags, and the virtual router's MAC address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD
ETHERTYPES_VLAN = (0x8100, 0x88A8, 0x9100)  # 802.1Q, 802.1ad, and the older stacked form

BROADCAST = b"\xff" * 6
GROUP_MAC_IPV4 = bytes.fromhex("01005e000012")  # of 224.0.0.18, RFC 1112 6.4
GROUP_MAC_IPV6 = bytes.fromhex("333300000012")  # of ff02::12, RFC 2464 7

_MAC_PREFIX_IPV4 = bytes.fromhex("00005e0001")
_MAC_PREFIX_IPV6 = bytes.fromhex("00005e0002")


@dataclass(frozen=True)
class Frame:
    """An Ethernet frame without its tags; ``vlans`` are their VLAN numbers, the outermost first."""

    destination: bytes
    source: bytes
    vlans: Tuple[int, ...]
    ethertype: int
    payload: bytes


def virtual_mac(vrid: int, address_length: int) -> bytes:
    """The virtual router's MAC address: RFC 9568 7.3. ``address_length`` is 4 for IPv4, 16 for IPv6.

    Raises ValueError for a number that is no VRID or no length.
    """
    if not 1 <= vrid <= 255:
        raise ValueError(f"vrid is {vrid}; 1 to 255 expected")
    if address_length not in (4, 16):
        raise ValueError(f"address length is {address_length}; 4 or 16 expected")
    return (_MAC_PREFIX_IPV4 if address_length == 4 else _MAC_PREFIX_IPV6) + bytes((vrid,))


def build_frame(
    destination: bytes, source: bytes, ethertype: int, payload: bytes, vlans: Tuple[int, ...] = ()
) -> bytes:
    """A frame ready for a packet socket, not padded: the network card does that.

    Two tags or more are stacked as 802.1ad does: the innermost 802.1Q, those outside of it 802.1ad.
    Raises ValueError when an address is not 6 bytes or a VLAN number has more than 12 bits.
    """
    if len(destination) != 6 or len(source) != 6:
        raise ValueError(f"MAC addresses have {len(destination)} and {len(source)} bytes; 6 expected")
    tags = b""
    for index, vlan in enumerate(vlans):
        if not 0 <= vlan <= 4095:
            raise ValueError(f"VLAN is {vlan}; 0 to 4095 expected")
        kind = ETHERTYPES_VLAN[0] if index == len(vlans) - 1 else ETHERTYPES_VLAN[1]
        tags += kind.to_bytes(2, "big") + vlan.to_bytes(2, "big")
    return destination + source + tags + ethertype.to_bytes(2, "big") + payload


def parse_frame(data: bytes) -> Optional[Frame]:
    """The frame in ``data``; None when it is too short for its own headers.

    The payload keeps any padding: the IP total length tells it apart (RFC 9568 7.1).
    """
    if len(data) < 14:
        return None
    found = strip_tags(int.from_bytes(data[12:14], "big"), data[14:])
    if found is None:
        return None
    vlans, ethertype, payload = found
    return Frame(data[:6], data[6:12], vlans, ethertype, payload)


def strip_tags(ethertype: int, payload: bytes) -> Optional[Tuple[Tuple[int, ...], int, bytes]]:
    """VLAN numbers, inner EtherType and payload behind any tags; None when a tag is cut."""
    vlans = []
    at = 0
    while ethertype in ETHERTYPES_VLAN:
        if len(payload) < at + 4:
            return None
        vlans.append(int.from_bytes(payload[at : at + 2], "big") & 0x0FFF)
        ethertype = int.from_bytes(payload[at + 2 : at + 4], "big")
        at += 4
    return tuple(vlans), ethertype, payload[at:]
