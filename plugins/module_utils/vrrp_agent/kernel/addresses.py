# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Addresses on interfaces: reading what is there, and requests that add or remove one."""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from ..conf.model import Address
from ..wire.address import text
from .errors import MissingPrivilege
from .messages import (
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_REPLACE,
    NLM_F_REQUEST,
    RTM_DELADDR,
    RTM_GETADDR,
    RTM_NEWADDR,
    encode,
)
from .netlink import HEADER, RouteSocket

IFA_F_SECONDARY, IFA_F_NODAD, IFA_F_HOMEADDRESS = 0x01, 0x02, 0x10
IFA_F_TENTATIVE, IFA_F_MANAGETEMPADDR = 0x40, 0x100
IFA_F_NOPREFIXROUTE, IFA_F_MCAUTOJOIN = 0x200, 0x400
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_FOREVER = 0xFFFFFFFF
_IFADDRMSG = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_PORT, _PORT_OFFSET = struct.Struct("=I"), 12


@dataclass(frozen=True)
class HeldAddress:
    """An address that an interface has."""

    index: int
    packed: bytes
    prefix_length: int
    scope: int
    flags: int

    @property
    def secondary(self) -> bool:
        """IPv4: another address of the same subnet came first."""
        return len(self.packed) == 4 and bool(self.flags & IFA_F_SECONDARY)


@dataclass(frozen=True)
class AddressEvent:
    """An address has come or gone."""

    held: HeldAddress
    removed: bool = False
    port: int = 0
    """The netlink port of the program that asked for it; 0 is the kernel itself, or an old ioctl."""


def decode_address(kind: int, message: bytes) -> Optional[AddressEvent]:
    """The event in an RTM_NEWADDR or RTM_DELADDR message, or None for other families.

    Read by hand: a takeover of a thousand addresses brings a thousand of these to the process that
    sends adverts, and the general decoder takes thirty times as long.
    """
    family, prefix_length, flags, scope, index = _IFADDRMSG.unpack_from(message, 16)
    if family not in (socket.AF_INET, socket.AF_INET6):
        return None
    address = local = b""
    offset = 24
    while offset + 4 <= len(message):
        length, attribute = _ATTRIBUTE.unpack_from(message, offset)
        if length < 4:
            break
        if attribute == _IFA_LOCAL:
            local = message[offset + 4 : offset + length]
        elif attribute == _IFA_ADDRESS:
            address = message[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    held = HeldAddress(index, local or address, prefix_length, scope, flags)
    return AddressEvent(held, kind == RTM_DELADDR, _PORT.unpack_from(message, _PORT_OFFSET)[0])


def list_addresses(route: RouteSocket) -> List[HeldAddress]:
    """All IPv4 and IPv6 addresses of this network namespace, in the kernel's order. Raises KernelError."""
    request = encode("ifaddrmsg", RTM_GETADDR, NLM_F_DUMP, {})
    events = [decode_address(kind, message) for kind, message in route.dump(request)]
    return [event.held for event in events if event is not None]


def _flags(address: Address, moves: bool) -> int:
    flags = IFA_F_HOMEADDRESS if address.home else 0
    # A virtual IPv6 address must answer at once: duplicate address detection would hold it back for
    # a second, and the peer that held it before may still answer (keepalived sets NODAD too).
    if address.family == 6 and (address.nodad or moves):
        flags |= IFA_F_NODAD
    if address.mngtmpaddr:
        flags |= IFA_F_MANAGETEMPADDR
    if address.noprefixroute:
        flags |= IFA_F_NOPREFIXROUTE
    if address.autojoin:
        flags |= IFA_F_MCAUTOJOIN
    return flags


def prefix_length(address: Address) -> int:
    """The prefix length that the kernel keeps: the peer's, when there is one."""
    if address.peer is not None and address.peer_prefix_length is not None:
        return address.peer_prefix_length
    return address.prefix_length


def _message(address: Address, index: int, moves: bool) -> Tuple[Dict[str, Any], List[Tuple[str, Any]]]:
    fields = {
        "family": socket.AF_INET if address.family == 4 else socket.AF_INET6,
        "prefixlen": prefix_length(address),
        "scope": address.scope,
        "index": index,
    }
    local = text(address.packed)
    attributes: List[Tuple[str, Any]] = [
        ("IFA_LOCAL", local),
        ("IFA_ADDRESS", text(address.peer) if address.peer is not None else local),
    ]
    if address.broadcast is not None:
        attributes.append(("IFA_BROADCAST", text(address.broadcast)))
    if address.label is not None:
        attributes.append(("IFA_LABEL", address.label))
    if address.preferred_lft_s is not None:
        lifetime = {"ifa_preferred": address.preferred_lft_s, "ifa_valid": _FOREVER, "cstamp": 0, "tstamp": 0}
        attributes.append(("IFA_CACHEINFO", lifetime))
    flags = _flags(address, moves)
    if flags:
        attributes.append(("IFA_FLAGS", flags))
    return fields, attributes


def add_request(address: Address, index: int, moves: bool = True, sequence: int = 0) -> bytes:
    """The request that puts ``address`` on the interface ``index``; harmless when it is there.

    ``moves`` is True for virtual addresses, False for static ones.
    """
    fields, attributes = _message(address, index, moves)
    return encode("ifaddrmsg", RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, fields, attributes, sequence)


def remove_request(address: Address, index: int, sequence: int = 0) -> bytes:
    """The request that takes ``address`` from the interface ``index``."""
    fields, attributes = _message(address, index, False)
    kept = [(name, value) for name, value in attributes if name in ("IFA_LOCAL", "IFA_ADDRESS")]
    return encode("ifaddrmsg", RTM_DELADDR, 0, fields, kept, sequence)


def remove_held_request(held: HeldAddress, sequence: int = 0) -> bytes:
    """The request that takes away an address as it stands on its interface, whatever its options are."""
    family = socket.AF_INET if len(held.packed) == 4 else socket.AF_INET6
    attribute = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(held.packed), _IFA_LOCAL) + held.packed
    body = _IFADDRMSG.pack(family, held.prefix_length, 0, 0, held.index) + attribute
    return HEADER.pack(HEADER.size + len(body), RTM_DELADDR, NLM_F_REQUEST, sequence, 0) + body


def check_privilege(route: RouteSocket) -> None:
    """Raises MissingPrivilege when addresses could not be changed: better now than at a takeover."""
    nothing = HeldAddress(0, bytes(4), 32, 0, 0)  # no interface has the index 0
    for refusal in route.submit([remove_held_request(nothing)]):
        if refusal.errno == errno.EPERM:
            raise MissingPrivilege("changing the addresses of interfaces", "CAP_NET_ADMIN")
