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
from typing import Iterator, List, Optional, Tuple

from .messages import NLM_F_DUMP, NLM_F_REQUEST, RTM_DELLINK, RTM_GETLINK
from .netlink import HEADER, RouteSocket

IFF_UP, IFF_LOOPBACK, IFF_NOARP, IFF_RUNNING = 0x1, 0x8, 0x80, 0x40
IFF_MULTICAST = 0x1000
ARPHRD_ETHER = 1
MACVLAN_PRIVATE = 1
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK = 1, 3, 4, 5
_IFLA_MASTER, _IFLA_LINKINFO, _IFLA_ALIAS, _IFLA_GROUP = 10, 18, 20, 27
_INFO_KIND, _INFO_DATA = 1, 2
_FIRST_SETTING = 1
"""IFLA_MACVLAN_MODE, IFLA_IPVLAN_MODE and IFLA_VRF_TABLE."""
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
    hardware: int = ARPHRD_ETHER
    """ARPHRD number."""
    parent: int = 0
    """Index of the interface that it stands on (or that is its peer); 0 when there is none."""
    master: int = 0
    """Index of the bridge, bond or VRF that it belongs to."""
    group: int = 0
    kind: str = ""
    """veth, macvlan ...; empty for hardware."""
    mode: int = 0
    """macvlan and ipvlan: the mode. vrf: the routing table."""
    alias: str = ""

    @property
    def up(self) -> bool:
        """Administratively up and with a carrier: keepalived's IFF_UP and IFF_RUNNING."""
        return self.flags & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING

    @property
    def multicast(self) -> bool:
        """It can carry packets to groups."""
        return bool(self.flags & IFF_MULTICAST)

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
    family, hardware, index, flags, _mask = _IFINFOMSG.unpack_from(message, HEADER.size)
    if family != socket.AF_UNSPEC:
        return None
    name, mac, mtu = "", b"", 0
    parent = master = group = mode = 0
    info_kind = alias = ""
    for attribute, value in _attributes(message, HEADER.size + _IFINFOMSG.size):
        if attribute == _IFLA_IFNAME:
            name = _text(value)
        elif attribute == _IFLA_ADDRESS:
            mac = value
        elif attribute == _IFLA_MTU:
            mtu = int.from_bytes(value, sys.byteorder)
        elif attribute == _IFLA_LINK:
            parent = int.from_bytes(value, sys.byteorder)
        elif attribute == _IFLA_MASTER:
            master = int.from_bytes(value, sys.byteorder)
        elif attribute == _IFLA_GROUP:
            group = int.from_bytes(value, sys.byteorder)
        elif attribute == _IFLA_ALIAS:
            alias = _text(value)
        elif attribute == _IFLA_LINKINFO:
            info_kind, mode = _link_info(value)
    removed = kind == RTM_DELLINK
    if not name or not (mtu or removed):
        return None
    link = Link(index, name, flags, mac, mtu, hardware, parent, master, group, info_kind, mode, alias)
    return LinkEvent(link, removed)


def _attributes(data: bytes, offset: int) -> Iterator[Tuple[int, bytes]]:
    while offset + 4 <= len(data):
        length, attribute = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            return
        yield attribute & _TYPE_MASK, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def _link_info(data: bytes) -> Tuple[str, int]:
    kind, mode = "", 0
    for attribute, value in _attributes(data, 0):
        if attribute == _INFO_KIND:
            kind = _text(value)
        elif attribute == _INFO_DATA and kind in ("macvlan", "ipvlan", "vrf"):
            for setting, content in _attributes(value, 0):
                if setting == _FIRST_SETTING:
                    mode = int.from_bytes(content, sys.byteorder)
    return kind, mode


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "surrogateescape")


def list_links(route: RouteSocket) -> List[Link]:
    """All the links of this network namespace. Raises KernelError."""
    body = _IFINFOMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    flags = NLM_F_REQUEST | NLM_F_DUMP
    request = HEADER.pack(HEADER.size + len(body), RTM_GETLINK, flags, 0, 0) + body
    events = [decode_link(kind, message) for kind, message in route.dump(request)]
    return [event.link for event in events if event is not None]
