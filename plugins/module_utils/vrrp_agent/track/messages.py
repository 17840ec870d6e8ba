# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the agent and the process that watches things say to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Mapping, NamedTuple, Optional, Tuple

from ..conf.model import Linkbeat, ProcessEvents, Script, ScriptPolicy, WatchedFile, WatchedProcess

SCRIPT, FILE, PROCESS, LINK = "script", "file", "process", "link"

Key = Tuple[str, str]
"""Kind and name of something that is watched."""


class Reading(NamedTuple):
    """What is known of something that is watched: enough to go on with in another process."""

    kind: str
    name: str
    good: Optional[bool] = None
    """None while it is not known yet. A file is neither good nor bad: its number counts."""
    value: int = 0
    """Of a script its counter of good and bad runs, of a file its number, of processes how many there are."""
    why: str = ""
    """What was seen last, for a person: ``exit 1``, ``holds 5``, ``3 running``."""
    disabled: str = ""
    """Why it is not watched at all; then nothing depends on it."""

    @property
    def key(self) -> Key:
        """Kind and name."""
        return self.kind, self.name

    @property
    def known(self) -> bool:
        """True when it has a state, or will never have one."""
        return self.good is not None or bool(self.disabled)


class Run(NamedTuple):
    """How a script has run lately, for ``status``."""

    name: str
    took_ns: int
    result: str
    wall_time_s: float
    runs: int
    failures: int
    skipped: int
    """Turns at which the run before had not ended."""


@dataclass(frozen=True)
class Orders:
    """All that is to be watched from now on."""

    policy: ScriptPolicy
    scripts: Tuple[Script, ...] = ()
    files: Tuple[WatchedFile, ...] = ()
    processes: Tuple[WatchedProcess, ...] = ()
    links: Tuple[Linkbeat, ...] = ()
    events: ProcessEvents = field(default_factory=ProcessEvents)
    first: bool = False
    """The agent has just started: files that want an initial number get it."""
    path: str = ""
    """Where the readings are kept for an agent that follows a killed one; empty to keep none."""
    boot: str = ""
    """This boot of the host."""
    known: Mapping[Key, Reading] = field(default_factory=dict)
    """What a process that watched before has found out."""

    def identities(self) -> Dict[Key, str]:
        """What makes each thing another one, although its name is the same."""
        found = {(SCRIPT, one.name): repr(one.command) for one in self.scripts}
        found.update({(FILE, one.name): one.path for one in self.files})
        found.update({(PROCESS, one.name): repr(one) for one in self.processes})
        found.update({(LINK, one.interface): one.method for one in self.links})
        return found
