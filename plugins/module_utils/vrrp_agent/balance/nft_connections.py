# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The connections of virtual servers by NAT, in the kernel's table of connections."""

from __future__ import annotations

import functools
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ..conf.parts.balancing import UDP
from ..kernel.conntrack import COUNT_FILE, Asked, Connection, Conntrack
from ..kernel.errors import KernelError
from ..kernel.nft_changes import Count
from .backend import Counted, Counters, DestinationKey, ServiceKey, Table
from .nft_plan import is_direct
from .nft_words import destination_name

MOST_LISTED = 20_000
"""With more connections on the host than these, live ones are not counted: listing them takes too long."""
_MOST_LOOKS = 20
"""With more servers of IPv4 lost at once than these, all connections are listed once."""
_MOST_CHOICES = 4
"""With more services of UDP new at once than these, their ports are asked for, or UDP as a whole."""
_IPV4_BYTES = 4
Lost = Tuple[ServiceKey, bytes, int]
_Place = Tuple[int, bytes, int]


def forget(lost: Sequence[Lost], fresh: Sequence[ServiceKey]) -> str:
    """End connections to servers that are lost, and UDP that began before its service was there.

    Returns what went wrong.
    """
    new_udp = {key for key in fresh if key.protocol in (0, UDP)}
    if not lost and not new_udp:
        return ""
    try:
        conntrack = Conntrack()
    except KernelError as error:
        return f"{error} ({error.hint})"
    try:
        for family in (4, 6):
            ended = {(one[1], one[2], *_where(one[0])) for one in lost if one[0].family == family}
            servers = {server[0] for server in ended}
            if family == 6 or len(servers) > _MOST_LOOKS:
                servers = {b""} if servers else set()
            for server in servers:
                conntrack.end(family, functools.partial(_is_lost, ended), True, server)
            begun = {_where(key)[:3] for key in new_udp if key.family == family and not key.fwmark}
            for asked in asked_for(begun):
                conntrack.end(family, functools.partial(_is_stray, begun), False, asked=asked)
    except KernelError as error:
        return f"{error} ({error.hint})"
    finally:
        conntrack.close()
    return ""


def asked_for(begun: Set[_Place]) -> Set[Asked]:
    """What to let the kernel choose by: it walks its whole table for each, but does not tell us all of it."""
    exact = {
        Asked(protocol, address if len(address) == _IPV4_BYTES else b"", port)
        for protocol, address, port in begun
    }
    ports = {place._replace(destination=b"") for place in exact}
    protocols = {place._replace(port=0) for place in ports}
    return next((some for some in (exact, ports) if len(some) <= _MOST_CHOICES), protocols)


def _where(key: ServiceKey) -> _Place:
    return (key.protocol, key.address, key.port)


def _is_lost(ended: Set[Tuple[bytes, int, int, bytes, int]], one: Connection) -> bool:
    """A lost server and service, either of which may have every port, and the service every address."""
    answered = one.answered
    for port in (answered.source_port, 0):
        server = (answered.source, port)
        for place in _places(one):
            if (*server, *place) in ended:
                return True
    return False


def _places(one: Connection) -> Tuple[_Place, _Place, _Place]:
    """The services that a connection may be of: exact, every port, firewall mark."""
    asked = one.asked
    return (
        (asked.protocol, asked.destination, asked.destination_port),
        (asked.protocol, asked.destination, 0),
        (0, b"", 0),
    )


def _is_stray(begun: Set[_Place], one: Connection) -> bool:
    return not one.translated and any(place in begun for place in _places(one)[:2])


def counted(table: Table, counts: Mapping[ServiceKey, Mapping[str, Count]]) -> Dict[ServiceKey, Counted]:
    """The counters of every service."""
    living = _living(table)
    found: Dict[ServiceKey, Counted] = {}
    for key, placed in table.items():
        direct = is_direct(placed)
        destinations: Dict[DestinationKey, Counters] = {}
        for destination in placed.destinations:
            count = counts[key].get(destination_name(key, destination), Count(0, 0))
            if direct:
                destinations[destination] = Counters(packets_in=count.packets, bytes_in=count.bytes)
                continue
            active = inactive = None
            if living is not None:
                active, inactive = living.get((key, destination), (0, 0))
            destinations[destination] = Counters(active, inactive, connections=count.packets)
        found[key] = Counted(_sum(list(destinations.values())), destinations)
    return found


def _sum(parts: Sequence[Counters]) -> Counters:
    columns = []
    for column in zip(*parts):
        numbers = [number for number in column if number is not None]
        columns.append(sum(numbers) if numbers else None)
    return Counters(*columns)


def _living(table: Table) -> Optional[Dict[Tuple[ServiceKey, DestinationKey], Tuple[int, int]]]:
    """Active and inactive connections of each server; None when they are too many, or cannot be listed."""
    try:
        with open(COUNT_FILE, encoding="ascii") as file:
            if int(file.read()) > MOST_LISTED:
                return None
        conntrack = Conntrack()
    except (OSError, ValueError, KernelError):
        return None
    owners = _owners(table)
    numbers: Dict[Tuple[ServiceKey, DestinationKey], List[int]] = {}
    try:
        for family in {key.family for key in table}:
            for one in conntrack.connections(family):
                owner = _owner(one, owners)
                if owner is not None:
                    numbers.setdefault(owner, [0, 0])[0 if one.active else 1] += 1
    except KernelError:
        return None
    finally:
        conntrack.close()
    return {owner: (pair[0], pair[1]) for owner, pair in numbers.items()}


_Owners = Dict[Tuple[bytes, int, int, bytes, int], Tuple[ServiceKey, DestinationKey]]


def _owners(table: Table) -> _Owners:
    return {
        (destination.address, destination.port, *_where(key)): (key, destination)
        for key, placed in table.items()
        for destination in placed.destinations
    }


def _owner(one: Connection, owners: _Owners) -> Optional[Tuple[ServiceKey, DestinationKey]]:
    for place in _places(one):
        for port in (one.answered.source_port, 0):
            owner = owners.get((one.answered.source, port, *place))
            if owner is not None:
                return owner
    return None
