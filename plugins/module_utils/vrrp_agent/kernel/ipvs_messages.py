# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said to the kernel's IPVS, as values: services, destinations, sync daemons (linux/ip_vs.h)."""

from __future__ import annotations

import socket
import struct
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from .attributes import read as nested
from .generic_netlink import read
from .ipvs_classes import Attributes, encode

FAMILY, VERSION = "IPVS", 1
NEW_SERVICE, SET_SERVICE, DEL_SERVICE, GET_SERVICE = 1, 2, 3, 4
NEW_DEST, SET_DEST, DEL_DEST, GET_DEST = 5, 6, 7, 8
NEW_DAEMON, DEL_DAEMON, GET_DAEMON = 9, 10, 11
SET_CONFIG, GET_CONFIG, GET_INFO, FLUSH = 12, 13, 15, 17

PERSISTENT, HASHED, ONE_PACKET, FLAG_1, FLAG_2, FLAG_3 = 1, 2, 4, 8, 16, 32
"""Flags of a service. The kernel sets HASHED itself, and loses a service that comes with it."""
MASQUERADE, LOCAL, TUNNEL, ROUTE = 0, 1, 2, 3
"""Methods of a destination."""
IPIP, GUE, GRE = 0, 1, 2
CHECKSUM, REMOTE_CHECKSUM = 1, 2
"""Of tunnels; 0 is none."""
SENDS, RECEIVES = 1, 2
"""States of sync daemons: IP_VS_STATE_MASTER and _BACKUP."""

_SERVICE, _DEST, _DAEMON, _TCP, _TCP_FIN, _UDP = 1, 2, 3, 4, 5, 6
_METHOD_MASK = 7
_FULL_IPV4, _FULL_IPV6 = 32, 128
_NUMBERS = {1: "=B", 2: "=H", 4: "=I", 8: "=Q"}
_KINDS: Dict[int, int] = {4: socket.AF_INET, 6: socket.AF_INET6}
_FAMILIES = {kind: family for family, kind in _KINDS.items()}


class Service(NamedTuple):
    """A service: the first five words are its key."""

    family: int
    """4 or 6."""
    protocol: int
    address: bytes
    port: int
    fwmark: int
    scheduler: str = ""
    flags: int = 0
    timeout_s: int = 0
    """Of persistence."""
    prefix_length: int = 0
    """Of persistence; 0 is that of a whole address."""
    engine: str = ""


class Destination(NamedTuple):
    """A destination: the first two words are its key."""

    address: bytes
    port: int
    method: int = MASQUERADE
    weight: int = 0
    upper: int = 0
    lower: int = 0
    tunnel: int = IPIP
    tunnel_port: int = 0
    tunnel_flags: int = 0


class Daemon(NamedTuple):
    """A sync daemon. Zeros leave the choice to the kernel, which then says what it has chosen."""

    state: int
    interface: str = ""
    sync_id: int = 0
    max_length: int = 0
    port: int = 0
    ttl: int = 0
    group: bytes = b""


class Usage(NamedTuple):
    """What the kernel has counted; the first three are 0 for a service."""

    active: int = 0
    inactive: int = 0
    persistent: int = 0
    connections: int = 0
    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


class TimeLimits(NamedTuple):
    """Of idle connections, in seconds; 0 changes nothing."""

    tcp_s: int = 0
    tcp_fin_s: int = 0
    udp_s: int = 0


def service_key(service: Service) -> bytes:
    """Which service is meant: for its removal, and for the list of its destinations."""
    return encode([_named_service(_key(service))])


def whole_service(service: Service) -> bytes:
    """A service to add or to change."""
    return encode([_named_service(_key(service) + _words(service))])


def destination_key(service: Service, destination: Destination) -> bytes:
    """Which destination is meant."""
    return encode([_named_service(_key(service)), _named_destination(_place(destination))])


def whole_destination(service: Service, destination: Destination) -> bytes:
    """A destination to add or to change."""
    words = _place(destination) + [
        ("IPVS_DEST_ATTR_FWD_METHOD", destination.method),
        ("IPVS_DEST_ATTR_WEIGHT", destination.weight),
        ("IPVS_DEST_ATTR_U_THRESH", destination.upper),
        ("IPVS_DEST_ATTR_L_THRESH", destination.lower),
    ]
    if destination.method == TUNNEL:
        words.append(("IPVS_DEST_ATTR_TUN_TYPE", destination.tunnel))
        words.append(("IPVS_DEST_ATTR_TUN_PORT", destination.tunnel_port))
        words.append(("IPVS_DEST_ATTR_TUN_FLAGS", destination.tunnel_flags))
    return encode([_named_service(_key(service)), _named_destination(words)])


def daemon(wanted: Daemon) -> bytes:
    """A sync daemon to start or, by its state and number, to stop."""
    words: Attributes = [
        ("IPVS_DAEMON_ATTR_STATE", wanted.state),
        ("IPVS_DAEMON_ATTR_SYNC_ID", wanted.sync_id),
    ]
    if wanted.interface:
        words.append(("IPVS_DAEMON_ATTR_MCAST_IFN", wanted.interface))
    for name, value in (
        ("SYNC_MAXLEN", wanted.max_length),
        ("MCAST_PORT", wanted.port),
        ("MCAST_TTL", wanted.ttl),
    ):
        if value:
            words.append((f"IPVS_DAEMON_ATTR_{name}", value))
    if wanted.group:
        name = "IPVS_DAEMON_ATTR_MCAST_GROUP" + ("6" if len(wanted.group) == 16 else "")
        words.append((name, wanted.group))
    return encode([("IPVS_CMD_ATTR_DAEMON", {"attrs": words})])


def time_limits(limits: TimeLimits) -> bytes:
    """Of SET_CONFIG."""
    names = ("TCP", "TCP_FIN", "UDP")
    return encode([(f"IPVS_CMD_ATTR_TIMEOUT_{name}", value) for name, value in zip(names, limits) if value])


def _named_service(words: Attributes) -> Tuple[str, Any]:
    return ("IPVS_CMD_ATTR_SERVICE", {"attrs": words})


def _named_destination(words: Attributes) -> Tuple[str, Any]:
    return ("IPVS_CMD_ATTR_DEST", {"attrs": words})


def _key(service: Service) -> Attributes:
    family = _KINDS[service.family]
    if service.fwmark:
        return [("IPVS_SVC_ATTR_AF", family), ("IPVS_SVC_ATTR_FWMARK", service.fwmark)]
    return [
        ("IPVS_SVC_ATTR_AF", family),
        ("IPVS_SVC_ATTR_PROTOCOL", service.protocol),
        ("IPVS_SVC_ATTR_ADDR", socket.inet_ntop(family, service.address)),
        ("IPVS_SVC_ATTR_PORT", service.port),
    ]


def _words(service: Service) -> Attributes:
    words: Attributes = [
        ("IPVS_SVC_ATTR_SCHED_NAME", service.scheduler),
        ("IPVS_SVC_ATTR_FLAGS", {"flags": service.flags, "mask": 0xFFFFFFFF}),
        ("IPVS_SVC_ATTR_TIMEOUT", service.timeout_s),
        ("IPVS_SVC_ATTR_NETMASK", _mask(service.family, service.prefix_length)),
    ]
    if service.engine:
        words.append(("IPVS_SVC_ATTR_PE_NAME", service.engine))
    return words


def _mask(family: int, length: int) -> bytes:
    """IPv4: a mask as the network writes it; IPv6: the length as the host writes it."""
    if family == 6:
        return struct.pack("=I", length or _FULL_IPV6)
    length = length or _FULL_IPV4
    return struct.pack("!I", 0xFFFFFFFF << (32 - length) & 0xFFFFFFFF)


def _place(destination: Destination) -> Attributes:
    family = socket.AF_INET6 if len(destination.address) == 16 else socket.AF_INET
    return [
        ("IPVS_DEST_ATTR_ADDR_FAMILY", family),
        ("IPVS_DEST_ATTR_ADDR", socket.inet_ntop(family, destination.address)),
        ("IPVS_DEST_ATTR_PORT", destination.port),
    ]


def read_service(message: bytes) -> Optional[Tuple[Service, Usage]]:
    """A service of a dump; None when the message holds none."""
    found = _inside(message, _SERVICE)
    if found is None:
        return None
    family = 6 if _number(found, 1) == socket.AF_INET6 else 4
    fwmark = _number(found, 5)
    mask = found.get(9, b"\0\0\0\0")
    if family == 6:
        prefix_length = int(struct.unpack("=I", mask)[0])
    else:
        prefix_length = bin(int.from_bytes(mask, "big")).count("1")
    return Service(
        family,
        0 if fwmark else _number(found, 2),
        b"" if fwmark else found.get(3, b"")[: 16 if family == 6 else 4],
        0 if fwmark else int.from_bytes(found.get(4, b""), "big"),
        fwmark,
        _text(found, 6),
        _number(found, 7, 4),
        _number(found, 8),
        prefix_length,
        _text(found, 11),
    ), _usage(found, 10, 12)


def read_destination(message: bytes, family: int) -> Optional[Tuple[Destination, Usage]]:
    """A destination of a dump. ``family`` is that of its service: before Linux 3.18 it had no own one."""
    found = _inside(message, _DEST)
    if found is None:
        return None
    own = _FAMILIES.get(_number(found, 11), family)
    method = _number(found, 3) & _METHOD_MASK
    usage = _usage(found, 10, 12)._replace(
        active=_number(found, 7), inactive=_number(found, 8), persistent=_number(found, 9)
    )
    tunnel = method == TUNNEL
    return Destination(
        found.get(1, b"")[: 16 if own == 6 else 4],
        int.from_bytes(found.get(2, b""), "big"),
        method,
        _number(found, 4),
        _number(found, 5),
        _number(found, 6),
        _number(found, 13) if tunnel else IPIP,
        int.from_bytes(found.get(14, b""), "big") if tunnel else 0,
        _number(found, 15) if tunnel else 0,
    ), usage


def read_daemon(message: bytes) -> Optional[Daemon]:
    """A sync daemon of a dump."""
    found = _inside(message, _DAEMON)
    if found is None:
        return None
    return Daemon(
        _number(found, 1),
        _text(found, 2),
        _number(found, 3),
        _number(found, 4),
        _number(found, 7),
        _number(found, 8),
        found.get(5, b"") or found.get(6, b""),
    )


def read_time_limits(message: bytes) -> TimeLimits:
    """Of the answer to GET_CONFIG."""
    found = dict(read(message))
    return TimeLimits(_number(found, _TCP), _number(found, _TCP_FIN), _number(found, _UDP))


def _inside(message: bytes, kind: int) -> Optional[Dict[int, bytes]]:
    for found, value in read(message):
        if found == kind:
            return dict(nested(value, 0))
    return None


def _usage(found: Dict[int, bytes], old: int, new: int) -> Usage:
    """Counters of 64 bits, or before Linux 4.1 those of 32."""
    counted = dict(nested(found.get(new) or found.get(old, b""), 0))
    values: List[int] = [_number(counted, kind) for kind in range(1, 6)]
    return Usage(0, 0, 0, *values)


def _number(found: Dict[int, bytes], kind: int, most: int = 8) -> int:
    """As the host writes it; 0 when it is not there."""
    value = found.get(kind, b"")[:most]
    form = _NUMBERS.get(len(value))
    return int(struct.unpack(form, value)[0]) if form is not None else 0


def _text(found: Dict[int, bytes], kind: int) -> str:
    return found.get(kind, b"").split(b"\0")[0].decode("ascii", "replace")
