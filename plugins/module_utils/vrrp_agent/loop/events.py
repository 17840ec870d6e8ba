# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What others are told of: scripts, pipes, mails and traps all speak of these events."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

INSTANCE, GROUP = "INSTANCE", "GROUP"
SERVICE, SERVER = "VS", "RS"
"""Virtual and real servers, in the words of keepalived's pipes."""

MASTER, BACKUP, FAULT, STOP, DELETED = "MASTER", "BACKUP", "FAULT", "STOP", "DELETED"
LOWER_PRIORITY = "MASTER_RX_LOWER_PRI"
MASTER_PRIORITY, BACKUP_PRIORITY = "MASTER_PRIORITY", "BACKUP_PRIORITY"
UP, DOWN = "UP", "DOWN"
"""Of a virtual server: it has its quorum, or not. Of a real server: it is used, or not."""
CHECKED = "CHECKED"
"""A check of a real server has another result and the server is as it was: UP or DOWN, in ``previous``.

For mails only, and not with no_checker_emails.
"""


class Details(NamedTuple):
    """What there is more to say of a VS or RS."""

    family: int
    """4 or 6, of the virtual server: one mark may be a service of each."""
    text: str = ""
    """What keepalived's mail says, without its arrows (balance/words.py)."""
    servers_up: int = 0
    """How many servers of the virtual server are up now."""
    stopping: bool = False
    """The agent ends, and the service with it."""
    quiet: bool = False
    """For SNMP only: keepalived at its end, of a service without ``omega``."""


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
    details: Optional[Details] = None
    """Of VS and RS."""

    @property
    def subject(self) -> Tuple[str, str, int]:
        """Whom it is about: kind, name, and the family of a virtual or real server, otherwise 0."""
        return (self.kind, self.name, 0 if self.details is None else self.details.family)
