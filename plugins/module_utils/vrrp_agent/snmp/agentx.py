# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AgentX (RFC 2741): bytes to PDUs and back. Pure.

Every PDU begins with a header of 20 bytes (6.1) that says in which byte order it is written; both orders
are read, the network's is written.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import List, NamedTuple, Optional, Tuple, Union

from . import values
from .values import Binding, Oid, Value

VERSION = 1
HEADER_BYTES = 20
MOST_PAYLOAD_BYTES = 1 << 20
"""More is not a PDU, but a peer that speaks something else."""
MOST_SUBIDS = 128  # RFC 2578 3.5

OPEN, CLOSE, REGISTER, UNREGISTER, GET, GET_NEXT, GET_BULK = 1, 2, 3, 4, 5, 6, 7
TEST_SET, COMMIT_SET, UNDO_SET, CLEANUP_SET, NOTIFY, PING = 8, 9, 10, 11, 12, 13
ADD_CAPS, RESPONSE = 16, 18
NAMES = {
    OPEN: "Open",
    CLOSE: "Close",
    REGISTER: "Register",
    UNREGISTER: "Unregister",
    GET: "Get",
    GET_NEXT: "GetNext",
    GET_BULK: "GetBulk",
    TEST_SET: "TestSet",
    COMMIT_SET: "CommitSet",
    UNDO_SET: "UndoSet",
    CLEANUP_SET: "CleanupSet",
    NOTIFY: "Notify",
    PING: "Ping",
    ADD_CAPS: "AddAgentCaps",
    RESPONSE: "Response",
}

NO_ERROR, GEN_ERROR, NO_ACCESS, WRONG_TYPE, WRONG_LENGTH, WRONG_VALUE = 0, 5, 6, 7, 8, 10
NO_CREATION, COMMIT_FAILED, UNDO_FAILED, NOT_WRITABLE = 11, 14, 15, 17
OPEN_FAILED, NOT_OPEN, UNSUPPORTED_CONTEXT, DUPLICATE_REGISTRATION = 256, 257, 262, 263
PARSE_ERROR = 266
ERROR_NAMES = {
    GEN_ERROR: "general error",
    OPEN_FAILED: "it takes no session",
    NOT_OPEN: "it knows no such session",
    UNSUPPORTED_CONTEXT: "it knows no such context",
    DUPLICATE_REGISTRATION: "another sub-agent has registered it already",
    PARSE_ERROR: "it could not read the request",
    267: "it does not allow it",
    268: "it could not process the request",
}

CLOSE_OTHER, CLOSE_SHUTDOWN = 1, 5

_NETWORK_ORDER = 0x10
_HAS_CONTEXT = 0x08
_WITH_CONTEXT = frozenset((REGISTER, UNREGISTER, GET, GET_NEXT, GET_BULK, TEST_SET, NOTIFY, PING, ADD_CAPS))
_INTERNET = (1, 3, 6, 1)


class AgentxError(ValueError):
    """The bytes are no PDU of AgentX, and what follows them cannot be found any more."""


class Header(NamedTuple):
    """What stands before every PDU."""

    kind: int
    flags: int
    session: int
    transaction: int
    packet: int
    length: int
    """Of the payload, in bytes."""

    @property
    def order(self) -> str:
        """The mark of the byte order for ``struct``."""
        return ">" if self.flags & _NETWORK_ORDER else "<"


class Range(NamedTuple):
    """One SearchRange (5.2): from ``start`` to before ``end``; an empty ``end`` is no limit."""

    start: Oid
    include: bool
    """``start`` itself may be the answer."""
    end: Oid


@dataclass(frozen=True)
class Pdu:
    """One PDU. What a kind does not have stays at its default."""

    kind: int
    session: int = 0
    transaction: int = 0
    packet: int = 0
    context: Optional[bytes] = None
    """None is the default context, the only one that we serve."""
    timeout_s: int = 0
    priority: int = 0
    subtree: Oid = ()
    """Open and AddAgentCaps: the name of the agent; Register and Unregister: the subtree."""
    description: str = ""
    reason: int = 0
    """Close."""
    ranges: Tuple[Range, ...] = ()
    non_repeaters: int = 0
    max_repetitions: int = 0
    bindings: Tuple[Binding, ...] = ()
    up_time: int = 0
    error: int = 0
    index: int = 0


def encode(pdu: Pdu) -> bytes:
    """The bytes of a PDU, in network byte order."""
    flags, payload = _NETWORK_ORDER, bytearray()
    if pdu.kind in _WITH_CONTEXT and pdu.context is not None:
        flags |= _HAS_CONTEXT
        payload += _octets(pdu.context)
    payload += _body(pdu)
    head = struct.pack(
        ">BBBxIIII", VERSION, pdu.kind, flags, pdu.session, pdu.transaction, pdu.packet, len(payload)
    )
    return head + bytes(payload)


def _body(pdu: Pdu) -> bytes:
    if pdu.kind == OPEN:
        return struct.pack(">Bxxx", pdu.timeout_s) + _oid(pdu.subtree) + _octets(pdu.description.encode())
    if pdu.kind == CLOSE:
        return struct.pack(">Bxxx", pdu.reason)
    if pdu.kind == REGISTER:
        return struct.pack(">BBxx", pdu.timeout_s, pdu.priority) + _oid(pdu.subtree)
    if pdu.kind == UNREGISTER:
        return struct.pack(">xBxx", pdu.priority) + _oid(pdu.subtree)
    if pdu.kind in (GET, GET_NEXT, GET_BULK):
        head = struct.pack(">HH", pdu.non_repeaters, pdu.max_repetitions) if pdu.kind == GET_BULK else b""
        return head + b"".join([_oid(one.start, one.include) + _oid(one.end) for one in pdu.ranges])
    if pdu.kind == ADD_CAPS:
        return _oid(pdu.subtree) + _octets(pdu.description.encode())
    if pdu.kind == RESPONSE:
        head = struct.pack(">IHH", pdu.up_time & 0xFFFFFFFF, pdu.error, pdu.index)
        return head + _bindings(pdu.bindings)
    if pdu.kind in (NOTIFY, TEST_SET):
        return _bindings(pdu.bindings)
    return b""


def _bindings(bindings: Tuple[Binding, ...]) -> bytes:
    return b"".join(
        [struct.pack(">Hxx", one.value.kind) + _oid(one.name) + _value(one.value) for one in bindings]
    )


def _oid(oid: Oid, include: bool = False) -> bytes:
    """5.1: a name under 1.3.6.1 is written without these four and the fifth in a byte of its own."""
    prefix, rest = 0, oid
    if oid[:4] == _INTERNET and len(oid) > 4 and 0 < oid[4] < 256:
        prefix, rest = oid[4], oid[5:]
    return struct.pack(f">BBBx{len(rest)}I", len(rest), prefix, include, *rest)


def _octets(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


def _value(value: Value) -> bytes:
    data = value.data
    if value.kind in values.NUMBERS and isinstance(data, int):
        form = ">Q" if value.kind == values.COUNTER64 else ">i" if value.kind == values.INTEGER else ">I"
        return struct.pack(form, data)
    if value.kind == values.OBJECT_ID and isinstance(data, tuple):
        return _oid(data)
    return _octets(data) if isinstance(data, bytes) else b""


def decode_header(data: bytes) -> Header:
    """The header at the beginning of ``data``. Raises AgentxError."""
    version, kind, flags = data[0], data[1], data[2]
    order = ">" if flags & _NETWORK_ORDER else "<"
    if version != VERSION:
        raise AgentxError(f"version {version}, AgentX has {VERSION}")
    session, transaction, packet, length = struct.unpack_from(order + "IIII", data, 4)
    if length > MOST_PAYLOAD_BYTES or length % 4:
        raise AgentxError(f"a payload of {length} bytes")
    return Header(kind, flags, session, transaction, packet, length)


def decode(header: Header, payload: bytes) -> Pdu:
    """The PDU with this header. Raises AgentxError when the payload is not what its kind wants."""
    kind, reader = header.kind, _Reader(payload, header.order)
    if kind not in NAMES:
        raise AgentxError(f"a PDU of unknown type {kind}")
    context = reader.octets() if kind in _WITH_CONTEXT and header.flags & _HAS_CONTEXT else None
    pdu = Pdu(kind, header.session, header.transaction, header.packet, context)
    if kind == OPEN:
        timeout_s = reader.numbers("Bxxx")[0]
        return replace(pdu, timeout_s=timeout_s, subtree=reader.oid()[0], description=reader.text())
    if kind == CLOSE:
        return replace(pdu, reason=reader.numbers("Bxxx")[0])
    if kind == REGISTER:
        timeout_s, priority = reader.numbers("BBxx")
        return replace(pdu, timeout_s=timeout_s, priority=priority, subtree=reader.oid()[0])
    if kind == UNREGISTER:
        return replace(pdu, priority=reader.numbers("xBxx")[0], subtree=reader.oid()[0])
    if kind in (GET, GET_NEXT):
        return replace(pdu, ranges=reader.ranges())
    if kind == GET_BULK:
        non_repeaters, most = reader.numbers("HH")
        return replace(pdu, non_repeaters=non_repeaters, max_repetitions=most, ranges=reader.ranges())
    if kind == ADD_CAPS:
        return replace(pdu, subtree=reader.oid()[0], description=reader.text())
    if kind == RESPONSE:
        up_time, error, index = reader.numbers("IHH")
        return replace(pdu, up_time=up_time, error=error, index=index, bindings=reader.bindings())
    return replace(pdu, bindings=reader.bindings()) if kind in (NOTIFY, TEST_SET) else pdu


class _Reader:
    """Takes one thing after the other out of a payload. Everything raises AgentxError at its end."""

    def __init__(self, data: bytes, order: str) -> None:
        self._data = data
        self._order = order
        self._at = 0

    def numbers(self, form: str) -> Tuple[int, ...]:
        try:
            found = struct.unpack_from(self._order + form, self._data, self._at)
        except struct.error:
            raise AgentxError(f"the payload of {len(self._data)} bytes ends too early") from None
        self._at += struct.calcsize(self._order + form)
        return found

    def octets(self) -> bytes:
        length = self.numbers("I")[0]
        data = self._data[self._at : self._at + length]
        self._at += length + -length % 4
        if self._at > len(self._data):
            raise AgentxError(f"a string of {length} bytes is longer than its PDU")
        return data

    def text(self) -> str:
        return self.octets().decode("utf-8", "replace")

    def oid(self) -> Tuple[Oid, bool]:
        count, prefix, include = self.numbers("BBBx")
        if count > MOST_SUBIDS:
            raise AgentxError(f"a name of {count} parts")
        rest = self.numbers(f"{count}I")
        return ((*_INTERNET, prefix, *rest) if prefix else rest), bool(include)

    def ranges(self) -> Tuple[Range, ...]:
        found: List[Range] = []
        while self._at < len(self._data):
            start, include = self.oid()
            found.append(Range(start, include, self.oid()[0]))
        return tuple(found)

    def bindings(self) -> Tuple[Binding, ...]:
        found: List[Binding] = []
        while self._at < len(self._data):
            kind = self.numbers("Hxx")[0]
            name = self.oid()[0]
            found.append(Binding(name, Value(kind, self._value(kind))))
        return tuple(found)

    def _value(self, kind: int) -> Union[int, bytes, Oid, None]:
        if kind in values.NUMBERS:
            return self.numbers("Q" if kind == values.COUNTER64 else "i" if kind == values.INTEGER else "I")[
                0
            ]
        if kind in values.TEXTS:
            return self.octets()
        if kind == values.OBJECT_ID:
            return self.oid()[0]
        if kind in values.NOTHINGS:
            return None
        raise AgentxError(f"a value of unknown type {kind}")


class Stream:
    """Whole PDUs out of the pieces that a connection brings."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, piece: bytes) -> None:
        """Take what has come."""
        self._data += piece

    def take(self) -> Optional[Tuple[Header, bytes]]:
        """The next header and its payload, or None until more has come. Raises AgentxError."""
        if len(self._data) < HEADER_BYTES:
            return None
        header = decode_header(bytes(self._data[:HEADER_BYTES]))
        end = HEADER_BYTES + header.length
        if len(self._data) < end:
            return None
        payload = bytes(self._data[HEADER_BYTES:end])
        del self._data[:end]
        return header, payload
