# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the management objects are made of: the configuration and how things are, put together. Pure."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ..conf.model import Config, Instance
from ..conf.parts.balancing import VirtualServer
from ..loop.results import CheckKey
from . import facts
from .facts import Link, Router, Taken

NO_LINK = Link(0, b"")
NOTHING_TAKEN = Taken(0, 0, {}, {}, {}, {}, {}, {})


class Pair(NamedTuple):
    """One virtual router: what is wanted of it, and how it is."""

    instance: Instance
    router: Router
    link: Link
    """Of the instance's interface; number 0 while it is away."""
    up_s: float
    """How long ago it left INIT or FAULT; 0 while it is in one of them."""
    group: str
    """Name of its sync group, or empty."""


class Picture:
    """Everything, at one moment. ``system_up_s`` is sysUpTime of the SNMP master."""

    def __init__(
        self,
        config: Config,
        version: str,
        host_name: str,
        routers: Dict[str, Router],
        taken: Taken = NOTHING_TAKEN,
        system_up_s: float = 0.0,
        services: Optional[Mapping[Tuple[str, int], Dict[str, Any]]] = None,
    ) -> None:
        self.config = config
        self.version = version
        self.router_id = config.settings.router_id or host_name
        self.host_name = host_name
        self.taken = taken
        self.system_up_s = system_up_s
        self.services = services or {}
        """Virtual servers by VirtualServer.key, as ``status_of`` makes them."""
        groups = {name: group.name for group in config.groups for name in group.members}
        self.pairs: List[Pair] = [
            self._pair(instance, routers.get(instance.name) or unknown(instance), groups)
            for instance in config.instances
        ]

    def link(self, name: str) -> Link:
        """An interface that the configuration names; number 0 while it is away."""
        return self.taken.links.get(name, NO_LINK)

    def chosen(self, choose: Callable[[Instance], bool]) -> List[Pair]:
        """The virtual routers that a MIB can show."""
        return [pair for pair in self.pairs if choose(pair.instance)]

    def discards(self, pairs: List[Pair], *reasons: str) -> int:
        """Packets discarded for one of ``reasons``: for these routers, and for none of this host."""
        own = sum(count(pair, *reasons) for pair in pairs)
        return own + sum(self.taken.discards.get(reason, 0) for reason in reasons)

    def _pair(self, instance: Instance, router: Router, groups: Dict[str, str]) -> Pair:
        up_s = (self.taken.at_ns - router.began_ns) / 1e9 if router.began_ns else 0.0
        return Pair(instance, router, self.link(instance.interface), up_s, groups.get(instance.name, ""))


_CHECK_WORDS = {True: "good", False: "bad", None: "unknown"}


def status_of(
    service: VirtualServer, found: facts.Service, checks: Mapping[CheckKey, Optional[bool]]
) -> Dict[str, Any]:
    """One virtual server with its counters and the states of its checks, as ``status`` shows them."""
    keys = {
        server.name: [CheckKey(found.key, server.key, number) for number in range(len(server.checks))]
        for server in service.servers
    }
    servers = []
    for row in found.row["servers"]:
        name = row["name"]
        states = [{"state": _CHECK_WORDS[checks.get(key)]} for key in keys.get(name, ())]
        servers.append({**row, "connections": found.of_servers.get(name, {}), "checks": states})
    sorry = found.row.get("sorry_server")
    if sorry is not None:
        sorry = {**sorry, "connections": found.of_servers.get(sorry["name"], {})}
    return {**found.row, "connections": found.counters, "servers": servers, "sorry_server": sorry}


def unknown(instance: Instance) -> Router:
    """A router that the agent has not told of yet: it has its row, so that those after it keep theirs."""
    return Router(
        name=instance.name,
        state=facts.INIT,
        wanted=facts.BACKUP,
        priority=instance.priority,
        base_priority=instance.priority,
        preempt=instance.preempt,
        source=b"",
        active_source=b"",
        has_addresses=False,
        held=(),
        devices=tuple([instance.interface] * len(instance.addresses + instance.excluded_addresses)),
        began_ns=0,
        reason=facts.NOT_ACTIVE,
        last_error=facts.NO_ERROR,
        counters={},
        discards={},
    )


def count(pair: Pair, *reasons: str) -> int:
    """Packets for this router that were discarded for one of ``reasons``."""
    return sum(pair.router.discards.get(reason, 0) for reason in reasons)


def counted(pair: Pair, name: str) -> int:
    """A counter of this router by the name that ``status`` gives it."""
    return pair.router.counters.get(name, 0)


def mac(pair: Pair) -> bytes:
    """The MAC that the virtual addresses answer with: of the virtual link, or else the interface's own."""
    link = pair.instance.virtual_link
    return link.mac if link is not None and link.mac else pair.link.mac


def primary(pair: Pair) -> bytes:
    """The router's own address on its interface; zeros while there is none."""
    instance = pair.instance
    own = pair.link.ipv4 if instance.family == 4 else pair.link.ipv6
    return own or pair.router.source or bytes(4 if instance.family == 4 else 16)


def active_address(pair: Pair) -> bytes:
    """The active router's address; zeros when there is none to our knowledge."""
    if pair.router.state == facts.ACTIVE:
        return pair.router.source or primary(pair)
    return pair.router.active_source or bytes(4 if pair.instance.family == 4 else 16)


def rfc_state(state: int) -> int:
    """initialize 1, backup 2, master 3: everything else is the first."""
    return state + 1 if state in (facts.BACKUP, facts.ACTIVE) else 1


def index(pair: Pair) -> Tuple[int, int]:
    """ifIndex and VRID, as both RFCs count virtual routers."""
    return (pair.link.number, pair.instance.vrid)
