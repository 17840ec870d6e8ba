# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is watched, and how much it counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Tuple

SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Tracked:
    """One line of track_interface, track_script, track_file or track_process: who is watched, and its weight.

    Weight 0 means FAULT while the watched thing is bad, with ``reverse`` while it is good. A positive weight
    counts while it is good, a negative one while it is bad: it is added, and with ``reverse`` subtracted.
    A file's number is multiplied by it.
    """

    name: str
    weight: int = 0
    """The line's weight, or else the one of the block that defines ``name``."""
    reverse: bool = False
    group: str = ""
    """The sync group whose line it is; empty for a line of the instance itself."""


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and the account that runs it."""

    argv: Tuple[str, ...]
    user: str = ""
    """Name or number; empty is the default account (script_user)."""
    group: str = ""
    """Empty is the user's own group."""


@dataclass(frozen=True)
class Account:
    """script_user. Empty: the user keepalived_script where it exists, else root."""

    user: str = ""
    group: str = ""


@dataclass(frozen=True)
class ScriptPolicy:
    """How scripts of any kind are run."""

    account: Account = field(default_factory=Account)
    security: bool = False
    """enable_script_security: what others than root may change is not run as root."""
    follow_links: bool = True
    """False is use_symlink_paths: links in the path are not resolved."""
    supplementary_groups: bool = False
    umask: Optional[int] = None


@dataclass(frozen=True)
class Script:
    """One vrrp_script."""

    name: str
    command: Command
    interval_ns: int = SECOND_NS
    timeout_ns: int = 0
    """0: as long as the interval."""
    rise: int = 1
    fall: int = 1
    init_fail: bool = False


@dataclass(frozen=True)
class WatchedFile:
    """One track_file: a file that holds a number."""

    name: str
    path: str
    initial: Optional[int] = None
    """init_file: the number to write when the agent starts."""
    overwrite: bool = False
    """init_file overwrite: even when the file exists."""


@dataclass(frozen=True)
class WatchedProcess:
    """One vrrp_track_process: how many processes of a name there must be."""

    name: str
    process: str
    parameters: Tuple[str, ...] = ()
    match: str = "exact"
    """param_match: exact, partial or initial; "" when parameters do not matter."""
    quorum: int = 1
    quorum_max: Optional[int] = None
    start_delay_ns: int = 0
    """fork_delay: how long a new process must live before it counts."""
    end_delay_ns: int = 0
    """terminate_delay: how long a missing process is forgiven."""
    full_command: bool = False


@dataclass(frozen=True)
class LinkDelay:
    """One line of interface_up_down_delays: a change must last so long before it counts."""

    interface: str
    down_ns: int
    up_ns: int = 0


@dataclass(frozen=True)
class ProcessEvents:
    """The socket that reports processes."""

    buffer_bytes: int = 0
    """process_monitor_rcv_bufs; 0 leaves the choice to the agent."""
    force: bool = False
    """process_monitor_rcv_bufs_force: past the system's limit."""


@dataclass(frozen=True)
class Linkbeat:
    """One interface whose link is asked for, because its driver does not report it."""

    interface: str
    method: str = ""
    """MII, ETHTOOL or IOCTL; empty takes the first that the driver knows."""
