# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Routes: requests that add or remove one, and the kernel's news of them.

Written and read by hand: pyroute2 knows neither the tunnels of ``encap`` nor the younger metrics.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from ..conf.model import NextHop, Route
from . import attributes as nla
from .encaps import encap_attributes
from .errors import KernelError
from .messages import (
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_EXCL,
    RTM_DELROUTE,
    RTM_NEWROUTE,
)
from .netlink import HEADER, request

Resolve = Callable[[str], int]
"""Interface name to index; raises KernelError when there is none."""

TYPES = {
    "unicast": 1,
    "local": 2,
    "broadcast": 3,
    "anycast": 4,
    "multicast": 5,
    "blackhole": 6,
    "unreachable": 7,
    "prohibit": 8,
    "throw": 9,
    "nat": 10,
    "xresolve": 11,
}
METRICS = {
    "mtu": 2,
    "window": 3,
    "rtt": 4,
    "rttvar": 5,
    "ssthresh": 6,
    "cwnd": 7,
    "advmss": 8,
    "reordering": 9,
    "hoplimit": 10,
    "initcwnd": 11,
    "features": 12,
    "rto_min": 13,
    "initrwnd": 14,
    "quickack": 15,
    "congctl": 16,
    "fastopen_no_cookie": 17,
}
"""RTAX numbers of linux/rtnetlink.h."""
LOCK = " lock"
_RTAX_LOCK = 1
_RTA_DST, _RTA_SRC, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC, _RTA_METRICS = 1, 2, 4, 5, 6, 7, 8
_RTA_MULTIPATH, _RTA_FLOW, _RTA_TABLE, _RTA_VIA, _RTA_PREF, _RTA_EXPIRES, _RTA_TTL_PROPAGATE = (
    9,
    11,
    15,
    18,
    20,
    23,
    26,
)
_RTMSG = struct.Struct("=BBBBBBBBI")  # family, dst, src, tos, table, protocol, scope, type, flags
_NEXTHOP = struct.Struct("=HBBi")  # length, flags, hops, interface
_U16, _U32 = struct.Struct("=H"), struct.Struct("=I")
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_RTNH_F_ONLINK = 4
_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST, _SCOPE_NOWHERE = 0, 253, 254, 255
_IP6_RT_PRIO_USER = 1024
"""The metric that the kernel gives an IPv6 route without one."""
_ADD_FLAGS = {"add": NLM_F_EXCL, "append": NLM_F_APPEND, "": 0, "prepend": 0}
"""keepalived: without NLM_F_EXCL and NLM_F_APPEND the route goes before others of its destination."""


class RouteKey(NamedTuple):
    """By what the kernel tells routes apart, but for where they lead."""

    family: int
    table: int
    destination: bytes
    """Packed; zeros for the default route."""
    prefix_length: int
    tos: int
    metric: int


@dataclass(frozen=True)
class RouteEvent:
    """A route has come or gone."""

    key: RouteKey
    devices: Tuple[int, ...]
    """The interfaces that it leads to, by index."""
    removed: bool = False
    port: int = 0
    """The netlink port of the program that asked for it; 0 is the kernel itself, or an old ioctl."""


def key_of(route: Route) -> RouteKey:
    """The key of a route of the configuration."""
    metric = route.metric or 0
    if route.family == 6 and not metric:
        metric = _IP6_RT_PRIO_USER
    destination = route.destination or bytes(4 if route.family == 4 else 16)
    return RouteKey(route.family, route.table, destination, route.prefix_length, route.tos, metric)


def decode_route(kind: int, message: bytes) -> Optional[RouteEvent]:
    """The event in an RTM_NEWROUTE or RTM_DELROUTE message, or None for other families."""
    number, length, _src, tos, table, _protocol, _scope, _type, _flags = _RTMSG.unpack_from(message, 16)
    family = {socket.AF_INET: 4, socket.AF_INET6: 6}.get(number)
    if family is None:
        return None
    destination, metric = bytes(4 if family == 4 else 16), 0
    devices: List[int] = []
    for attribute, value in nla.read(message, 16 + _RTMSG.size):
        if attribute == _RTA_DST:
            destination = value
        elif attribute == _RTA_PRIORITY:
            (metric,) = _U32.unpack(value)
        elif attribute == _RTA_TABLE:
            (table,) = _U32.unpack(value)
        elif attribute == _RTA_OIF:
            devices.append(_U32.unpack(value)[0])
        elif attribute == _RTA_MULTIPATH:
            devices.extend(_legs(value))
    key = RouteKey(family, table, destination, length, tos, metric)
    return RouteEvent(key, tuple(devices), kind == RTM_DELROUTE, HEADER.unpack_from(message)[4])


def _legs(value: bytes) -> List[int]:
    devices: List[int] = []
    offset = 0
    while offset + _NEXTHOP.size <= len(value):
        length, _flags, _hops, index = _NEXTHOP.unpack_from(value, offset)
        if length < _NEXTHOP.size:
            break
        devices.append(index)
        offset += (length + 3) & ~3
    return devices


def _scope(route: Route) -> int:
    """The scope that ``ip route`` chooses when none is given: the nearest that fits."""
    if route.scope is not None:
        return route.scope
    if route.family == 6:
        return _SCOPE_UNIVERSE
    if route.type == "local":
        return _SCOPE_HOST
    if route.type in ("unicast", "broadcast", "multicast", "anycast"):
        has_gateway = any(hop.gateway is not None or hop.encap is not None for hop in route.next_hops)
        return _SCOPE_UNIVERSE if has_gateway else _SCOPE_LINK
    return _SCOPE_UNIVERSE


def _way(hop: NextHop, family: int) -> bytes:
    """What a single way and a leg of a multipath route have in common."""
    parts: List[bytes] = []
    if hop.gateway is not None:
        own = 4 if len(hop.gateway) == 4 else 6
        if own == family:
            parts.append(nla.attribute(_RTA_GATEWAY, hop.gateway))
        else:
            parts.append(nla.attribute(_RTA_VIA, _U16.pack(_FAMILIES[own]) + hop.gateway))
    if hop.encap is not None:
        parts.append(encap_attributes(hop.encap))
    if hop.realms is not None:
        parts.append(nla.u32(_RTA_FLOW, hop.realms))
    return b"".join(parts)


def _leg(hop: NextHop, family: int, resolve: Resolve) -> bytes:
    inner = _way(hop, family)
    index = resolve(hop.device) if hop.device else 0
    flags = _RTNH_F_ONLINK if hop.onlink else 0
    return _NEXTHOP.pack(_NEXTHOP.size + len(inner), flags, hop.weight - 1, index) + inner


def _next_hops(route: Route, resolve: Resolve) -> Tuple[bytes, int]:
    """The attributes of where the route leads, and the flags of the route."""
    if len(route.next_hops) > 1:
        legs = b"".join(_leg(hop, route.family, resolve) for hop in route.next_hops)
        return nla.attribute(_RTA_MULTIPATH, legs), 0
    if not route.next_hops:
        return b"", 0
    hop = route.next_hops[0]
    way = _way(hop, route.family)
    if hop.device:
        way += nla.u32(_RTA_OIF, resolve(hop.device))
    return way, _RTNH_F_ONLINK if hop.onlink else 0


def _metrics(route: Route) -> bytes:
    """RTA_METRICS. A locked metric is one bit, by its number, in RTAX_LOCK."""
    parts: List[bytes] = []
    locked = 0
    for name, value in route.metrics:
        if name.endswith(LOCK):
            locked |= 1 << METRICS[name[: -len(LOCK)]]
        else:
            parts.append(nla.u32(METRICS[name], value))
    if route.congestion_control:
        parts.append(nla.text(METRICS["congctl"], route.congestion_control))
    if locked:
        parts.insert(0, nla.u32(_RTAX_LOCK, locked))
    return nla.attribute(_RTA_METRICS, b"".join(parts)) if parts else b""


def _identity(route: Route, resolve: Resolve) -> Tuple[List[bytes], int]:
    """The attributes by which the kernel finds a route again, and its flags."""
    parts: List[bytes] = []
    if route.destination is not None:
        parts.append(nla.attribute(_RTA_DST, route.destination))
    if route.origin is not None:
        parts.append(nla.attribute(_RTA_SRC, route.origin[0]))
    if route.source is not None:
        parts.append(nla.attribute(_RTA_PREFSRC, route.source))
    if route.metric is not None:
        parts.append(nla.u32(_RTA_PRIORITY, route.metric))
    if route.table > 255:
        parts.append(nla.u32(_RTA_TABLE, route.table))
    way, flags = _next_hops(route, resolve)
    parts.append(way)
    return parts, flags


def _extras(route: Route) -> List[bytes]:
    """What a route has beside its identity."""
    parts = [_metrics(route)]
    if route.realms is not None:
        parts.append(nla.u32(_RTA_FLOW, route.realms))
    if route.preference is not None:
        parts.append(nla.u8(_RTA_PREF, route.preference))
    if route.expires_s is not None:
        parts.append(nla.u32(_RTA_EXPIRES, route.expires_s))
    if route.ttl_propagate is not None:
        parts.append(nla.u8(_RTA_TTL_PROPAGATE, int(route.ttl_propagate)))
    return parts


def _head(route: Route, scope: int, flags: int) -> bytes:
    table = route.table if route.table < 256 else 252  # RT_TABLE_COMPAT
    origin = route.origin[1] if route.origin is not None else 0
    number = TYPES[route.type]
    fields = (route.prefix_length, origin, route.tos, table, route.protocol, scope, number, flags)
    return _RTMSG.pack(_FAMILIES[route.family], *fields)


def _request(route: Route, kind: int, flags: int, resolve: Resolve, sequence: int) -> bytes:
    if route.type not in TYPES:
        raise KernelError(f"unknown route type {route.type}", f"use one of {', '.join(TYPES)}")
    try:
        parts, route_flags = _identity(route, resolve)
        if kind == RTM_NEWROUTE:
            parts += _extras(route)
            head = _head(route, _scope(route), route_flags)
        else:
            head = _head(route, _SCOPE_NOWHERE, route_flags)  # whatever scope it was given
        return request(kind, flags, head, b"".join(parts), sequence)
    except (struct.error, ValueError, OverflowError, KeyError) as error:
        raise KernelError(f"no netlink request can say {route}: {error}") from error


def add_request(route: Route, resolve: Resolve, sequence: int = 0) -> bytes:
    """The request that adds ``route``. The kernel answers EEXIST when it is there."""
    flags = NLM_F_CREATE | _ADD_FLAGS[route.append]
    return _request(route, RTM_NEWROUTE, flags, resolve, sequence)


def remove_request(route: Route, resolve: Resolve, sequence: int = 0) -> bytes:
    """The request that removes ``route`` and no other of its destination: it goes by the protocol too."""
    return _request(route, RTM_DELROUTE, 0, resolve, sequence)


def devices_of(route: Route) -> Tuple[str, ...]:
    """The interfaces that a route names."""
    names: Dict[str, None] = {hop.device: None for hop in route.next_hops if hop.device}
    return tuple(names)
