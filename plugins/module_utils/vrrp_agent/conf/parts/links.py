# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Virtual MACs, and who may talk to a virtual address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

MACVLAN, IPVLAN = "macvlan", "ipvlan"


@dataclass(frozen=True)
class VirtualLink:
    """use_vmac or use_ipvlan: a link on an interface that carries virtual addresses of one instance."""

    name: str
    """The name of the link; never empty: ``values`` makes keepalived's names."""
    prefix: str = ""
    """How the name began that ``values`` made (vmac_prefix); empty when the configuration names the link."""
    base: str = ""
    """The interface that it stands on."""
    family: int = 4
    """4 or 6: the family of the addresses on it."""
    vrid: int = 0
    kind: str = MACVLAN
    """macvlan or ipvlan."""
    mac: bytes = b""
    """macvlan: the virtual MAC (RFC 9568 7.3), or the one of the line."""
    mode: str = "private"
    """ipvlan: bridge, private or vepa."""
    address: Optional[bytes] = None
    """ipvlan: the source address for adverts on the link."""
    address_prefix_length: int = 0
    group: Optional[int] = None
    """The link's group number; None is the base interface's."""
    report_to_base: bool = False
    """netlink_notify_msg."""
    transmit_on_base: bool = False
    """vmac_xmit_base: adverts leave by the base interface."""
    both_families: bool = False
    """Addresses of the other family may come to it too: IPv6 stays on for an IPv4 link."""


@dataclass(frozen=True)
class Firewall:
    """The agent's own nftables table."""

    table: str = "keepalived"
    priority: int = -1
    by_index: bool = False
    """nftables_ifindex."""
    counters: bool = False
    local_igmp: bool = True
    """False is disable_local_igmp: no membership of the groups 224.0.0.x is reported for IPv4."""
