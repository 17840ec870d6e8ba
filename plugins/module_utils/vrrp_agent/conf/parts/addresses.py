# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Addresses, peers, and how the network hears of an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

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
    """Neither its interface nor its removal by another program counts."""
    use_vmac: bool = False
    """Lives on a virtual MAC of its own on ``device`` (line option ``use_vmac``, or ``use_vmac_addr``)."""
    track_group: Optional[str] = None
    """Static items only: the instances of this group leave ACTIVE when it is removed."""

    @property
    def family(self) -> int:
        """4 or 6."""
        return 4 if len(self.packed) == 4 else 6


@dataclass(frozen=True)
class UnicastPeer:
    """One line of unicast_peer."""

    packed: bytes
    min_ttl: Optional[int] = None
    max_ttl: Optional[int] = None


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
    extra_interval_ns: int = 0
    """Periodic announcements on interfaces other than the instance's own (garp_extra_if); 0 is never."""
    extra_all: bool = False
    """garp_extra_if all: for every address on the interface, not for excluded ones only."""
