# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The expressions of nf_tables rules: load into a register, compare, look up, decide."""

from __future__ import annotations

import socket

from .attributes import attribute, be32, nest, text

FIRST, SECOND = 1, 2
"""Registers of 16 bytes; a concatenated key begins in the first and goes on in the next."""
NETWORK, TRANSPORT = 1, 2
DROP, ACCEPT, GOTO = 0, 1, -4
_VERDICT_REGISTER = 0
_META_IIF, _META_OIF, _META_IIFNAME, _META_OIFNAME, _META_L4PROTO = 4, 5, 6, 7, 16
_INTERFACE_KEYS = {
    (True, True): _META_IIF,
    (True, False): _META_IIFNAME,
    (False, True): _META_OIF,
    (False, False): _META_OIFNAME,
}
_EQUAL = 0


def _expression(name: str, *parts: bytes) -> bytes:
    return nest(1, text(1, name), nest(2, *parts))


def load(base: int, offset: int, length: int, register: int = FIRST) -> bytes:
    """Bytes of the packet."""
    parts = (be32(1, register), be32(2, base), be32(3, offset), be32(4, length))
    return _expression("payload", *parts)


def interface(incoming: bool, by_index: bool, register: int = FIRST) -> bytes:
    """The interface that the packet came by or leaves by."""
    return _expression("meta", be32(2, _INTERFACE_KEYS[incoming, by_index]), be32(1, register))


def protocol(number: int) -> bytes:
    """Go on only with this transport protocol."""
    loaded = _expression("meta", be32(2, _META_L4PROTO), be32(1, FIRST))
    return loaded + equal(bytes((number,)))


def equal(value: bytes, register: int = FIRST) -> bytes:
    """Go on only when the register holds this."""
    return _expression("cmp", be32(1, register), be32(2, _EQUAL), nest(3, attribute(1, value)))


def among(name: str, register: int = FIRST) -> bytes:
    """Go on only when the key that begins in the register is in the set."""
    return _expression("lookup", text(1, name), be32(2, register))


def mapped(name: str, source: int, destination: int) -> bytes:
    """Put what the map has for a key into a register; go on only when it has something."""
    return _expression("lookup", text(1, name), be32(2, source), be32(3, destination))


def duplicate(address: int, device: int) -> bytes:
    """Send a copy to the address in one register by the interface in another."""
    return _expression("dup", be32(1, address), be32(2, device))


def counter() -> bytes:
    """Count packets and bytes."""
    return _expression("counter")


def verdict(code: int) -> bytes:
    """The end of the rule."""
    data = nest(2, be32(1, code))
    return _expression("immediate", be32(1, _VERDICT_REGISTER), nest(2, data))


def destination_of(family: int, register: int = FIRST) -> bytes:
    """The packet's destination address."""
    offset, length = (16, 4) if family == socket.AF_INET else (24, 16)
    return load(NETWORK, offset, length, register)


def source_of(family: int, register: int = FIRST) -> bytes:
    """The packet's source address."""
    offset, length = (12, 4) if family == socket.AF_INET else (8, 16)
    return load(NETWORK, offset, length, register)
