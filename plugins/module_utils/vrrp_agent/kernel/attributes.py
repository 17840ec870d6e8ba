# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Netlink attributes by hand, for messages whose pyroute2 classes would cost megabytes."""

from __future__ import annotations

import struct
from typing import Iterator, Tuple

_HEADER = struct.Struct("=HH")
_NESTED = 0x8000
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER


def attribute(kind: int, value: bytes = b"") -> bytes:
    """One attribute, padded to four bytes."""
    return _HEADER.pack(_HEADER.size + len(value), kind) + value + bytes(-len(value) % 4)


def nest(kind: int, *inner: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attribute(kind | _NESTED, b"".join(inner))


def text(kind: int, value: str) -> bytes:
    """A string with its zero."""
    return attribute(kind, value.encode("utf-8", "surrogateescape") + b"\0")


def u32(kind: int, value: int) -> bytes:
    """A number as the host writes it, as rtnetlink wants it."""
    return attribute(kind, struct.pack("=I", value))


def u16(kind: int, value: int) -> bytes:
    """As ``u32``."""
    return attribute(kind, struct.pack("=H", value))


def u8(kind: int, value: int) -> bytes:
    """One byte."""
    return attribute(kind, bytes((value,)))


def be32(kind: int, value: int) -> bytes:
    """A number as the network writes it, as nf_tables wants it."""
    return attribute(kind, struct.pack("!I", value & 0xFFFFFFFF))


def be64(kind: int, value: int) -> bytes:
    """As ``be32``, with 64 bits: the numbers of tunnels."""
    return attribute(kind, value.to_bytes(8, "big"))


def read(message: bytes, offset: int) -> Iterator[Tuple[int, bytes]]:
    """The attributes of a message from ``offset`` on, as (type, value); ends at the first damaged one."""
    end = len(message)
    while offset + _HEADER.size <= end:
        length, kind = _HEADER.unpack_from(message, offset)
        if length < _HEADER.size:
            return
        yield kind & _TYPE_MASK, message[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3
