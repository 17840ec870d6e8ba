# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The IPsec authentication header of VRRPv2 over IPv4 (RFC 2402; RFC 2338 5.3.6.3), as keepalived sends it.

The integrity value is HMAC-MD5-96 (RFC 2403) over the whole datagram, in which the fields that routers may
change are zero: TOS, flags and fragment offset, header checksum, and the integrity value itself.  RFC 2402
3.3.3.1.1.1 counts the TTL among them; keepalived leaves it in for multicast, where it must be 255 anyway,
and zeroes it for unicast.  The identification is covered, so that the sender must choose it: the kernel
fills in one that is zero.  The SPI is the source address.
"""

from __future__ import annotations

from typing import NamedTuple

from .checksum import internet_checksum
from .discard import DecodeError, Discard
from .keyed import MD5, Keyed

PROTOCOL = 51
LENGTH = 24
MOST_SEQUENCE = 0xFFFFFFFD
"""keepalived stops counting here; who has heard it hears nothing more before it begins anew itself."""
KEY_BYTES = 8

_PAYLOAD_LENGTH = 4  # in words of 32 bits, less 2: RFC 2402 2.2
_MAC_BYTES = 12
_IP_HEADER = 20
_ID, _TTL, _CHECKSUM = slice(4, 6), 8, slice(10, 12)
_SEQUENCE = slice(_IP_HEADER + 8, _IP_HEADER + 12)
_MAC = slice(_IP_HEADER + 12, _IP_HEADER + LENGTH)
_NO_MAC = bytes(_MAC_BYTES)


class Header(NamedTuple):
    """What an authentication header says."""

    next_protocol: int
    spi: bytes
    sequence: int
    mac: bytes


def make_key(password: bytes) -> Keyed:
    """A password made ready: an advert costs two short MD5 then, and nothing else."""
    return Keyed(password.ljust(KEY_BYTES, b"\0"), MD5, _MAC_BYTES)


def blank_header(source: bytes) -> bytes:
    """The header of a datagram from ``source`` with neither a sequence number nor an integrity value."""
    return bytes((112, _PAYLOAD_LENGTH, 0, 0)) + source + bytes(4 + _MAC_BYTES)


def seal(template: bytes, key: Keyed, sequence: int, identification: int, *, unicast: bool) -> bytes:
    """A datagram ready to be sent, from one that has a ``blank_header`` behind an IP header without options.

    ``identification`` is that of the IP header, 1 to 65535.
    """
    datagram = bytearray(template)
    datagram[_ID] = identification.to_bytes(2, "big")
    datagram[_CHECKSUM] = b"\0\0"
    datagram[_CHECKSUM] = internet_checksum(bytes(datagram[:_IP_HEADER])).to_bytes(2, "big")
    datagram[_SEQUENCE] = sequence.to_bytes(4, "big")
    plain = bytes(datagram)
    datagram[_MAC] = key.mac(_immutable(plain[:_IP_HEADER], unicast), plain[_IP_HEADER:])
    return bytes(datagram)


def parse(payload: bytes) -> Header:
    """The header at the start of the payload of a datagram of protocol 51.

    Raises DecodeError: length when it is cut, ah_header when it is not one that VRRP uses.
    """
    if len(payload) < LENGTH:
        raise DecodeError(Discard.LENGTH, f"{len(payload)} bytes, an authentication header has {LENGTH}")
    if payload[1] != _PAYLOAD_LENGTH:
        raise DecodeError(
            Discard.AH_HEADER, f"authentication header of length {payload[1]}, {_PAYLOAD_LENGTH} expected"
        )
    return Header(payload[0], payload[4:8], int.from_bytes(payload[8:12], "big"), payload[12:LENGTH])


def genuine(datagram: bytes, key: Keyed, *, unicast: bool) -> bool:
    """True when the integrity value of a whole datagram (no padding behind it) is the one of ``key``."""
    start = (datagram[0] & 15) * 4
    mac = start + 12
    head = _immutable(datagram[:start], unicast) + datagram[start:mac]
    return key.matches(datagram[mac : mac + _MAC_BYTES], head, _NO_MAC, datagram[mac + _MAC_BYTES :])


def _immutable(header: bytes, unicast: bool) -> bytes:
    """An IP header with zero for everything that may change on the way."""
    copy = bytearray(header)
    copy[1] = 0
    copy[6:8] = b"\0\0"
    if unicast:
        copy[_TTL] = 0
    copy[_CHECKSUM] = b"\0\0"
    return bytes(copy)
