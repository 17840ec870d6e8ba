# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual server that is not as the file says, as after a reload that the agent refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from plugins.module_utils._host import health
from plugins.module_utils._host.systemd import Unit
from plugins.module_utils.vrrp_agent.conf.parts.balancing import DIRECT, Forwarding, VirtualServer
from plugins.module_utils.vrrp_agent.conf.parts.checks import Connection, TcpCheck, Timing
from tests.unit.ansible.services import config, packed, server, service

RUNNING = Unit("vrrp-agent.service", active="active", main_pid=7)
CHECK = TcpCheck(Timing(), Connection(packed("198.18.0.1"), 80))
OLD = replace(service(), servers=(server("198.18.0.1", weight=2, checks=(CHECK,)), server("198.18.0.2")))


def told(one: VirtualServer) -> dict[str, Any]:
    """As ``vrrp-agent status --json`` shows it."""
    servers = [
        {
            "name": each.name,
            "configured_weight": each.weight,
            "method": each.forwarding.method,
            "checks": [{"kind": check.kind, "state": "good"} for check in each.checks],
        }
        for each in one.servers
    ]
    return {"name": one.name, "family": one.family, "scheduler_wanted": one.scheduler, "servers": servers}


def complaint(running: VirtualServer, expected: VirtualServer) -> str:
    answer = {"pid": 7, "services": [told(running)]}
    return health.agent_complaint(RUNNING, answer, config(expected), ())


def with_first(**changes: Any) -> VirtualServer:
    return replace(OLD, servers=(replace(OLD.servers[0], **changes), OLD.servers[1]))


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (OLD, ""),
        (replace(OLD, scheduler="rr"), "has the scheduler wlc and not rr"),
        (replace(OLD, servers=OLD.servers[:1]), "still has [198.18.0.2]:tcp:80"),
        (replace(OLD, servers=(*OLD.servers, server("198.18.0.3"))), "does not have [198.18.0.3]:tcp:80"),
        (with_first(weight=0), "has [198.18.0.1]:tcp:80 with configured_weight 2 and not 0"),
        (with_first(forwarding=Forwarding(DIRECT)), "with method NAT and not DR"),
        (with_first(checks=()), "with checks ['TCP_CHECK'] and not []"),
        (replace(OLD, family=6), "does not run"),
    ],
)
def test_what_the_agent_still_does_otherwise_is_told(new: VirtualServer, expected: str) -> None:
    said = complaint(OLD, new)
    assert expected in said if expected else said == ""


def test_a_tunnel_is_known_by_its_method() -> None:
    answer = told(OLD)
    for one in answer["servers"]:
        one["method"] = "TUN gue port 6080"
    way = Forwarding("TUN", "gue", 6080)
    new = replace(OLD, servers=tuple(replace(one, forwarding=way) for one in OLD.servers))
    assert health.agent_complaint(RUNNING, {"pid": 7, "services": [answer]}, config(new), ()) == ""


def test_an_answer_that_shows_less_is_no_reason_to_wait() -> None:
    answer = {"pid": 7, "services": [{"name": OLD.name, "family": 4}]}
    assert health.agent_complaint(RUNNING, answer, config(OLD), ()) == ""
