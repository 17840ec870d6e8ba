# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a configuration means, as values: the shared words of every layer above ``conf``.

``build.py`` makes these from a checked tree, with all defaults applied, so that nothing above it
ever asks for a default again.  Times are integer nanoseconds, addresses are packed bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Optional, Tuple

SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Address:
    """One line of virtual_ipaddress, virtual_ipaddress_excluded or static_ipaddress."""

    packed: bytes
    prefix_length: int
    device: Optional[str] = None
    """Interface name; None is the instance's own interface (keepalived ``dev``)."""
    label: Optional[str] = None
    scope: int = 0
    """rtnetlink scope number: 0 global, 200 site, 253 link, 254 host."""
    broadcast: Optional[bytes] = None
    """Broadcast address; ``brd +`` and ``brd -`` are worked out by ``build``."""
    peer: Optional[bytes] = None
    peer_prefix_length: Optional[int] = None
    preferred_lft_s: Optional[int] = None
    """None is forever; 0 keeps the address from being chosen as a source."""
    home: bool = False
    nodad: bool = False
    mngtmpaddr: bool = False
    noprefixroute: bool = False
    autojoin: bool = False
    no_track: bool = False

    @property
    def family(self) -> int:
        """4 or 6."""
        return 4 if len(self.packed) == 4 else 6


@dataclass(frozen=True)
class NextHop:
    """The way out of a route, or one leg of a multipath route."""

    gateway: Optional[bytes] = None
    device: Optional[str] = None
    weight: int = 1
    onlink: bool = False


@dataclass(frozen=True)
class Route:
    """One line of static_routes or virtual_routes."""

    family: int
    destination: Optional[bytes]
    """None is the default route."""
    prefix_length: int
    type: str = "unicast"
    next_hops: Tuple[NextHop, ...] = ()
    source: Optional[bytes] = None
    table: int = 254
    protocol: int = 18
    scope: Optional[int] = None
    metric: Optional[int] = None
    metrics: Tuple[Tuple[str, int], ...] = ()
    """RTAX metrics by their keepalived names, such as ("mtu", 1400)."""
    no_track: bool = False


@dataclass(frozen=True)
class UnicastPeer:
    """One line of unicast_peer."""

    packed: bytes
    min_ttl: Optional[int] = None
    max_ttl: Optional[int] = None


@dataclass(frozen=True)
class TrackedInterface:
    """One line of track_interface. Weight 0 means FAULT when the interface is down."""

    name: str
    weight: int = 0
    reverse: bool = False


@dataclass(frozen=True)
class GarpPolicy:
    """When and how often an active router announces its addresses (garp_master_*, garp_lower_prio_*)."""

    master_delay_ns: int = 5 * SECOND_NS
    master_repeat: int = 5
    master_refresh_ns: int = 0
    master_refresh_repeat: int = 1
    lower_prio_delay_ns: int = 5 * SECOND_NS
    lower_prio_repeat: int = 5
    arp_interval_ns: int = 0
    """Pause between two gratuitous ARPs on one interface (vrrp_garp_interval)."""
    na_interval_ns: int = 0
    """Pause between two unsolicited NAs on one interface (vrrp_gna_interval)."""


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
    track_interfaces: Tuple[TrackedInterface, ...] = ()
    track_primary: bool = True
    """False is dont_track_primary."""
    auth_password: bytes = b""
    """v2 ``auth_type PASS``: 8 bytes, zero padded; empty when there is no authentication."""
    garp: GarpPolicy = field(default_factory=GarpPolicy)
    checksum_as_v2: bool = False
    """v3_checksum_as_v2: send the message-only checksum over IPv4."""
    skip_check_adv_addr: bool = False
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    owner_ignore_adverts: bool = False
    strict: bool = False

    @property
    def unicast(self) -> bool:
        """True when adverts go to unicast_peer addresses."""
        return bool(self.unicast_peers)

    @property
    def key(self) -> Tuple[str, int, int]:
        """What makes it the same virtual router in a new configuration: interface, family, VRID."""
        return (self.interface, self.family, self.vrid)


@dataclass(frozen=True)
class GlobalSettings:
    """What global_defs and the root words say to the VRRP side."""

    router_id: str = ""
    """Empty: the host name."""
    startup_delay_ns: int = 0
    dynamic_interfaces: bool = False
    log_unknown_vrids: bool = False
    process_priority: Optional[int] = None
    """vrrp_priority: nice value."""
    realtime_priority: Optional[int] = None
    """vrrp_rt_priority: 1..99; None leaves the choice to the daemon."""
    no_swap: bool = False
    cpu_affinity: Tuple[int, ...] = ()
    process_name: str = ""


@dataclass(frozen=True)
class Config:
    """Everything the agent takes from one configuration."""

    settings: GlobalSettings = field(default_factory=GlobalSettings)
    instances: Tuple[Instance, ...] = ()
    static_addresses: Tuple[Address, ...] = ()
    """Each has its ``device`` set."""
    static_routes: Tuple[Route, ...] = ()
    keywords_ignored: Tuple[str, ...] = ()
    """Words met under --lenient that are not supported, for the log."""

    @property
    def by_key(self) -> Dict[Tuple[str, int, int], Instance]:
        """Instances by their key."""
        return {instance.key: instance for instance in self.instances}
