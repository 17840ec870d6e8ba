# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Virtual servers: what clients speak to, the real servers behind it, and how packets get there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Tuple

from .checks import Check, TlsFiles
from .telling import Fifo
from .tracking import Command

SECOND_NS = 1_000_000_000
TCP, UDP, SCTP = 6, 17, 132
"""Protocols, by their numbers of IP; 0 where a firewall mark says all."""
PROTOCOL_WORDS = {TCP: "tcp", UDP: "udp", SCTP: "sctp"}
NAT, DIRECT, TUNNEL = "NAT", "DR", "TUN"
"""lvs_method, in keepalived's words."""
IPIP, GUE, GRE = "ipip", "gue", "gre"


@dataclass(frozen=True)
class Forwarding:
    """lvs_method: how packets get to a real server."""

    method: str = NAT
    tunnel: str = IPIP
    """TUN only."""
    tunnel_port: int = 0
    """gue only."""
    checksum: str = "nocsum"
    """nocsum, csum or remcsum: of gue and gre."""


@dataclass(frozen=True)
class Member:
    """What clients speak to: addresses with a port, or a firewall mark."""

    family: int
    """4 or 6."""
    first: bytes = b""
    """Packed address; empty with a firewall mark."""
    count: int = 1
    """So many addresses that follow each other."""
    port: int = 0
    """0: every port."""
    fwmark: int = 0


@dataclass(frozen=True)
class Persistence:
    """How long a client stays with its server, and who counts as one client."""

    timeout_s: int
    prefix_length: int
    """persistence_granularity: 32 or 128 when every address is a client of its own."""
    engine: str = ""
    """persistence_engine: ``sip``."""


@dataclass(frozen=True)
class RealServer:
    """One real_server, with everything that it takes from its virtual_server."""

    address: bytes
    port: int
    """0: the port that the client asked for."""
    name: str
    """As keepalived names it in logs and pipes: ``[198.18.0.1]:tcp:80``."""
    weight: int = 1
    forwarding: Forwarding = field(default_factory=Forwarding)
    upper_threshold: int = 0
    lower_threshold: int = 0
    inhibit: bool = False
    """inhibit_on_failure: weight 0 in place of removal."""
    alpha: bool = False
    """Begins as down; each check has its own ``alpha`` too."""
    checks: Tuple[Check, ...] = ()
    notify_up: Optional[Command] = None
    notify_down: Optional[Command] = None
    mail: bool = True
    """smtp_alert, with the global defaults applied."""
    snmp_name: str = ""

    @property
    def family(self) -> int:
        """4 or 6; a tunnel may lead to another family than that of the service."""
        return 6 if len(self.address) == 16 else 4

    @property
    def key(self) -> Tuple[bytes, int]:
        """What makes it the same server of its service in a new configuration."""
        return (self.address, self.port)


@dataclass(frozen=True)
class VirtualServer:
    """One virtual_server, with the members of its group."""

    name: str
    """As keepalived names it in logs and pipes: ``[198.51.100.10]:tcp:80``, ``FWM 7``, ``[GROUP]:0``.

    The number behind a group counts its services, from 0.
    """
    family: int
    """That of its members; of a group with both families that of the first one that names one."""
    protocol: int
    """TCP, UDP or SCTP; 0 when all members are firewall marks."""
    members: Tuple[Member, ...]
    group: str = ""
    """virtual_server_group, or empty."""
    scheduler: str = "wlc"
    flags: Tuple[str, ...] = ()
    """Any of ops, flag-1, flag-2, flag-3; sh-port and mh-port are flag-2, -fallback flag-1. Sorted."""
    forwarding: Forwarding = field(default_factory=Forwarding)
    persistence: Optional[Persistence] = None
    ha_suspend: bool = False
    omega: bool = False
    quorum: int = 1
    hysteresis: int = 0
    quorum_up: Optional[Command] = None
    quorum_down: Optional[Command] = None
    sorry_server: Optional[RealServer] = None
    """Its ``inhibit`` is sorry_server_inhibit; it has no checks."""
    servers: Tuple[RealServer, ...] = ()
    mail: bool = False
    """smtp_alert, with the global defaults applied."""
    snmp_name: str = ""

    @property
    def key(self) -> Tuple[str, int]:
        """What it is known by as long as a configuration holds."""
        return (self.name, self.family)

    @property
    def lasting_key(self) -> Tuple[str, int, int]:
        """What makes it the same service in a new configuration.

        The number in the name of one with a group says only how many services of that group are above it.
        """
        return (f"[{self.group}]" if self.group else self.name, self.protocol, self.family)


@dataclass(frozen=True)
class SyncDaemon:
    """lvs_sync_daemon: the kernel's own exchange of connections between directors."""

    interface: str
    instance: str
    """Active there: sends; otherwise receives. Empty: does both."""
    sync_id: int = 0
    max_length: int = 0
    """0 leaves the choice to the kernel, as the port, TTL and group do."""
    port: int = 0
    ttl: int = 0
    group: bytes = b""


@dataclass(frozen=True)
class Timeouts:
    """lvs_timeouts, in seconds; 0 leaves the kernel's."""

    tcp_s: int = 0
    tcp_fin_s: int = 0
    udp_s: int = 0


@dataclass(frozen=True)
class CheckerProcess:
    """What global_defs says about the process that checks."""

    name: str = ""
    priority: Optional[int] = None
    """Nice value."""
    realtime_priority: Optional[int] = None
    no_swap: bool = False
    cpu_affinity: Tuple[int, ...] = ()
    rttime_us: Optional[int] = None


@dataclass(frozen=True)
class Balancing:
    """What global_defs and root words say about virtual servers."""

    backend: str = "auto"
    """Ours, agent_balance_backend: ``ipvs``, ``nftables``, or ``auto``: nftables where there is no ip_vs."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    flush: bool = False
    """lvs_flush: empty the whole IPVS table at the start."""
    flush_on_stop: str = ""
    """lvs_flush_on_stop: empty (own services are removed one by one), ``all`` or ``VS``."""
    sync_daemon: Optional[SyncDaemon] = None
    namespace: Optional[str] = None
    """net_namespace_ipvs; empty is the default namespace, None the agent's own."""
    fwmark_table: str = ""
    """nftables_ipvs: the table that maps the members of a group to one mark; empty when not wanted."""
    fwmark_priority: int = 0
    fwmark_first: int = 1000
    fifo: Optional[Fifo] = None
    """lvs_notify_fifo."""
    init_notifies: bool = False
    """rs_init_notifies: first states are told of as changes are."""
    check_mails: bool = True
    """False is no_checker_emails."""
    log_all_failures: bool = False
    tls: TlsFiles = field(default_factory=TlsFiles)
    process: CheckerProcess = field(default_factory=CheckerProcess)
    command_buffer_bytes: int = 0
    """lvs_netlink_cmd_rcv_bufs; 0 leaves the choice to the agent."""
    command_buffer_force: bool = False
    snmp: bool = False
    """enable_snmp_checker."""
    snmp_service_age_ns: int = 5 * SECOND_NS
    """snmp_vs_stats_update_interval: how old counters may be."""
    snmp_server_age_ns: int = 5 * SECOND_NS
