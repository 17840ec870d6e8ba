# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""IPv4 (RFC 791) and IPv6 (RFC 8200) datagrams, as far as VRRP needs them.

The builders make whole datagrams for raw sockets that take the header from the caller. The parsers find
the payload whatever options stand before it and whatever padding stands behind it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Optional, Tuple

from .advert import PROTOCOL
from .checksum import internet_checksum, is_valid
from .discard import DecodeError, Discard

TTL = 255  # RFC 9568 5.1.1.3, 5.1.2.3
NETWORK_CONTROL = 0xC0  # class selector 6, as keepalived marks its adverts

PROTOCOL_AH = 51
PROTOCOL_ICMPV6 = 58

_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_FRAGMENT_BITS = 0x3FFF  # "more fragments" and the offset
_HOP_BY_HOP, _FRAGMENT, _DESTINATION_OPTIONS = 0, 44, 60


@dataclass(frozen=True)
class Datagram:
    """What a receiver needs of an IP header. ``ttl`` is the hop limit of IPv6; addresses are packed."""

    source: bytes
    destination: bytes
    ttl: int
    protocol: int
    payload: bytes


def build_ipv4(
    source: bytes,
    destination: bytes,
    payload: bytes,
    ttl: int = TTL,
    tos: int = NETWORK_CONTROL,
    protocol: int = PROTOCOL,
) -> bytes:
    """An IPv4 datagram without options.

    The identification is left 0, which asks Linux to choose one; "don't fragment" is not set, as
    keepalived leaves it. Raises ValueError when an address or the payload does not fit.
    """
    _check_addresses(source, destination, 4)
    total = 20 + len(payload)
    if total > 0xFFFF:
        raise ValueError(f"payload has {len(payload)} bytes; an IPv4 datagram carries at most 65515")
    header = _IPV4.pack(0x45, tos, total, 0, 0, ttl, protocol, 0, source, destination)
    return header[:10] + internet_checksum(header).to_bytes(2, "big") + header[12:] + payload


def build_ipv6(
    source: bytes,
    destination: bytes,
    payload: bytes,
    ttl: int = TTL,
    tos: int = NETWORK_CONTROL,
    protocol: int = PROTOCOL,
) -> bytes:
    """An IPv6 datagram without extension headers; ``ttl`` is the hop limit, ``tos`` the traffic class.

    Raises ValueError when an address or the payload does not fit.
    """
    _check_addresses(source, destination, 16)
    if len(payload) > 0xFFFF:
        raise ValueError(f"payload has {len(payload)} bytes; an IPv6 datagram carries at most 65535")
    return _IPV6.pack(6 << 28 | tos << 20, len(payload), protocol, ttl, source, destination) + payload


def parse_ipv4(data: bytes) -> Datagram:
    """The datagram at the start of ``data``; bytes after its total length are padding and left out.

    The header checksum is not looked at: the kernel has done that before a raw socket gets the packet.
    Raises DecodeError (ip_header, or length when the datagram is cut).
    """
    datagram, problem = inspect_ipv4(data)
    if problem is not None:
        raise problem
    return datagram


def parse_ipv6(data: bytes) -> Datagram:
    """The datagram at the start of ``data``, with its hop-by-hop and destination options skipped.

    Raises DecodeError (ip_header, or length when the datagram is cut).
    """
    datagram, problem = inspect_ipv6(data)
    if problem is not None:
        raise problem
    return datagram


def inspect_ipv4(data: bytes) -> Tuple[Datagram, Optional[DecodeError]]:
    """As parse_ipv4(), but gives what can be read of a damaged datagram beside the first thing wrong with it.

    Raises DecodeError when not even the 20 fixed bytes are there.
    """
    if len(data) < 20:
        raise DecodeError(Discard.IP_HEADER, f"{len(data)} bytes, an IPv4 header has 20")
    first, _tos, total, _id, fragment, ttl, protocol, _sum, source, destination = _IPV4.unpack_from(data)
    start = (first & 15) * 4  # options are skipped, RFC 9568 7.1 asks for the complete packet only
    problem = None
    if first >> 4 != 4:
        problem = DecodeError(Discard.IP_HEADER, f"IP version {first >> 4} in an IPv4 packet")
    elif start < 20:
        problem = DecodeError(Discard.IP_HEADER, f"header length {start}, at least 20 expected")
    elif total < start:
        problem = DecodeError(Discard.IP_HEADER, f"total length {total} is less than the header's {start}")
    elif total > len(data):
        problem = DecodeError(Discard.LENGTH, f"{len(data)} bytes of a datagram of {total}")
    elif fragment & _FRAGMENT_BITS:
        problem = DecodeError(Discard.IP_HEADER, "a fragment, not a whole datagram")
    payload = data[start:total] if start >= 20 else b""
    return Datagram(source, destination, ttl, protocol, payload), problem


def inspect_ipv6(data: bytes) -> Tuple[Datagram, Optional[DecodeError]]:
    """As parse_ipv6(), but gives what can be read of a damaged datagram beside the first thing wrong with it.

    Raises DecodeError when not even the 40 fixed bytes are there.
    """
    if len(data) < 40:
        raise DecodeError(Discard.IP_HEADER, f"{len(data)} bytes, an IPv6 header has 40")
    word, length, protocol, hops, source, destination = _IPV6.unpack_from(data)
    problem = None
    if word >> 28 != 6:
        problem = DecodeError(Discard.IP_HEADER, f"IP version {word >> 28} in an IPv6 packet")
    elif 40 + length > len(data):
        problem = DecodeError(Discard.LENGTH, f"{len(data)} bytes of a datagram of {40 + length}")
    payload = data[40 : 40 + length]
    while protocol in (_HOP_BY_HOP, _DESTINATION_OPTIONS, _FRAGMENT):
        size = 8 if protocol == _FRAGMENT else 8 + 8 * payload[1] if len(payload) > 1 else 0
        if not 0 < size <= len(payload):
            problem = problem or DecodeError(Discard.IP_HEADER, f"extension header {protocol} is cut")
            break
        if protocol == _FRAGMENT and int.from_bytes(payload[2:4], "big") & 0xFFF9:
            problem = problem or DecodeError(Discard.IP_HEADER, "a fragment, not a whole datagram")
            break
        protocol, payload = payload[0], payload[size:]
    return Datagram(source, destination, hops, protocol, payload), problem


def header_checksum_ok(data: bytes) -> bool:
    """Whether the IPv4 header of ``data`` has a right checksum, or none.

    A field of zero is one that the sending host left to its network card: a capture made on that host shows
    it so, and it never travels like that.
    """
    header = data[: (data[0] & 15) * 4]
    return header[10:12] == b"\0\0" or is_valid(header)


def _check_addresses(source: bytes, destination: bytes, width: int) -> None:
    if len(source) != width or len(destination) != width:
        raise ValueError(f"addresses have {len(source)} and {len(destination)} bytes; {width} expected")
