# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs one vrrp_script again and again, and says when its result changes."""

from __future__ import annotations

import time
from typing import Callable, Optional

from ..conf.model import Script, ScriptPolicy
from ..kernel.accounts import UnknownAccount
from ..kernel.errors import KernelError
from ..kernel.executable import Executable, ProgramRefused, examine, look_again
from ..kernel.program import Ended, start
from ..loop.alarm import Alarm
from ..loop.log import Log
from ..loop.loop import Loop
from ..loop.running import Running
from .messages import SCRIPT, Reading, Run
from .rise_fall import RiseFall

SECOND_NS = 1_000_000_000


class ScriptRunner:
    """One script. ``say`` is called with a Reading whenever its result is new."""

    def __init__(
        self,
        script: Script,
        policy: ScriptPolicy,
        loop: Loop,
        log: Log,
        say: Callable[[Reading], None],
        known: Optional[Reading],
    ) -> None:
        self.script = script
        self.disabled = ""
        self.running: Optional[Running] = None
        self.last: Optional[Run] = None
        self._policy = policy
        self._loop, self._log, self._say = loop, log, say
        self._counter = RiseFall(script.rise, script.fall, script.init_fail)
        self._why = ""
        self._runs = self._failures = self._skipped = 0
        self._executable: Optional[Executable] = None
        self._alarm = Alarm(loop, self._turn)
        if known is not None and known.good is not None:
            self._counter.resume(known.value)
            self._why = known.why
        self._examine()

    def begin(self) -> None:
        """Say what is known already, and run for the first time."""
        self._tell()
        if not self.disabled:
            self._alarm.set_in(0)

    def change(self, script: Script, policy: ScriptPolicy) -> None:
        """Go on with other settings; what it has found out so far stays.

        Raises ValueError for another command: that is another script.
        """
        if script.command != self.script.command:
            raise ValueError("another command is another script")
        self.script, self._policy = script, policy
        self._counter.change(script.rise, script.fall)
        was_disabled = bool(self.disabled)
        self._examine()
        if self.disabled:
            self.stop()
        elif was_disabled:
            self._alarm.set_in(0)
        elif self._alarm.deadline is not None:
            soonest = self._loop.clock() + script.interval_ns
            self._alarm.set_at(min(self._alarm.deadline, soonest))
        self._tell()

    def stop(self) -> None:
        """Run it no more; one that runs is told to end."""
        self._alarm.cancel()
        self._loop.schedule.forget(self._alarm)
        if self.running is not None:
            self.running.end()

    def _examine(self) -> None:
        before, self.disabled = self.disabled, ""
        self._executable = None
        try:
            self._executable = examine(self.script.command, self._policy)
        except (ProgramRefused, UnknownAccount) as error:
            self.disabled = f"{error}; {error.hint}"
            if self.disabled != before:
                self._log.error(f"script {self.script.name} is not run and does not count: {self.disabled}")
            return
        for warning in self._executable.warnings:
            self._log.warning(f"script {self.script.name}: {warning}")

    def _turn(self) -> None:
        self._alarm.set_in(self.script.interval_ns)
        if self.running is not None:
            # keepalived: a run is skipped while the one before still runs
            self._skipped += 1
            self._log.limited(
                4,
                self.script.name,
                "skipped",
                f"script {self.script.name} still runs: this turn is skipped",
                self._loop.clock(),
                10 * SECOND_NS,
            )
            return
        executable = self._executable
        if executable is None:
            return
        try:
            look_again(executable, self._policy)
            program = start(executable.path, executable.argv, executable.identity, umask=self._policy.umask)
        except KernelError as error:
            self._take(Ended(None, 0, str(error)), False, 0)
            return
        limit_ns = self.script.timeout_ns or self.script.interval_ns
        self.running = Running(program, self._loop, limit_ns, self._ended)

    def _ended(self, ended: Ended, told: bool) -> None:
        running, self.running = self.running, None
        took_ns = self._loop.clock() - running.started_ns if running is not None else 0
        if self._alarm.deadline is not None:
            self._take(ended, told, took_ns)

    def _take(self, ended: Ended, told: bool, took_ns: int) -> None:
        limit_ns = self.script.timeout_ns or self.script.interval_ns
        result = f"timed out after {limit_ns / SECOND_NS:g} s" if told else str(ended)
        good = ended.good and not told
        self._runs += 1
        self._failures += not good
        other = result != self._why
        self._why = result
        self.last = Run(
            self.script.name, took_ns, result, time.time(), self._runs, self._failures, self._skipped
        )
        if self._counter.take(good):
            self._tell()
        elif other:
            self._log.info(f"script {self.script.name}: {result}")
            self._tell()

    def _tell(self) -> None:
        counter = self._counter
        good = None if self.disabled else counter.good
        self._say(Reading(SCRIPT, self.script.name, good, counter.count, self._why, self.disabled))
