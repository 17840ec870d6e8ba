# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""nftables_ipvs: a group of addresses gets one firewall mark, and one service of IPVS in place of many. Pure.

As keepalived's check_nftables.c: a mark for each group and protocol, and none for a group that has firewall
marks among its members already. A mark that an entry has in the kernel stays its own, whatever is added
before it in the file and whichever process set it: another mark would be another service, without its
connections.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Iterable, Iterator, Mapping, Set, Tuple

from ..conf.parts.balancing import Member, VirtualServer
from ..kernel.nft_marks import Entry, Marks

GroupKey = Tuple[str, int]
"""Name of the virtual_server_group, and protocol."""


def wants_mark(service: VirtualServer) -> bool:
    """True for a group of nothing but addresses."""
    return bool(service.group) and not any(member.fwmark for member in service.members)


def entries_of(service: VirtualServer) -> Iterator[Entry]:
    """Everything of a service that gets its mark."""
    for member in service.members:
        first, size = int.from_bytes(member.first, "big"), len(member.first)
        for offset in range(member.count):
            yield Entry(member.family, service.protocol, (first + offset).to_bytes(size, "big"), member.port)


def assign(services: Iterable[VirtualServer], before: Marks, first: int) -> Dict[GroupKey, int]:
    """A mark for each group and protocol: the one that its entries have, or the next that is free."""
    wanted: Dict[GroupKey, Tuple[Entry, ...]] = {}
    taken: Set[int] = set()
    for service in services:
        if wants_mark(service):
            key = (service.group, service.protocol)
            wanted[key] = (*wanted.get(key, ()), *entries_of(service))
        taken.update(member.fwmark for member in service.members if member.fwmark)
    marks: Dict[GroupKey, int] = {}
    for key, entries in wanted.items():
        held = next((before[one] for one in entries if one in before and before[one] not in taken), 0)
        if held:
            marks[key] = held
            taken.add(held)
    free = first
    for key in wanted:
        if key not in marks:
            while free in taken:
                free += 1
            marks[key] = free
            taken.add(free)
    return marks


def marks_of(services: Iterable[VirtualServer], assigned: Mapping[GroupKey, int]) -> Marks:
    """What the table in the kernel has to hold."""
    marks: Marks = {}
    for service in services:
        mark = assigned.get((service.group, service.protocol))
        if mark is not None and wants_mark(service):
            for entry in entries_of(service):
                marks.setdefault(entry, mark)
    return marks


def marked(service: VirtualServer, assigned: Mapping[GroupKey, int]) -> VirtualServer:
    """The service as IPVS is to see it: by mark, once for each family; unchanged when it has no mark."""
    mark = assigned.get((service.group, service.protocol))
    if mark is None or not wants_mark(service):
        return service
    families = dict.fromkeys(member.family for member in service.members)
    return replace(service, members=tuple(Member(family, fwmark=mark) for family in families))
