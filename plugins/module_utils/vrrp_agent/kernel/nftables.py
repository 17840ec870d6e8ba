# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""nf_tables over netlink: tables, chains, sets, elements and rules, in one transaction.

Written by hand: pyroute2's classes for it take 11 MiB and 80 ms to import, and the process that sends
adverts needs a dozen messages. The numbers are those of linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import List, NamedTuple, Optional, Sequence, Tuple

from .attributes import attribute, be32, nest, text
from .errors import KernelError, describe
from .messages import NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_DUMP, NLM_F_REQUEST
from .netlink import HEADER, NLMSG_DONE, NLMSG_ERROR, grow_receive_buffer, grow_send_buffer, split
from .nft_numbers import (
    DELETE_ELEMENTS,
    DELETE_TABLE,
    GET_TABLE,
    HOST_ORDER_DATA,
    HOST_ORDER_KEY,
    IS_MAP,
    NEW_CHAIN,
    NEW_ELEMENTS,
    NEW_RULE,
    NEW_SET,
    NEW_TABLE,
    NFGENMSG,
    TYPE_BITS,
)

NFPROTO_IPV4, NFPROTO_IPV6 = 2, 10
HOOK_PREROUTING, HOOK_INPUT, HOOK_OUTPUT = 0, 1, 3
TYPE_IPV4_ADDRESS, TYPE_IPV6_ADDRESS, TYPE_ICMPV6, TYPE_IFINDEX, TYPE_IFNAME = 7, 8, 29, 20, 41
"""Data types by nft's own numbers: only ``nft list`` looks at them."""
KEY_LENGTHS = {TYPE_IPV4_ADDRESS: 4, TYPE_IPV6_ADDRESS: 16, TYPE_ICMPV6: 1, TYPE_IFINDEX: 4, TYPE_IFNAME: 16}

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 10 << 8
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_TABLE_USERDATA = 6
_COMMENT = 0
_ELEMENT_KEY, _ELEMENT_DATA = 1, 2
_DATA_VALUE = 1
_ANSWER_TIMEOUT_S = 5.0
_SMALL_TRANSACTION_BYTES = 64 * 1024
_DUMP_INTERRUPTED = 0x10  # NLM_F_DUMP_INTR
_MOST_DUMPS = 5
_MOST_ELEMENTS = 500  # of one message: an attribute is at most 64 KiB long


class Chain(NamedTuple):
    """A base chain (with a hook) or one to go to."""

    name: str
    hook: Optional[int] = None
    priority: int = 0


class Set(NamedTuple):
    """A set, or a map to interface indexes. ``types`` are those of its (concatenated) key."""

    name: str
    types: Tuple[int, ...]
    elements: Tuple[Tuple[bytes, bytes], ...] = ()
    """Key, and value (empty in a set)."""
    is_map: bool = False


class Rule(NamedTuple):
    """A rule of a chain: its encoded expressions."""

    chain: str
    expressions: Tuple[bytes, ...]


class Table(NamedTuple):
    """A whole table of one family."""

    family: int
    name: str
    chains: Tuple[Chain, ...] = ()
    sets: Tuple[Set, ...] = ()
    rules: Tuple[Rule, ...] = ()


def key_of(kind: int, value: bytes) -> bytes:
    """A key as the kernel compares it: filled up to whole registers."""
    return value.ljust(-(-KEY_LENGTHS[kind] // 4) * 4, b"\0")


def make_table(table: Table, owner: str) -> List[bytes]:
    """The messages (without sequence) that make a table that does not exist. ``owner`` is its comment."""
    comment = owner.encode() + b"\0"
    userdata = attribute(_TABLE_USERDATA, bytes((_COMMENT, len(comment))) + comment)
    family, name = table.family, table.name
    messages = [message_of(NEW_TABLE, NLM_F_CREATE, family, text(1, name) + be32(2, 0) + userdata)]
    for chain in table.chains:
        messages.append(message_of(NEW_CHAIN, NLM_F_CREATE, family, _chain(name, chain)))
    for number, one in enumerate(table.sets, 1):
        messages.append(message_of(NEW_SET, NLM_F_CREATE, family, _set(name, one, number)))
        messages.extend(add_elements(family, name, one.name, one.elements))
    for rule in table.rules:
        body = text(1, name) + text(2, rule.chain) + nest(4, *rule.expressions)
        messages.append(message_of(NEW_RULE, NLM_F_CREATE | NLM_F_APPEND, family, body))
    return messages


def remove_table(family: int, name: str) -> bytes:
    """The message that removes a table with all that is in it."""
    return message_of(DELETE_TABLE, 0, family, text(1, name))


def ensure_table(family: int, name: str) -> bytes:
    """The message that makes an empty table, or does nothing when there is one: then it can be removed."""
    return message_of(NEW_TABLE, NLM_F_CREATE, family, text(1, name) + be32(2, 0))


def add_elements(family: int, table: str, name: str, elements: Sequence[Tuple[bytes, bytes]]) -> List[bytes]:
    """The messages that add elements; one that is there already does no harm."""
    return _elements(NEW_ELEMENTS, NLM_F_CREATE, family, table, name, elements)


def remove_elements(
    family: int, table: str, name: str, elements: Sequence[Tuple[bytes, bytes]]
) -> List[bytes]:
    """The messages that remove elements; all of them must be there."""
    return _elements(DELETE_ELEMENTS, 0, family, table, name, elements)


def _elements(
    kind: int, flags: int, family: int, table: str, name: str, elements: Sequence[Tuple[bytes, bytes]]
) -> List[bytes]:
    messages: List[bytes] = []
    for start in range(0, len(elements), _MOST_ELEMENTS):
        items: List[bytes] = []
        for key, value in elements[start : start + _MOST_ELEMENTS]:
            parts = [nest(_ELEMENT_KEY, attribute(_DATA_VALUE, key))]
            if value:
                parts.append(nest(_ELEMENT_DATA, attribute(_DATA_VALUE, value)))
            items.append(nest(1, *parts))
        body = text(1, table) + text(2, name) + nest(3, *items)
        messages.append(message_of(kind, flags, family, body))
    return messages


def _chain(table: str, chain: Chain) -> bytes:
    body = text(1, table) + text(3, chain.name)
    if chain.hook is None:
        return body
    hook = nest(4, be32(1, chain.hook), be32(2, chain.priority))
    return body + hook + be32(5, 1) + text(7, "filter")  # policy accept


def _set(table: str, one: Set, number: int) -> bytes:
    kind = length = 0
    for part in one.types:
        kind = kind << TYPE_BITS | part
        length += -(-KEY_LENGTHS[part] // 4) * 4 if len(one.types) > 1 else KEY_LENGTHS[part]
    body = text(1, table) + text(2, one.name) + be32(3, IS_MAP if one.is_map else 0)
    body += be32(4, kind) + be32(5, length)
    if one.is_map:
        body += be32(6, TYPE_IFINDEX) + be32(7, 4)
    if one.types[0] in (TYPE_IFINDEX, TYPE_IFNAME):  # for nft list: these are numbers as the host writes them
        body += attribute(13, HOST_ORDER_KEY + (HOST_ORDER_DATA if one.is_map else b""))
    return body + be32(10, number)


def message_of(kind: int, flags: int, family: int, body: bytes) -> bytes:
    """One message, without its sequence."""
    data = NFGENMSG.pack(family, 0, 0) + body
    return HEADER.pack(HEADER.size + len(data), _SUBSYSTEM | kind, flags | NLM_F_REQUEST, 0, 0) + data


class Refused(KernelError):
    """nf_tables did not take a transaction, or gave no answer."""

    def __init__(self, number: int, what: str, step: int = -1) -> None:
        hint = "load the kernel module nf_tables (modprobe nf_tables)"
        super().__init__(f"nf_tables refused {what}: {describe(number)}", hint, number)
        self.step = step
        """Which message of the transaction, from 0; -1 when the kernel did not say."""


class NftSocket:
    """Transactions of nf_tables. Raises KernelError when the kernel has no netfilter netlink.

    ``what`` is what errors say was refused.
    """

    def __init__(self, what: str = "the rules of virtual addresses") -> None:
        self._what = what
        self._room = _SMALL_TRANSACTION_BYTES
        self._failed = False
        """The last transaction; the kernel may have said more about it than was read."""
        try:
            kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
            self._socket = socket.socket(socket.AF_NETLINK, kind, _NETLINK_NETFILTER)
            self._socket.bind((0, 0))
        except OSError as error:
            raise KernelError(
                f"no nf_tables: {describe(error.errno or 0)}",
                "load the kernel module nf_tables (modprobe nf_tables)",
                error.errno,
            ) from error
        self._socket.settimeout(_ANSWER_TIMEOUT_S)
        grow_receive_buffer(self._socket)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def commit(self, messages: Sequence[bytes]) -> None:
        """All or nothing. Raises KernelError with the kernel's first word against it.

        The kernel carries a transaction out before ``send`` returns; only its last message is
        acknowledged, so that an error is told from silence.
        """
        if not messages:
            return
        self._forget_answers()
        parts = [_control(_BATCH_BEGIN, 0)]
        for number, message in enumerate(messages, 1):
            length, kind, flags, _sequence, _port = HEADER.unpack_from(message)
            if number == len(messages):
                flags |= NLM_F_ACK
            header = HEADER.pack(length, kind, flags, number, 0)
            parts.append(header + message[HEADER.size :])
        parts.append(_control(_BATCH_END, len(messages) + 1))
        whole = b"".join(parts)
        if len(whole) > self._room:
            self._room = grow_send_buffer(self._socket, 2 * len(whole))
        step = 0
        self._failed = True
        try:
            self._socket.send(whole)
            number, step = self._verdict(len(messages))
        except OSError as error:
            number = error.errno or errno.EIO
        if number:
            raise Refused(number, self._what, step - 1)
        self._failed = False

    def _verdict(self, last: int) -> Tuple[int, int]:
        """0 when all went well, or the number of the first error; and the sequence of the message."""
        while True:
            for kind, _flags, sequence, _port, message in split(self._socket.recv(1 << 16)):
                if kind != NLMSG_ERROR:
                    continue
                (code,) = struct.unpack_from("=i", message, HEADER.size)
                if code or sequence == last:
                    return -int(code), sequence

    def _forget_answers(self) -> None:
        if not self._failed:
            return
        self._failed = False
        self._socket.setblocking(False)
        try:
            while self._socket.recv(1 << 16):
                pass
        except OSError:
            pass
        finally:
            self._socket.settimeout(_ANSWER_TIMEOUT_S)

    def dump(self, message: bytes) -> List[bytes]:
        """The answers to a message that asks for a list; empty when what it asks about is not there.

        Raises KernelError.
        """
        length, kind, flags, _sequence, _port = HEADER.unpack_from(message)
        request = HEADER.pack(length, kind, flags | NLM_F_DUMP, 0, 0) + message[HEADER.size :]
        for _turn in range(_MOST_DUMPS):
            self._forget_answers()
            try:
                self._socket.send(request)
                whole, answers = self._answers()
            except OSError as error:
                self._failed = True
                raise Refused(error.errno or errno.EIO, self._what) from error
            if whole:
                break
        return answers

    def _answers(self) -> Tuple[bool, List[bytes]]:
        """The answers, and whether nothing has changed while they were made."""
        answers: List[bytes] = []
        whole = True
        while True:
            for kind, flags, _sequence, _port, message in split(self._socket.recv(1 << 18)):
                whole = whole and not flags & _DUMP_INTERRUPTED
                if kind == NLMSG_DONE:
                    return whole, answers
                if kind != NLMSG_ERROR:
                    answers.append(message)
                    continue
                (code,) = struct.unpack_from("=i", message, HEADER.size)
                if code not in (0, -errno.ENOENT):
                    self._failed = True
                    raise Refused(-code, self._what)
                return True, []

    def owner(self, family: int, name: str) -> Optional[str]:
        """The comment of a table; None when there is no such table. Raises KernelError."""
        message = message_of(GET_TABLE, 0, family, text(1, name))
        self._forget_answers()
        try:
            self._socket.send(message)
            for kind, _flags, _sequence, _port, answer in split(self._socket.recv(1 << 16)):
                if kind == NLMSG_ERROR:
                    (code,) = struct.unpack_from("=i", answer, HEADER.size)
                    if code in (0, -errno.ENOENT):
                        return None
                    raise Refused(-code, self._what)
                return _comment(answer)
        except OSError as error:
            raise Refused(error.errno or errno.EIO, self._what) from error
        return None


def _control(kind: int, sequence: int) -> bytes:
    data = NFGENMSG.pack(0, 0, 10)
    return HEADER.pack(HEADER.size + len(data), kind, NLM_F_REQUEST, sequence, 0) + data


def _comment(message: bytes) -> str:
    offset = HEADER.size + NFGENMSG.size
    while offset + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, offset)
        if length < 4:
            break
        if kind & 0x3FFF == _TABLE_USERDATA:
            return message[offset + 6 : offset + length].rstrip(b"\0").decode("utf-8", "replace")
        offset += (length + 3) & ~3
    return ""
