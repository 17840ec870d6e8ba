# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process beside the agent that checks real servers."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ..conf.parts.checks import FileCheck, TlsFiles
from ..conf.parts.tracking import ScriptPolicy
from ..kernel.process import MOST_DESCRIPTORS, allow_descriptors
from ..loop.alarm import Alarm
from ..loop.channel import Channel
from ..loop.log import WARNING, Log
from ..loop.loop import Loop
from ..loop.notes import forget
from ..loop.number_files import initial_numbers
from ..loop.results import CheckKey, CheckResult
from ..loop.side import Worker
from .manners import Manners
from .matching import carried, same_question, successors
from .messages import Order, Orders, Suspended
from .notebook import Notebook
from .post import Post
from .probe import Context
from .runner import Runner

_SECOND_NS = 1_000_000_000
_NOTES_NS = 100_000_000
"""News that come together are written together."""
_NOTES_SHARE = 20
"""The notes take no more than one part of so many of the time."""
_SPARE_DESCRIPTORS = 64
_OF_POLICY, _OF_TLS = "MISC_CHECK", "SSL_GET"
"""Kinds whose probes use what Orders say for all."""


class CheckWorker(Worker):
    """Does what Orders say, and sends CheckResult for each news, and now and then a list of CheckRun."""

    def __init__(self, loop: Loop, channel: Channel, log: Log) -> None:
        self._loop, self._log = loop, log
        self._orders = Orders()
        self._context = Context(loop, log, ScriptPolicy(), TlsFiles())
        self._runners: Dict[CheckKey, Runner] = {}
        self._results: Dict[CheckKey, CheckResult] = {}
        self._files: Any = None
        self._manners = Manners(log)
        self._post = Post(loop, channel)
        self._notes = Alarm(loop, self._write_notes)
        self._notebook = Notebook()
        self._notes_took_ns = 0

    def take(self, value: Any) -> None:
        """Orders, or Suspended."""
        if isinstance(value, Orders):
            self._take_orders(value.after(self._orders))
        elif isinstance(value, Suspended):
            for runner in self._runners.values():
                runner.suspend(runner.order.key.service in value.services)

    def end(self) -> None:
        """Let nothing that checks outlive the agent. The notes stay: who knows why it has ended."""
        for runner in self._runners.values():
            runner.stop()
        if self._files is not None:
            self._files.close()
        from .misc import let_none_outlive  # few have a program; then it is loaded already

        let_none_outlive(self._loop)

    def _take_orders(self, orders: Orders) -> None:
        before, self._orders = self._orders, orders
        self._manners.apply(orders.process)
        if len(orders.orders) + _SPARE_DESCRIPTORS > MOST_DESCRIPTORS:
            allow_descriptors(len(orders.orders) + _SPARE_DESCRIPTORS)
        self._use_context(orders)
        followed = successors(before.orders, orders.orders)
        initial_numbers(orders.initial, self._log)
        files = [order for order in orders.orders if isinstance(order.check, FileCheck)]
        of_files = self._known_of(files, followed)
        asking = [order for order in orders.orders if not isinstance(order.check, FileCheck)]
        self._use(asking, followed, orders.known)
        self._results.update(of_files)
        self._follow_files(files)
        if orders.orders:
            self._note()
        elif orders.path:  # at once: the agent lets go of this process
            self._notes.cancel()
            forget(orders.path)

    def _known_of(
        self, files: List[Order], followed: Mapping[CheckKey, CheckKey]
    ) -> Dict[CheckKey, CheckResult]:
        """What files said last: only what changes is said again, and the notes must have all."""
        found: Dict[CheckKey, CheckResult] = {}
        for order in files:
            known = self._orders.known.get(order.key)
            if order.key in followed:
                known = self._results.get(followed[order.key], known)
            if known is not None:
                found[order.key] = known._replace(key=order.key)
        return found

    def _use(
        self,
        orders: List[Order],
        followed: Mapping[CheckKey, CheckKey],
        known: Mapping[CheckKey, CheckResult],
    ) -> None:
        old = self._runners
        runners: Dict[CheckKey, Runner] = {}
        fresh: List[Runner] = []
        for order in orders:
            predecessor = old.get(followed.get(order.key, order.key)) if order.key in followed else None
            if predecessor is not None and same_question(predecessor.order.check, order.check):
                runners[order.key] = predecessor
            else:
                result = known.get(order.key)
                if predecessor is not None:
                    result = carried(predecessor.result, predecessor.order.weight, order)
                runners[order.key] = Runner(order, self._context, self._say, result)
                fresh.append(runners[order.key])
        staying = {id(runner) for runner in runners.values()}
        for runner in old.values():
            if id(runner) not in staying:
                runner.stop()
        for order in orders:
            runner = runners[order.key]
            if runner.order is not order:
                self._adopt(runner, order)
        self._runners = runners
        self._results = {key: runner.result for key, runner in runners.items()}
        self._post.use(runners, self._orders.by_key)
        for runner in fresh:
            if old:  # the agent may have heard of another check in this place an instant ago
                self._post.add(runner.result)
            runner.begin()

    def _adopt(self, runner: Runner, order: Order) -> None:
        """A check that goes on. The agent must hear of it again where it had another place, or weight."""
        before = runner.result
        runner.use(order)
        if runner.result != before:
            self._post.add(runner.result)

    def _use_context(self, orders: Orders) -> None:
        before = self._context
        self._context = before._replace(policy=orders.policy, tls=orders.tls)
        changed = {_OF_POLICY} if orders.policy != before.policy else set()
        if orders.tls != before.tls:
            changed.add(_OF_TLS)
        for runner in self._runners.values():
            if runner.order.check.kind in changed:
                runner.use_context(self._context)

    def _follow_files(self, orders: List[Order]) -> None:
        if self._files is None and orders:
            from .files import FileChecks  # few have one, and it brings inotify with it

            self._files = FileChecks(self._loop, self._log, self._say)
        if self._files is not None:
            self._files.use(orders, self._orders.known)

    def _say(self, result: CheckResult) -> None:
        self._results[result.key] = result
        self._post.add(result)
        self._note()

    def _note(self) -> None:
        if self._orders.path and self._notes.deadline is None:
            self._notes.set_in(max(_NOTES_NS, _NOTES_SHARE * self._notes_took_ns))

    def _write_notes(self) -> None:
        orders, began = self._orders, self._loop.clock()
        try:
            self._notebook.write(orders.path, orders.boot, orders.orders, self._results)
        except OSError as error:
            now, text = self._loop.clock(), f"{orders.path} cannot be written: {error.strerror}"
            self._log.limited(WARNING, "notebook", "error", text, now, 60 * _SECOND_NS)
        self._notes_took_ns = self._loop.clock() - began
