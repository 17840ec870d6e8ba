# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From words to values: vrrp_sync_group and garp_group."""

from __future__ import annotations

from typing import Dict, List, Set, Tuple

from ..model import GarpGroup, SyncGroup
from ..tree import Node
from .defaults import nanoseconds
from .telling import Notifies, first


def sync_groups(tree: Node, notifies: Notifies) -> Tuple[SyncGroup, ...]:
    """Every sync group that has members. An instance belongs to the first group that names it."""
    taken: Set[str] = set()
    groups: List[SyncGroup] = []
    for node in tree.all("vrrp_sync_group"):
        members = [name for name in dict.fromkeys(members_of(node)) if name not in taken]
        taken.update(members)
        if members:
            weights = any(node.last(word) is not None for word in WEIGHT_WORDS)
            groups.append(
                SyncGroup(
                    name=node.label,
                    members=tuple(members),
                    tracking_weight=weights,
                    notify=notifies.of_group(node),
                )
            )
    return tuple(groups)


WEIGHT_WORDS = ("sync_group_tracking_weight", "global_tracking")
"""The old word does what the new one does (keepalived)."""


def members_of(node: Node) -> List[str]:
    """The names that stand in a group, in their order; of two ``group`` blocks the first counts."""
    block = first(node, "group")
    return [] if block is None else [str(name) for line in block.children for name in line.args]


def garp_groups(tree: Node) -> Tuple[GarpGroup, ...]:
    """Every garp_group that has an interval; an interface belongs to the first group that names it."""
    taken: Set[str] = set()
    groups: List[GarpGroup] = []
    for node in tree.all("garp_group"):
        intervals: Dict[str, int] = {
            word: nanoseconds(str(child.args[0]))
            for word in ("garp_interval", "gna_interval")
            for child in node.all(word)
        }
        names = [name for name in dict.fromkeys(interfaces_of(node)) if name not in taken]
        if intervals and names:
            taken.update(names)
            groups.append(
                GarpGroup(tuple(names), intervals.get("garp_interval", 0), intervals.get("gna_interval", 0))
            )
    return tuple(groups)


def interfaces_of(node: Node) -> List[str]:
    """The interfaces of a garp_group, in their order."""
    names: List[str] = []
    for child in node.children:
        if child.name == "interface":
            names.extend(str(word) for word in child.args[:1])
        elif child.name == "interfaces":
            names.extend(str(word) for line in child.children for word in line.args)
    return names
