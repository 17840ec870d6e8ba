# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's side of virtual servers: what is wanted, and what the process that balances says of it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Mapping, Optional, Tuple

from ...balance.actions import Known, ServerKey
from ...balance.messages import Counts, Goodbye, Report, Roles, Setup
from ...conf.model import Config
from ...conf.parts.balancing import VirtualServer
from ...loop.channel import Channel
from ...loop.events import DOWN, SERVER, SERVICE, UP, Happening
from ...loop.log import Log
from ...loop.loop import Loop
from ...loop.results import CheckKey, CheckResult
from ...loop.side import Side, Worker

_NAME = "balance"
Key = Tuple[str, int]
"""VirtualServer.key."""


class Balancer:
    """Keeps the process that balances, and what it has said last. That outlives the process.

    ``results`` are those of all checks, ``tell`` hears of changes.
    """

    def __init__(
        self,
        loop: Loop,
        log: Log,
        results: Mapping[CheckKey, CheckResult],
        tell: Callable[[Happening], None],
        notes: Tuple[str, str] = ("", ""),
    ) -> None:
        """``notes``: where the process notes what it has placed, and which boot of the host this is."""
        self.report: Optional[Report] = None
        """The last one, without its rows."""
        self.rows: Dict[Key, Dict[str, Any]] = {}
        """By VirtualServer.key: balance/rows.py."""
        self.counts: Dict[Key, Tuple[Dict[str, int], Dict[str, Dict[str, int]]]] = {}
        """By VirtualServer.key: messages.Counts."""
        self._known: Dict[Key, Known] = {}
        self._names: Dict[Key, Dict[str, ServerKey]] = {}
        """The servers of each service by their names."""
        self._loop, self._log = loop, log
        self._results = results
        self._tell = tell
        self._setup = Setup()
        self._placed: List[VirtualServer] = []
        """What a process has perhaps placed: it may die before it has done the last setup."""
        self._roles = Roles(frozenset())
        self._first = True
        self._notes = notes
        self._applied = False
        self._side = Side(_NAME, self._make_worker, loop, log, self._hello, self._hear)

    @property
    def pid(self) -> int:
        """The process that balances, or 0."""
        return self._side.pid if self._side.running else 0

    @property
    def restarts(self) -> int:
        """How often it has died."""
        return self._side.restarts

    def apply(self, config: Config) -> None:
        """These virtual servers from now on; what has not changed is not touched."""
        before, setup = self._setup, Setup(config.services, config.settings.balancing)
        changes = self._changes(before, setup)
        order = tuple(service.key for service in before.services)
        left, self._applied = not self._applied and os.path.lexists(self._notes[0]), True
        if left and not setup.services:
            self._setup = setup
            self._side.start()  # it takes away what a killed agent has placed, and goes
            return
        if not changes.services and changes.order == order and setup.balancing == before.balancing:
            return
        self._setup = setup
        earlier = {service.lasting_key: service.key for service in before.services}
        names = {service.key: earlier.get(service.lasting_key) for service in setup.services}
        for found in (self.rows, self.counts, self._known, self._names):
            _rename(found, names)
        for service in changes.services:
            self._names[service.key] = {server.name: server.key for server in service.servers}
        if not setup.services and not before.services:
            return
        if self._side.running:
            self._side.send(changes)
            self._placed = [*before.services, *setup.services]
        else:
            self._side.start()

    def take(self, result: CheckResult) -> None:
        """A check has found something new."""
        self._side.send(result)

    def roles(self, active: FrozenSet[str]) -> None:
        """These instances are active on this host."""
        if active != self._roles.active:
            self._roles = Roles(active)
            self._side.send(self._roles)

    def stop(self, patience_ns: int) -> None:
        """The agent ends: its services go. Blocks for so long at most.

        A process that has died, or dies on the way, has a successor that takes away what is left.
        """
        if not self._side.running and not self._placed:
            self._side.retire()  # one that waits until another has gone does not begin any more
            self._side.stop(patience_ns)
            return
        give_up_ns = self._loop.clock() + patience_ns
        for _attempt in range(2):
            if not self._side.send(Goodbye()):
                self._side.start(at_once=True)
                self._side.send(Goodbye())
            if self._side.stop(max(0, give_up_ns - self._loop.clock()), hear_out=True):
                return
            if self._loop.clock() >= give_up_ns:
                break
        self._log.error(
            "virtual servers may be in the kernel still: the process that balances has not taken them away"
            " in time (child_wait_time); look with ipvsadm -L -n or nft list ruleset"
        )

    def first_words(self) -> Tuple[Roles, Setup]:
        """All that a new process needs to know. It is forked with it: nothing is packed for it."""
        setup = replace(
            self._setup,
            results=self._results,
            first=self._first,
            known=self._known,
            before=self._left_behind(),
        )
        return self._roles, setup

    def _make_worker(self, loop: Loop, channel: Channel, log: Log) -> Worker:
        """The side's worker: imported in its own process only."""
        from ...balance.worker import BalanceWorker

        worker = BalanceWorker(loop, channel, log, self._notes)
        for value in self.first_words():
            worker.take(value)
        return worker

    def _hello(self) -> Iterator[Any]:
        """The process knows everything already."""
        self._placed = [*self._left_behind(), *self._setup.services]
        self._first = False
        return iter(())

    def _left_behind(self) -> Tuple[VirtualServer, ...]:
        """What a process that died has perhaps placed, and nobody wants any more."""
        if not self._placed:
            return ()
        wanted = set(self._setup.services)
        return tuple(dict.fromkeys(service for service in self._placed if service not in wanted))

    def _changes(self, before: Setup, setup: Setup) -> Setup:
        """The new setup as one that knows the old one needs it: adverts go out meanwhile."""
        old = {service.key: service for service in before.services}
        changed = tuple(one for one in setup.services if old.get(one.key) != one)
        concerned = {service.key for service in changed}
        results = {key: one for key, one in self._results.items() if key.service in concerned}
        order = tuple(service.key for service in setup.services)
        return replace(setup, services=changed, results=results, order=order)

    def _hear(self, value: Any) -> None:
        if isinstance(value, Happening):
            self._remember(value)
            self._tell(value)
        elif isinstance(value, Counts):
            self.counts.update({key: one for key, one in value.services.items() if key in self.rows})
        elif isinstance(value, Report):
            self._take_report(value)

    def _remember(self, one: Happening) -> None:
        """It is told now; the next report may never come, and a successor shall not tell it again."""
        if one.details is None or one.event not in (UP, DOWN):
            return
        server, name = one.name.split(" ", 1) if one.kind == SERVER else ("", one.name)
        key = (name, one.details.family)
        if key not in self._names:
            return
        known = self._known.get(key, Known(False, {}))
        if one.kind == SERVICE:
            self._known[key] = known._replace(up=one.event == UP)
        elif server in self._names[key]:
            states = {**known.servers, self._names[key][server]: one.event == UP}
            self._known[key] = known._replace(servers=states)

    def _take_report(self, report: Report) -> None:
        wanted = {service.key for service in self._setup.services}
        self.rows.update({key: row for key, row in report.services.items() if key in wanted})
        self._known.update({key: one for key, one in report.known.items() if key in wanted})
        self.report = report._replace(services={}, known={})
        if report.empty and not self._setup.services:
            self.report = None
            self._placed = []
            self._side.retire()


def _rename(found: Dict[Key, Any], names: Mapping[Key, Optional[Key]]) -> None:
    """Keep what belongs to ``names``: the services that are wanted, each with the key that it had.

    That of a service of a group is another one where others of the group have come or gone above it.
    """
    kept = {key: found[old] for key, old in names.items() if old is not None and old in found}
    found.clear()
    found.update(kept)
