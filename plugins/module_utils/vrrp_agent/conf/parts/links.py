# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Virtual MACs, and who may talk to a virtual address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class VirtualLink:
    """use_vmac or use_ipvlan: the link that carries the virtual addresses of one instance."""

    name: str
    """The name of the link; never empty: ``values`` makes keepalived's names."""
    kind: str = "macvlan"
    """macvlan or ipvlan."""
    mac: bytes = b""
    """macvlan: the virtual MAC (RFC 9568 7.3), or the one of the line."""
    mode: str = "private"
    """ipvlan: bridge, private or vepa."""
    address: Optional[bytes] = None
    """ipvlan: the source address for adverts on the link."""
    group: Optional[int] = None
    """The link's group number."""
    report_to_base: bool = False
    """netlink_notify_msg."""
    transmit_on_base: bool = False
    """vmac_xmit_base: adverts leave by the base interface."""


@dataclass(frozen=True)
class Firewall:
    """The agent's own nftables table."""

    table: str = "keepalived"
    priority: int = -1
    by_index: bool = False
    """nftables_ifindex."""
    counters: bool = False
