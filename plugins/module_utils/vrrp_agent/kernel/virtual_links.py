# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests that make, change and remove macvlan and ipvlan links.

A macvlan is in private mode: the kernel gives it every frame whose source is its own MAC, which is how it
hears another router of its group, and gives nothing of it to other macvlans of this host.
"""

from __future__ import annotations

import socket
import struct
from typing import Dict

from ..conf.model import VirtualLink
from ..conf.parts.links import MACVLAN
from .attributes import attribute, nest, text, u8, u16, u32
from .links import IFF_UP, MACVLAN_PRIVATE, Link
from .messages import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, RTM_DELLINK, RTM_NEWLINK
from .netlink import HEADER

IPVLAN_MODES = {"bridge": 0, "private": 1, "vepa": 2}
"""IFLA_IPVLAN_FLAGS."""
IPV4_CONF: Dict[str, int] = {
    "rp_filter": 8,
    "arp_filter": 13,
    "arp_announce": 18,
    "arp_ignore": 19,
    "promote_secondaries": 20,
    "accept_local": 23,
}
"""IPV4_DEVCONF numbers of linux/ip.h: settings that netlink can change in one message."""

_IFINFOMSG = struct.Struct("=BxHiII")
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINK, _IFLA_MASTER = 1, 3, 5, 10
_IFLA_LINKINFO, _IFLA_ALIAS, _IFLA_AF_SPEC, _IFLA_GROUP = 18, 20, 26, 27
_INFO_KIND, _INFO_DATA = 1, 2
_MACVLAN_MODE = 1
_IPVLAN_MODE, _IPVLAN_FLAGS = 1, 2
_IPVLAN_L2 = 0
_INET_CONF = 1
_INET6_ADDR_GEN_MODE = 8
_ADDR_GEN_NONE = 1


def create_request(link: VirtualLink, base: Link, sequence: int = 0) -> bytes:
    """Make the link on ``base``: down, in the base interface's group (or its own), and in its VRF."""
    parts = [
        u32(_IFLA_LINK, base.index),
        text(_IFLA_IFNAME, link.name),
        u32(_IFLA_GROUP, base.group if link.group is None else link.group),
    ]
    if base.master:
        parts.append(u32(_IFLA_MASTER, base.master))
    if link.kind == MACVLAN:
        parts.append(attribute(_IFLA_ADDRESS, link.mac))
        data = nest(_INFO_DATA, u32(_MACVLAN_MODE, MACVLAN_PRIVATE))
    else:
        flags = u16(_IPVLAN_FLAGS, IPVLAN_MODES[link.mode])
        data = nest(_INFO_DATA, u16(_IPVLAN_MODE, _IPVLAN_L2), flags)
    parts.append(nest(_IFLA_LINKINFO, attribute(_INFO_KIND, link.kind.encode()), data))
    return _message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0, b"".join(parts), sequence)


def rename_request(index: int, name: str, sequence: int = 0) -> bytes:
    """Give the link another name; Linux before 6.2 refuses it for a link that is up."""
    return _message(RTM_NEWLINK, 0, index, 0, text(_IFLA_IFNAME, name), sequence)


def mark_request(index: int, alias: str, sequence: int = 0) -> bytes:
    """Write on the link whose it is, for the process that comes after a killed one."""
    return _message(RTM_NEWLINK, 0, index, 0, attribute(_IFLA_ALIAS, alias.encode()), sequence)


def no_address_request(index: int, sequence: int = 0) -> bytes:
    """Let the kernel make no link-local address from the virtual MAC (RFC 9568 7.4)."""
    spec = nest(socket.AF_INET6, u8(_INET6_ADDR_GEN_MODE, _ADDR_GEN_NONE))
    return _message(RTM_NEWLINK, 0, index, 0, nest(_IFLA_AF_SPEC, spec), sequence)


def configure_request(index: int, settings: Dict[str, int], sequence: int = 0) -> bytes:
    """Set net.ipv4.conf values of a link; the names are those of ``IPV4_CONF``."""
    values = b"".join(u32(IPV4_CONF[name], value) for name, value in settings.items())
    spec = nest(socket.AF_INET, attribute(_INET_CONF | 0x8000, values))
    return _message(RTM_NEWLINK, 0, index, 0, nest(_IFLA_AF_SPEC, spec), sequence)


def up_request(index: int, sequence: int = 0) -> bytes:
    """Set the link up."""
    return _message(RTM_NEWLINK, 0, index, IFF_UP, b"", sequence)


def master_request(index: int, master: int, sequence: int = 0) -> bytes:
    """Put the link into a VRF; 0 takes it out."""
    return _message(RTM_NEWLINK, 0, index, 0, u32(_IFLA_MASTER, master), sequence)


def group_request(index: int, group: int, sequence: int = 0) -> bytes:
    """Set the group of a link: the group that it has makes the kernel tell all listeners of the link anew."""
    return _message(RTM_NEWLINK, 0, index, 0, u32(_IFLA_GROUP, group), sequence)


def delete_request(index: int, sequence: int = 0) -> bytes:
    """Remove the link."""
    return _message(RTM_DELLINK, 0, index, 0, b"", sequence)


def _message(kind: int, flags: int, index: int, up: int, attributes: bytes, sequence: int) -> bytes:
    body = _IFINFOMSG.pack(socket.AF_UNSPEC, 0, index, up, up) + attributes
    return HEADER.pack(HEADER.size + len(body), kind, flags | NLM_F_REQUEST, sequence, 0) + body
