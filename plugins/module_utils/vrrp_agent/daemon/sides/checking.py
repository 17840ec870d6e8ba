# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's side of the checks of real servers: what is to be checked, and what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Tuple

from ...check.messages import Order, Orders, Suspended
from ...conf.model import Config
from ...loop.channel import Channel
from ...loop.log import Log
from ...loop.loop import Loop
from ...loop.results import CheckKey, CheckResult, CheckRun
from ...loop.side import Side, Worker

_NAME = "check"


def make_worker(loop: Loop, channel: Channel, log: Log) -> Worker:
    """The side's worker: imported in its own process only."""
    from ...check.worker import CheckWorker

    return CheckWorker(loop, channel, log)


class Checkers:
    """Keeps the process that checks, and its results. They outlive that process.

    ``on_result`` is called with each result that is new.
    """

    def __init__(self, loop: Loop, log: Log, on_result: Callable[[CheckResult], None]) -> None:
        self.results: Dict[CheckKey, CheckResult] = {}
        self.runs: Dict[CheckKey, CheckRun] = {}
        self._on_result = on_result
        self._orders = Orders()
        self._suspended: FrozenSet[Tuple[str, int]] = frozenset()
        self._side = Side(_NAME, make_worker, loop, log, self._hello, self._hear)

    @property
    def pid(self) -> int:
        """The process that checks, or 0."""
        return self._side.pid if self._side.running else 0

    def apply(self, config: Config) -> None:
        """Check what ``config`` wants. A check that has not changed goes on as it was."""
        orders = orders_of(config, self._suspended)
        if orders == self._orders:
            return
        before, self._orders = self._orders.by_key, orders
        staying = {order.key for order in orders.orders if key_stays(before.get(order.key), order)}
        for found in (self.results, self.runs):
            for key in [key for key in found if key not in staying]:
                del found[key]
        if not orders.orders:
            self._side.retire()
        elif self._side.running:
            self._side.send(orders)
        else:
            self._side.start()

    def suspend(self, services: FrozenSet[Tuple[str, int]]) -> None:
        """The checks of these services rest (ha_suspend), those of the others go on."""
        if services != self._suspended:
            self._suspended = services
            if self._side.running:
                self._side.send(Suspended(services))

    def stop(self, patience_ns: int) -> None:
        """End the process. Blocks until it has ended, for so long at most (child_wait_time)."""
        self._side.stop(patience_ns)

    def _hello(self) -> Iterator[Any]:
        yield replace(self._orders, known=dict(self.results))
        yield Suspended(self._suspended)

    def _hear(self, value: Any) -> None:
        wanted = self._orders.by_key
        for one in value if isinstance(value, list) else [value]:
            if one.key not in wanted:
                continue  # it was sent before newer orders were read
            if isinstance(one, CheckRun):
                self.runs[one.key] = one
            elif isinstance(one, CheckResult):
                self.results[one.key] = one
                self._on_result(one)


def key_stays(before: Any, order: Order) -> bool:
    """True when a check is still the same one, so that its result still says something."""
    return before is not None and before.check == order.check


def orders_of(config: Config, suspended: FrozenSet[Tuple[str, int]]) -> Orders:
    """Every check of a configuration."""
    found: List[Order] = []
    for service in config.services:
        for server in service.servers:
            for number, check in enumerate(server.checks):
                key = CheckKey(service.key, server.key, number)
                title = f"{server.name} of {service.name}"
                found.append(Order(key, check, title, service.key in suspended, server.weight))
    settings = config.settings
    balancing = settings.balancing
    return Orders(tuple(found), settings.scripts, balancing.tls, balancing.process)
