# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What sync groups and garp groups may not say."""

from __future__ import annotations

from typing import Dict, Iterator, List, Tuple

from ..problem import ERROR, WARNING, Problem
from ..tree import Node, Word
from ..values.groups import interfaces_of
from ..values.strict import OWNER


def check_groups(tree: Node) -> List[Problem]:
    """Findings about all vrrp_sync_group and garp_group blocks."""
    problems = list(_members(tree))
    problems.extend(_garp_groups(tree))
    return problems


def _members(tree: Node) -> Iterator[Problem]:
    owners = {node.label: _is_owner(node) for node in tree.all("vrrp_instance")}
    taken: Dict[str, str] = {}
    for node in tree.all("vrrp_sync_group"):
        blocks = list(node.all("group"))
        for block in blocks[1:]:
            yield block.problem(
                WARNING,
                f"sync group {node.label} has a group block already: this one is ignored",
                "write all members into the first",
            )
        names: List[str] = []
        for line, word in _words(blocks[:1]):
            name = str(word)
            if name in taken:
                yield line.problem(
                    ERROR,
                    f"{name} is in sync group {taken[name]} already"
                    if taken[name] != node.label
                    else f"{name} is given twice in sync group {node.label}",
                    "an instance belongs to one group: take one out",
                    word,
                )
                continue
            taken[name] = node.label
            names.append(name)
        if blocks:
            yield from _size(node, blocks[0])
            yield from _owners(node, [(name, owners[name]) for name in names if name in owners])


def _size(node: Node, block: Node) -> Iterator[Problem]:
    names = [word for _line, word in _words([block])]
    if not names:
        yield block.problem(
            ERROR, f"sync group {node.label} has no members", "write the names of its instances"
        )
    elif len(names) == 1:
        yield block.problem(
            WARNING,
            f"sync group {node.label} has one member only: there is nothing to move with it",
            "name another instance, or take the group out",
        )


def _owners(node: Node, members: List[Tuple[str, bool]]) -> Iterator[Problem]:
    """keepalived: this will not work. Here the owners wait for the others."""
    owners = [name for name, owner in members if owner]
    if owners and len(owners) < len(members):
        yield node.problem(
            WARNING,
            f"sync group {node.label}: {owners[0]} has priority 255 and other members have not",
            "an owner of addresses should not wait for others: give all members 255, or none",
        )


def _is_owner(node: Node) -> bool:
    """Priority 255, written or because of ``state MASTER`` alone."""
    priority, state = node.last("priority"), node.last("state")
    if priority is not None and priority.args:
        return priority.args[0] == str(OWNER)
    return state is not None and state.args[:1] == ("MASTER",)


def _words(blocks: List[Node]) -> Iterator[Tuple[Node, Word]]:
    for block in blocks:
        for line in block.children:
            for word in line.args:
                yield line, word


def _garp_groups(tree: Node) -> Iterator[Problem]:
    seen: Dict[str, int] = {}
    for number, node in enumerate(tree.all("garp_group")):
        if node.last("garp_interval") is None and node.last("gna_interval") is None:
            yield node.problem(
                ERROR, "garp_group without an interval does nothing", "write garp_interval or gna_interval"
            )
        names = interfaces_of(node)
        if not names:
            yield node.problem(
                WARNING, "garp_group without an interface does nothing", "write 'interface IFNAME'"
            )
        for name in dict.fromkeys(names):
            if seen.setdefault(name, number) != number:
                yield node.problem(
                    ERROR,
                    f"{name} is in a garp_group already: this one would be ignored for it",
                    "name each interface in one garp_group",
                )
