# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent as a process: start, signals, reload, end."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from dataclasses import dataclass
from typing import IO, Optional

from ..conf.model import Config, GlobalSettings
from ..conf.problem import ERROR
from ..kernel import process
from ..kernel.errors import KernelError
from ..loop.alarm import Alarm
from ..loop.log import ERROR as FAILURE
from ..loop.log import INFO, WARNING, Log
from ..loop.loop import Loop
from . import systemd
from .agent import Agent, this_host
from .control import SOCKET_NAME, Control
from .loading import Loading, Outcome
from .runtime import RuntimeDirError, occupy

EXIT_OK, EXIT_FAILURE, EXIT_CONFIG, EXIT_PERMISSION = 0, 1, 2, 4  # as keepalived's


LONGEST_LOADING_NS = 60_000_000_000
"""A reload that takes longer has met a file that never ends, or a file system that does not answer."""


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    config: str
    runtime_dir: str
    config_id: str
    lenient: bool
    version: str
    log_level: int = INFO


class Service:
    """Runs one agent in the foreground."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._log = Log(options.log_level)
        self._loop = Loop()
        self._agent: Optional[Agent] = None
        self._loading: Optional[Loading] = None
        self._patience = Alarm(self._loop, self._give_up_loading)
        self._reload_again = False
        self._lock: Optional[IO[str]] = None

    def run(self) -> int:
        """Until a signal says stop. Returns the exit status."""
        try:
            self._lock = occupy(self._options.runtime_dir)
        except RuntimeDirError as error:
            self._log.error(f"{error}; {error.hint}")
            return EXIT_FAILURE
        process.allow_descriptors()
        # A reload that is asked for meanwhile is done after the start; a stop ends it at once.
        waker = self._catch_signals()
        try:
            loading = self._load()  # in a child, while this process makes itself ready
        except OSError as error:
            self._log.error(f"no process to read the configuration: {error.strerror}")
            return EXIT_FAILURE
        try:
            agent = self._agent = self._make_agent()
        except KernelError as error:
            loading.abandon()
            return self._cannot_start(error)
        config = self._accept(loading.wait(), "start")
        if config is None:
            agent.close()
            return EXIT_CONFIG
        return self._work(agent, config, waker)

    def _work(self, agent: Agent, config: Config, waker: socket.socket) -> int:
        try:
            agent.check_interfaces(config)
            control = Control(self._loop, self._socket_path, agent.answer)
        except KernelError as error:
            agent.close()
            return self._cannot_start(error, EXIT_CONFIG)
        except OSError as error:
            agent.close()
            self._log.error(f"cannot listen on {self._socket_path}: {error.strerror or error}")
            return EXIT_FAILURE
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _noted)
        try:
            self._log.notice(f"vrrp-agent {self._options.version} starts with {_count(config)}")
            agent.apply(config)
            self._protect(config.settings)
            systemd.ready(_count(config))
            self._loop.run()
            systemd.stopping()
            if self._loading is not None:
                self._loading.abandon()
            agent.stop()
            self._log.notice("stopped")
        except KernelError as error:
            agent.close()
            return self._cannot_start(error)
        finally:
            control.close()
            waker.close()
            self._loop.close()
        return EXIT_OK

    @property
    def _socket_path(self) -> str:
        return os.path.join(self._options.runtime_dir, SOCKET_NAME)

    def _make_agent(self) -> Agent:
        options = self._options
        paths = (options.runtime_dir, options.version, options.config)
        return Agent(self._loop, self._log, *paths, host=this_host())

    def _cannot_start(self, error: KernelError, status: int = EXIT_FAILURE) -> int:
        self._log.error(f"{error}; {error.hint}" if error.hint else str(error))
        from ..kernel.errors import MissingPrivilege

        return EXIT_PERMISSION if isinstance(error, MissingPrivilege) else status

    # Timing.

    def _protect(self, settings: GlobalSettings) -> None:
        """Nothing may hold up an advert: not the collector, not the disk, not another process."""
        gc.collect()
        gc.freeze()
        gc.disable()  # nothing on the way of an advert makes cycles; after a reload it is called by hand
        attempts = [("memory not locked", process.lock_memory())]
        priority = settings.realtime_priority or process.DEFAULT_REALTIME_PRIORITY
        attempts.append(("no real-time priority", process.set_realtime(priority)))
        if settings.process_priority is not None:
            attempts.append(("nice value not set", process.set_nice(settings.process_priority)))
        if settings.cpu_affinity:
            attempts.append(("CPU affinity not set", process.set_affinity(settings.cpu_affinity)))
        if settings.process_name:
            process.set_name(settings.process_name)
        for what, problem in attempts:
            if problem:
                self._log.info(f"{what}: {problem}")

    # Signals.

    def _catch_signals(self) -> socket.socket:
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGHUP, _noted)
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        self._writer = writer

        def read_signals() -> None:
            try:
                numbers = reader.recv(64)
            except BlockingIOError:
                return
            for number in numbers:
                if number in (signal.SIGTERM, signal.SIGINT):
                    self._log.notice(f"stopping on {signal.Signals(number).name}")
                    self._loop.stop()
                elif number == signal.SIGHUP:
                    self._reload()

        self._loop.add_reader(reader.fileno(), read_signals)
        return reader

    # Configuration.

    def _load(self) -> Loading:
        options = self._options
        sys.stdout.flush()
        return Loading(options.config, options.config_id, options.lenient)

    def _reload(self) -> None:
        """Read the file again in a child; elections go on meanwhile."""
        if self._loading is not None:
            self._reload_again = True
            return
        systemd.reloading()
        self._log.notice(f"reloading {self._options.config}")
        try:
            self._loading = loading = self._load()
        except OSError as error:
            self._log.error(f"reload: no process to read the configuration: {error.strerror}")
            self._reload_is_over()
            return
        self._loop.add_reader(loading.fileno(), self._loaded)
        self._patience.set_in(LONGEST_LOADING_NS)

    def _give_up_loading(self) -> None:
        if self._loading is None:
            return
        self._loop.remove_reader(self._loading.fileno())
        self._loading.abandon()
        seconds = LONGEST_LOADING_NS // 1_000_000_000
        self._log.error(f"reload: not read in {seconds} s, given up; the old configuration goes on")
        self._reload_is_over()

    def _reload_is_over(self) -> None:
        """However it ended: tell the service manager, and begin the one that was asked for meanwhile."""
        self._patience.cancel()
        self._loading = None
        if self._agent is not None:
            systemd.ready(_count(self._agent.config))
        if self._reload_again:
            self._reload_again = False
            self._reload()

    def _loaded(self) -> None:
        loading, agent = self._loading, self._agent
        if loading is None or agent is None:
            return
        descriptor = loading.fileno()
        self._loop.remove_reader(descriptor)
        outcome = loading.take()
        if outcome is None:
            self._loop.add_reader(descriptor, self._loaded)
            return
        config = self._accept(outcome, "reload")
        if config is not None:
            self._apply(agent, config)
        self._reload_is_over()

    def _apply(self, agent: Agent, config: Config) -> None:
        try:
            agent.check_interfaces(config)
            agent.apply(config)
        except KernelError as error:
            hint = f"; {error.hint}" if error.hint else ""
            self._log.error(f"reload: {error}{hint}; the old configuration goes on")
            return
        self._log.notice(f"reloaded: {_count(config)}")
        self._loop.add_job(_collect_garbage)

    def _accept(self, outcome: Outcome, occasion: str) -> Optional[Config]:
        """The configuration, or None after saying all that is wrong with it."""
        for problem in outcome.problems:
            hint = f" ({problem.hint})" if problem.hint else ""
            line = f"{problem.position}: {problem.message}{hint}"
            self._log.write(FAILURE if problem.severity == ERROR else WARNING, line)
        if outcome.failure:
            self._log.error(outcome.failure)
        if outcome.config is None:
            rest = "; the old configuration goes on" if occasion == "reload" else ""
            self._log.error(f"{occasion}: {self._options.config} cannot be used{rest}")
        return outcome.config


def _noted(_number: int, _frame: object) -> None:
    """The wake-up descriptor has the number; this only keeps the default action away."""


def _collect_garbage() -> bool:
    """What a reload left behind; all that was there at the start is frozen and not looked at."""
    gc.collect()
    return False


def _count(config: Config) -> str:
    number = len(config.instances)
    return f"{number} virtual router{'' if number == 1 else 's'}"
