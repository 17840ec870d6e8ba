# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a table and the changes to it to the table that nf_tables is to carry, and what it cannot."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from ..conf.parts.balancing import DIRECT, NAT
from .backend import Change, Placed, Refusal, ServiceKey, Table

_LENGTHS = {4: 4, 6: 16}


class Plan(NamedTuple):
    """What is wanted, and what was refused of it."""

    table: Table
    refusals: List[Refusal]


def is_direct(placed: Placed) -> bool:
    """True when the servers of a service get the packets as they are (DR): it lives in another table then."""
    return any(words.forwarding.method == DIRECT for words in placed.destinations.values())


def plan(table: Table, changes: Sequence[Change]) -> Plan:
    """The table after the changes, each taken in its order."""
    wanted = dict(table)
    refusals: List[Refusal] = []
    fresh: Dict[ServiceKey, None] = {}
    for change in changes:
        why = _take(wanted, change, fresh)
        if why:
            refusals.append(Refusal(change, why))
    for key in fresh:
        placed = wanted.get(key)
        if placed is not None:
            refusals += _one_method(key, placed, changes)
    return Plan(wanted, refusals)


def _take(wanted: Table, change: Change, fresh: Dict[ServiceKey, None]) -> str:
    """Carry a change out; returns why it cannot be."""
    key, placed = change.service, wanted.get(change.service)
    if change.destination is None:
        if change.what == "remove":
            if wanted.pop(key, None) is None:
                return "there is no such service"
        elif change.words is None:
            return "nothing is said about the service"
        else:
            wanted[key] = Placed(change.words, dict(placed.destinations) if placed is not None else {})
            fresh[key] = None
        return ""
    if placed is None:
        return "there is no such service"
    if key not in fresh:  # the table that came in is left as it is
        placed = wanted[key] = Placed(placed.words, dict(placed.destinations))
        fresh[key] = None
    if change.what == "remove":
        return "" if placed.destinations.pop(change.destination, None) else "there is no such server"
    words = change.destination_words
    if words is None:
        return "nothing is said about the server"
    why = _lack(key, change, words.forwarding.method)
    if not why:
        placed.destinations[change.destination] = words
    return why


def _lack(key: ServiceKey, change: Change, method: str) -> str:
    if method not in (NAT, DIRECT):
        return f"nftables cannot carry lvs_method {method}: use NAT or DR, or a kernel with ip_vs"
    if method == DIRECT and key.fwmark:
        return "nftables cannot carry lvs_method DR by firewall mark: name addresses and ports, or use NAT"
    if change.destination is not None and len(change.destination.address) != _LENGTHS[key.family]:
        return "the server's address is of another family than the service"
    return ""


def _one_method(key: ServiceKey, placed: Placed, changes: Sequence[Change]) -> List[Refusal]:
    """NAT and DR do not go together in one service: the first server decides."""
    first: Optional[str] = None
    odd = []
    for destination, words in placed.destinations.items():
        method = words.forwarding.method
        first = first or method
        if method != first:
            odd.append((destination, method))
    refusals = []
    for destination, method in odd:
        del placed.destinations[destination]
        for change in reversed(changes):
            if (change.service, change.destination) == (key, destination) and change.what != "remove":
                why = f"nftables cannot carry lvs_method {method} beside {first} in one service"
                refusals.append(Refusal(change, why))
                break
    return refusals


def difference(old: Table, new: Table) -> List[ServiceKey]:
    """The services that are not the same, removed ones first: they may give room to others."""
    gone = [key for key in old if key not in new]
    return gone + [key for key, placed in new.items() if old.get(key) != placed]


def lost_servers(old: Table, new: Table) -> List[Tuple[ServiceKey, bytes, int]]:
    """Servers by NAT that are behind a service no longer: service, address and port."""
    lost = []
    for key, placed in old.items():
        after = new.get(key)
        if after is placed or is_direct(placed):
            continue
        direct = after is not None and is_direct(after)
        for destination in placed.destinations:
            if after is None or direct or destination not in after.destinations:
                lost.append((key, destination.address, destination.port))
    return lost
