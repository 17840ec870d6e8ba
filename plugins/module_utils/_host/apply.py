# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One host, from what it is to what it should be, or back to what it was. Private to the collection."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Sequence

from ..vrrp_agent.conf.model import Config
from . import director, files, health, keepalived, leftovers, release, status, systemd, unit
from .engines import AGENT, CONFIG_MODE, CONFIG_PATH, KEEPALIVED, UNITS
from .host import Host, HostError
from .steps import PRESENT, Found, Step, Wanted, decide, release_of_command, units_by_engine


@dataclass(frozen=True)
class Order:
    """What the caller asks for, beside what the host should be like."""

    wanted: Wanted
    artifact: str = ""
    """File on the host that holds the agent's artefact; empty when the release should be there already."""
    backup: bool = False
    config: Config = field(default_factory=Config)
    """What must be well afterwards."""
    health_timeout_s: float = 30.0


@dataclass
class Work:
    """The doing of an order: what was found, what is done so far, what came of it."""

    host: Host
    order: Order
    found: Found
    faults_before: Dict[str, str] = field(default_factory=dict)
    done: List[Step] = field(default_factory=list)
    backup_file: str = ""
    status: Optional[status.Status] = None
    warnings: List[str] = field(default_factory=list)


def survey(host: Host) -> Found:
    """Look at the host, and change nothing. Raises HostError."""
    units = units_by_engine(systemd.show(host, list(UNITS.values())))
    agent = units.get(AGENT)
    command = files.read_text(host, f"/proc/{agent.main_pid}/cmdline") if agent and agent.main_pid else ""
    fits = files.mode_of(host, CONFIG_PATH) == CONFIG_MODE and files.owned_by_us(host, CONFIG_PATH)
    return Found(
        config_text=files.read_text(host, CONFIG_PATH),
        config_fits=fits,
        agent=release.installed(host),
        running_release=release_of_command(command or ""),
        unit_text=files.read_text(host, unit.PATH),
        units=units,
        runtime_directory=os.path.isdir(host.path(unit.RUNTIME_DIRECTORY)),
        director=director.survey(host),
        tables=leftovers.tables(host),
    )


def perform(host: Host, order: Order, found: Found) -> Work:
    """Do what is needed, wait until the host is well, and say what was done.

    When a step fails, or the host is not well in time, the former configuration and release come back.
    Raises HostError either way.
    """
    work = Work(host, order, found)
    steps = decide(found, order.wanted)
    if not steps:
        return work
    if found.unit(AGENT).running:
        work.faults_before = status.faults(status.agent_status(host))
    try:
        for step in steps:
            work.done.append(step)
            DOING[step](work)
        if order.wanted.state == PRESENT:
            work.status = health.wait(
                host, order.wanted.engine, order.config, work.faults_before, order.health_timeout_s
            )
            work.warnings.extend(health.doubts(work.status))
    except HostError as error:
        back = undo(work)
        raise HostError(
            "{}. {}".format(str(error).rstrip("."), back), **dict(error.evidence, steps=values(work.done))
        ) from error
    release.prune(host)
    return work


def values(steps: Sequence[Step]) -> List[str]:
    """The steps as a module reports them."""
    return [step.value for step in steps]


def undo(work: Work) -> str:
    """After a failure: the file, the release and the engine of before. Says in a sentence how that went."""
    host, found, done = work.host, work.found, work.done
    ran_before = [engine for engine in (AGENT, KEEPALIVED) if found.unit(engine).running]
    if work.order.wanted.state != PRESENT or not ran_before:
        return (
            "Nothing ran here before, so what was done stays for you to look at"
            if done
            else "Nothing was changed"
        )
    engine = ran_before[0]
    try:
        if Step.WRITE_CONFIG in done and found.config_text is not None:
            files.write_text(host, CONFIG_PATH, found.config_text, CONFIG_MODE)
        for step, path, text in (
            (Step.LOAD_MODULES, director.MODULES_PATH, found.director.files.modules),
            (Step.TURN_FORWARDING_ON, director.SYSCTL_PATH, found.director.files.sysctls),
        ):
            if step in done:
                director.put(host, path, text)
        if Step.WRITE_UNIT in done and found.unit_text is not None:
            files.write_text(host, unit.PATH, found.unit_text, 0o644)
            systemd.tell(host, "daemon-reload")
        if Step.SWITCH_RELEASE in done and found.agent.current:
            release.switch(host, found.agent.current)
        if engine != work.order.wanted.engine:
            if Step.STOP_AGENT in done or Step.STOP_KEEPALIVED in done:
                systemd.tell(host, "disable", "--now", UNITS[work.order.wanted.engine])
                systemd.tell(host, "enable", "--now", UNITS[engine])
        elif Step.RESTART in done:
            systemd.tell(host, "restart", UNITS[engine])
        elif Step.RELOAD in done:
            systemd.tell(host, "reload", UNITS[engine])
    except HostError as error:
        return f"Going back to what ran before failed too: {error}"
    return "What ran before is back"


def _install_package(work: Work) -> None:
    keepalived.install(work.host)
    keepalived.ask(work.host, work.order.wanted.config_text, CONFIG_PATH, work.warnings)


def _install_release(work: Work) -> None:
    if not work.order.artifact:
        raise HostError(f"release {work.order.wanted.release} is not on the host, and no artefact was given")
    release.unpack(work.host, work.order.artifact, work.order.wanted.release)


def _write_unit(work: Work) -> None:
    files.write_text(work.host, unit.PATH, work.order.wanted.unit_text, 0o644)
    systemd.tell(work.host, "daemon-reload")


def _write_config(work: Work) -> None:
    if work.order.backup and work.found.config_text is not None:
        work.backup_file = files.keep_backup(work.host, CONFIG_PATH)
    files.write_text(work.host, CONFIG_PATH, work.order.wanted.config_text, CONFIG_MODE)


def _load_modules(work: Work) -> None:
    text = work.order.wanted.director.modules or ""
    director.put(work.host, director.MODULES_PATH, text)
    warning = director.load(work.host, text)
    if warning:
        work.warnings.append(warning)


def _turn_forwarding_on(work: Work) -> None:
    wanted = work.order.wanted
    director.turn_on(work.host, tuple(key for key in wanted.forward if key in work.found.director.off))
    director.put(work.host, director.SYSCTL_PATH, wanted.director.sysctls)


def _remove_unit(work: Work) -> None:
    files.remove(work.host, unit.PATH)
    systemd.tell(work.host, "daemon-reload")


def _remove_config(work: Work) -> None:
    if work.order.backup:
        work.backup_file = files.keep_backup(work.host, CONFIG_PATH)
    files.remove(work.host, CONFIG_PATH)


def _remove_releases(work: Work) -> None:
    release.remove(work.host)


def _remove_runtime(work: Work) -> None:
    files.remove(work.host, unit.RUNTIME_DIRECTORY)


def _tell(*words: str) -> Callable[[Work], None]:
    def say(work: Work) -> None:
        systemd.tell(work.host, *words, UNITS[work.order.wanted.engine])

    return say


DOING: Dict[Step, Callable[[Work], None]] = {
    Step.INSTALL_PACKAGE: _install_package,
    Step.INSTALL_RELEASE: _install_release,
    Step.WRITE_UNIT: _write_unit,
    Step.LOAD_MODULES: _load_modules,
    Step.TURN_FORWARDING_ON: _turn_forwarding_on,
    Step.WRITE_CONFIG: _write_config,
    Step.SWITCH_RELEASE: lambda work: release.switch(work.host, work.order.wanted.release),
    Step.STOP_AGENT: lambda work: systemd.tell(work.host, "disable", "--now", UNITS[AGENT]),
    Step.STOP_KEEPALIVED: lambda work: systemd.tell(work.host, "disable", "--now", UNITS[KEEPALIVED]),
    Step.REMOVE_TABLES: lambda work: leftovers.remove(work.host, work.found.tables),
    Step.ENABLE: _tell("enable"),
    Step.START: _tell("start"),
    Step.RESTART: _tell("restart"),
    Step.RELOAD: _tell("reload"),
    Step.REMOVE_MODULES: lambda work: director.put(work.host, director.MODULES_PATH, None),
    Step.REMOVE_FORWARDING: lambda work: director.put(work.host, director.SYSCTL_PATH, None),
    Step.REMOVE_UNIT: _remove_unit,
    Step.REMOVE_RELEASES: _remove_releases,
    Step.REMOVE_CONFIG: _remove_config,
    Step.REMOVE_RUNTIME: _remove_runtime,
}
