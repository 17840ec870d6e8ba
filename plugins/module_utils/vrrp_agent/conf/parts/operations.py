# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the agent runs as a process: names, limits, scripts around it, files that it writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Tuple

from .tracking import SECOND_NS, Command


@dataclass(frozen=True)
class OnceCommand:
    """startup_script or shutdown_script: a program that runs once."""

    command: Command
    timeout_ns: int = 10 * SECOND_NS


@dataclass(frozen=True)
class Promptness:
    """max_auto_priority: raise the real-time priority when the process runs late."""

    most: int = 0
    """The highest priority to go to; 0 is never."""
    late_ns: int = SECOND_NS
    """min_auto_priority_delay: how late counts."""


@dataclass(frozen=True)
class Dumps:
    """Where SIGUSR1, SIGUSR2 and the JSON signal write to, and in which shape."""

    json_version: int = 1
    use_instance: bool = False
    """data_use_instance: the names of namespace and instance are part of the file names."""
    state_file: str = ""
    """A path, a directory with a / at its end, or a name in the directory for temporary files; empty is
    keepalived.data there."""
    stats_file: str = ""
    json_file: str = ""
    config_save_dir: str = ""
    """Keeps the state before and after each reload, and what was read."""


@dataclass(frozen=True)
class ReloadFiles:
    """Files that have to do with reloads."""

    time_file: str = ""
    """reload_time_file: holds the time of a reload."""
    repeat: bool = False
    """reload_repeat: a time without a date stays for every day."""
    marker: Optional[str] = None
    """reload_file: exists while the configuration is read; "" is ``reload`` in the runtime directory."""


@dataclass(frozen=True)
class Operations:
    """The process, its surroundings and its files."""

    process_name: str = ""
    """Empty leaves the usual name."""
    umask: Optional[int] = None
    net_namespace: str = ""
    instance: str = ""
    """The word ``instance``: tells several agents of one host apart."""
    realtime_limit_us: Optional[int] = None
    """vrrp_rlimit_rttime; None is no limit."""
    promptness: Promptness = field(default_factory=Promptness)
    startup: Optional[OnceCommand] = None
    shutdown: Optional[OnceCommand] = None
    child_wait_ns: int = 5 * SECOND_NS
    """child_wait_time: how long the processes beside the agent may take to end."""
    dumps: Dumps = field(default_factory=Dumps)
    reload: ReloadFiles = field(default_factory=ReloadFiles)

    @property
    def fixed(self) -> Tuple[Tuple[str, str], ...]:
        """What only a new start can change: the words and their values."""
        return (("net_namespace", self.net_namespace), ("instance", self.instance))
