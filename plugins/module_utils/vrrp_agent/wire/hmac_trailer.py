# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The trailer of auth_hmac (keepalived 2.4, draft-cassen-vrrp-auth-hmac): 28 bytes behind the VRRP message.

    type 1 | key id | reserved 0 (16) | seconds (32) | fraction (16) | counter (16) | HMAC (128)

HMAC-SHA256, cut to 128 bits, over a pseudo header that names family, version, VRID and source, then the
message with its checksum as zero, then the trailer with its HMAC as zero.  The destination and the IP header
are not covered, so that all the copies for unicast peers carry one trailer.  Over IPv4 the VRRP checksum
leaves the trailer out; over IPv6 it covers the trailer as well, since there it covers the whole payload.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, Tuple

from .advert import HEADER_LENGTH, message_length
from .keyed import SHA256, Keyed

LENGTH = 28
TYPE_SHA256 = 1
LEAST_KEY_BYTES, MOST_KEY_BYTES = 32, 64

_MAC_BYTES = 16
_NO_MAC = bytes(_MAC_BYTES)
_PREFIX = struct.Struct("!BBHQ")
_CHECKSUM = slice(6, 8)
_NANOSECONDS = 1_000_000_000


class Trailer(NamedTuple):
    """What a trailer says. ``sequence`` has 64 bits: seconds, 1/65536 seconds, and a counter."""

    kind: int
    key_id: int
    reserved: int
    sequence: int
    mac: bytes

    @property
    def seconds(self) -> int:
        """When it was made: seconds since 1970 by the clock of its sender, modulo 2^32."""
        return self.sequence >> 32

    @property
    def well_formed(self) -> bool:
        """True for the one type that exists."""
        return self.kind == TYPE_SHA256 and self.reserved == 0


def make_key(secret: bytes) -> Keyed:
    """A key made ready."""
    return Keyed(secret, SHA256, _MAC_BYTES)


def begin(key: Keyed, message: bytes, source: bytes) -> Keyed:
    """The key with all that is the same in every trailer behind ``message``: 28 bytes are missing to it."""
    return key.begun(pseudo_header(message, source), without_checksum(message))


def sign(begun: Keyed, key_id: int, sequence: int) -> bytes:
    """A whole trailer, from a key that has ``begin`` behind it."""
    prefix = _PREFIX.pack(TYPE_SHA256, key_id, 0, sequence)
    return prefix + begun.mac(prefix, _NO_MAC)


def split(payload: bytes, width: int) -> Tuple[bytes, bytes]:
    """A VRRP payload as message and trailer; the trailer is empty where the length leaves no room for one.

    ``width`` is the length of an address. The length is the only sign of a trailer, as in keepalived.
    """
    if len(payload) >= HEADER_LENGTH + LENGTH:
        length = message_length(payload[0] >> 4, payload[3], width)
        if len(payload) == length + LENGTH:
            return payload[:length], payload[length:]
    return payload, b""


def parse(trailer: bytes) -> Trailer:
    """The values in the 28 bytes of a trailer."""
    kind, key_id, reserved, sequence = _PREFIX.unpack_from(trailer)
    return Trailer(kind, key_id, reserved, sequence, trailer[_PREFIX.size : LENGTH])


def genuine(key: Keyed, message: bytes, trailer: bytes, source: bytes) -> bool:
    """True when the HMAC of ``trailer`` is the one of ``key`` for this message from this source."""
    prefix, mac = trailer[: _PREFIX.size], trailer[_PREFIX.size : LENGTH]
    return key.matches(mac, pseudo_header(message, source), without_checksum(message), prefix, _NO_MAC)


def clock_sequence(wall_ns: int) -> int:
    """The sequence number that a clock gives, with its counter at zero. ``wall_ns``: since 1970."""
    seconds, rest = divmod(wall_ns, _NANOSECONDS)
    return (seconds & 0xFFFFFFFF) << 32 | ((rest << 16) // _NANOSECONDS) << 16


def pseudo_header(message: bytes, source: bytes) -> bytes:
    """The 20 bytes that bind a trailer to its virtual router and its sender."""
    family = 4 if len(source) == 4 else 6
    return bytes((family, message[0] >> 4, message[1], 0)) + source.ljust(16, b"\0")


def without_checksum(message: bytes) -> bytes:
    """The message as the HMAC reads it."""
    return message[: _CHECKSUM.start] + b"\0\0" + message[_CHECKSUM.stop :]
