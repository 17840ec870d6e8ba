# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Routes and policy rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple


@dataclass(frozen=True)
class Encap:
    """A light-weight tunnel of a route (keepalived ``encap``)."""

    kind: str
    """ip, ip6, mpls or ila."""
    settings: Tuple[Tuple[str, object], ...] = ()
    """Its options by their keepalived names: addresses as packed bytes, numbers as numbers."""


@dataclass(frozen=True)
class NextHop:
    """The way out of a route, or one leg of a multipath route."""

    gateway: Optional[bytes] = None
    device: Optional[str] = None
    weight: int = 1
    onlink: bool = False
    encap: Optional[Encap] = None
    realms: Optional[int] = None


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
    """The source address that the host prefers on this route (``src``)."""
    origin: Optional[Tuple[bytes, int]] = None
    """IPv6: only for packets from this source, packed address and prefix length (``from``)."""
    table: int = 254
    vrf: str = ""
    """The VRF whose table the route goes to; ``table`` means nothing then."""
    protocol: int = 18
    scope: Optional[int] = None
    metric: Optional[int] = None
    metrics: Tuple[Tuple[str, int], ...] = ()
    """RTAX metrics by their keepalived names, such as ("mtu", 1400)."""
    congestion_control: str = ""
    tos: int = 0
    realms: Optional[int] = None
    preference: Optional[int] = None
    """IPv6 router preference (``pref``) as RFC 4191 2.1 writes it: 1 is high, 0 medium, 3 low."""
    expires_s: Optional[int] = None
    ttl_propagate: Optional[bool] = None
    append: str = ""
    """``add``, ``append``, or ``prepend`` as when empty: what becomes of routes to the same destination."""
    no_track: bool = False
    track_group: Optional[str] = None


@dataclass(frozen=True)
class Rule:
    """One line of static_rules or virtual_rules."""

    family: int
    """4 or 6."""
    action: str = "table"
    """table, goto, nop, blackhole, unreachable or prohibit."""
    table: int = 254
    goto: Optional[int] = None
    priority: Optional[int] = None
    """``preference``; ``values`` gives one to a rule without it, as keepalived does."""
    invert: bool = False
    """``not``."""
    source: Optional[Tuple[bytes, int]] = None
    """Packed address and prefix length."""
    destination: Optional[Tuple[bytes, int]] = None
    tos: int = 0
    fwmark: Optional[Tuple[int, int]] = None
    """Mark and mask; the mask is all ones when the line has none."""
    input_interface: str = ""
    output_interface: str = ""
    tunnel_id: Optional[int] = None
    uid_range: Optional[Tuple[int, int]] = None
    ip_protocol: Optional[int] = None
    source_ports: Optional[Tuple[int, int]] = None
    destination_ports: Optional[Tuple[int, int]] = None
    l3mdev: bool = False
    realms: Optional[int] = None
    suppress_prefix_length: Optional[int] = None
    suppress_group: Optional[int] = None
    protocol: int = 18
    no_track: bool = False
    track_group: Optional[str] = None
