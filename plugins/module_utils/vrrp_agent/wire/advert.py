# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The VRRP advertisement: VRRPv2 (RFC 3768 5) and VRRPv3 (RFC 9568 5.2), message bytes <-> value.

The message is what follows the IP header. The addresses of that header are needed for the checksum and
to tell the family, so both directions take them as packed bytes (4 or 16).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import Optional, Tuple

from .checksum import internet_checksum, is_valid, pseudo_header
from .discard import DecodeError, Discard

PROTOCOL = 112  # RFC 9568 5.1.1.4
TYPE_ADVERT = 1  # RFC 9568 5.2.2
HEADER_LENGTH = 8
AUTH_LENGTH = 8  # RFC 3768 5.3.10: always there, also without authentication

AUTH_NONE = 0
AUTH_PASS = 1  # RFC 2338 5.3.6.2, keepalived "auth_type PASS"
AUTH_AH = 2  # RFC 2338 5.3.6.3

PRIORITY_RESIGN = 0  # RFC 9568 5.2.4: the active router lets go
PRIORITY_OWNER = 255  # RFC 9568 5.2.4: the owner of the addresses

GROUP_IPV4 = bytes((224, 0, 0, 18))  # RFC 9568 5.1.1.2
GROUP_IPV6 = bytes.fromhex("ff020000000000000000000000000012")  # RFC 9568 5.1.2.2

NS_PER_SECOND = 1_000_000_000
NS_PER_CENTISECOND = 10_000_000
MAX_INTERVAL_V2_S = 255  # RFC 3768 5.3.7
MAX_INTERVAL_V3_CS = 4095  # RFC 9568 5.2.7: 12 bits

_HEADER = struct.Struct("!BBBBHH")


class EncodeError(ValueError):
    """The value has no form on the wire. The text names the field, its value and what is allowed."""


class ChecksumForm(str, Enum):
    """What a checksum covers."""

    MESSAGE = "message"  # RFC 9568 5.2.8 for IPv4, RFC 3768 5.3.8
    PSEUDO_HEADER = "pseudo_header"  # RFC 9568 5.2.8 for IPv6; what keepalived sends for v3 over IPv4

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Advert:
    """One advertisement.

    ``interval_ns`` is the advertised interval in nanoseconds: whole seconds in version 2, whole
    centiseconds in version 3. ``addresses`` are packed bytes, 4 or 16 each. ``auth_data`` has up to
    8 bytes; decode() gives all 8, or none when ``auth_type`` is 0 (RFC 3768 5.3.10: ignored on receipt).
    """

    version: int
    vrid: int
    priority: int
    interval_ns: int
    addresses: Tuple[bytes, ...]
    auth_type: int = AUTH_NONE
    auth_data: bytes = b""


def encode(
    advert: Advert,
    source: bytes,
    destination: bytes,
    *,
    checksum_as_v2: bool = False,
    allow_empty: bool = False,
) -> bytes:
    """The VRRP message for ``advert``, without an IP header.

    Version 3 over IPv4 is summed with the pseudo header, as keepalived does, or without it when
    ``checksum_as_v2`` is set (RFC 9568 5.2.8; keepalived "v3_checksum_as_v2"). ``allow_empty`` lets a
    router without addresses send count 0 (keepalived "no_virtual_ipaddress"; RFC 9568 5.2.5 wants one).

    Raises EncodeError when a field is out of range or the families are mixed.
    """
    family = _family_length(source, destination)
    _check_fields(advert, family, 0 if allow_empty else 1)
    if advert.version == 2:
        timing = advert.auth_type << 8 | advert.interval_ns // NS_PER_SECOND
        trailer = advert.auth_data.ljust(AUTH_LENGTH, b"\0")
    else:
        timing = advert.interval_ns // NS_PER_CENTISECOND  # reserve nibble zero, RFC 9568 5.2.6
        trailer = b""
    first = advert.version << 4 | TYPE_ADVERT
    body = b"".join(advert.addresses) + trailer
    head = _HEADER.pack(first, advert.vrid, advert.priority, len(advert.addresses), timing, 0)
    length = HEADER_LENGTH + len(body)
    if advert.version == 2 or (checksum_as_v2 and family == 4):
        total = internet_checksum(head + body)
    else:
        total = internet_checksum(pseudo_header(source, destination, PROTOCOL, length) + head + body)
    return head[:6] + total.to_bytes(2, "big") + body


def decode(
    message: bytes, source: bytes, destination: bytes, *, allow_empty: bool = False, trailer: bytes = b""
) -> Advert:
    """The advertisement in ``message``, the exact payload of the IP datagram (no Ethernet padding).

    ``allow_empty`` accepts count 0, for a router that has no addresses itself; otherwise such a packet
    is ignored (RFC 9568 5.2.5, erratum 8299). ``trailer`` is what stood behind the message
    (``hmac_trailer.split``): over IPv6 the checksum covers it.

    Raises DecodeError with the first rule that is broken, in this order: length of the fixed part,
    version, type, exact length, checksum, VRID, count, interval.
    """
    if len(message) < HEADER_LENGTH:
        raise DecodeError(Discard.LENGTH, f"{len(message)} bytes, the fixed part alone has 8")
    first, vrid, priority, count, timing, field = _HEADER.unpack_from(message)
    width = len(source)
    version = first >> 4
    _check_version_and_type(version, first & 15, width)
    expected = message_length(version, count, width)
    if len(message) != expected:
        raise DecodeError(Discard.LENGTH, f"{len(message)} bytes, {expected} expected for {count} addresses")
    summed = message + trailer if width == 16 else message
    if checksum_form(summed, source, destination) is None:
        raise DecodeError(Discard.CHECKSUM, f"field 0x{field:04x} does not fit the message")
    if vrid == 0:
        raise DecodeError(Discard.VRID_ZERO, "virtual router 0 does not exist")
    if count == 0 and not allow_empty:
        raise DecodeError(Discard.COUNT_ZERO, "no virtual address in the advertisement")
    end = HEADER_LENGTH + count * width
    addresses = tuple([message[at : at + width] for at in range(HEADER_LENGTH, end, width)])
    if version == 3:
        interval_ns = (timing & 0x0FFF) * NS_PER_CENTISECOND  # reserve nibble ignored, RFC 9568 5.2.6
        auth_type, auth_data = AUTH_NONE, b""
    else:
        interval_ns = (timing & 0xFF) * NS_PER_SECOND
        auth_type = timing >> 8
        auth_data = message[end:] if auth_type else b""
    if interval_ns == 0:
        raise DecodeError(Discard.INTERVAL_ZERO, "advertisement interval is zero")
    return Advert(version, vrid, priority, interval_ns, addresses, auth_type, auth_data)


def message_length(version: int, count: int, width: int) -> int:
    """Bytes of a message with ``count`` addresses of ``width`` bytes; version 2 has 8 more at the end."""
    return HEADER_LENGTH + count * width + (AUTH_LENGTH if version == 2 else 0)


def checksum_form(message: bytes, source: bytes, destination: bytes) -> Optional[ChecksumForm]:
    """Which form of the checksum ``message`` carries; None when no form fits.

    Version 3 over IPv4 may have either (RFC 9568 5.2.8 against RFC 5798 as most read it). When both fit,
    the pseudo header is named. A router that sums with 224.0.0.18 in a unicast packet (keepalived
    "unicast_chksum_compat") is checked by passing that address as ``destination``.
    """
    version = message[0] >> 4 if message else 0
    if version != 2 and is_valid(pseudo_header(source, destination, PROTOCOL, len(message)) + message):
        return ChecksumForm.PSEUDO_HEADER
    if len(source) == 4 and is_valid(message):
        return ChecksumForm.MESSAGE
    return None


def _check_version_and_type(version: int, kind: int, width: int) -> None:
    if version == 2 and width != 4:
        raise DecodeError(Discard.VERSION, "VRRPv2 exists for IPv4 only (RFC 3768)")
    if version not in (2, 3):
        raise DecodeError(Discard.VERSION, f"version {version}, 2 or 3 expected")
    if kind != TYPE_ADVERT:
        raise DecodeError(Discard.TYPE, f"type {kind}, 1 (advertisement) expected")


def _family_length(source: bytes, destination: bytes) -> int:
    width = len(source)
    if width not in (4, 16) or len(destination) != width:
        raise EncodeError(
            f"source has {width} bytes and destination {len(destination)}; both must have 4 or both 16"
        )
    return width


def _check_fields(advert: Advert, family: int, fewest: int) -> None:
    if advert.version not in (2, 3):
        raise EncodeError(f"version is {advert.version}; 2 or 3 expected")
    if advert.version == 2 and family != 4:
        raise EncodeError("VRRPv2 exists for IPv4 only (RFC 3768); use version 3 for IPv6")
    if not 1 <= advert.vrid <= 255:
        raise EncodeError(f"vrid is {advert.vrid}; 1 to 255 expected")
    if not 0 <= advert.priority <= 255:
        raise EncodeError(f"priority is {advert.priority}; 0 to 255 expected")
    if not fewest <= len(advert.addresses) <= 255:
        raise EncodeError(f"{len(advert.addresses)} addresses; {fewest} to 255 expected")
    for address in advert.addresses:
        if len(address) != family:
            raise EncodeError(f"address {address.hex()} has {len(address)} bytes; {family} expected")
    _check_interval(advert)
    _check_auth(advert)


def _check_interval(advert: Advert) -> None:
    unit_ns, most, name = (
        (NS_PER_SECOND, MAX_INTERVAL_V2_S, "seconds")
        if advert.version == 2
        else (NS_PER_CENTISECOND, MAX_INTERVAL_V3_CS, "centiseconds")
    )
    units, rest = divmod(advert.interval_ns, unit_ns)
    if rest or not 1 <= units <= most:
        raise EncodeError(
            f"interval is {advert.interval_ns} ns; VRRPv{advert.version} carries 1 to {most} whole {name}"
        )


def _check_auth(advert: Advert) -> None:
    if not 0 <= advert.auth_type <= 255:
        raise EncodeError(f"auth_type is {advert.auth_type}; 0 to 255 expected")
    if len(advert.auth_data) > AUTH_LENGTH:
        raise EncodeError(f"auth_data has {len(advert.auth_data)} bytes; at most 8 fit")
    if advert.version == 3 and (advert.auth_type or advert.auth_data):
        raise EncodeError("VRRPv3 has no authentication field (RFC 9568 9); use version 2")
