# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Virtual servers in ``status``: what the process that balances says, and what the one that checks says."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ...conf.parts.balancing import RealServer, VirtualServer
from ...loop.results import CheckKey
from ..status import stamp
from .balancing import Balancer
from .checking import Checkers

_STATES = {True: "good", False: "bad", None: "unknown"}
Row = Dict[str, Any]


def whole(balancer: Balancer, checkers: Checkers) -> Row:
    """What holds for all services."""
    report = balancer.report
    problems = ("" if report is None else report.problem, checkers.problem)
    return {
        "pid": balancer.pid,
        "restarts": balancer.restarts,
        "backend": "" if report is None else report.backend,
        "problem": "; ".join(filter(None, problems)),
        "sync_daemon": {} if report is None else report.sync_daemon,
        "check_pid": checkers.pid,
        "check_restarts": checkers.restarts,
    }


def service_row(
    service: VirtualServer, balancer: Balancer, checkers: Checkers, suspended: bool
) -> Optional[Row]:
    """One service, or None as long as nothing has been heard of it."""
    said = balancer.rows.get(service.key)
    if said is None:
        return None
    own, theirs = balancer.counts.get(service.key, ({}, {}))
    checked = {server.name: server for server in service.servers}
    servers: List[Row] = []
    for one in said["servers"]:
        name = one["name"]
        row = {**one, "since": stamp(one["since"]), "connections": theirs.get(name, {})}
        if name in checked:
            row["checks"] = _checks(service, checked[name], checkers)
        servers.append(row)
    sorry = said["sorry_server"]
    if sorry is not None:
        sorry = {**sorry, "since": stamp(sorry["since"]), "connections": theirs.get(sorry["name"], {})}
    return {
        **said,
        "since": stamp(said["since"]),
        "suspended": suspended,
        "connections": own,
        "servers": servers,
        "sorry_server": sorry,
    }


def _checks(service: VirtualServer, server: RealServer, checkers: Checkers) -> List[Row]:
    rows: List[Row] = []
    for number, check in enumerate(server.checks):
        key = CheckKey(service.key, server.key, number)
        result, run = checkers.results.get(key), checkers.runs.get(key)
        good = None if result is None else result.good
        why = "" if result is None else result.why
        rows.append(
            {
                "kind": check.kind,
                "state": _STATES[good],
                "why": why or ("" if run is None else run.why),
                "since": None if result is None else stamp(result.wall_time_s),
                "took_s": None if run is None else run.took_ns / 1e9,
                "last_run": None if run is None else stamp(run.wall_time_s),
                "runs": 0 if run is None else run.runs,
                "failures": 0 if run is None else run.failures,
            }
        )
    return rows
