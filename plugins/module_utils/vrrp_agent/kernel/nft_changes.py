# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages that change a table of nf_tables bit by bit: chains, rules, maps to chains, sets, counters.

``nftables.py`` makes whole tables at once. The numbers are those of linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import struct
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from . import nftables as nft
from .attributes import attribute, be32, be64, nest, read, text
from .messages import NLM_F_APPEND, NLM_F_CREATE
from .netlink import HEADER
from .nft_numbers import (
    DELETE_CHAIN,
    DELETE_ELEMENTS,
    DELETE_OBJECT,
    DELETE_RULE,
    DELETE_SET,
    DELETE_TABLE,
    GET_CHAIN,
    GET_OBJECT,
    GET_RULE,
    HOST_ORDER_KEY,
    IS_MAP,
    NEW_CHAIN,
    NEW_ELEMENTS,
    NEW_OBJECT,
    NEW_RULE,
    NEW_SET,
    NEW_TABLE,
    NFGENMSG,
    TYPE_BITS,
)
from .nft_steer import GOTO

NFPROTO_NETDEV = 5
HOOK_INGRESS = 0
INTEGER, IPV4, IPV6, PROTOCOL, PORT, MARK = 4, 7, 8, 12, 13, 19
"""Data types by nft's own numbers, and how long they are."""
_LENGTHS = {INTEGER: 4, IPV4: 4, IPV6: 16, PROTOCOL: 1, PORT: 2, MARK: 4}
_KEY_TYPE_OF, _DATA_TYPE_OF, _VERDICT, _NUMGEN, _INCREMENTAL = 3, 4, 1, 23, 0
_COMMENT = 0
_MOST_COMMENT_BYTES = 253
_TIMEOUT, _DYNAMIC = 0x10, 0x20
_VERDICT_TYPE = 0xFFFFFF00
_COUNTER = 1
_MOST_ELEMENTS = 200  # of one message: an attribute is at most 64 KiB long
_COUNTS = struct.Struct("!Q")


class BaseChain(NamedTuple):
    """A chain that the kernel calls by itself."""

    name: str
    kind: str
    """nat or filter."""
    hook: int
    priority: int
    device: str = ""
    """Of the family netdev."""


class Count(NamedTuple):
    """What a counter has counted."""

    packets: int
    bytes: int


def key_part(kind: int, value: bytes) -> bytes:
    """A part of a key, filled up to whole registers."""
    return value.ljust(-(-_LENGTHS[kind] // 4) * 4, b"\0")


class TableChanges:
    """The messages of one table."""

    def __init__(self, family: int, name: str) -> None:
        self.family, self.name = family, name
        self._head = text(1, name)

    def make(self, owner: str) -> bytes:
        """The table itself; ``owner`` is its comment."""
        body = self._head + be32(2, 0) + attribute(6, _comment(owner))
        return nft.message_of(NEW_TABLE, NLM_F_CREATE, self.family, body)

    def remove(self) -> bytes:
        """The table with all that is in it."""
        return nft.message_of(DELETE_TABLE, 0, self.family, self._head)

    def chain(self, name: str) -> bytes:
        """A chain to go to."""
        return nft.message_of(NEW_CHAIN, NLM_F_CREATE, self.family, self._head + text(3, name))

    def base_chain(self, chain: BaseChain) -> bytes:
        """A chain that the kernel calls; it lets everything through."""
        hook = [be32(1, chain.hook), be32(2, chain.priority)]
        if chain.device:
            hook.append(text(3, chain.device))
        body = self._head + text(3, chain.name) + nest(4, *hook) + be32(5, 1) + text(7, chain.kind)
        return nft.message_of(NEW_CHAIN, NLM_F_CREATE, self.family, body)

    def remove_chain(self, name: str) -> bytes:
        """A chain without rules that nothing leads to any more."""
        return nft.message_of(DELETE_CHAIN, 0, self.family, self._head + text(3, name))

    def rule(self, chain: str, *expressions: bytes, comment: str = "") -> bytes:
        """A rule at the end of the chain."""
        body = self._head + text(2, chain) + nest(4, *expressions)
        if comment:
            body += attribute(7, _comment(comment))
        return nft.message_of(NEW_RULE, NLM_F_CREATE | NLM_F_APPEND, self.family, body)

    def empty_chain(self, name: str) -> bytes:
        """Remove all rules of a chain."""
        return nft.message_of(DELETE_RULE, 0, self.family, self._head + text(2, name))

    def chain_map(self, name: str, types: Sequence[int], number: int) -> bytes:
        """A map from a (concatenated) key to chains. ``number`` is its own in the transaction."""
        flags = be32(3, IS_MAP)
        return self._set(name, types, flags + be32(6, _VERDICT_TYPE) + be32(10, number))

    def choice(self, name: str, number: int, chains: Sequence[str]) -> List[bytes]:
        """A map from 0, 1, 2, ... to chains.

        It has a name, because the kernel searches all sets of a table for each that it has to name itself.
        """
        slots = max(len(chains), 1)
        parts = be32(3, IS_MAP) + be32(6, _VERDICT_TYPE) + be32(10, number)
        parts += nest(9, be32(1, slots)) + attribute(13, HOST_ORDER_KEY + _slot_type(slots))
        pairs = [(struct.pack("=I", slot), chain) for slot, chain in enumerate(chains)]
        return [self._set(name, (INTEGER,), parts), *self.add_ways(name, pairs, number)]

    def memory(self, name: str, types: Sequence[int], most: int, timeout_ms: int, number: int) -> bytes:
        """A set that packets fill, with at most so many keys, each of which is forgotten after a time."""
        parts = be32(3, _DYNAMIC | _TIMEOUT) + be32(10, number) + nest(9, be32(1, most))
        return self._set(name, types, parts + be64(11, timeout_ms))

    def remove_set(self, name: str) -> bytes:
        """A set or map that no rule uses any more."""
        return nft.message_of(DELETE_SET, 0, self.family, self._head + text(2, name))

    def empty_set(self, name: str) -> bytes:
        """Remove all keys of a set."""
        return nft.message_of(DELETE_ELEMENTS, 0, self.family, self._head + text(2, name))

    def add_ways(self, name: str, pairs: Sequence[Tuple[bytes, str]], number: int = 0) -> List[bytes]:
        """Keys of a map, and the chains that they lead to."""
        items = []
        for key, chain in pairs:
            verdict = nest(2, be32(1, GOTO), text(2, chain))
            items.append(nest(1, nest(1, attribute(1, key)), nest(2, verdict)))
        return self._elements(NEW_ELEMENTS, NLM_F_CREATE, name, items, number)

    def remove_ways(self, name: str, pairs: Sequence[Tuple[bytes, str]]) -> List[bytes]:
        """Keys of a map; all of them must be there."""
        items = [nest(1, nest(1, attribute(1, key))) for key, _chain in pairs]
        return self._elements(DELETE_ELEMENTS, 0, name, items)

    def counter(self, name: str) -> bytes:
        """A counter with a name."""
        body = self._head + text(2, name) + be32(3, _COUNTER) + nest(4)
        return nft.message_of(NEW_OBJECT, NLM_F_CREATE, self.family, body)

    def remove_counter(self, name: str) -> bytes:
        """A counter that no rule uses any more."""
        body = self._head + text(2, name) + be32(3, _COUNTER)
        return nft.message_of(DELETE_OBJECT, 0, self.family, body)

    def list_rules(self) -> bytes:
        """Ask for the rules."""
        return nft.message_of(GET_RULE, 0, self.family, self._head)

    def list_chains(self) -> bytes:
        """Ask for the chains. The kernel sends those of every table of the family."""
        return nft.message_of(GET_CHAIN, 0, self.family, self._head)

    def list_counters(self) -> bytes:
        """Ask for the counters."""
        return nft.message_of(GET_OBJECT, 0, self.family, self._head + be32(3, _COUNTER))

    def _set(self, name: str, types: Sequence[int], parts: bytes) -> bytes:
        kind = length = 0
        for part in types:
            kind = kind << TYPE_BITS | part
            length += len(key_part(part, b"")) if len(types) > 1 else _LENGTHS[part]
        body = self._head + text(2, name) + be32(4, kind) + be32(5, length) + parts
        return nft.message_of(NEW_SET, NLM_F_CREATE, self.family, body)

    def _elements(self, kind: int, flags: int, name: str, items: List[bytes], number: int = 0) -> List[bytes]:
        head = self._head + text(2, name) + (be32(4, number) if number else b"")
        return [
            nft.message_of(kind, flags, self.family, head + nest(3, *items[at : at + _MOST_ELEMENTS]))
            for at in range(0, len(items), _MOST_ELEMENTS)
        ]


def comments(answers: Iterable[bytes]) -> List[Tuple[str, str]]:
    """The chain and the comment of each rule that has one, in their order."""
    found: List[Tuple[str, str]] = []
    for answer in answers:
        chain, comment = "", None
        for kind, value in read(answer, HEADER.size + NFGENMSG.size):
            if kind == 2:
                chain = value.rstrip(b"\0").decode("utf-8", "replace")
            elif kind == 7:
                comment = _read_comment(value)
        if comment is not None:
            found.append((chain, comment))
    return found


def counts(answers: Iterable[bytes]) -> Dict[str, Count]:
    """What each counter has counted."""
    found: Dict[str, Count] = {}
    for answer in answers:
        name, packets, octets = "", 0, 0
        for kind, value in read(answer, HEADER.size + NFGENMSG.size):
            if kind == 2:
                name = value.rstrip(b"\0").decode("utf-8", "replace")
            elif kind == 4:
                numbers = {inner: _COUNTS.unpack(data)[0] for inner, data in read(value, 0) if len(data) == 8}
                octets, packets = numbers.get(1, 0), numbers.get(2, 0)
        found[name] = Count(packets, octets)
    return found


def _slot_type(slots: int) -> bytes:
    """``typeof numgen inc mod SLOTS`` in nft's own words: it loads no map whose key is a mere integer."""
    numbers = (_INCREMENTAL, slots, 0)
    said = b"".join(struct.pack("=BBI", kind, 4, number) for kind, number in enumerate(numbers))
    inner = struct.pack("=BBI", 0, 4, _NUMGEN) + bytes((1, len(said))) + said
    verdict = struct.pack("=BBI", 0, 4, _VERDICT) + bytes((1, 0))
    return bytes((_KEY_TYPE_OF, len(inner))) + inner + bytes((_DATA_TYPE_OF, len(verdict))) + verdict


def _comment(words: str) -> bytes:
    """Raises ValueError for one that has no room."""
    value = words.encode("utf-8", "surrogateescape") + b"\0"
    if len(value) > _MOST_COMMENT_BYTES:
        raise ValueError(f"a comment of {len(value)} bytes; {_MOST_COMMENT_BYTES} are possible")
    return bytes((_COMMENT, len(value))) + value


def _read_comment(data: bytes) -> Optional[str]:
    at = 0
    while at + 2 <= len(data):
        kind, length = data[at], data[at + 1]
        if kind == _COMMENT:
            return data[at + 2 : at + 2 + length].rstrip(b"\0").decode("utf-8", "replace")
        at += 2 + length
    return None


def base_chains(answers: Iterable[bytes], table: str) -> List[str]:
    """The names of the chains of a table that the kernel calls."""
    found = []
    for answer in answers:
        name, owner, hooked = "", "", False
        for kind, value in read(answer, HEADER.size + NFGENMSG.size):
            if kind in (1, 3):
                said = value.rstrip(b"\0").decode("utf-8", "replace")
                owner, name = (said, name) if kind == 1 else (owner, said)
            hooked = hooked or kind == 4
        if hooked and owner == table:
            found.append(name)
    return found
