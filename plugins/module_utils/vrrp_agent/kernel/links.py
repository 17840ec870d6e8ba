# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Network links: what the agent knows of an interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List

from .messages import NLM_F_DUMP, RTM_DELLINK, RTM_GETLINK, Decoded, encode
from .netlink import RouteSocket

IFF_UP, IFF_LOOPBACK, IFF_NOARP, IFF_RUNNING = 0x1, 0x8, 0x80, 0x40


@dataclass(frozen=True)
class Link:
    """One network interface."""

    index: int
    name: str
    flags: int
    mac: bytes
    mtu: int

    @property
    def up(self) -> bool:
        """Administratively up and with a carrier: keepalived's IFF_UP and IFF_RUNNING."""
        return self.flags & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING

    @property
    def has_arp(self) -> bool:
        """Announcements make sense on it."""
        return not self.flags & (IFF_LOOPBACK | IFF_NOARP) and len(self.mac) == 6


@dataclass(frozen=True)
class LinkEvent:
    """A link is new, has changed, or is gone."""

    link: Link
    removed: bool = False


def decode_link(kind: int, message: bytes) -> LinkEvent:
    """The event in an RTM_NEWLINK or RTM_DELLINK message."""
    decoded = Decoded("ifinfmsg", kind, message)
    mac = decoded.attribute("IFLA_ADDRESS") or ""
    link = Link(
        index=decoded.field("index"),
        name=decoded.attribute("IFLA_IFNAME") or "",
        flags=decoded.field("flags"),
        mac=bytes.fromhex(mac.replace(":", "")) if mac else b"",
        mtu=decoded.attribute("IFLA_MTU") or 1500,
    )
    return LinkEvent(link, removed=kind == RTM_DELLINK)


def list_links(route: RouteSocket) -> List[Link]:
    """All the links of this network namespace. Raises KernelError."""
    request = encode("ifinfmsg", RTM_GETLINK, NLM_F_DUMP, {})
    return [decode_link(kind, message).link for kind, message in route.dump(request)]
