# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to be done on a host: decided from what is found and what is wanted, without touching anything.

Private to the collection. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from .director import FoundSettings, Settings
from .engines import AGENT, KEEPALIVED, UNITS
from .release import Installed
from .systemd import Unit

PRESENT = "present"
ABSENT = "absent"


class Step(str, Enum):
    """One thing to do. The values are what a module reports, in the order in which they were done."""

    INSTALL_PACKAGE = "install keepalived"
    INSTALL_RELEASE = "install the agent"
    WRITE_UNIT = "write the systemd unit"
    LOAD_MODULES = "load the modules of virtual servers"
    TURN_FORWARDING_ON = "turn forwarding on"
    WRITE_CONFIG = "write keepalived.conf"
    SWITCH_RELEASE = "switch to the new agent"
    STOP_AGENT = "stop the agent"
    STOP_KEEPALIVED = "stop keepalived"
    REMOVE_TABLES = "remove what the agent left in nftables"
    ENABLE = "start with the host"
    START = "start"
    RESTART = "restart"
    RELOAD = "reload"
    REMOVE_MODULES = "load no modules of virtual servers with the host"
    REMOVE_FORWARDING = "turn forwarding on with the host no more"
    REMOVE_UNIT = "remove the systemd unit"
    REMOVE_RELEASES = "remove the agent"
    REMOVE_CONFIG = "remove keepalived.conf"
    REMOVE_RUNTIME = "remove the runtime directory"


@dataclass(frozen=True)
class Wanted:
    """What the host should be like."""

    state: str = PRESENT
    engine: str = AGENT
    config_text: str = ""
    release: str = ""
    """Name of the agent's release; not used with keepalived."""
    unit_text: str = ""
    entry_text: str = ""
    director: Settings = field(default_factory=Settings)
    """The files that virtual servers need."""
    forward: Tuple[str, ...] = ()
    """The sysctls that they need to be on."""


@dataclass(frozen=True)
class Found:
    """What the host is like."""

    config_text: Optional[str] = None
    config_fits: bool = True
    """Owner and mode of the file are right."""
    agent: Installed = field(default_factory=Installed)
    running_release: str = ""
    """The release that the running agent was started from."""
    unit_text: Optional[str] = None
    units: Mapping[str, Unit] = field(default_factory=dict)
    runtime_directory: bool = False
    director: FoundSettings = field(default_factory=FoundSettings)
    tables: Tuple[str, ...] = ()
    """The families in which nftables has a table of the agent, be it alive or not."""

    def unit(self, engine: str) -> Unit:
        """The systemd unit of an engine."""
        return self.units.get(engine, Unit(UNITS[engine]))


def decide(found: Found, wanted: Wanted) -> Tuple[Step, ...]:
    """The steps from here to there. Nothing at all when the host is as it should be."""
    if wanted.state == ABSENT:
        return _removal(found)
    return (
        *_preparation(found, wanted),
        *_handing_over(found, wanted),
        *_service(found, wanted),
        *_director_no_more(found, wanted.director),
    )


def _preparation(found: Found, wanted: Wanted) -> List[Step]:
    """Everything that can be done while the present engine goes on working."""
    steps = []
    if wanted.engine == KEEPALIVED and not found.unit(KEEPALIVED).exists:
        steps.append(Step.INSTALL_PACKAGE)
    if wanted.engine == AGENT and wanted.release not in found.agent.releases:
        steps.append(Step.INSTALL_RELEASE)
    if wanted.engine == AGENT and found.unit_text != wanted.unit_text:
        steps.append(Step.WRITE_UNIT)
    want, have = wanted.director, found.director
    if want.modules is not None and want.modules != have.files.modules:
        steps.append(Step.LOAD_MODULES)
    if want.sysctls is not None and (
        want.sysctls != have.files.sysctls or set(wanted.forward) & set(have.off)
    ):
        steps.append(Step.TURN_FORWARDING_ON)
    if found.config_text != wanted.config_text or not found.config_fits:
        steps.append(Step.WRITE_CONFIG)
    if wanted.engine == AGENT and (
        found.agent.current != wanted.release or found.agent.entry != wanted.entry_text
    ):
        steps.append(Step.SWITCH_RELEASE)
    return steps


def _handing_over(found: Found, wanted: Wanted) -> List[Step]:
    """The other engine ends only when all is ready for this one, and before this one starts.

    The agent takes over what another one left in nftables; keepalived would be in its way.
    """
    other, stop = (KEEPALIVED, Step.STOP_KEEPALIVED) if wanted.engine == AGENT else (AGENT, Step.STOP_AGENT)
    steps = [stop] if found.unit(other).running or found.unit(other).enabled else []
    if found.tables and wanted.engine == KEEPALIVED:
        steps.append(Step.REMOVE_TABLES)
    return steps


def _service(found: Found, wanted: Wanted) -> List[Step]:
    """Reload where only the configuration changed; restart only for a new program or a new unit."""
    mine = found.unit(wanted.engine)
    steps = [] if mine.enabled else [Step.ENABLE]
    if not mine.running:
        return [*steps, Step.START]
    if wanted.engine == AGENT and (
        found.running_release != wanted.release or found.unit_text != wanted.unit_text
    ):
        return [*steps, Step.RESTART]
    if found.config_text != wanted.config_text:
        steps.append(Step.RELOAD)
    return steps


def _director_no_more(found: Found, wanted: Settings) -> List[Step]:
    """The files go when nothing needs them; what the kernel does now stays, as others may need it."""
    have = found.director.files
    asked = (
        (have.modules is not None and wanted.modules is None, Step.REMOVE_MODULES),
        (have.sysctls is not None and wanted.sysctls is None, Step.REMOVE_FORWARDING),
    )
    return [step for needed, step in asked if needed]


def _removal(found: Found) -> Tuple[Step, ...]:
    agent, keepalived = found.unit(AGENT), found.unit(KEEPALIVED)
    asked: Sequence[Tuple[bool, Step]] = (
        (agent.running or agent.enabled, Step.STOP_AGENT),
        (keepalived.running or keepalived.enabled, Step.STOP_KEEPALIVED),
        (bool(found.tables), Step.REMOVE_TABLES),
        (found.unit_text is not None, Step.REMOVE_UNIT),
        (bool(found.agent.releases or found.agent.entry), Step.REMOVE_RELEASES),
        (found.config_text is not None, Step.REMOVE_CONFIG),
        (found.runtime_directory, Step.REMOVE_RUNTIME),
    )
    return (*(step for needed, step in asked if needed), *_director_no_more(found, Settings()))


def release_of_command(command_line: str) -> str:
    """The release that a process with this NUL-separated command line runs; empty when it is none."""
    for word in command_line.split("\0"):
        head, _slash, name = word.rpartition("/releases/")
        if head.endswith("/vrrp-agent"):
            return name.split("/", 1)[0]
    return ""


def units_by_engine(units: Mapping[str, Unit]) -> Dict[str, Unit]:
    """systemd's answer, by engine."""
    return {engine: units[name] for engine, name in UNITS.items() if name in units}
