# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names and values of management objects, as SNMP knows them (RFC 2578, RFC 2741 5.4)."""

from __future__ import annotations

from typing import NamedTuple, Tuple, Union

Oid = Tuple[int, ...]

INTEGER, OCTETS, NULL, OBJECT_ID = 2, 4, 5, 6
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, COUNTER64 = 64, 65, 66, 67, 68, 70
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_VIEW = 128, 129, 130

NUMBERS = frozenset((INTEGER, COUNTER32, GAUGE32, TIME_TICKS, COUNTER64))
TEXTS = frozenset((OCTETS, IP_ADDRESS, OPAQUE))
NOTHINGS = frozenset((NULL, NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_VIEW))

MIB_2: Oid = (1, 3, 6, 1, 2, 1)
SYS_UP_TIME: Oid = (*MIB_2, 1, 3, 0)
TRAP_OID: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
"""snmpTrapOID.0: which notification this is (RFC 3416 4.2.6)."""


class Value(NamedTuple):
    """A type of the list above, and what it holds: a number, bytes, another name, or None."""

    kind: int
    data: Union[int, bytes, Oid, None]


class Binding(NamedTuple):
    """A name and its value."""

    name: Oid
    value: Value


def integer(number: int) -> Value:
    """INTEGER or an enumeration; out of range is clipped."""
    return Value(INTEGER, min(max(number, -(1 << 31)), (1 << 31) - 1))


def gauge(number: int) -> Value:
    """Unsigned32 or Gauge32."""
    return Value(GAUGE32, min(max(number, 0), (1 << 32) - 1))


def counter32(number: int) -> Value:
    """Counter32: wraps as the RFC wants it."""
    return Value(COUNTER32, number & ((1 << 32) - 1))


def counter64(number: int) -> Value:
    """Counter64."""
    return Value(COUNTER64, number & ((1 << 64) - 1))


def ticks(seconds: float) -> Value:
    """TimeTicks: hundredths of a second."""
    return Value(TIME_TICKS, int(max(seconds, 0) * 100) & ((1 << 32) - 1))


def octets(data: bytes) -> Value:
    """OCTET STRING."""
    return Value(OCTETS, data)


def text(words: str) -> Value:
    """DisplayString: 255 bytes at most."""
    return Value(OCTETS, words.encode("utf-8", "replace")[:255])


def ip_address(packed: bytes) -> Value:
    """IpAddress: four bytes; 0.0.0.0 for what is not one."""
    return Value(IP_ADDRESS, packed if len(packed) == 4 else bytes(4))


def truth(yes: object) -> Value:
    """TruthValue, and every "enabled(1), disabled(2)"."""
    return Value(INTEGER, 1 if yes else 2)


def dotted(oid: Oid) -> str:
    """A name as people write it."""
    return ".".join(map(str, oid))
