# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Groups of members, and members that two services cannot share."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, NamedTuple, Sequence, Set, Tuple

from ..match.fit import fit_line
from ..parts.balancing import Member
from ..problem import ERROR, Problem
from ..tree import Node
from ..values.service_members import GROUP_LINES, BadRange, Line, families, lines_of, span
from ..values.services import Placed, endpoint_name
from ..words import Section

MAX_ADDRESSES = 65_536
"""Of one group: each address is a service of the kernel."""


def check_groups(
    tree: Node, sections: Mapping[str, Section], spoiled: Set[Tuple[str, object]]
) -> Iterator[Problem]:
    """Findings about each virtual_server_group. ``spoiled``: places of errors that are known already."""
    for group in tree.all("virtual_server_group"):
        if not group.children:
            message = f"virtual_server_group {group.label} is empty"
            yield group.problem(ERROR, message, "write ADDRESS PORT or 'fwmark N' in it, one in each line")
            continue
        if any(
            (line.file, line.line) in spoiled or ("path", line.path) in spoiled for line in group.children
        ):
            continue
        bad = list(_ranges(group, sections))
        yield from bad
        if not bad:
            yield from _whole(group, lines_of(group, sections))


def _ranges(group: Node, sections: Mapping[str, Section]) -> Iterator[Problem]:
    for line in group.children:
        fit = fit_line(sections[GROUP_LINES], line.args, sections)
        word = fit.value("ADDRESS[/PREFIX]|RANGE")
        if fit.flaw is not None or word is None or fit.option("fwmark") is not None:
            continue
        try:
            _first, count = span(str(word))
        except BadRange as error:
            yield line.problem(ERROR, str(error), error.hint, word)
            continue
        if count > MAX_ADDRESSES:
            message = f"{word} means more than {MAX_ADDRESSES} addresses, each a service of its own"
            yield line.problem(ERROR, message, "write a firewall mark and mark the packets", word)


def _whole(group: Node, lines: List[Line]) -> Iterator[Problem]:
    named = families(line.member for line in lines)
    unnamed = [line for line in lines if not line.member.family]
    if len(named) > 1 and unnamed:
        message = f"virtual_server_group {group.label} has both families, and a firewall mark without one"
        yield unnamed[0].node.problem(ERROR, message, "write inet or inet6 after the mark")
    spots = [_Spot(line.member, 0, group.label, line.node) for line in lines]
    for first, second in _clashes(spots):
        message = f"{_text(second.member)} is in the group already"
        yield second.node.problem(ERROR, message, f"the first is {_place(first.node)}; take one of them out")


class _Spot(NamedTuple):
    """A member and who has it."""

    member: Member
    protocol: int
    owner: str
    node: Node


def check_overlaps(placed: Sequence[Placed]) -> Iterator[Problem]:
    """Two services of one address and port, or of one firewall mark: the kernel keeps the first."""
    spots = [
        _Spot(member, 0 if member.fwmark else one.service.protocol, one.service.name, one.node)
        for one in placed
        for member in one.service.members
    ]
    said: Set[Tuple[int, int]] = set()
    for first, second in _clashes(spots):
        pair = (id(first.node), id(second.node))
        if pair in said or first.node is second.node:
            continue
        said.add(pair)
        what = _text(second.member, second.protocol)
        message = f"{what} belongs to the virtual_server {_place(first.node)} already"
        yield second.node.problem(ERROR, message, "put all real servers into one of them")


def _clashes(spots: Sequence[_Spot]) -> Iterator[Tuple[_Spot, _Spot]]:
    """Pairs whose members overlap, the one that stands first in the file first."""
    kinds: Dict[Tuple[int, int, int, int], List[Tuple[int, int, int]]] = {}
    for index, spot in enumerate(spots):
        member = spot.member
        key = (member.family, spot.protocol, member.port, member.fwmark)
        start = int.from_bytes(member.first, "big")
        kinds.setdefault(key, []).append((start, start + member.count - 1, index))
    for ranges in kinds.values():
        ranges.sort()
        furthest, holder = -1, -1
        for start, end, index in ranges:
            if start <= furthest:
                low, high = sorted((holder, index))
                yield spots[low], spots[high]
            if end > furthest:
                furthest, holder = end, index


def _text(member: Member, protocol: int = 0) -> str:
    if member.fwmark:
        return f"firewall mark {member.fwmark}"
    if protocol:
        return endpoint_name(member.first, protocol, member.port)
    return (
        endpoint_name(member.first, 0, member.port).replace(":none:", " port ").strip("[]").replace("]", "")
    )


def _place(node: Node) -> str:
    return f"at {node.path}" if node.path else f"on line {node.line}"
