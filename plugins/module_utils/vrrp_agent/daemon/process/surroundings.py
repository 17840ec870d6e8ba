# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process around the agent: its name, umask, priorities and limits, and the files with its number."""

from __future__ import annotations

import contextlib
import gc
import os
from typing import List, Optional, Sequence

from ...conf.model import GlobalSettings
from ...kernel import process
from ...loop.alarm import Alarm
from ...loop.log import Log
from ...loop.loop import Loop
from .promptness import Watchdog

TITLE = "vrrp-agent"
"""What ps shows when no process_name is given."""
_BACK_TO_REALTIME_NS = 1_000_000_000


class Surroundings:
    """Applies what global_defs says about the process; a reload changes what differs."""

    def __init__(self, loop: Loop, log: Log) -> None:
        self._log = log
        self._settings: Optional[GlobalSettings] = None
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._nice = os.getpriority(os.PRIO_PROCESS, 0)
        self._cpus = tuple(os.sched_getaffinity(0))
        self._pid_files: List[str] = []
        self._watchdog = Watchdog(loop, log, self._realtime)
        self._back = Alarm(loop, self._return_to_realtime)
        self._left_realtime = False

    # Before the agent is there.

    def set_umask(self, umask: Optional[int]) -> None:
        """This one; None is the one that was there at the start."""
        os.umask(self._umask if umask is None else umask)

    def write_pid_files(self, paths: Sequence[str]) -> None:
        """The number of this process, for those who want to signal it."""
        for path in paths:
            try:
                write_number(path)
            except OSError as error:
                self._log.warning(f"cannot write the process number to {path}: {error.strerror}")
            else:
                self._pid_files.append(path)

    def remove_pid_files(self) -> None:
        """The process ends."""
        for path in self._pid_files:
            with contextlib.suppress(OSError):
                os.unlink(path)

    # While it works.

    def protect(self, settings: GlobalSettings) -> None:
        """Nothing may hold up an advert: not the collector, not the disk, not another process."""
        gc.collect()
        gc.freeze()
        gc.disable()  # nothing on the way of an advert makes cycles; after a reload it is called by hand
        self._try("memory not locked", process.lock_memory())
        self.apply(settings)

    def apply(self, settings: GlobalSettings) -> None:
        """Do what differs from the settings before."""
        old, self._settings = self._settings, settings
        operations = settings.operations
        before = old.operations if old is not None else None
        if before is None or before.process_name != operations.process_name:
            process.set_name(operations.process_name or TITLE)
        if before is None or before.umask != operations.umask:
            self.set_umask(operations.umask)
        if old is None or _priorities(old) != _priorities(settings):
            self._set_priorities(settings)
        was_nice = old.process_priority if old is not None else None
        if settings.process_priority != was_nice:
            nice = self._nice if settings.process_priority is None else settings.process_priority
            self._try("nice value not set", process.set_nice(nice))
        if settings.cpu_affinity != (old.cpu_affinity if old is not None else ()):
            self._try("CPU affinity not set", process.set_affinity(settings.cpu_affinity or self._cpus))

    def _set_priorities(self, settings: GlobalSettings) -> None:
        operations = settings.operations
        wanted = settings.realtime_priority or process.DEFAULT_REALTIME_PRIORITY
        problem = self._realtime(wanted)
        self._try("no real-time priority", problem)
        limit_us = operations.realtime_limit_us
        self._try("no limit of real time", process.limit_realtime(limit_us))
        self._watchdog.apply(operations.promptness, 0 if problem else wanted)

    @staticmethod
    def _realtime(priority: int) -> str:
        return process.set_realtime(priority)

    def _try(self, what: str, problem: str) -> None:
        if problem:
            self._log.info(f"{what}: {problem}")

    def too_long_in_realtime(self) -> None:
        """SIGXCPU came: vrrp_rlimit_rttime is used up. The handler has left real time already."""
        if not self._left_realtime:
            self._log.warning(
                "ran longer in real time than vrrp_rlimit_rttime allows: real-time priority given up for 1 s"
            )
        self._left_realtime = True
        self._back.set_in(_BACK_TO_REALTIME_NS)

    def _return_to_realtime(self) -> None:
        self._left_realtime = False
        if self._settings is not None:
            wanted = self._settings.realtime_priority or process.DEFAULT_REALTIME_PRIORITY
            self._realtime(max(wanted, self._watchdog.priority))


def _priorities(settings: GlobalSettings) -> object:
    operations = settings.operations
    return settings.realtime_priority, operations.realtime_limit_us, operations.promptness


def write_number(path: str) -> None:
    """Write this process's number to ``path``. Raises OSError.

    The file is new, so that a link in its place is not followed; a reader sees all of it or the old one.
    """
    trial = f"{path}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(trial)
    descriptor = os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, f"{os.getpid()}\n".encode())
        os.fchmod(descriptor, 0o644)  # keepalived: whatever the umask
    finally:
        os.close(descriptor)
    os.rename(trial, path)
