# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process beside the agent that runs scripts, watches files and counts processes."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Optional

from ..conf.model import ScriptPolicy
from ..kernel.errors import KernelError
from ..loop.alarm import Alarm
from ..loop.channel import Channel
from ..loop.log import WARNING, Log
from ..loop.loop import Loop
from ..loop.number_files import initial_numbers
from ..loop.side import Worker
from . import notebook
from .files import FileWatch
from .links import LinkPoller
from .messages import FILE, SCRIPT, Key, Orders, Reading, Run
from .process_watch import ProcessWatch
from .scripts import ScriptRunner

_SECOND_NS = 1_000_000_000
_RUNS_NS = 5 * _SECOND_NS
"""How often the agent is told how scripts ran; of results it is told at once."""
_NOTES_NS = 20_000_000
"""News that come together are written together."""
_END_S = 1.0
"""keepalived: at the end scripts have so long to end before they are killed."""


class TrackWorker(Worker):
    """Does what Orders say, and sends Reading for each news, and now and then a list of Run."""

    def __init__(self, loop: Loop, channel: Channel, log: Log) -> None:
        self._loop, self._channel, self._log = loop, channel, log
        self._scripts: Dict[str, ScriptRunner] = {}
        self._leaving: List[ScriptRunner] = []
        self._policy = ScriptPolicy()
        self._files: Optional[FileWatch] = None
        self._links: Optional[LinkPoller] = None
        self._processes: Optional[ProcessWatch] = None
        self._told: Dict[str, Run] = {}
        self._summary = Alarm(loop, self._tell_runs)
        self._orders = Orders(self._policy)
        self._readings: Dict[Key, Reading] = {}
        self._notes = Alarm(loop, self._write_notes)

    def take(self, value: Any) -> None:
        """Orders."""
        if isinstance(value, Orders):
            self._orders = value
            if value.first:
                initial_numbers(value.files, self._log)
            self._take_links(value)
            self._take_files(value)
            self._take_processes(value)
            self._take_scripts(value)

    def end(self) -> None:
        """Let no script outlive the agent."""
        running = [runner for runner in (*self._scripts.values(), *self._leaving) if runner.running]
        for runner in running:
            runner.stop()
        give_up = time.monotonic() + _END_S
        while any(runner.running for runner in running) and time.monotonic() < give_up:
            self._loop.turn(0.02)
        for runner in running:
            if runner.running is not None:
                runner.running.kill()

    def _say(self, reading: Reading) -> None:
        self._channel.send(reading)
        self._readings[reading.key] = reading
        if self._orders.path and self._notes.deadline is None:
            self._notes.set_in(_NOTES_NS)

    def _write_notes(self) -> None:
        orders = self._orders
        try:
            notebook.write(orders.path, orders.boot, self._readings.values(), orders.identities())
        except OSError as error:
            now, text = self._loop.clock(), f"{orders.path} cannot be written: {error.strerror}"
            self._log.limited(WARNING, "notebook", "error", text, now, 60 * _SECOND_NS)

    def _take_scripts(self, orders: Orders) -> None:
        wanted = {script.name: script for script in orders.scripts}
        for name, runner in list(self._scripts.items()):
            script = wanted.get(name)
            if script is None or script.command != runner.script.command:
                runner.stop()
                if runner.running is not None:
                    self._leaving.append(runner)
                del self._scripts[name]
        self._leaving = [runner for runner in self._leaving if runner.running is not None]
        for name, script in wanted.items():
            old = self._scripts.get(name)
            if old is None:
                known = orders.known.get((SCRIPT, name))
                new = ScriptRunner(script, orders.policy, self._loop, self._log, self._say, known)
                self._scripts[name] = new
                new.begin()
            elif script != old.script or orders.policy != self._policy or old.disabled:
                old.change(script, orders.policy)
        self._policy = orders.policy
        if self._scripts:
            self._summary.set_in(_RUNS_NS)
        else:
            self._summary.cancel()

    def _take_links(self, orders: Orders) -> None:
        if self._links is None and orders.links:
            self._links = LinkPoller(self._loop, self._log, self._say)
        if self._links is not None:
            self._links.use(orders.links)

    def _take_files(self, orders: Orders) -> None:
        if self._files is None and orders.files:
            try:
                self._files = FileWatch(self._loop, self._log, self._say)
            except KernelError as error:
                self._refuse(FILE, [file.name for file in orders.files], error)
                return
        if self._files is not None:
            self._files.use(orders.files, orders.known)

    def _take_processes(self, orders: Orders) -> None:
        if self._processes is None and orders.processes:
            self._processes = ProcessWatch(self._loop, self._log, self._say, orders.events)
        if self._processes is not None:
            self._processes.use(orders.processes, orders.known)
            if not orders.processes:
                self._processes.close()
                self._processes = None

    def _refuse(self, kind: str, names: List[str], error: KernelError) -> None:
        self._log.error(f"{error}; {error.hint}")
        for name in names:
            self._say(Reading(kind, name, disabled=str(error)))

    def _tell_runs(self) -> None:
        self._summary.set_in(_RUNS_NS)
        news: List[Run] = []
        for name, runner in self._scripts.items():
            last = runner.last
            if last is not None and self._told.get(name) != last:
                self._told[name] = last
                news.append(last)
        if news:
            self._channel.send(news)
