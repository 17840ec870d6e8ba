# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Virtual servers as the agent sees them: one process checks real servers, another one balances among them.

Neither is there without a virtual_server in the configuration. What a check finds goes from the one
to the other through the agent, and only when it is another result than before.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import (
    AbstractSet,
    Any,
    Callable,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    Sequence,
    Tuple,
)

from ...conf.model import Config
from ...conf.parts.balancing import VirtualServer
from ...election.settings import State
from ...loop.alarm import Alarm
from ...loop.events import INSTANCE, Happening
from ...loop.log import Log
from ...loop.loop import Loop
from ...loop.results import CheckResult
from ..host.interfaces import Interfaces
from ..live import Live
from . import services_status
from .balancing import Balancer
from .checking import Checkers

_GATHER_NS = 50_000_000
"""This process sends adverts: a batch of addresses is looked at once."""


class VirtualServers:
    """All virtual servers of one agent. ``tell`` hears of services and servers that come and go."""

    def __init__(
        self,
        loop: Loop,
        log: Log,
        interfaces: Interfaces,
        lives: Mapping[Any, Live],
        tell: Callable[[Happening], None],
        notes: Tuple[str, str] = ("", ""),
        placed: str = "",
    ) -> None:
        """``notes``: where results of checks are kept for a successor, and which boot of the host this is.
        ``placed``: where is kept which services are in the kernel."""
        self._interfaces = interfaces
        self._lives = lives
        self._config = Config()
        self._stopped = False
        self._waiting: List[VirtualServer] = []
        """Services with ha_suspend."""
        self._suspended: FrozenSet[Tuple[str, int]] = frozenset()
        self._gathering = Alarm(loop, self._look_at_addresses)
        self.checkers = Checkers(loop, log, self._found, notes)
        self.balancer = Balancer(loop, log, self.checkers.results, tell, (placed, notes[1]))

    def apply(self, config: Config) -> None:
        """A start or a reload."""
        self._config = config
        self._waiting = [service for service in config.services if service.ha_suspend]
        self._look_at_addresses()
        self._look_at_roles()
        self.checkers.apply(config)
        self.balancer.apply(config)

    def set_weight(self, service: Tuple[str, int], server: Tuple[bytes, int], weight: int) -> str:
        """Change the weight of a real server until the next reload. Returns what is in the way."""
        if self._stopped:
            return "the agent is stopping"
        for old in self._config.services:
            if old.key == service and any(one.key == server for one in old.servers):
                servers = [replace(one, weight=weight) if one.key == server else one for one in old.servers]
                new = replace(old, servers=tuple(servers))
                services = tuple([new if one is old else one for one in self._config.services])
                self.apply(replace(self._config, services=services))
                return ""
        return "there is no such real server"

    def addresses_changed(self) -> None:
        """Addresses of the host have come or gone (ha_suspend). Many that do so together are one change."""
        if self._gathering.deadline is None and not self._stopped and (self._suspended or self._waiting):
            self._gathering.set_in(_GATHER_NS)

    def _look_at_addresses(self) -> None:
        self._gathering.cancel()
        if self._suspended or self._waiting:
            self._suspended = _resting(self._waiting, self._interfaces.addresses())
            self.checkers.suspend(self._suspended)

    def happened(self, happening: Happening) -> None:
        """An instance has moved (lvs_sync_daemon)."""
        daemon = self._config.settings.balancing.sync_daemon
        if daemon is not None and (happening.kind, happening.name) == (INSTANCE, daemon.instance):
            self._look_at_roles()

    def _look_at_roles(self) -> None:
        if self._config.settings.balancing.sync_daemon is not None:
            lives = self._lives.values()
            self.balancer.roles(
                frozenset(live.instance.name for live in lives if live.router.state is State.ACTIVE)
            )

    def stop(self, patience_ns: int) -> None:
        """No more checks, then no more services. Blocks for twice so long at most."""
        self._stopped = True
        self._gathering.cancel()
        self.checkers.stop(patience_ns)
        self.balancer.stop(patience_ns)

    def status(self) -> Iterator[Dict[str, Any]]:
        """For ``status``: what holds for all services, then each service. Nothing without services."""
        if self._config.services:
            yield {"balancing": services_status.whole(self.balancer, self.checkers)}
        for service in self._config.services:
            suspended = service.key in self._suspended
            row = services_status.service_row(service, self.balancer, self.checkers, suspended)
            if row is not None:
                yield {"service": row}

    def _found(self, result: CheckResult) -> None:
        self.balancer.take(result)


def _resting(services: Iterable[VirtualServer], here: AbstractSet[bytes]) -> FrozenSet[Tuple[str, int]]:
    """Those of which no address is on this host."""
    ordered: Dict[int, List[bytes]] = {4: [], 16: []}
    if any(member.count > 1 for service in services for member in service.members):
        for address in sorted(here):
            ordered.setdefault(len(address), []).append(address)
    return frozenset(service.key for service in services if not _present(service, here, ordered))


def _present(
    service: VirtualServer, here: AbstractSet[bytes], ordered: Mapping[int, Sequence[bytes]]
) -> bool:
    """True when any address of the service is on this host; a firewall mark always is.

    ``ordered``: the addresses of this host by their length, for ranges.
    """
    for member in service.members:
        if not member.first or member.first in here:
            return True
        if member.count > 1:
            size = len(member.first)
            last = (int.from_bytes(member.first, "big") + member.count - 1).to_bytes(size, "big")
            found = bisect_left(ordered[size], member.first)
            if found < len(ordered[size]) and ordered[size][found] <= last:
                return True
    return False
