# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent as a process: start, signals, reload, end."""

from __future__ import annotations

import gc
import os
import signal
import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Optional, Tuple

from ..conf.model import Config
from ..conf.problem import ERROR
from ..kernel import namespace, process
from ..kernel.errors import KernelError, MissingPrivilege
from ..loop.alarm import Alarm
from ..loop.log import ERROR as FAILURE
from ..loop.log import INFO, WARNING, Log
from ..loop.loop import Loop
from .agent import Agent, this_host
from .control import SOCKET_NAME, Control
from .dumps.scene import Scene
from .dumps.writing import Dumper, Saver
from .process import signals, systemd
from .process.loading import Loading, Outcome, remove_marker
from .process.runtime import RuntimeDirError, directory_of, occupy
from .process.signals import Signals
from .process.surroundings import Surroundings
from .process.timed_reload import TimedReload

EXIT_OK, EXIT_FAILURE, EXIT_CONFIG, EXIT_PERMISSION = 0, 1, 2, 4  # as keepalived's
EMPTY = Scene(Config(), (), 0, 0.0)
LONGEST_LOADING_NS = 60_000_000_000
"""A reload that takes longer has met a file that never ends, or a file system that does not answer."""
_SIDES = 6
"""Processes beside the agent that may take child_wait_time to end, one after another: four, and those
for scripts and for SNMP twice when a reload has just sent one home."""
_MARGIN_NS = 10_000_000_000
MARKER_NAME = "keepalived.reload"
"""reload_file without a path, in the runtime directory."""


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    config: str
    runtime_dir: str
    """Empty leaves it to the file: the usual one, with the name of ``instance`` added."""
    config_id: str
    lenient: bool
    version: str
    log_level: int = INFO
    namespace: str = ""
    """Goes before net_namespace of the file."""
    umask: Optional[int] = None
    """Goes before umask of the file."""
    pid_files: Tuple[str, ...] = ()


class Service:
    """Runs one agent in the foreground."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._log = Log(options.log_level)
        self._loop = Loop()
        self._runtime_dir = options.runtime_dir
        self._surroundings = Surroundings(self._loop, self._log)
        self._timed_reload = TimedReload(self._loop, self._log, self._reload)
        self._agent: Optional[Agent] = None
        self._dumper = Dumper(self._loop, self._log, self._scene)
        self._saver = Saver(self._dumper, self._log)
        self._loading: Optional[Loading] = None
        self._patience = Alarm(self._loop, self._give_up_loading)
        self._reload_again = False
        self._stopping = False
        """From now on nothing is reloaded: the agent has given its sockets back, or is about to."""
        self._lock: Optional[IO[str]] = None

    def run(self) -> int:
        """Until a signal says stop. Returns the exit status."""
        try:
            return self._run()
        except KernelError as error:
            return self._cannot_start(error)
        finally:
            self._surroundings.remove_pid_files()

    def _run(self) -> int:
        options = self._options
        if options.runtime_dir and not self._occupy(options.runtime_dir):
            return EXIT_FAILURE
        process.allow_descriptors()
        self._keep_secrets()
        # A reload that is asked for meanwhile is done after the start; a stop ends it at once.
        waker = self._catch_signals()
        try:
            loading = self._load()  # in a child, while this process makes itself ready
        except OSError as error:
            self._log.error(f"no process to read the configuration: {error.strerror}")
            return EXIT_FAILURE
        if options.namespace:
            try:
                namespace.enter(options.namespace)
            except KernelError:
                loading.abandon()
                raise
        agent: Optional[Agent] = None
        if options.runtime_dir:
            try:
                agent = self._make_agent()
            except KernelError:
                loading.abandon()
                raise
        config = self._accept(loading.wait(), "start")
        if config is None:
            if agent is not None:
                agent.close()
            return EXIT_CONFIG
        return self._settle(agent, config, waker)

    def _settle(self, agent: Optional[Agent], config: Config, waker: Signals) -> int:
        """Go where the file says, and let startup_script run; then the agent begins."""
        operations = config.settings.operations
        if not self._runtime_dir and not self._occupy(directory_of(operations.instance)):
            return EXIT_FAILURE
        elsewhere = bool(operations.net_namespace) and not self._options.namespace
        if agent is not None and (elsewhere or operations.startup is not None):
            agent.close()  # its picture of the interfaces is another one, or may change meanwhile
            agent = None
        if elsewhere:
            namespace.enter(operations.net_namespace)
        self._surroundings.set_umask(operations.umask)
        self._surroundings.write_pid_files(self._options.pid_files)
        remove_marker(self._marker(config))  # left by one that was killed
        if operations.startup is not None:
            self._run_script("startup_script", config)
        self._agent = agent = agent if agent is not None else self._make_agent()
        return self._work(agent, config, waker)

    def _work(self, agent: Agent, config: Config, waker: Signals) -> int:
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
            waker.on(number, partial(self._stop, number.name))
        try:
            self._log.notice(f"vrrp-agent {self._options.version} starts with {_count(config)}")
            agent.apply(config)
            self._surroundings.protect(config.settings)
            self._timed_reload.apply(config.settings.operations.reload)
            systemd.ready(_count(config))
            self._loop.run()
            systemd.stopping()
            self._end(agent)
        except KernelError as error:
            agent.close()
            return self._cannot_start(error)
        finally:
            control.close()
            waker.close()
            self._loop.close()
        return EXIT_OK

    def _end(self, agent: Agent) -> None:
        self._stopping = True
        self._drop_loading()  # the loop turns on while processes beside the agent end
        operations = agent.config.settings.operations
        systemd.allow(_SIDES * operations.child_wait_ns + _MARGIN_NS)
        self._timed_reload.stop(operations.child_wait_ns)
        agent.stop()
        if operations.shutdown is not None:
            self._run_script("shutdown_script", agent.config)
        self._log.notice("stopped")

    def _run_script(self, word: str, config: Config) -> None:
        from .process.once import run_once  # needed by few

        operations = config.settings.operations
        once = operations.startup if word == "startup_script" else operations.shutdown
        if once is not None:
            run_once(word, once, config.settings.scripts, self._log)

    def _keep_secrets(self) -> None:
        problem = process.leave_no_core()
        if problem:
            self._log.warning(f"a core dump of this process could hold keys: {problem}")

    def _occupy(self, directory: str) -> bool:
        try:
            self._lock = occupy(directory)
        except RuntimeDirError as error:
            self._log.error(f"{error}; {error.hint}")
            return False
        self._runtime_dir = directory
        return True

    @property
    def _socket_path(self) -> str:
        return os.path.join(self._runtime_dir, SOCKET_NAME)

    def _make_agent(self) -> Agent:
        options = self._options
        paths = (self._runtime_dir, options.version, options.config)
        return Agent(self._loop, self._log, *paths, host=this_host())

    def _cannot_start(self, error: KernelError, status: int = EXIT_FAILURE) -> int:
        self._log.error(f"{error}; {error.hint}" if error.hint else str(error))
        return EXIT_PERMISSION if isinstance(error, MissingPrivilege) else status

    # Signals.

    def _catch_signals(self) -> Signals:
        """keepalived's signals. Those for dumps mean nothing before there is an agent."""
        dumper = self._dumper
        waker = Signals(self._loop, (signal.SIGPIPE,))
        waker.on(signals.RELOAD, self._reload)
        waker.on(signals.DATA, dumper.state)
        waker.on(signals.STATS, dumper.stats)
        waker.on(signals.STATS_CLEAR, lambda: dumper.stats(clear=True))
        waker.on(signals.JSON, dumper.json)
        waker.on(signals.THREADS, self._tell_timers)
        waker.on(signal.SIGXCPU, self._surroundings.too_long_in_realtime, process.leave_realtime)
        return waker

    def _stop(self, name: str) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._log.notice(f"stopping on {name}")
        self._loop.stop()

    def _scene(self) -> Scene:
        return self._agent.scene() if self._agent is not None else EMPTY

    def _tell_timers(self) -> None:
        """keepalived's TDUMP: what this process waits for."""
        self._log.info(f"waits for {self._loop.describe()}")

    # Configuration.

    def _load(self) -> Loading:
        options = self._options
        sys.stdout.flush()
        marker = self._marker(self._agent.config) if self._agent is not None else None
        return Loading(options.config, options.config_id, options.lenient, marker, self._saver.reloads)

    def _marker(self, config: Config) -> Optional[str]:
        """The path of reload_file; None when it is not given."""
        marker = config.settings.operations.reload.marker
        return os.path.join(self._runtime_dir, MARKER_NAME) if marker == "" else marker

    def _reload(self) -> None:
        """Read the file again in a child; elections go on meanwhile."""
        if self._stopping:
            self._log.info("no reload: the agent is stopping")
            return
        if self._loading is not None:
            self._reload_again = True
            return
        systemd.reloading()
        self._log.notice(f"reloading {self._options.config}")
        self._saver.before(self._save_dir)
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
        self._drop_loading()
        seconds = LONGEST_LOADING_NS // 1_000_000_000
        self._log.error(f"reload: not read in {seconds} s, given up; the old configuration goes on")
        self._reload_is_over()

    def _drop_loading(self) -> None:
        """Whatever the child finds out is not wanted any more."""
        self._patience.cancel()
        loading, self._loading = self._loading, None
        if loading is not None:
            self._loop.remove_reader(loading.fileno())
            loading.abandon()

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
        if loading is None or agent is None or self._stopping:
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
        fixed = unchangeable(agent.config, config)
        if fixed:
            self._log.error(f"reload: {fixed}; the old configuration goes on")
            return
        try:
            agent.check_interfaces(config)
            agent.apply(config)
        except KernelError as error:
            hint = f"; {error.hint}" if error.hint else ""
            self._log.error(f"reload: {error}{hint}; the old configuration goes on")
            return
        self._surroundings.apply(config.settings)
        self._timed_reload.apply(config.settings.operations.reload)
        self._saver.after(self._save_dir)
        self._log.notice(f"reloaded: {_count(config)}")
        self._loop.add_job(_collect_garbage)

    @property
    def _save_dir(self) -> str:
        return self._scene().config.settings.operations.dumps.config_save_dir

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
            return None
        return with_umask(outcome.config, self._options.umask)


def with_umask(config: Config, umask: Optional[int]) -> Config:
    """The configuration with the umask of the command line, if there is one."""
    if umask is None:
        return config
    settings = config.settings
    operations = replace(settings.operations, umask=umask)
    scripts = replace(settings.scripts, umask=umask)
    return replace(config, settings=replace(settings, operations=operations, scripts=scripts))


def unchangeable(old: Config, new: Config) -> str:
    """What a reload cannot change and the new configuration does, as in keepalived; empty when nothing."""
    pairs = zip(old.settings.operations.fixed, new.settings.operations.fixed)
    words = [word for (word, before), (_word, after) in pairs if before != after]
    return f"{' and '.join(words)} cannot change without a restart of the agent" if words else ""


def _collect_garbage() -> bool:
    """What a reload left behind; all that was there at the start is frozen and not looked at."""
    gc.collect()
    return False


def _count(config: Config) -> str:
    number = len(config.instances)
    return f"{number} virtual router{'' if number == 1 else 's'}"
