# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual servers in ``vrrp-agent status``: collected for programs, explained to people."""

from __future__ import annotations

import copy
from typing import Any, Dict, List

from vrrp_agent.cli.status import as_text, collect

HEAD = {"version": "1", "pid": 7, "started": "then", "config": "/etc/c.conf", "instance_count": 0}
BALANCING = {"pid": 9, "restarts": 0, "backend": "nftables", "problem": "", "sync_daemon": {}, "check_pid": 8}
GOOD = {"kind": "HTTP_GET", "state": "good", "why": "status 200", "since": "T1", "took_s": 0.0012}
BAD = {"kind": "TCP_CHECK", "state": "bad", "why": "connection refused", "since": "T2", "took_s": None}
SERVICE: Dict[str, Any] = {
    "name": "[198.51.100.10]:tcp:80",
    "family": 4,
    "protocol": "tcp",
    "members": ["198.51.100.10:80"],
    "group": "",
    "state": "up",
    "since": "T0",
    "reason": "",
    "scheduler": "wrr",
    "scheduler_wanted": "wrr",
    "quorum": 1,
    "hysteresis": 0,
    "weight": 3,
    "sorry": False,
    "suspended": False,
    "connections": {},
    "servers": [
        {
            "name": "[198.18.0.1]:tcp:80",
            "state": "up",
            "since": "T0",
            "reason": "",
            "weight": 3,
            "configured_weight": 3,
            "in_table": True,
            "method": "NAT",
            "connections": {"active_connections": 12},
            "checks": [GOOD],
        },
        {
            "name": "[198.18.0.2]:tcp:80",
            "state": "down",
            "since": "T2",
            "reason": "TCP_CHECK: connection refused",
            "weight": 0,
            "configured_weight": 1,
            "in_table": False,
            "method": "NAT",
            "connections": {},
            "checks": [BAD],
        },
    ],
    "sorry_server": {"name": "[198.18.0.9]:tcp:80", "state": "up", "weight": 1, "method": "NAT"},
    "refused": [],
}


def answer(*services: Dict[str, Any], **balancing: Any) -> Dict[str, Any]:
    lines: List[Dict[str, Any]] = [HEAD, {"balancing": {**BALANCING, **balancing}}]
    return collect(iter([*lines, *({"service": service} for service in services)]))


def told(*services: Dict[str, Any], **balancing: Any) -> List[str]:
    """The lines about virtual servers."""
    return list(as_text(answer(*services, **balancing)))[3:]


def changed(**words: Any) -> Dict[str, Any]:
    return {**copy.deepcopy(SERVICE), **words}


def test_programs_get_services_and_what_holds_for_all_of_them() -> None:
    found = answer(SERVICE)
    assert found["services"] == [SERVICE]
    assert found["balancing"]["backend"] == "nftables"


def test_without_virtual_servers_nothing_is_said_of_them() -> None:
    found = collect(iter([HEAD]))
    assert found["services"] == []
    assert not [line for line in as_text(found) if "virtual" in line]


def test_a_service_is_explained_in_a_paragraph() -> None:
    assert told(SERVICE) == [
        "[198.51.100.10]:tcp:80: up since T0, wrr, NAT, by nftables",
        "  why       quorum 1 of weight 3",
        "  server    [198.18.0.1]:tcp:80  weight 3  up    12 connections  HTTP_GET good (status 200, 1.2 ms)",
        "  server    [198.18.0.2]:tcp:80  weight 0 (configured 1)  down  "
        "TCP_CHECK bad (connection refused) since T2",
        "  sorry     [198.18.0.9]:tcp:80  not used",
        "",
        "virtual servers: by nftables, process 9, checked by process 8",
    ]


def test_processes_that_have_died_are_counted() -> None:
    line = (
        "virtual servers: by nftables, process 9 (1 died before it), checked by process 8 (3 died before it)"
    )
    assert told(SERVICE, restarts=1, check_restarts=3)[-1] == line
    assert told(SERVICE, check_pid=0, check_restarts=3, problem="no server is checked")[-2:] == [
        "virtual servers: by nftables, process 9",
        "  problem   no server is checked",
    ]


def test_why_a_service_is_down_and_what_takes_its_place() -> None:
    lines = told(changed(state="down", reason="weight 0 < 2", quorum=2, hysteresis=1, weight=0, sorry=True))
    assert "  why       weight 0 < 2" in lines
    assert "  quorum    2 ±1 of weight 0" in lines
    assert "  sorry     [198.18.0.9]:tcp:80  used" in lines


def test_several_checks_stand_in_lines_of_their_own() -> None:
    service = changed()
    service["servers"][0]["checks"] = [GOOD, BAD]
    lines = told(service)
    at = lines.index("  server    [198.18.0.1]:tcp:80  weight 3  up    12 connections")
    assert lines[at + 1 : at + 3] == [
        "            HTTP_GET good (status 200, 1.2 ms)",
        "            TCP_CHECK bad (connection refused) since T2",
    ]


def test_a_check_that_has_not_run_has_taken_no_time() -> None:
    service = changed()
    service["servers"][0]["checks"] = [{**GOOD, "state": "unknown", "why": "", "took_s": 0.0}]
    assert any(line.endswith("  HTTP_GET not checked yet") for line in told(service))


def test_a_scheduler_that_cannot_be_carried_is_named_with_the_one_in_its_place() -> None:
    assert "rr in place of lblc" in told(changed(scheduler="rr", scheduler_wanted="lblc"))[0]


def test_servers_of_different_methods_say_theirs() -> None:
    service = changed()
    service["servers"][1]["method"] = "DR"
    first, *lines = told(service)
    assert "NAT" not in first
    assert [" NAT " in line or " DR " in line for line in lines if "  server" in line] == [True, True]


def test_what_the_kernel_counts_is_shown() -> None:
    service = changed(connections={"connections": 1})
    service["servers"][1]["connections"] = {"connections": 57}
    lines = told(service)
    assert "  carries   1 connection so far" in lines
    assert any("57 connections so far" in line for line in lines)


def test_many_addresses_of_a_group_are_cut_short() -> None:
    members = [f"198.51.100.{number}:80" for number in range(1, 12)]
    lines = told(changed(group="web", members=members))
    assert any(line.endswith("198.51.100.8:80, and 3 more") for line in lines)


def test_what_was_refused_what_rests_and_what_is_wrong_as_a_whole() -> None:
    lines = told(
        changed(refused=["[198.18.0.2]:tcp:80: no route"], suspended=True),
        problem="no ip_vs",
        backend="",
        sync_daemon={"interface": "eth1", "sends": True},
    )
    assert "  refused   [198.18.0.2]:tcp:80: no route" in lines
    assert "  rests     none of its addresses is here (ha_suspend)" in lines
    assert "  problem   no ip_vs" in lines
    assert "  sync      interface eth1, sends True" in lines
    assert lines[-3].startswith("virtual servers: by nothing yet")
