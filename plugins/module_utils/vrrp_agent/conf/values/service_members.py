# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What clients speak to: the addresses, ranges and firewall marks of a virtual_server or of its group."""

from __future__ import annotations

from typing import Iterable, List, Mapping, NamedTuple, Optional, Tuple

from ..match.addresses import clear_host_bits, pack
from ..match.fit import Fit, fit_line
from ..parts.balancing import Member
from ..tree import Node
from ..words import Section

GROUP_LINES = "virtual_server_group_lines"
_FAMILIES = {"inet": 4, "inet6": 6}
_OCTET, _GROUP = 0xFF, 0xFFFF
"""What a range without dots or colons counts: the last number of an address."""


class BadRange(ValueError):
    """A line of a group that means no addresses; ``hint`` says what to write."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class Line(NamedTuple):
    """A member, and where it stands."""

    member: Member
    """Family 0: a firewall mark that names none."""
    node: Node


def span(text: str) -> Tuple[bytes, int]:
    """The first address of ``ADDRESS``, ``ADDRESS/PREFIX`` or a range, and how many there are.

    keepalived's ranges: up to an address (``192.0.2.1-192.0.2.9``), or to the last number of one, which is
    decimal in IPv4 (``192.0.2.1-9``) and hexadecimal in IPv6 (``2001:db8::1-f``). Raises BadRange.
    """
    for mark, read in (("/", _network), ("-", _range)):
        begin, found, end = text.partition(mark)
        if found:
            return read(text, _address(begin, text), end)
    return _address(text, text), 1


def _address(text: str, whole: str) -> bytes:
    packed = pack(text)
    if packed is None:
        raise BadRange(f"'{whole}' has no address", "write an address, as 192.0.2.1-10 for ten of them")
    return packed


def _network(text: str, first: bytes, end: str) -> Tuple[bytes, int]:
    bits = 8 * len(first)
    length = int(end) if end.isascii() and end.isdigit() else -1
    if not 1 <= length <= bits:
        raise BadRange(f"'{text}' has no prefix length", f"write a number from 1 to {bits} after the /")
    if clear_host_bits(first, length) != first:
        raise BadRange(
            f"'{text}' has bits behind its prefix", "write the address of the network before the /"
        )
    return first, 1 << (bits - length)


def _range(text: str, first: bytes, end: str) -> Tuple[bytes, int]:
    start = int.from_bytes(first, "big")
    if "." in end or ":" in end:
        last = pack(end)
        if last is None or len(last) != len(first):
            raise BadRange(f"'{text}' does not end with an address of its family", "write one after the -")
        stop = int.from_bytes(last, "big")
    else:
        base, most = (10, _OCTET) if len(first) == 4 else (16, _GROUP)
        try:
            number = int(end, base)
        except ValueError:
            number = -1
        if not 0 <= number <= most or not end.isalnum():
            limit = "a number up to 255" if base == 10 else "up to four hexadecimal digits"
            raise BadRange(f"'{text}' does not say where it ends", f"write {limit} after the -")
        stop = start - (start & most) + number
    if stop < start:
        raise BadRange(f"'{text}' ends before it begins", "write the lower address first")
    return first, stop - start + 1


def lines_of(group: Node, sections: Mapping[str, Section]) -> List[Line]:
    """The members of a virtual_server_group: the addresses first, as keepalived goes through them."""
    section = sections[GROUP_LINES]
    found = [Line(_member(fit_line(section, node.args, sections)), node) for node in group.children]
    return sorted(found, key=lambda line: bool(line.member.fwmark))


def _member(fit: Fit) -> Member:
    mark = fit.option("fwmark")
    if mark is not None:
        family = mark.fit.value("FAMILY")
        return Member(_FAMILIES.get(str(family), 0), fwmark=int(mark.fit.values["N"][0]))
    first, count = span(str(fit.values["ADDRESS[/PREFIX]|RANGE"][0]))
    return Member(6 if len(first) == 16 else 4, first, count, int(fit.value("PORT") or "0"))


def single(node: Node) -> Optional[Member]:
    """The member that ``virtual_server ADDRESS [PORT]`` or ``fwmark N`` means; None for a group."""
    first, rest = str(node.args[0]), node.args[1:]
    if first == "group":
        return None
    if first == "fwmark":
        return Member(0, fwmark=int(rest[0]))
    packed = _address(first, first)
    return Member(6 if len(packed) == 16 else 4, packed, 1, int(rest[0]) if rest else 0)


def families(members: Iterable[Member]) -> List[int]:
    """The families that members name, each once."""
    return sorted({member.family for member in members if member.family})
