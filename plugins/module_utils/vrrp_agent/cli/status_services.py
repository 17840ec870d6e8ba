# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Virtual servers in ``vrrp-agent status``, for people."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator, List, Optional

_MOST_MEMBERS = 8
"""So many addresses of one service are named."""
Values = Dict[str, Any]


def as_text(balancing: Optional[Values], services: Iterable[Values]) -> Iterator[str]:
    """A paragraph for what holds for all, and one for each virtual server."""
    if balancing is None:
        return
    for service in services:
        yield ""
        yield from _service(service, balancing.get("backend", ""))
    yield ""
    yield from _balancing(balancing)


def _balancing(balancing: Values) -> Iterator[str]:
    by = balancing.get("backend") or "nothing yet"
    checks = f", checked by process {balancing['check_pid']}" if balancing.get("check_pid") else ""
    checks += _died(balancing.get("check_restarts", 0)) if checks else ""
    yield f"virtual servers: by {by}, process {balancing['pid']}{_died(balancing['restarts'])}{checks}"
    if balancing.get("problem"):
        yield f"  problem   {balancing['problem']}"
    daemon = balancing.get("sync_daemon")
    if daemon:
        yield "  sync      " + ", ".join(f"{word} {value}" for word, value in daemon.items())


def _died(restarts: int) -> str:
    return f" ({restarts} died before it)" if restarts else ""


def _service(service: Values, backend: str) -> Iterator[str]:
    servers = service["servers"]
    methods = list(dict.fromkeys(server["method"] for server in servers if server.get("method")))
    facts = [_scheduler(service), *(methods if len(methods) == 1 else [])]
    facts += [f"by {backend}"] if backend else []
    state = f"{service['state']} since {service['since']}"
    yield ", ".join((f"{service['name']}: {state}", *facts))
    yield f"  why       {service['reason'] or f'quorum {_quorum(service)}'}"
    if service["reason"]:
        yield f"  quorum    {_quorum(service)}"
    yield from _members(service)
    if service.get("suspended"):
        yield "  rests     none of its addresses is here (ha_suspend)"
    carried = _connections(service)
    if carried:
        yield f"  carries   {carried}"
    for server in servers:
        yield from _server(server, len(methods) > 1)
    sorry = service.get("sorry_server")
    if sorry:
        yield f"  sorry     {sorry['name']}  {'used' if service.get('sorry') else 'not used'}"
    for refused in service.get("refused", ()):
        yield f"  refused   {refused}"


def _scheduler(service: Values) -> str:
    used, wanted = service["scheduler"], service.get("scheduler_wanted") or service["scheduler"]
    return str(used) if used == wanted else f"{used} in place of {wanted}"


def _quorum(service: Values) -> str:
    band = f" ±{service['hysteresis']}" if service.get("hysteresis") else ""
    return f"{service['quorum']}{band} of weight {service['weight']}"


def _members(service: Values) -> Iterator[str]:
    members: List[str] = list(service.get("members", ()))
    if not service.get("group") and len(members) < 2:
        return
    more = [f"and {len(members) - _MOST_MEMBERS} more"] if len(members) > _MOST_MEMBERS else []
    yield f"  members   {', '.join(members[:_MOST_MEMBERS] + more)}"


def _server(server: Values, with_method: bool) -> Iterator[str]:
    method = [server["method"]] if with_method and server.get("method") else []
    weight = f"weight {server['weight']}"
    if server.get("configured_weight", server["weight"]) != server["weight"]:
        weight += f" (configured {server['configured_weight']})"
    facts = [server["name"], weight, *method, f"{server['state']:<4}"]
    facts += [fact for fact in (_connections(server),) if fact]
    checks = [_check(check) for check in server.get("checks", ())]
    if len(checks) == 1:
        facts += checks
        checks = []
    yield "  server    " + "  ".join(facts).rstrip()
    if not server.get("checks") and server["state"] != "up" and server.get("reason"):
        yield f"            {server['reason']}"
    yield from (f"            {check}" for check in checks)


def _connections(thing: Values) -> str:
    """Those that are open where the kernel knows it, or else how many there were."""
    counters = thing.get("connections") or {}
    if counters.get("active_connections") is not None:
        return _counted(counters["active_connections"])
    if counters.get("connections") is not None:
        return f"{_counted(counters['connections'])} so far"
    return ""


def _counted(number: int) -> str:
    return f"{number} connection{'' if number == 1 else 's'}"


def _check(check: Values) -> str:
    """One check: what it found, and how long that took, or since when it is bad."""
    said = [check["why"]] if check.get("why") else []
    if check["state"] == "unknown":
        return f"{check['kind']} not checked yet"
    if check.get("took_s") is not None:
        said.append(f"{check['took_s'] * 1000:.1f} ms")
    said_text = f" ({', '.join(said)})" if said else ""
    since = f" since {check['since']}" if check["state"] == "bad" and check.get("since") else ""
    return f"{check['kind']} {check['state']}{said_text}{since}"
