# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A question of DNS (RFC 1035 4.1), and what the first bytes of an answer say."""

from __future__ import annotations

import struct
from typing import NamedTuple, Optional

TYPES = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "RRSIG": 46,
    "DNSKEY": 48,
}
"""The types that DNS_CHECK knows, with their numbers."""
RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
MOST_LABEL_BYTES, MOST_NAME_BYTES = 63, 255
_HEADER = struct.Struct("!6H")
_TAIL = struct.Struct("!HH")
_RECURSION_DESIRED, _RESPONSE = 0x0100, 0x8000
_INTERNET = 1


class NoName(ValueError):
    """This is no name that DNS can carry."""


class Answer(NamedTuple):
    """What is read of an answer."""

    number: int
    """The id of the question."""
    code: int
    """RCODE; 0 is no error."""
    truncated: bool

    @property
    def error(self) -> str:
        """The code in words."""
        return RCODES.get(self.code, f"code {self.code}")


def question(number: int, kind: str, name: str) -> bytes:
    """The datagram that asks for ``name``. Raises NoName, and KeyError for a type that is not in TYPES."""
    head = _HEADER.pack(number, _RECURSION_DESIRED, 1, 0, 0, 0)
    return head + packed_name(name) + _TAIL.pack(TYPES[kind.upper()], _INTERNET)


def packed_name(name: str) -> bytes:
    """A name as labels; a dot at the end changes nothing, and ``.`` is the root. Raises NoName."""
    data = b""
    for label in name.rstrip(".").split(".") if name.strip(".") else ():
        part = label.encode("utf-8", "surrogateescape")
        if not 0 < len(part) <= MOST_LABEL_BYTES:
            raise NoName(f"{name!r} has a label of {len(part)} bytes; write 1 to {MOST_LABEL_BYTES}")
        data += bytes((len(part),)) + part
    if len(data) + 1 > MOST_NAME_BYTES:
        raise NoName(f"{name!r} is longer than {MOST_NAME_BYTES} bytes")
    return data + b"\0"


def answer(data: bytes) -> Optional[Answer]:
    """The head of an answer; None for a datagram that is none."""
    if len(data) < _HEADER.size:
        return None
    number, flags = _HEADER.unpack_from(data)[:2]
    if not flags & _RESPONSE:
        return None
    return Answer(number, flags & 0xF, bool(flags & 0x0200))
