# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Virtual servers of a group: what shows when all directors are looked at. Pure. Private to the collection.

All of it is a warning: directors may differ on purpose, and a virtual address may live elsewhere.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ...module_utils.vrrp_agent.conf.model import Config
from ...module_utils.vrrp_agent.conf.parts.balancing import RealServer, SyncDaemon, VirtualServer
from .derive import origin
from .member import Finding, Member

Key = Tuple[str, int]
Directors = Sequence[Tuple[Member, Config]]

WORDS = {
    "members": "addresses",
    "scheduler": "lvs_sched",
    "flags": "the flags of lvs_sched",
    "forwarding": "lvs_method",
    "persistence": "persistence_timeout",
    "servers": "real_server",
    "mail": "smtp_alert",
    "inhibit": "inhibit_on_failure",
    "upper_threshold": "uthreshold",
    "lower_threshold": "lthreshold",
    "snmp_name": "name",
}
"""What keepalived calls a field; the others have its own word."""
_MOST_ADDRESSES = 256
"""So many addresses of a range are looked for, and no more."""


def check_services(members: Sequence[Member], configs: Mapping[str, Config]) -> List[Finding]:
    """Everything that is doubtful. ``configs`` holds what each present host's file means."""
    directors = [(member, configs[member.name]) for member in members if member.name in configs]
    if not any(config.services for _member, config in directors):
        return []
    return [*_differences(directors), *_exchange(directors), *_addresses(directors)]


def _differences(directors: Directors) -> Iterator[Finding]:
    """A client should find the same service whoever is active."""
    usual: Dict[Key, Tuple[Member, VirtualServer]] = {}
    for member, config in directors:
        for service in config.services:
            usual.setdefault(service.key, (member, service))
    for member, config in directors:
        mine = {service.key: service for service in config.services}
        for key, (first, theirs) in usual.items():
            here = mine.get(key)
            if here is None:
                told = f"{first.name} has it and this host does not: it would be gone after a takeover"
            elif here != theirs:
                told = "differs from {}: {}".format(first.name, "; ".join(_what_differs(here, theirs)))
            else:
                continue
            hint = "write it once, in vrrp_config"
            yield Finding(member.name, _path(member, theirs), told, hint, True)
    yield from _backends(directors)


def _backends(directors: Directors) -> Iterator[Finding]:
    balancers = [
        (member, config.settings.balancing.backend) for member, config in directors if config.services
    ]
    for member, backend in balancers:
        if member.engine == balancers[0][0].engine and backend != balancers[0][1]:
            yield Finding(
                member.name,
                origin(member, "global_defs.agent_balance_backend"),
                f"is {backend} here and {balancers[0][1]} on {balancers[0][0].name}: what counts as one "
                "connection, and how servers are chosen, changes with a takeover",
                "write it once, in vrrp_config",
                True,
            )


def _what_differs(here: VirtualServer, there: VirtualServer) -> Iterator[str]:
    """In keepalived's words; of servers, which of them and in what."""
    for name in _fields(here, there):
        if name != "servers":
            yield _word(name)
    ours, theirs = (_servers(service) for service in (here, there))
    for key in sorted(set(ours) | set(theirs)):
        mine, other = ours.get(key), theirs.get(key)
        if mine is None or other is None:
            server = mine or other
            yield "{} real_server {}".format("+" if other is None else "-", server.name if server else "")
        elif mine != other:
            yield "{} of real_server {}".format(", ".join(map(_word, _fields(mine, other))), mine.name)
    if list(ours) != list(theirs) and set(ours) == set(theirs):
        yield "the order of the real servers"


def _servers(service: VirtualServer) -> Dict[Tuple[bytes, int], RealServer]:
    return {server.key: server for server in service.servers}


def _fields(one: Any, other: Any) -> List[str]:
    names = [found.name for found in dataclasses.fields(one)]
    return [name for name in names if getattr(one, name) != getattr(other, name)]


def _word(name: str) -> str:
    return WORDS.get(name, name)


def _exchange(directors: Directors) -> Iterator[Finding]:
    """lvs_sync_daemon: hosts that hear each other have the same number, group and port."""
    first: Optional[Tuple[Member, SyncDaemon]] = None
    for member, config in directors:
        daemon = config.settings.balancing.sync_daemon
        if daemon is None:
            continue
        if first is None:
            first = (member, daemon)
            continue
        differ = [
            word
            for word, field in (("id", "sync_id"), ("port", "port"), ("group", "group"))
            if getattr(daemon, field) != getattr(first[1], field)
        ]
        if differ:
            yield Finding(
                member.name,
                origin(member, "global_defs.lvs_sync_daemon"),
                "{} differs from {}: the two would not hear of each other's connections".format(
                    " and ".join(differ), first[0].name
                ),
                "write it once, in vrrp_config",
                True,
            )


def _addresses(directors: Directors) -> Iterator[Finding]:
    """An address that clients speak to, and that VRRP does not move, may be a typing error."""
    held: Set[bytes] = {
        address.packed
        for _member, config in directors
        for instance in config.instances
        for address in (*instance.addresses, *instance.excluded_addresses)
    }
    if not held:
        return
    for member, config in directors:
        static = {address.packed for address in config.static_addresses}
        for service in config.services:
            missing = [one for one in _spoken_to(service) if one not in held and one not in static]
            if missing:
                shown = ", ".join(str(ipaddress.ip_address(one)) for one in missing[:3])
                yield Finding(
                    member.name,
                    _path(member, service),
                    "no vrrp_instance of the group holds {}{}: it does not move with a director".format(
                        shown, f" and {len(missing) - 3} more" if len(missing) > 3 else ""
                    ),
                    "is it written as in virtual_ipaddress?",
                    True,
                )


def _spoken_to(service: VirtualServer) -> Iterator[bytes]:
    for member in service.members:
        if member.first:
            start, size = int.from_bytes(member.first, "big"), len(member.first)
            for number in range(min(member.count, _MOST_ADDRESSES)):
                yield (start + number).to_bytes(size, "big")


def _path(member: Member, service: VirtualServer) -> str:
    """The service as a user wrote it: the name of its group, its firewall mark, or its address and port."""
    label = service.name
    if service.group:
        label = f"group {service.group}"
    elif len(service.members) == 1:
        only = service.members[0]
        label = f"{ipaddress.ip_address(only.first)} {only.port}" if only.first else f"fwmark {only.fwmark}"
    written = member.own_config.get("virtual_server")
    own = isinstance(written, Mapping) and label in map(str, written)
    return f"{'vrrp_config_host' if own else 'vrrp_config'}.virtual_server.{label}"
