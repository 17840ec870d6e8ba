# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of static_routes, each seen in the kernel's table."""

from __future__ import annotations

import json
from typing import Any, Dict

import pytest

from tests.lab import config
from tests.lab.plugin import MakeBench
from tests.lab.shell import wait_until

TARGET = "198.18.20.0/24"

OPTIONS = [
    (f"{TARGET} via 198.51.100.11 dev eth0 mtu lock 1400 advmss 1300", {}),
    (
        f"{TARGET} via inet6 2001:db8::11 dev eth0",
        {"via": {"family": "inet6", "host": "2001:db8::11"}},
    ),
    (f"{TARGET} via 198.51.100.77 dev eth0 onlink src 198.51.100.10", {"prefsrc": "198.51.100.10"}),
    (f"{TARGET} via 198.51.100.11 dev eth0 priority 7", {"metric": 7}),
    (f"unreachable {TARGET}", {"type": "unreachable"}),
    (f"{TARGET} dev eth0 scope link table 300 protocol 98 no_track", {"table": "300", "protocol": "98"}),
]


def installed(text: str) -> Dict[str, Any]:
    """The one route to the target, or nothing."""
    found = [one for one in json.loads(text or "[]") if one["dst"] == TARGET]
    return found[0] if found else {}


@pytest.mark.parametrize("line, expected", OPTIONS, ids=[line for line, _ in OPTIONS])
def test_a_route_has_the_options_of_its_line(
    make_bench: MakeBench, line: str, expected: Dict[str, Any]
) -> None:
    bench = make_bench()
    bench.agent.write(bench.config(config.block("static_routes", [line])))
    bench.start()

    def route() -> Dict[str, Any]:
        return installed(bench.d.ip("-j", "-4", "route", "show", "table", "all", check=False))

    found = wait_until("the route", route, 3) or {}
    for key, value in expected.items():
        assert found.get(key) == value, found
    if "lock" in line:
        assert "mtu lock 1400 advmss 1300" in bench.d.ip("-4", "route", "show", TARGET)
    bench.agent.stop()
    assert route() == {}


def test_a_route_with_two_ways_has_both_with_their_weights(make_bench: MakeBench) -> None:
    line = f"{TARGET} nexthop via 198.51.100.11 dev eth0 weight 2 nexthop via 198.51.100.12 dev eth0 weight 1"
    bench = make_bench()
    bench.agent.write(bench.config(config.block("static_routes", [line])))
    bench.start()
    found = wait_until(
        "the route", lambda: installed(bench.d.ip("-j", "-4", "route", "show", check=False)), 3
    )
    assert [(hop["gateway"], hop["weight"]) for hop in (found or {})["nexthops"]] == [
        ("198.51.100.11", 2),
        ("198.51.100.12", 1),
    ]


def test_a_route_comes_back_with_its_interface(make_bench: MakeBench) -> None:
    """The kernel drops the routes of an interface that goes down."""
    bench = make_bench()
    lines = [f"{TARGET} via 198.18.30.2 dev eth1"]
    bench.d.add_interface("eth1")
    bench.d.ip("address", "add", "198.18.30.1/24", "dev", "eth1")
    bench.agent.write(bench.config(config.block("static_routes", lines)))
    bench.start()

    def route() -> Dict[str, Any]:
        return installed(bench.d.ip("-j", "-4", "route", "show", check=False))

    wait_until("the route", route, 3)
    bench.d.ip("link", "set", "eth1", "down")
    wait_until("its loss", lambda: not route(), 3)
    bench.d.ip("link", "set", "eth1", "up")
    wait_until("its return", route, 3)
