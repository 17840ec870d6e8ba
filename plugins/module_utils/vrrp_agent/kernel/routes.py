# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Routes: requests that add or remove one."""

from __future__ import annotations

import socket
from typing import Any, Callable, Dict, List, Tuple

from ..conf.model import NextHop, Route
from ..wire.address import text
from .errors import KernelError
from .messages import NLM_F_CREATE, NLM_F_REPLACE, RTM_DELROUTE, RTM_NEWROUTE, encode

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
_RTNH_F_ONLINK = 4
_LOCK = " lock"
_RTAX_NUMBERS = {
    "mtu": 2,
    "rtt": 4,
    "rttvar": 5,
    "ssthresh": 6,
    "cwnd": 7,
    "advmss": 8,
    "reordering": 9,
    "rto_min": 13,
}
"""Metrics that keepalived.conf can lock, by their numbers in linux/rtnetlink.h."""
_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST = 0, 253, 254


def _scope(route: Route) -> int:
    """The scope that ``ip route`` chooses when none is given: the nearest that fits."""
    if route.scope is not None:
        return route.scope
    if route.family == 6:
        return _SCOPE_UNIVERSE
    if route.type == "local":
        return _SCOPE_HOST
    if route.type in ("unicast", "broadcast", "multicast", "anycast"):
        has_gateway = any(hop.gateway is not None for hop in route.next_hops)
        return _SCOPE_UNIVERSE if has_gateway else _SCOPE_LINK
    return _SCOPE_UNIVERSE


def _gateway(hop: NextHop, family: int) -> List[Tuple[str, Any]]:
    if hop.gateway is None:
        return []
    gateway_family = 4 if len(hop.gateway) == 4 else 6
    if gateway_family == family:
        return [("RTA_GATEWAY", text(hop.gateway))]
    number = socket.AF_INET if gateway_family == 4 else socket.AF_INET6
    return [("RTA_VIA", {"family": number, "addr": text(hop.gateway)})]


def _leg(hop: NextHop, family: int, resolve: Resolve) -> Dict[str, Any]:
    return {
        "hops": hop.weight - 1,
        "oif": resolve(hop.device) if hop.device else 0,
        "flags": _RTNH_F_ONLINK if hop.onlink else 0,
        "attrs": _gateway(hop, family),
    }


def _metrics(route: Route) -> List[Tuple[str, int]]:
    """RTAX attributes. A locked metric is one bit, by its number, in RTAX_LOCK."""
    metrics: List[Tuple[str, int]] = []
    locked = 0
    for name, value in route.metrics:
        if name.endswith(_LOCK):
            locked |= 1 << _RTAX_NUMBERS[name[: -len(_LOCK)]]
        else:
            metrics.append((f"RTAX_{name.upper()}", value))
    return ([("RTAX_LOCK", locked)] if locked else []) + metrics


def _attributes(route: Route, resolve: Resolve) -> Tuple[List[Tuple[str, Any]], int]:
    attributes: List[Tuple[str, Any]] = []
    flags = 0
    if route.destination is not None:
        attributes.append(("RTA_DST", text(route.destination)))
    if route.source is not None:
        attributes.append(("RTA_PREFSRC", text(route.source)))
    if route.metric is not None:
        attributes.append(("RTA_PRIORITY", route.metric))
    if route.table > 255:
        attributes.append(("RTA_TABLE", route.table))
    if route.metrics:
        attributes.append(("RTA_METRICS", {"attrs": _metrics(route)}))
    if len(route.next_hops) == 1:
        hop = route.next_hops[0]
        attributes.extend(_gateway(hop, route.family))
        if hop.device:
            attributes.append(("RTA_OIF", resolve(hop.device)))
        flags = _RTNH_F_ONLINK if hop.onlink else 0
    elif route.next_hops:
        legs = [_leg(hop, route.family, resolve) for hop in route.next_hops]
        attributes.append(("RTA_MULTIPATH", legs))
    return attributes, flags


def _request(route: Route, kind: int, flags: int, resolve: Resolve) -> bytes:
    if route.type not in TYPES:
        raise KernelError(f"unknown route type {route.type}", f"use one of {', '.join(TYPES)}")
    attributes, route_flags = _attributes(route, resolve)
    fields = {
        "family": socket.AF_INET if route.family == 4 else socket.AF_INET6,
        "dst_len": route.prefix_length,
        "table": route.table if route.table < 256 else 252,
        "proto": route.protocol,
        "scope": _scope(route),
        "type": TYPES[route.type],
        "flags": route_flags,
    }
    return encode("rtmsg", kind, flags, fields, attributes)


def add_request(route: Route, resolve: Resolve) -> bytes:
    """The request that adds ``route``, or replaces the one for the same destination and metric."""
    return _request(route, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, resolve)


def remove_request(route: Route, resolve: Resolve) -> bytes:
    """The request that removes ``route``."""
    return _request(route, RTM_DELROUTE, 0, resolve)
