# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What others are told of: scripts, pipes, mails and traps all speak of these events."""

from __future__ import annotations

from typing import NamedTuple

INSTANCE, GROUP = "INSTANCE", "GROUP"
SERVICE, SERVER = "VS", "RS"
"""Virtual and real servers, in the words of keepalived's pipes."""

MASTER, BACKUP, FAULT, STOP, DELETED = "MASTER", "BACKUP", "FAULT", "STOP", "DELETED"
LOWER_PRIORITY = "MASTER_RX_LOWER_PRI"
MASTER_PRIORITY, BACKUP_PRIORITY = "MASTER_PRIORITY", "BACKUP_PRIORITY"
UP, DOWN = "UP", "DOWN"
"""Of a virtual server: it has its quorum, or not. Of a real server: it is used, or not."""


class Happening(NamedTuple):
    """One event, in the words that keepalived's scripts and pipes use."""

    kind: str
    """INSTANCE, GROUP, VS or RS."""
    name: str
    """Of an RS: its own name, a blank, and that of its VS, as in a pipe's line."""
    event: str
    """One of the words above."""
    priority: int
    """The effective priority; 0 for a group."""
    previous: str = ""
    """The state before, for a change of state."""
    reason: str = ""
    """Why, for a person."""
    wall_time_s: float = 0.0
