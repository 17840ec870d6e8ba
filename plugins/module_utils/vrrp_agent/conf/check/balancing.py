# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with virtual servers: the order of it. First each word alone, then the values they make.

Values are made of blocks without errors only, so that nothing is said twice.
"""

from __future__ import annotations

from typing import Iterator, List, Mapping, Sequence, Set, Tuple

from ..problem import ERROR, Problem
from ..tree import Node
from ..values.balancing import balancing
from ..values.defaults import Defaults
from ..values.services import Placed, Services
from ..words import Section
from .balance_globals import check_globals
from .balance_limits import check_limits
from .balance_words import check_block
from .members import check_groups, check_overlaps
from .services import check_service

_USED = ("virtual_server", "virtual_server_group", "track_file", "vrrp_instance")
"""Blocks that services are made from, or look into."""


def check_balancing(
    tree: Node, sections: Mapping[str, Section], before: Sequence[Problem], for_agent: bool = True
) -> List[Problem]:
    """All findings about virtual servers and what global_defs says of them.

    ``before``: what other checks have found. ``for_agent``: False when keepalived is to read the file, for
    which the limits of a back end mean nothing.
    """
    final = Defaults()
    for block in tree.all("global_defs"):
        for child in block.children:
            final.words[child.name] = tuple(str(word) for word in child.args)
    found = [*check_globals(tree, final), *check_groups(tree, sections, _spoiled(before))]
    for node in tree.all("virtual_server"):
        found.extend(check_block(node))
    placed = list(_values(tree, sections, final, _spoiled([*before, *found])))
    for one in placed:
        found.extend(check_service(one))
    found.extend(check_overlaps(placed))
    if for_agent and not _broken(tree, _spoiled([*before, *found]), "global_defs"):
        found.extend(check_limits(tree, balancing(tree, sections, final), placed))
    return found


def _values(
    tree: Node, sections: Mapping[str, Section], final: Defaults, spoiled: Set[Tuple[str, object]]
) -> Iterator[Placed]:
    """The services of blocks without errors, whose groups have none either."""
    sound = [node for node in tree.children if node.name not in _USED or not _is_spoiled(node, spoiled)]
    services = Services(Node(tree.keyword, tree.args, tuple(sound)), sections, final)
    groups = {node.label for node in sound if node.name == "virtual_server_group"}
    for node in sound:
        if node.name != "virtual_server" or (node.args[:1] == ("group",) and node.args[1] not in groups):
            continue
        yield services.one(node)


def _spoiled(problems: Sequence[Problem]) -> Set[Tuple[str, object]]:
    """The places of errors: file and line, or YAML path with all that is above it."""
    found: Set[Tuple[str, object]] = set()
    for problem in problems:
        if problem.severity != ERROR:
            continue
        if problem.path:
            found.add(("path", problem.path))
        else:
            found.add((problem.file, problem.line))
    return found


def _is_spoiled(node: Node, spoiled: Set[Tuple[str, object]]) -> bool:
    if node.path:
        return any(place == "path" and str(where).startswith(node.path) for place, where in spoiled)
    if (node.file, node.line) in spoiled:
        return True
    return any(_is_spoiled(child, spoiled) for child in node.children)


def _broken(tree: Node, spoiled: Set[Tuple[str, object]], *names: str) -> bool:
    return any(_is_spoiled(node, spoiled) for node in tree.children if node.name in names)
