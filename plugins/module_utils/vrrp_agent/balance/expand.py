# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From virtual servers to the entries of a table: every address, port and mark of its members. Pure.

Ports as keepalived's ipvswrapper.c and check_data.c give them: only NAT may lead to another port.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, Iterable, Iterator, Mapping, NamedTuple, Tuple

from ..conf.parts.balancing import NAT, Member, RealServer, VirtualServer
from .actions import Pool
from .backend import (
    DestinationKey,
    DestinationWords,
    Placed,
    ServiceKey,
    ServiceWords,
    Table,
)

Fit = Callable[[ServiceWords], ServiceWords]
"""Backend.fitted."""


class Wanted(NamedTuple):
    """A service as it is to be placed: what it speaks to clients with, and its pool."""

    service: VirtualServer
    pool: Pool


def keys_of_member(member: Member, protocol: int) -> Iterator[ServiceKey]:
    """One key for each address, or one for a firewall mark."""
    if member.fwmark:
        yield ServiceKey(member.family, 0, b"", 0, member.fwmark)
        return
    size = len(member.first)
    first = int.from_bytes(member.first, "big")
    for offset in range(member.count):
        address = (first + offset).to_bytes(size, "big")
        yield ServiceKey(member.family, protocol, address, member.port, 0)


def keys_of(service: VirtualServer) -> Tuple[ServiceKey, ...]:
    """All keys of a service, each once, in the order of the file."""
    found: Dict[ServiceKey, None] = {}
    for member in service.members:
        for key in keys_of_member(member, service.protocol):
            found[key] = None
    return tuple(found)


_FULL_LENGTH = {4: 32, 6: 128}


def words_of(service: VirtualServer, family: int) -> ServiceWords:
    """What a service is like for keys of ``family``, before a back end has fitted it.

    persistence_granularity is written for the family of the service. In the other one, that a group may
    have too, every address is a client of its own.
    """
    lasting = service.persistence
    if lasting is not None and family != service.family:
        lasting = replace(lasting, prefix_length=_FULL_LENGTH[family])
    return ServiceWords(service.scheduler, tuple(sorted(service.flags)), lasting)


def destination_key(service: VirtualServer, key: ServiceKey, server: RealServer) -> DestinationKey:
    """Where the packets of ``key`` go. Without NAT no port changes; a mark has no port at all."""
    if server.forwarding.method != NAT:
        return DestinationKey(server.address, key.port)
    if not server.port and not service.group:
        return DestinationKey(server.address, key.port)
    return DestinationKey(server.address, server.port)


def placed(wanted: Wanted, key: ServiceKey, words: ServiceWords) -> Placed:
    """One entry of the table with its destinations."""
    destinations: Dict[DestinationKey, DestinationWords] = {}
    for entry in wanted.pool.values():
        server = entry.server
        there = destinations.get(destination := destination_key(wanted.service, key, server))
        if there is None or there.weight < entry.weight:  # a sorry server may be one of the others too
            destinations[destination] = DestinationWords(
                entry.weight, server.forwarding, server.upper_threshold, server.lower_threshold
            )
    return Placed(words, destinations)


def owners_of(services: Iterable[VirtualServer]) -> Dict[ServiceKey, Tuple[VirtualServer, ...]]:
    """Who wants each key. Several do when groups share a member: keepalived lets them share the entry too."""
    found: Dict[ServiceKey, Tuple[VirtualServer, ...]] = {}
    for service in services:
        for key in keys_of(service):
            found[key] = (*found.get(key, ()), service)
    return found


def table_of(
    owners: Mapping[ServiceKey, Tuple[VirtualServer, ...]],
    pools: Mapping[Tuple[str, int], Pool],
    fit: Fit,
    keys: Iterable[ServiceKey],
) -> Table:
    """The part of the table at ``keys``. Of several owners the first gives the words, all give servers."""
    table: Table = {}
    for key in keys:
        for service in owners.get(key, ()):
            wanted = Wanted(service, pools.get(service.key, {}))
            entry = placed(wanted, key, fit(words_of(service, key.family)))
            if key in table:
                for destination, destination_words in entry.destinations.items():
                    table[key].destinations.setdefault(destination, destination_words)
            else:
                table[key] = entry
    return table
