# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's side of virtual servers: what is wanted, and what the process that balances says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Dict, FrozenSet, Iterator, Mapping, Optional

from ...balance.messages import Goodbye, Report, Roles, Setup
from ...conf.model import Config
from ...loop.channel import Channel
from ...loop.events import Happening
from ...loop.log import Log
from ...loop.loop import Loop
from ...loop.results import CheckKey, CheckResult
from ...loop.side import Side, Worker

_NAME = "balance"


def make_worker(loop: Loop, channel: Channel, log: Log) -> Worker:
    """The side's worker: imported in its own process only."""
    from ...balance.worker import BalanceWorker

    return BalanceWorker(loop, channel, log)


class Balancer:
    """Keeps the process that balances. ``results`` are those of all checks, ``tell`` hears of changes."""

    def __init__(
        self,
        loop: Loop,
        log: Log,
        results: Mapping[CheckKey, CheckResult],
        tell: Callable[[Happening], None],
    ) -> None:
        self.report: Optional[Report] = None
        self._results = results
        self._tell = tell
        self._setup = Setup()
        self._roles = Roles(frozenset())
        self._first = True
        self._side = Side(_NAME, make_worker, loop, log, self._hello, self._hear)

    @property
    def pid(self) -> int:
        """The process that balances, or 0."""
        return self._side.pid if self._side.running else 0

    def apply(self, config: Config) -> None:
        """These virtual servers from now on; what has not changed is not touched."""
        setup = Setup(config.services, config.settings.balancing)
        if setup == self._setup:
            return
        before, self._setup = self._setup, setup
        if not setup.services and not before.services:
            return
        if self._side.running:
            self._side.send(setup)
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
        """The agent ends: services go, or stay, as the configuration says. Blocks for so long at most."""
        self._side.send(Goodbye())
        self._side.stop(patience_ns)

    def _hello(self) -> Iterator[Any]:
        first, self._first = self._first, False
        yield self._roles
        yield replace(self._setup, first=first, results=dict(self._results))

    def _hear(self, value: Any) -> None:
        if isinstance(value, Happening):
            self._tell(value)
        elif isinstance(value, Report):
            self.report = value

    def status(self) -> Iterator[Dict[str, Any]]:
        """For ``status``: what holds for all services, then each service."""
        if self.report is None:
            return
        report = self.report
        own = {"pid": self._side.pid, "restarts": self._side.restarts}
        yield {
            "balancing": {
                **own,
                "backend": report.backend,
                "problem": report.problem,
                "sync_daemon": report.sync_daemon,
            }
        }
        for service in report.services:
            yield {"service": service}
