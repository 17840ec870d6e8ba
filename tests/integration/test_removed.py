# SPDX-License-Identifier: GPL-3.0-or-later
"""Another program takes away what belongs to an active router: keepalived's rule, and agent_restore."""

from __future__ import annotations

import json
import time
from typing import List

import pytest

from tests.lab import config
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.lan import VIP4
from tests.lab.plugin import MakeBench
from tests.lab.shell import wait_until

ROUTE, ROUTE6, RULE = "198.18.20.0/24", "2001:db8:20::/64", 1000
WAYS = (
    config.block("virtual_routes", [f"{ROUTE} via 198.51.100.11 dev eth0", f"{ROUTE6} dev eth0 table 77"]),
    config.block("virtual_rules", [f"from {ROUTE} table 77 priority {RULE}"]),
)
REMOVALS = {
    "an address": ("address", "del", f"{VIP4}/24", "dev", "eth0"),
    "a route": ("route", "del", ROUTE),
    "an IPv6 route": ("-6", "route", "del", ROUTE6, "table", "77"),
    "a rule": ("rule", "del", "priority", str(RULE)),
}


def whole(bench: Bench) -> bool:
    """The address, both routes and the rule are there."""
    return bench.d.holds(VIP4) and routes(bench) == [ROUTE, ROUTE6] and RULE in rules(bench)


def routes(bench: Bench) -> List[str]:
    found: List[str] = []
    for family in ("-4", "-6"):
        listed = bench.d.ip("-j", family, "route", "show", "table", "all", check=False)
        found += [one["dst"] for one in json.loads(listed or "[]") if one["dst"] in (ROUTE, ROUTE6)]
    return found


def rules(bench: Bench) -> List[int]:
    return [one["priority"] for one in json.loads(bench.d.ip("-j", "rule"))]


@pytest.mark.parametrize("removal", REMOVALS.values(), ids=list(REMOVALS))
def test_a_router_that_loses_something_steps_down_and_comes_back_with_all_of_it(
    make_bench: MakeBench, removal: List[str]
) -> None:
    bench = make_bench(lines=(*NO_BURST_LATER, *WAYS))
    bench.start_active()
    wait_until("everything", lambda: whole(bench), 3)
    begin_ns = time.time_ns()
    bench.d.ip(*removal)
    wait_until("the resignation", lambda: bench.wire.adverts("d", since_ns=begin_ns, priority=0), 3, 0.01)
    assert "active -> backup: another program removed" in bench.agent.log()
    bench.agent.wait_for_state("active")
    wait_until("everything again", lambda: whole(bench), 3)


@pytest.mark.parametrize("removal", REMOVALS.values(), ids=list(REMOVALS))
def test_with_agent_restore_it_is_back_at_once_and_the_router_stays_active(
    make_bench: MakeBench, removal: List[str]
) -> None:
    bench = make_bench(lines=("agent_restore", *NO_BURST_LATER, *WAYS))
    bench.start_active()
    wait_until("everything", lambda: whole(bench), 3)
    begin_ns = time.time_ns()
    bench.d.ip(*removal)
    wait_until("the line in the log", lambda: "; put back" in bench.agent.log(), 3)
    wait_until("everything again", lambda: whole(bench), 3)
    bench.stays_active(0.4, begin_ns)
    assert not bench.wire.adverts("d", since_ns=begin_ns, priority=0)


def test_the_word_holds_for_all_instances_in_global_defs(make_bench: MakeBench) -> None:
    bench = make_bench(global_lines=("agent_restore",), lines=NO_BURST_LATER)
    bench.start_active()
    wait_until("the address", lambda: bench.d.holds(VIP4), 3)
    bench.d.ip(*REMOVALS["an address"])
    wait_until("the address to be back", lambda: bench.d.holds(VIP4), 3)
    assert bench.agent.state() == "active"


def test_no_track_leaves_away_what_others_remove(make_bench: MakeBench) -> None:
    lines = (
        config.block("virtual_routes", [f"{ROUTE} via 198.51.100.11 dev eth0 no_track"]),
        config.block("virtual_rules", [f"from {ROUTE} table 77 priority {RULE} no_track"]),
    )
    bench = make_bench(lines=lines)
    bench.start_active()
    wait_until("route and rule", lambda: routes(bench) == [ROUTE] and RULE in rules(bench), 3)
    begin_ns = time.time_ns()
    bench.d.ip(*REMOVALS["a route"])
    bench.d.ip(*REMOVALS["a rule"])
    bench.stays_active(0.6, begin_ns)
    assert routes(bench) == []
    assert RULE not in rules(bench)
    assert not bench.wire.adverts("d", since_ns=begin_ns, priority=0)


def test_a_network_manager_flushes_the_interface(make_bench: MakeBench) -> None:
    """As systemd-networkd does when it restarts: it knows nothing of virtual addresses and removes them."""
    bench = make_bench(lines=("agent_restore", *NO_BURST_LATER))
    bench.start_active()
    wait_until("the address", lambda: bench.d.holds(VIP4), 3)
    begin_ns = time.time_ns()
    for _turn in range(5):
        # ip is not content: what it flushes is back before it looks again
        bench.d.ip("address", "flush", "dev", "eth0", "to", f"{VIP4}/32", check=False)
        wait_until("the address to be back", lambda: bench.d.holds(VIP4), 3)
    bench.stays_active(0.4, begin_ns)


def test_our_own_changes_are_not_taken_for_anothers(make_bench: MakeBench) -> None:
    """A reload takes away the first address of the subnet, and the kernel removes the others with it."""
    more = ["198.51.100.120/29", "198.51.100.121/29", "198.51.100.122/29"]
    bench = make_bench(addresses=[f"{VIP4}/24", *more], lines=(*NO_BURST_LATER, *WAYS))
    bench.d.sysctl("net.ipv4.conf.all.promote_secondaries=0", "net.ipv4.conf.eth0.promote_secondaries=0")
    bench.start_active()
    rest = [one.split("/")[0] for one in more[1:]]
    wait_until("all addresses", lambda: bench.d.holds(*rest), 3)
    begin_ns = time.time_ns()
    bench.agent.reload(bench.config(addresses=[f"{VIP4}/24", *more[1:]]))
    wait_until("the first one to go", lambda: bench.d.holds_none("198.51.100.120"), 5)
    wait_until("the others to be there", lambda: bench.d.holds(*rest), 3)
    bench.agent.reload(bench.config(addresses=[f"{VIP4}/24"], lines=NO_BURST_LATER))
    wait_until("routes and rule to go", lambda: not routes(bench) and RULE not in rules(bench), 5)
    bench.stays_active(0.4, begin_ns)
    assert not bench.wire.adverts("d", since_ns=begin_ns, priority=0)
    assert "another program" not in bench.agent.log()


STATICS = {
    "address": ("address", "del", "198.18.9.1/24", "dev", "eth1"),
    "route": ("route", "del", ROUTE),
    "rule": ("rule", "del", "priority", str(RULE)),
}


def static_blocks(word: str = "") -> List[str]:
    return [
        config.block("static_ipaddress", [f"198.18.9.1/24 dev eth1 {word}"]),
        config.block("static_routes", [f"{ROUTE} dev eth1 {word}"]),
        config.block("static_rules", [f"from {ROUTE} iif eth1 table 77 priority {RULE} {word}"]),
    ]


def statics_there(bench: Bench) -> bool:
    return bench.d.holds("198.18.9.1") and routes(bench) == [ROUTE] and RULE in rules(bench)


@pytest.mark.parametrize("removal", STATICS.values(), ids=list(STATICS))
def test_static_things_are_put_back_and_the_router_that_watches_them_steps_down(
    make_bench: MakeBench, removal: List[str]
) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    bench.d.add_interface("eth1")
    group = config.block("track_group G", config.block("group", ["VI_1"]))
    bench.agent.write(bench.config(group, *static_blocks("track_group G")))
    bench.start_active()
    wait_until("static things", lambda: statics_there(bench), 3)
    begin_ns = time.time_ns()
    bench.d.ip(*removal)
    wait_until("the resignation", lambda: bench.wire.adverts("d", since_ns=begin_ns, priority=0), 3, 0.01)
    wait_until("static things again", lambda: statics_there(bench), 3)
    bench.agent.wait_for_state("active")
    bench.d.ip("link", "set", "eth1", "down")
    bench.agent.wait_for_state("fault")
    bench.d.ip("link", "set", "eth1", "up")
    bench.agent.wait_for_state("active")
    wait_until("static things once more", lambda: statics_there(bench), 3)


@pytest.mark.parametrize("removal", STATICS.values(), ids=list(STATICS))
def test_static_things_that_nobody_watches_are_put_back_and_that_is_all(
    make_bench: MakeBench, removal: List[str]
) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    bench.d.add_interface("eth1")
    bench.agent.write(bench.config(*static_blocks()))
    bench.start_active()
    wait_until("static things", lambda: statics_there(bench), 3)
    begin_ns = time.time_ns()
    bench.d.ip(*removal)
    wait_until("the line in the log", lambda: "; put back" in bench.agent.log(), 3)
    wait_until("static things again", lambda: statics_there(bench), 3)
    bench.stays_active(0.3, begin_ns)


def test_a_table_of_the_whole_internet_keeps_nobody_busy(make_bench: MakeBench) -> None:
    """Routes of others are filtered by the kernel; the agent has a route of its own to watch."""
    bench = make_bench(lines=(*NO_BURST_LATER, *WAYS))
    bench.start_active()
    wait_until("everything", lambda: whole(bench), 3)
    begin_ns = time.time_ns()
    many = [f"{{}} 10.{number // 256}.{number % 256}.0/24 dev eth0 protocol bird" for number in range(20000)]
    for verb in ("route add", "route del"):
        with bench.d.popen(["ip", "-batch", "-"], stdin=-1, text=True) as process:
            process.communicate("\n".join(line.format(verb) for line in many))
            assert process.returncode == 0
    bench.stays_active(0.3, begin_ns)
    assert "more changes than could be read" not in bench.agent.log()
