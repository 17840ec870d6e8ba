# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Name, priorities, memory and CPUs of the process that checks: the words checker_* of global_defs."""

from __future__ import annotations

import os
import signal
from typing import Optional

from ..conf.parts.balancing import CheckerProcess
from ..kernel import process
from ..loop.log import Log

TITLE = "vrrp-check"


class Manners:
    """Does what differs from the settings before. What is refused is said once, and the checks go on."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._settings = CheckerProcess()
        self._locked = False
        self._nice = os.getpriority(os.PRIO_PROCESS, 0)
        self._cpus = tuple(os.sched_getaffinity(0))

    def apply(self, settings: CheckerProcess) -> None:
        """From now on these."""
        old, self._settings = self._settings, settings
        if settings.name != old.name:
            process.set_name(settings.name or TITLE)
        if settings.priority != old.priority:
            nice = self._nice if settings.priority is None else settings.priority
            self._try("nice value not set (checker_priority)", process.set_nice(nice))
        if settings.cpu_affinity != old.cpu_affinity:
            cpus = settings.cpu_affinity or self._cpus
            self._try("CPU affinity not set (checker_cpu_affinity)", process.set_affinity(cpus))
        if settings.no_swap and not self._locked:
            # What is locked stays locked: pages that were in memory once are needed again.
            self._locked = True
            self._try("memory not locked (checker_no_swap)", process.lock_memory())
        limits = (settings.realtime_priority, settings.rttime_us)
        if limits != (old.realtime_priority, old.rttime_us):
            self._use_realtime(*limits)

    def _use_realtime(self, priority: Optional[int], limit_us: Optional[int]) -> None:
        if priority is None:
            process.leave_realtime()
        else:
            signal.signal(signal.SIGXCPU, self._too_long)
            what = "no real-time priority (checker_rt_priority)"
            self._try(what, process.set_realtime(priority))
        problem = process.limit_realtime(limit_us if priority is not None else None)
        self._try("no limit of real time (checker_rlimit_rttime)", problem)

    def _too_long(self, _number: int, _frame: object) -> None:
        """SIGXCPU, whose default would end this process."""
        process.leave_realtime()
        self._log.warning(
            "the process that checks ran longer in real time than checker_rlimit_rttime allows: "
            "real-time priority given up until the next reload that sets it"
        )

    def _try(self, what: str, problem: str) -> None:
        if problem:
            self._log.warning(f"the process that checks: {what}: {problem}")
