# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Network links: what the agent knows of an interface.

Messages of links are read by hand, as those of addresses are: a host that starts containers sends
dozens of them to the process that sends adverts, and the general decoder takes milliseconds for each.
"""

from __future__ import annotations

import socket
import struct
import sys
from dataclasses import dataclass
from typing import List, Optional

from .messages import NLM_F_DUMP, NLM_F_REQUEST, RTM_DELLINK, RTM_GETLINK
from .netlink import HEADER, RouteSocket

IFF_UP, IFF_LOOPBACK, IFF_NOARP, IFF_RUNNING = 0x1, 0x8, 0x80, 0x40
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU = 1, 3, 4
_IFINFOMSG = struct.Struct("=BxHiII")  # family, type, index, flags, change mask
_ATTRIBUTE = struct.Struct("=HH")
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER


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


def decode_link(kind: int, message: bytes) -> Optional[LinkEvent]:
    """The event in an RTM_NEWLINK or RTM_DELLINK message, or None when it is not about the link itself.

    A bridge says RTM_DELLINK, in its own family, when a link leaves it: the link is still there. Some
    drivers send news without the link's name or MTU; the rest of the link has not changed then.
    """
    family, _hardware, index, flags, _mask = _IFINFOMSG.unpack_from(message, HEADER.size)
    if family != socket.AF_UNSPEC:
        return None
    name, mac, mtu = "", b"", 0
    offset = HEADER.size + _IFINFOMSG.size
    while offset + 4 <= len(message):
        length, attribute = _ATTRIBUTE.unpack_from(message, offset)
        if length < 4:
            break
        value = message[offset + 4 : offset + length]
        attribute &= _TYPE_MASK
        if attribute == _IFLA_IFNAME:
            name = value.rstrip(b"\0").decode("utf-8", "surrogateescape")
        elif attribute == _IFLA_ADDRESS:
            mac = value
        elif attribute == _IFLA_MTU:
            mtu = int.from_bytes(value, sys.byteorder)
        offset += (length + 3) & ~3
    removed = kind == RTM_DELLINK
    if not name or not (mtu or removed):
        return None
    return LinkEvent(Link(index, name, flags, mac, mtu), removed)


def list_links(route: RouteSocket) -> List[Link]:
    """All the links of this network namespace. Raises KernelError."""
    body = _IFINFOMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    flags = NLM_F_REQUEST | NLM_F_DUMP
    request = HEADER.pack(HEADER.size + len(body), RTM_GETLINK, flags, 0, 0) + body
    events = [decode_link(kind, message) for kind, message in route.dump(request)]
    return [event.link for event in events if event is not None]
