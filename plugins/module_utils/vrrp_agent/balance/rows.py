# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ``status`` shows of a virtual server, and how much it carries: plain values for the agent. Pure."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ..conf.parts.balancing import RealServer
from .backend import Counted, Counters, Placed, ServiceKey, ServiceWords
from .decision import Decision
from .describe import member_text
from .expand import destination_key

_STATES = {True: "up", False: "down"}
Row = Dict[str, Any]
Amounts = Tuple[Dict[str, int], Dict[str, Dict[str, int]]]
"""The counters of a service, and those of its servers by their names."""


def row_of(
    decision: Decision,
    keys: Sequence[ServiceKey],
    table: Mapping[ServiceKey, Placed],
    fitted: ServiceWords,
    refused: List[str],
) -> Row:
    """One service. ``table`` is what the kernel holds; checks and counters are added by the agent."""
    service = decision.service
    there = next((key for key in keys if key in table), None) if keys else None
    entry = None if there is None else table[there]

    def inside(server: RealServer) -> Dict[str, Any]:
        found = None
        if entry is not None and there is not None:
            found = entry.destinations.get(destination_key(service, there, server))
        return {"in_table": found is not None, "method": method_text(server)}

    servers = []
    for state in decision.servers.values():
        servers.append(
            {
                "name": state.config.name,
                "state": _STATES[state.up],
                "since": state.since_s,
                "reason": state.reason,
                "weight": state.weight,
                "configured_weight": state.config.weight,
                **inside(state.config),
            }
        )
    sorry = service.sorry_server
    return {
        "name": service.name,
        "family": service.family,
        "protocol": _protocol(service.protocol),
        "members": [member_text(member, service.protocol) for member in service.members],
        "group": service.group,
        "state": _STATES[decision.up],
        "since": decision.since_s,
        "reason": decision.reason,
        "scheduler": fitted.scheduler,
        "scheduler_wanted": service.scheduler,
        "quorum": decision.quorum.needed,
        "hysteresis": decision.quorum.hysteresis,
        "weight": decision.weight,
        "sorry": decision.sorry,
        "servers": servers,
        "sorry_server": None if sorry is None else _sorry_row(decision, sorry, inside(sorry)),
        "refused": refused,
    }


def _sorry_row(decision: Decision, sorry: RealServer, inside: Dict[str, Any]) -> Row:
    return {
        "name": sorry.name,
        "state": _STATES[decision.sorry],
        "since": decision.since_s,
        "reason": "the quorum is lost" if decision.sorry else "",
        "weight": sorry.weight if decision.sorry else 0,
        "configured_weight": sorry.weight,
        **inside,
    }


def method_text(server: RealServer) -> str:
    """``NAT``, ``DR``, ``TUN`` or ``TUN gue port 6080``."""
    way = server.forwarding
    if way.method != "TUN":
        return way.method
    port = f" port {way.tunnel_port}" if way.tunnel_port else ""
    return f"TUN {way.tunnel}{port}"


def _protocol(number: int) -> str:
    return {6: "tcp", 17: "udp", 132: "sctp"}.get(number, "")


def amounts_of(
    decision: Decision, keys: Iterable[ServiceKey], counted: Mapping[ServiceKey, Counted]
) -> Optional[Amounts]:
    """What a service carries over all its members; None when the back end counts none of them."""
    service = decision.service
    total: Dict[str, int] = {}
    servers: Dict[str, Dict[str, int]] = {}
    known = [state.config for state in decision.servers.values()]
    if service.sorry_server is not None and service.sorry_server.key not in decision.servers:
        known.append(service.sorry_server)
    found = False
    for key in keys:
        entry = counted.get(key)
        if entry is None:
            continue
        found = True
        add(total, entry.service)
        for server in known:
            counters = entry.destinations.get(destination_key(service, key, server))
            if counters is not None:
                add(servers.setdefault(server.name, {}), counters)
    return (total, servers) if found else None


def add(total: Dict[str, int], counters: Counters) -> None:
    """Add what is counted to a sum; what is not counted is left out."""
    for name, value in zip(Counters._fields, counters):
        if value is not None:
            total[name] = total.get(name, 0) + value
