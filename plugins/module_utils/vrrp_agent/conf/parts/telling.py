# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is told of changes: scripts, pipes, mail, SNMP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Tuple

from .tracking import Command

SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Notify:
    """The notify words of one instance, sync group, virtual server or real server."""

    active: Optional[Command] = None
    """notify_master."""
    backup: Optional[Command] = None
    fault: Optional[Command] = None
    stop: Optional[Command] = None
    deleted: Optional[Command] = None
    lower_priority: Optional[Command] = None
    """notify_master_rx_lower_pri."""
    every: Optional[Command] = None
    """notify: run on every change, with keepalived's four arguments."""
    up: Optional[Command] = None
    """quorum_up of a virtual server, notify_up of a real server."""
    down: Optional[Command] = None
    report_deleted: bool = False
    """notify_deleted stands in the instance: its removal is DELETED, not FAULT."""
    priority_changes: bool = False
    """notify_priority_changes, the instance's own or the global one."""
    mail: bool = False
    """smtp_alert, with the global defaults applied."""

    @property
    def commands(self) -> Tuple[Command, ...]:
        """Every command that may have to be run."""
        states = (self.active, self.backup, self.fault, self.stop, self.deleted)
        found = (*states, self.lower_priority, self.every, self.up, self.down)
        return tuple(command for command in found if command is not None)


@dataclass(frozen=True)
class Fifo:
    """A named pipe that receives events, and the program that reads it."""

    path: str
    user: str = ""
    group: str = ""
    script: Optional[Command] = None


@dataclass(frozen=True)
class Mail:
    """Where alerts go and by which way."""

    recipients: Tuple[str, ...] = ()
    sender: str = ""
    """Empty: the agent's user at the host's name, as in keepalived."""
    server: str = ""
    port: int = 25
    helo: str = ""
    """Empty: the host's name."""
    timeout_ns: int = 30 * SECOND_NS
    faults: bool = True
    """False is no_email_faults."""
    starttls: bool = False
    """Ours: agent_smtp_starttls."""
    ca_file: str = ""
    """Ours: agent_smtp_ca_file."""
    user: str = ""
    """Ours: agent_smtp_user."""
    password: str = field(default="", repr=False)
    """Ours: agent_smtp_password."""
    password_file: str = ""
    """Ours: agent_smtp_password_file; also ``credential:NAME``."""

    @property
    def complete(self) -> bool:
        """True when there is a relay and somebody to write to; without them nothing is sent."""
        return bool(self.server and self.recipients)


@dataclass(frozen=True)
class Telling:
    """What global_defs says about telling others."""

    fifo: Optional[Fifo] = None
    """notify_fifo."""
    vrrp_fifo: Optional[Fifo] = None
    """vrrp_notify_fifo."""
    repeat_on_reload: bool = False
    """fifo_write_vrrp_states_on_reload."""
    script_limit_ns: int = 60 * SECOND_NS
    """Ours: agent_notify_timeout, how long one notify script may run."""
    mail: Mail = field(default_factory=Mail)


@dataclass(frozen=True)
class Snmp:
    """What SNMP is told."""

    keepalived: bool = False
    """enable_snmp_vrrp."""
    rfc2787: bool = False
    """enable_snmp_rfcv2 or enable_snmp_rfc."""
    rfc6527: bool = False
    """enable_snmp_rfcv3 or enable_snmp_rfc."""
    traps: bool = False
    socket: str = ""
    """snmp_socket; empty is unix:/var/agentx/master."""
    smtp_alert: Optional[bool] = None
    """As global_defs has it, for the global branch; None where it says nothing."""
    smtp_alert_vrrp: Optional[bool] = None
    smtp_alert_checker: Optional[bool] = None
    checksum_as_v2: bool = False
    """v3_checksum_as_v2 of global_defs."""
    weights: Tuple[Tuple[str, str, int, bool], ...] = ()
    """The weights that blocks of trackers name: kind of line that uses them, name, weight, reverse."""
