# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's side of the checks of real servers: what is to be checked, and what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Dict, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Tuple

from ...check import notebook
from ...check.matching import carried, successors
from ...check.messages import Order, Orders, Suspended
from ...conf.model import Config
from ...conf.parts.balancing import VirtualServer
from ...conf.parts.checks import FileCheck
from ...conf.parts.tracking import WatchedFile
from ...loop.channel import Channel
from ...loop.log import Log
from ...loop.loop import Loop
from ...loop.notes import forget
from ...loop.results import CheckKey, CheckResult, CheckRun
from ...loop.side import Side, Worker

_NAME = "check"


_Key = Tuple[str, int]


class _Made(NamedTuple):
    """The orders of one service, and what they were made from."""

    service: VirtualServer
    rests: bool
    orders: Tuple[Order, ...]


class Checkers:
    """Keeps the process that checks, and its results. They outlive that process.

    ``on_result`` is called with each result that is new.
    """

    def __init__(
        self,
        loop: Loop,
        log: Log,
        on_result: Callable[[CheckResult], None],
        notes: Tuple[str, str] = ("", ""),
    ) -> None:
        """``notes``: where results are kept for a successor, and which boot of the host this is."""
        self.results: Dict[CheckKey, CheckResult] = {}
        self.runs: Dict[CheckKey, CheckRun] = {}
        self._path, self._boot = notes
        self._log = log
        self._on_result = on_result
        self._orders = Orders()
        self._wanted: Dict[CheckKey, Order] = {}
        self._first = True
        self._initial: Tuple[WatchedFile, ...] = ()
        self._suspended: FrozenSet[Tuple[str, int]] = frozenset()
        self._made: Dict[_Key, _Made] = {}
        self._side = Side(_NAME, self._make_worker, loop, log, self._hello, self._hear)

    @property
    def pid(self) -> int:
        """The process that checks, or 0."""
        return self._side.pid if self._side.running else 0

    @property
    def restarts(self) -> int:
        """How often it has died."""
        return self._side.restarts

    @property
    def problem(self) -> str:
        """For ``status``: why nothing is checked that should be."""
        if not self._wanted or self._side.running:
            return ""
        return "no server is checked: the process that checks is gone, and another one is to follow"

    def apply(self, config: Config) -> None:
        """Check what ``config`` wants. A check that has not changed goes on as it was.

        ``results`` are right at once: one follows its check to another place, and what is known of a check
        whose words have changed holds until the new one has a result.
        """
        made, self._made = self._made, self._make_orders(config)
        orders = replace(_whole(config, self._made.values()), path=self._path, boot=self._boot)
        first, self._first = self._first, False
        if orders == self._orders:
            return
        self._orders = orders
        new = _other(self._made, made)
        self._wanted = orders.by_key
        if first:
            self._initial = initial_files(config, orders)
            self._recall()
        else:
            self._carry_over(_other(made, self._made), new)
        if self._side.running:
            services = tuple(key for key, one in self._made.items() if one.orders)
            self._side.send(replace(orders, orders=new, services=services))
        if not orders.orders:
            self._side.retire()
            self._forget()  # the process may have died before it could
        elif not self._side.running:
            self._side.start()

    def suspend(self, services: FrozenSet[Tuple[str, int]]) -> None:
        """The checks of these services rest (ha_suspend), those of the others go on."""
        if services != self._suspended:
            self._say_suspended(services)
            self._suspended = services
            self._side.send(Suspended(services))

    def stop(self, patience_ns: int) -> None:
        """End the process. Blocks until it has ended, for so long at most (child_wait_time)."""
        self._side.stop(patience_ns)
        self._forget()

    def _forget(self) -> None:
        if self._path:
            forget(self._path)

    def _recall(self) -> None:
        """What a killed agent knew: dead servers stay out of service until a check has found them alive."""
        if self._path:
            self.results.update(notebook.read(self._path, self._boot, self._orders.orders))
        if self.results:
            bad = sum(result.good is False for result in self.results.values())
            self._log.notice(f"{len(self.results)} results of checks are known already, {bad} of them bad")

    def _carry_over(self, before: Tuple[Order, ...], after: Tuple[Order, ...]) -> None:
        """Both without the services that are as they were."""
        followed = successors(before, after)
        orders_before = {order.key: order for order in before}
        old = {key: self.results.pop(key) for key in orders_before if key in self.results}
        runs = {key: self.runs.pop(key) for key in orders_before if key in self.runs}
        for key, from_key in followed.items():
            if from_key in old:
                self.results[key] = carried(old[from_key], orders_before[from_key].weight, self._wanted[key])
            if from_key in runs and key == from_key:
                self.runs[key] = runs[from_key]

    def _make_orders(self, config: Config) -> Dict[_Key, _Made]:
        """Those of a service that is as it was are not made again: adverts go out meanwhile."""
        made: Dict[_Key, _Made] = {}
        for service in config.services:
            key, rests = service.key, service.key in self._suspended
            old = self._made.get(key)
            if old is not None and old.rests == rests and old.service == service:
                made[key] = old
            else:
                made[key] = _Made(service, rests, orders_of_service(service, rests))
        return made

    def first_words(self) -> Tuple[Orders, Suspended]:
        """All that a new process needs to know. It is forked with it: nothing is packed for it."""
        orders = replace(self._orders, initial=self._initial, known=self.results)
        return orders, Suspended(self._suspended)

    def _make_worker(self, loop: Loop, channel: Channel, log: Log) -> Worker:
        """The side's worker: imported in its own process only."""
        from ...check.worker import CheckWorker

        worker = CheckWorker(loop, channel, log)
        for value in self.first_words():
            worker.take(value)
        return worker

    def _hello(self) -> Iterator[Any]:
        """The process knows everything already."""
        self._initial = ()
        return iter(())

    def _hear(self, value: Any) -> None:
        for one in value if isinstance(value, list) else [value]:
            if one.key not in self._wanted:
                continue  # it was sent before newer orders were read
            if isinstance(one, CheckRun):
                self.runs[one.key] = one
            elif isinstance(one, CheckResult) and one != self.results.get(one.key, _unknown(one.key)):
                self.results[one.key] = one
                self._on_result(one)

    def _say_suspended(self, services: FrozenSet[Tuple[str, int]]) -> None:
        for name, _family in sorted(services - self._suspended):
            self._log.info(f"checks of {name} rest: no address of it is on this host (ha_suspend)")
        for name, _family in sorted(self._suspended - services):
            self._log.info(f"checks of {name} go on (ha_suspend)")


def _unknown(key: CheckKey) -> CheckResult:
    return CheckResult(key, None)


def initial_files(config: Config, orders: Orders) -> Tuple[WatchedFile, ...]:
    """Files that a FILE_CHECK follows and that want a first number."""
    followed = {order.check.path for order in orders.orders if isinstance(order.check, FileCheck)}
    return tuple(file for file in config.files if file.initial is not None and file.path in followed)


def orders_of_service(service: VirtualServer, rests: bool) -> Tuple[Order, ...]:
    """Every check of one service. ``rests``: ha_suspend."""
    found: List[Order] = []
    key, lasting_key = service.key, service.lasting_key
    for server in service.servers:
        for number, check in enumerate(server.checks):
            title = f"{server.name} of {service.name}"
            check_key = CheckKey(key, server.key, number)
            found.append(Order(check_key, check, title, rests, server.weight, lasting_key))
    return tuple(found)


def _whole(config: Config, made: Iterable[_Made]) -> Orders:
    settings, balancing = config.settings, config.settings.balancing
    orders = tuple(order for one in made for order in one.orders)
    return Orders(orders, settings.scripts, balancing.tls, balancing.process)


def _other(some: Mapping[_Key, _Made], others: Mapping[_Key, _Made]) -> Tuple[Order, ...]:
    """The orders of those services that have not the same ones among ``others``."""
    differing = [one for key, one in some.items() if key not in others or others[key].orders != one.orders]
    return tuple(order for one in differing for order in one.orders)
