# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the back end cannot carry, or slowly: errors where the file asks for nftables, warnings for ``auto``.

With ``auto`` the same file may meet a host with ip_vs and one without. Each kind of thing is said once.
"""

from __future__ import annotations

from typing import Dict, Iterator, List, NamedTuple, Sequence

from ..parts import nft_limits
from ..parts.balancing import Balancing
from ..parts.nft_limits import Lack
from ..problem import ERROR, WARNING, Problem
from ..tree import Node
from ..values.services import Placed
from ..values.telling import first_global

_SPELLINGS = {"lvs_method": ("lvs_method", "sorry_server_lvs_method", "lb_kind")}


class _Found(NamedTuple):
    node: Node
    lack: Lack


def check_limits(tree: Node, balancing: Balancing, placed: Sequence[Placed]) -> Iterator[Problem]:
    """Findings about the whole file. Nothing with ``agent_balance_backend ipvs``, nor without services."""
    if balancing.backend == "ipvs" or not placed:
        return
    yield from _slow(placed)
    found = [*_of_host(tree, balancing), *(one for each in placed for one in _of_service(each))]
    if balancing.backend == "nftables":
        for node, lack in found:
            yield node.problem(ERROR, f"nftables has no {lack.what}", _mend(lack))
        return
    groups: Dict[Lack, List[Node]] = {}
    for node, lack in found:
        groups.setdefault(lack, []).append(node)
    for lack, nodes in groups.items():
        places = f" (here and in {len(nodes) - 1} more places)" if len(nodes) > 1 else ""
        outcome = lack.instead or "such a server gets nothing"
        message = f"{lack.what} needs ip_vs; on a host without it: {outcome}{places}"
        hint = "write agent_balance_backend ipvs in global_defs if every host has ip_vs"
        yield nodes[0].problem(WARNING, message, hint)


def _slow(placed: Sequence[Placed]) -> Iterator[Problem]:
    for one in placed:
        addresses = sum(member.count for member in one.service.members)
        if addresses > nft_limits.MANY_ADDRESSES:
            message = f"{one.service.name} has {addresses} addresses: nftables is slow to change so many"
            hint = "use ip_vs for it (agent_balance_backend ipvs), or fewer addresses"
            yield one.node.problem(WARNING, message, hint)


def _mend(lack: Lack) -> str:
    if lack.word == "lb_algo":
        return f"write lb_algo {lack.instead.split()[0]}, which is nearest"
    if lack.word == "lvs_method":
        return "write NAT, or agent_balance_backend ipvs"
    return "take it out, or write agent_balance_backend ipvs"


def _of_host(tree: Node, balancing: Balancing) -> Iterator[_Found]:
    for lack in nft_limits.of_host(balancing):
        node = first_global(tree, lack.word)
        if node is not None:
            yield _Found(node, lack)


def _of_service(placed: Placed) -> Iterator[_Found]:
    node = placed.node
    for lack in nft_limits.of_service(placed.service):
        yield _Found(node.last(lack.word) or node, lack)
    for server, around in placed.servers:
        for lack in nft_limits.of_server(placed.service, server):
            yield _Found(_place(lack, around.server, node), lack)
    sorry = placed.service.sorry_server
    if sorry is not None:
        for lack in nft_limits.of_server(placed.service, sorry):
            yield _Found(_place(lack, node), lack)


def _place(lack: Lack, *blocks: Node) -> Node:
    for block in blocks:
        for name in _SPELLINGS.get(lack.word, (lack.word,)):
            found = block.last(name)
            if found is not None:
                return found
    return blocks[0]
