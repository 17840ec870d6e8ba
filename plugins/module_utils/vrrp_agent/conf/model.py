# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a configuration means, as values: the shared words of every layer above ``conf``.

``values/`` makes these from a checked tree, with all defaults applied, so that nothing above it
ever asks for a default again.  Times are integer nanoseconds, addresses are packed bytes.  The
smaller values are in ``parts/``; they are to be had from here too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Optional, Tuple

from .parts.addresses import SECOND_NS, Address, GarpPolicy, UnicastPeer
from .parts.balancing import Balancing, VirtualServer
from .parts.links import Firewall, VirtualLink
from .parts.operations import Dumps, OnceCommand, Operations, Promptness, ReloadFiles
from .parts.routing import Encap, NextHop, Route, Rule
from .parts.security import AuthHmac, HmacKey
from .parts.telling import Fifo, Mail, Notify, Snmp, Telling
from .parts.tracking import (
    Account,
    Command,
    Linkbeat,
    LinkDelay,
    ProcessEvents,
    Script,
    ScriptPolicy,
    Tracked,
    WatchedFile,
    WatchedProcess,
)

__all__ = [
    "SECOND_NS",
    "Account",
    "Address",
    "AuthHmac",
    "Balancing",
    "Command",
    "Config",
    "Dumps",
    "Encap",
    "Fifo",
    "Firewall",
    "GarpGroup",
    "GarpPolicy",
    "GlobalSettings",
    "HmacKey",
    "Instance",
    "LinkDelay",
    "Linkbeat",
    "Mail",
    "NextHop",
    "Notify",
    "OnceCommand",
    "Operations",
    "ProcessEvents",
    "Promptness",
    "ReloadFiles",
    "Route",
    "Rule",
    "Script",
    "ScriptPolicy",
    "Snmp",
    "SyncGroup",
    "Telling",
    "Tracked",
    "UnicastPeer",
    "VirtualLink",
    "VirtualServer",
    "WatchedFile",
    "WatchedProcess",
]


@dataclass(frozen=True)
class Instance:
    """One vrrp_instance: a virtual router as one host takes part in it."""

    name: str
    interface: str
    vrid: int
    family: int
    """4 or 6: the family of the adverts, decided by the first virtual address (or unicast peer)."""
    version: int
    priority: int = 100
    """1..255; 255 is the address owner."""
    advert_int_ns: int = SECOND_NS
    start_active: bool = False
    """``state MASTER``: only a hint, except with priority 255."""
    preempt: bool = True
    preempt_delay_ns: int = 0
    down_timer_adverts: int = 3
    addresses: Tuple[Address, ...] = ()
    """virtual_ipaddress, in the order of the file: carried in adverts."""
    excluded_addresses: Tuple[Address, ...] = ()
    unicast_source: Optional[bytes] = None
    unicast_peers: Tuple[UnicastPeer, ...] = ()
    unicast_ttl: int = 255
    check_unicast_src: bool = False
    multicast_source: Optional[bytes] = None
    """mcast_src_ip."""
    multicast_group: bytes = b""
    """mcast_dst_ip, or the group of global_defs, or 224.0.0.18 / ff02::12."""
    track_interfaces: Tuple[Tracked, ...] = ()
    track_scripts: Tuple[Tracked, ...] = ()
    track_files: Tuple[Tracked, ...] = ()
    track_processes: Tuple[Tracked, ...] = ()
    track_primary: bool = True
    """False is dont_track_primary."""
    track_source: bool = False
    """track_src_ip: FAULT while the host does not have the source address."""
    auth_password: bytes = field(default=b"", repr=False)
    """v2 ``auth_pass``: 8 bytes, zero padded; empty when there is no authentication."""
    auth_password_file: str = ""
    """agent_auth_pass_file: a path, or ``credential:NAME``. Read when the configuration is applied."""
    auth_header: bool = False
    """``auth_type AH``: the password is the key of an IPsec authentication header."""
    auth_hmac: Optional[AuthHmac] = None
    garp: GarpPolicy = field(default_factory=GarpPolicy)
    checksum_as_v2: bool = False
    """v3_checksum_as_v2: send the message-only checksum over IPv4."""
    skip_check_adv_addr: bool = False
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    owner_ignore_adverts: bool = False
    strict: bool = False
    routes: Tuple[Route, ...] = ()
    """virtual_routes."""
    rules: Tuple[Rule, ...] = ()
    """virtual_rules."""
    restore: bool = False
    """Ours: put back what another program removed, instead of stepping down as keepalived does."""
    promote_secondaries: bool = False
    virtual_link: Optional[VirtualLink] = None
    """use_vmac or use_ipvlan: where the addresses of this interface and family go."""
    address_links: Tuple[VirtualLink, ...] = ()
    """The links of addresses that say use_vmac, one for each interface and family."""
    vrf: str = ""
    accept: bool = True
    """False: packets to the virtual addresses are dropped, unless this router owns them (RFC 9568 6.1)."""
    unicast_fault_no_peer: bool = False
    """True when the word is there and the list of peers is empty: FAULT, where multicast would follow."""
    old_unicast_checksum: str = ""
    """``auto``, ``never`` or ``always`` (old_unicast_checksum); empty when not set."""
    receive_buffer_bytes: int = 0
    """kernel_rx_buf_size, or what vrrp_rx_bufs_policy comes to; 0 leaves the choice to the agent."""
    receive_buffer_mtus: int = 0
    """vrrp_rx_bufs_policy MTU: so many times the MTU of the interface."""
    timer_expired_backup: int = 0
    """Highest priority of the peers; 0 is off."""
    notify: Notify = field(default_factory=Notify)

    @property
    def unicast(self) -> bool:
        """True when adverts go to unicast_peer addresses."""
        return bool(self.unicast_peers)

    @property
    def auth_type(self) -> int:
        """Of version 2, as it stands in an advert: 0 none, 1 PASS, 2 AH (RFC 2338 5.3.6)."""
        if not (self.auth_password or self.auth_password_file):
            return 0
        return 2 if self.auth_header else 1

    @property
    def key(self) -> Tuple[str, int, int]:
        """What makes it the same virtual router in a new configuration: interface, family, VRID."""
        return (self.interface, self.family, self.vrid)


@dataclass(frozen=True)
class SyncGroup:
    """One vrrp_sync_group: instances that are active together or not at all."""

    name: str
    members: Tuple[str, ...]
    """Names of instances."""
    track_interfaces: Tuple[Tracked, ...] = ()
    track_scripts: Tuple[Tracked, ...] = ()
    track_files: Tuple[Tracked, ...] = ()
    track_processes: Tuple[Tracked, ...] = ()
    tracking_weight: bool = False
    """sync_group_tracking_weight: trackers with a weight are allowed on members and group."""
    notify: Notify = field(default_factory=Notify)


@dataclass(frozen=True)
class GarpGroup:
    """One garp_group: interfaces that share the pause between announcements."""

    interfaces: Tuple[str, ...]
    arp_interval_ns: int = 0
    na_interval_ns: int = 0


@dataclass(frozen=True)
class GlobalSettings:
    """What global_defs and the root words say to the VRRP side."""

    router_id: str = ""
    """Empty: the host name."""
    startup_delay_ns: int = 0
    delay_after_boot_ns: int = 0
    """vrrp_delay_after_boot: the startup delay ends no earlier than this long after the boot."""
    dynamic_interfaces: bool = False
    log_unknown_vrids: bool = False
    process_priority: Optional[int] = None
    """vrrp_priority: nice value."""
    realtime_priority: Optional[int] = None
    """vrrp_rt_priority: 1..99; None leaves the choice to the daemon."""
    no_swap: bool = False
    cpu_affinity: Tuple[int, ...] = ()
    scripts: ScriptPolicy = field(default_factory=ScriptPolicy)
    netlink_command_buffer_bytes: int = 0
    """vrrp_netlink_cmd_rcv_bufs; 0 leaves the choice to the agent."""
    netlink_command_buffer_force: bool = False
    """Past the limit of the system (net.core.rmem_max)."""
    netlink_monitor_buffer_bytes: int = 0
    """vrrp_netlink_monitor_rcv_bufs."""
    netlink_monitor_buffer_force: bool = False
    telling: Telling = field(default_factory=Telling)
    snmp: Snmp = field(default_factory=Snmp)
    firewall: Firewall = field(default_factory=Firewall)
    operations: Operations = field(default_factory=Operations)
    balancing: Balancing = field(default_factory=Balancing)


@dataclass(frozen=True)
class Config:
    """Everything the agent takes from one configuration."""

    settings: GlobalSettings = field(default_factory=GlobalSettings)
    instances: Tuple[Instance, ...] = ()
    static_addresses: Tuple[Address, ...] = ()
    """Each has its ``device`` set."""
    static_routes: Tuple[Route, ...] = ()
    static_rules: Tuple[Rule, ...] = ()
    track_groups: Tuple[Tuple[str, Tuple[str, ...]], ...] = ()
    """Each track_group: its name, and the names of the instances that watch its static items."""
    groups: Tuple[SyncGroup, ...] = ()
    garp_groups: Tuple[GarpGroup, ...] = ()
    scripts: Tuple[Script, ...] = ()
    files: Tuple[WatchedFile, ...] = ()
    processes: Tuple[WatchedProcess, ...] = ()
    link_delays: Tuple[LinkDelay, ...] = ()
    linkbeats: Tuple[Linkbeat, ...] = ()
    process_events: ProcessEvents = field(default_factory=ProcessEvents)
    services: Tuple[VirtualServer, ...] = ()
    keywords_ignored: Tuple[str, ...] = ()
    """Words met under --lenient that are not supported, for the log."""

    @property
    def by_key(self) -> Dict[Tuple[str, int, int], Instance]:
        """Instances by their key."""
        return {instance.key: instance for instance in self.instances}
