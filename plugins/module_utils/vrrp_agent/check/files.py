# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""FILE_CHECK: the number in a file says how much a server weighs, or whether it is down."""

from __future__ import annotations

import time
from typing import Callable, Dict, Iterable, Mapping, NamedTuple, Optional

from ..conf.parts.checks import FileCheck
from ..kernel.errors import KernelError
from ..loop.log import Log
from ..loop.loop import Loop
from ..loop.number_files import NumberFiles
from ..loop.results import CheckKey, CheckResult
from .messages import Order

LEAST_WEIGHT, MOST_WEIGHT = -(1 << 31), (1 << 31) - 1
"""keepalived: a sum that goes below the first means down; above the second it is cut."""


class Judged(NamedTuple):
    """What a number means for the server."""

    good: bool
    added_weight: int


def judge(check: FileCheck, number: int) -> Judged:
    """keepalived's rule: number times weight is added to the weight of the server.

    With weight 0 any number but 0 means down; with ``reverse`` 0 does.
    """
    if check.weight == 0:
        return Judged((number == 0) != check.reverse, 0)
    total = number * check.weight * (-1 if check.reverse else 1)
    if total <= LEAST_WEIGHT:
        return Judged(False, 0)
    return Judged(True, min(total, MOST_WEIGHT))


class FileChecks:
    """All checks that follow a file. ``say`` is called with each result that is news."""

    def __init__(self, loop: Loop, log: Log, say: Callable[[CheckResult], None]) -> None:
        self._loop, self._log, self._say = loop, log, say
        self._orders: Dict[CheckKey, Order] = {}
        self._told: Dict[CheckKey, CheckResult] = {}
        self._files: Optional[NumberFiles] = None

    def close(self) -> None:
        """Follow nothing any more."""
        if self._files is not None:
            self._files.close()
            self._files = None

    def use(self, orders: Iterable[Order], known: Mapping[CheckKey, CheckResult]) -> None:
        """Follow the files of these from now on. ``known`` is what the agent has been told before."""
        self._orders = {order.key: order for order in orders}
        told = {**known, **self._told}
        self._told = {key: told[key] for key in self._orders if key in told}
        paths: Dict[str, str] = {}
        for order in self._orders.values():
            if isinstance(order.check, FileCheck):
                paths[order.check.path] = order.check.path
        if not paths:
            self.close()
            return
        try:
            if self._files is None:
                self._files = NumberFiles(self._loop, self._log, self._hear)
        except KernelError as error:
            self._log.error(f"FILE_CHECK: {error}; {error.hint}")
            return
        self._files.use(paths, {})

    def _hear(self, path: str, number: int) -> None:
        for key, order in self._orders.items():
            check = order.check
            if isinstance(check, FileCheck) and check.path == path:
                self._tell(key, order, judge(check, number), f"{check.file} holds {number}")

    def _tell(self, key: CheckKey, order: Order, judged: Judged, why: str) -> None:
        before = self._told.get(key)
        if before is not None and (before.good, before.added_weight, before.why) == (*judged, why):
            return
        result = CheckResult(key, judged.good, judged.added_weight, why, time.time())
        self._told[key] = result
        if before is None or before.good is not judged.good:
            word = "good" if judged.good else "bad"
            self._log.notice(f"FILE_CHECK of {order.title}: {word} ({why})")
        self._say(result)
