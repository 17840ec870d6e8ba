# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A table of nf_tables that gives packets a firewall mark by their destination, for IPVS (nftables_ipvs).

Two maps, from protocol, address and port, and from protocol and address alone; two rules look in them before
IPVS does, in the hook ``input``. The rules never change: all difference is in the elements.
"""

from __future__ import annotations

import struct
from typing import Dict, Iterable, List, NamedTuple, Sequence

from . import nftables as nft
from .attributes import attribute, be32, nest, read, text
from .messages import NLM_F_CREATE
from .netlink import HEADER
from .nft_changes import BaseChain, TableChanges
from .nft_numbers import (
    DELETE_ELEMENTS,
    GET_ELEMENTS,
    HOST_ORDER_DATA,
    IS_MAP,
    NEW_ELEMENTS,
    NEW_SET,
    NFGENMSG,
    TYPE_BITS,
)
from .nft_rules import mapped
from .nft_steer import destination, leave, port, transport

_CHAIN, _PORTS, _ADDRESSES = "in", "ports", "addresses"
_IPV4, _IPV6, _PROTOCOL, _PORT, _MARK = 7, 8, 12, 13, 19
"""Data types by nft's own numbers: only ``nft list`` looks at them."""
_KEY = 8
_NFPROTO = {4: nft.NFPROTO_IPV4, 6: nft.NFPROTO_IPV6}
_META_MARK = 3
_MOST_ELEMENTS = 200  # of one message: an attribute is at most 64 KiB long
_NUMBER = struct.Struct("=I")


class Entry(NamedTuple):
    """What gets a mark."""

    family: int
    """4 or 6."""
    protocol: int
    address: bytes
    port: int
    """0: every port."""


Marks = Dict[Entry, int]


class MarkTable(TableChanges):
    """The messages for the table of one family, 4 or 6."""

    def __init__(self, family: int, name: str) -> None:
        super().__init__(_NFPROTO[family], name)
        self._size = 4 if family == 4 else 16
        self._ip = family

    def make_all(self, owner: str, priority: int) -> List[bytes]:
        """The table, its maps and its rules, without elements."""
        address = _IPV4 if self._ip == 4 else _IPV6
        behind = _KEY + 1 + self._size // 4
        where = transport(_KEY) + destination(self._ip, _KEY + 1)
        messages = [
            self.make(owner),
            self.base_chain(BaseChain(_CHAIN, "filter", nft.HOOK_INPUT, priority)),
            self._map(_PORTS, (_PROTOCOL, address, _PORT), 1),
            self._map(_ADDRESSES, (_PROTOCOL, address), 2),
        ]
        for name, key in ((_PORTS, where + port(False, behind)), (_ADDRESSES, where)):
            messages.append(self.rule(_CHAIN, key, mapped(name, _KEY, _KEY), _set_mark(_KEY), leave()))
        return messages

    def add(self, marks: Marks) -> List[bytes]:
        """Elements that are not there yet."""
        return self._change(NEW_ELEMENTS, NLM_F_CREATE, marks)

    def take_away(self, marks: Marks) -> List[bytes]:
        """Elements that are there."""
        return self._change(DELETE_ELEMENTS, 0, marks)

    def list_marks(self) -> List[bytes]:
        """One question for each map."""
        return [
            nft.message_of(GET_ELEMENTS, 0, self.family, self._head + text(2, name))
            for name in (_PORTS, _ADDRESSES)
        ]

    def read_marks(self, answers: Iterable[bytes]) -> Marks:
        """What the kernel says to such a question."""
        marks: Marks = {}
        for answer in answers:
            for kind, value in read(answer, HEADER.size + NFGENMSG.size):
                if kind == 3:
                    for _item, element in read(value, 0):
                        found = dict(read(element, 0))
                        key, data = _value(found.get(1, b"")), _value(found.get(2, b""))
                        if len(data) == _NUMBER.size:
                            marks[self._entry(key)] = int(_NUMBER.unpack(data)[0])
        return marks

    def _map(self, name: str, types: Sequence[int], number: int) -> bytes:
        kind = 0
        for part in types:
            kind = kind << TYPE_BITS | part
        length = 4 + self._size + (4 if _PORT in types else 0)
        body = self._head + text(2, name) + be32(3, IS_MAP) + be32(4, kind) + be32(5, length)
        body += be32(6, _MARK) + be32(7, _NUMBER.size) + be32(10, number) + attribute(13, HOST_ORDER_DATA)
        return nft.message_of(NEW_SET, NLM_F_CREATE, self.family, body)

    def _change(self, command: int, flags: int, marks: Marks) -> List[bytes]:
        messages: List[bytes] = []
        for name, by_port in ((_PORTS, True), (_ADDRESSES, False)):
            items = [
                nest(1, nest(1, attribute(1, _key(entry))), nest(2, attribute(1, _NUMBER.pack(mark))))
                for entry, mark in marks.items()
                if _NFPROTO[entry.family] == self.family and bool(entry.port) is by_port
            ]
            messages.extend(
                nft.message_of(
                    command,
                    flags,
                    self.family,
                    self._head + text(2, name) + nest(3, *items[at : at + _MOST_ELEMENTS]),
                )
                for at in range(0, len(items), _MOST_ELEMENTS)
            )
        return messages

    def _entry(self, key: bytes) -> Entry:
        end = 4 + self._size
        return Entry(self._ip, key[0], key[4:end], int.from_bytes(key[end : end + 2], "big"))


def _key(entry: Entry) -> bytes:
    key = bytes((entry.protocol, 0, 0, 0)) + entry.address
    return key + struct.pack("!Hxx", entry.port) if entry.port else key


def _value(data: bytes) -> bytes:
    """The bytes inside NFTA_DATA_VALUE."""
    return dict(read(data, 0)).get(1, b"")


def _set_mark(register: int) -> bytes:
    return nest(1, text(1, "meta"), nest(2, be32(2, _META_MARK), be32(3, register)))
