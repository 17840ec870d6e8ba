# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The internet checksum (RFC 1071) and the pseudo headers that go with it."""

from __future__ import annotations

_MODULUS = 0xFFFF


def internet_checksum(data: bytes) -> int:
    """The 16-bit value for a checksum field that is zero in ``data``.

    One's complement addition of 16-bit words is arithmetic modulo 65535, so the whole
    message is reduced as one big number; that is many times faster than a loop in Python.
    """
    number = _as_number(data)
    folded = number % _MODULUS
    if folded == 0 and number:
        return 0  # the words add up to 0xffff, not to zero
    return _MODULUS - folded


def is_valid(data: bytes) -> bool:
    """True when the words of ``data``, checksum field included, add up to 0xffff."""
    number = _as_number(data)
    return number != 0 and number % _MODULUS == 0


def pseudo_header(source: bytes, destination: bytes, protocol: int, length: int) -> bytes:
    """What is summed before a message: RFC 8200 8.1 for 16-byte addresses, the TCP form for 4-byte ones.

    ``length`` counts the bytes of the message, without this header.
    """
    if len(source) == 16:
        return source + destination + length.to_bytes(4, "big") + protocol.to_bytes(4, "big")
    return source + destination + protocol.to_bytes(2, "big") + length.to_bytes(2, "big")


def _as_number(data: bytes) -> int:
    if len(data) % 2:
        return int.from_bytes(data, "big") << 8
    return int.from_bytes(data, "big")
