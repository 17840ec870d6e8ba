# SPDX-License-Identifier: GPL-3.0-or-later
"""virtual_routes and virtual_rules on a real kernel: what iproute2 makes of them, while active only."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from tests.lab import config
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.lan import VIP4, Node
from tests.lab.plugin import MakeBench
from tests.lab.shell import wait_until

GATEWAY = "198.51.100.77"
GATEWAYS = "198.51.100.78"
GATEWAY6 = "2001:db8::77"

ROUTES = {
    f"198.18.1.0/24 via {GATEWAY} dev eth0": "",
    f"198.18.2.0/24 via {GATEWAY} mtu lock 1400 advmss 1300 rtt 300ms rttvar 200ms rto_min 1s"
    " window 1000 cwnd lock 10 ssthresh 20 reordering 5 hoplimit 40 initcwnd 11 initrwnd 12 quickack 1"
    " features ecn": "",
    f"198.18.3.0/24 via {GATEWAY} congctl reno": "",
    f"198.18.4.0/24 via {GATEWAY} tos 0x10": "",
    f"198.18.5.0/24 via {GATEWAY} realms 3/4": "",
    f"198.18.6.0/24 via {GATEWAY} fastopen_no_cookie 1": "",
    f"198.18.7.0/24 nexthop via {GATEWAY} dev eth0 weight 3 nexthop via {GATEWAYS} dev eth0 onlink": "",
    "blackhole 198.18.8.0/24": "",
    "unreachable 198.18.9.0/24 metric 9": "",
    "prohibit 198.18.10.0/24": "",
    "throw 198.18.11.0/24 table 300": "",
    f"198.18.12.0/24 via {GATEWAY} src {VIP4}": "",
    f"198.18.13.0/24 via {GATEWAY} protocol 99 no_track": f"198.18.13.0/24 via {GATEWAY} protocol 99",
    f"198.18.14.0/24 gw {GATEWAY} or {GATEWAYS}": (
        f"198.18.14.0/24 nexthop via {GATEWAY} nexthop via {GATEWAYS}"
    ),
    "198.18.15.0/24 dev eth0": "",
    f"198.18.16.0/24 encap ip id 5 dst {GATEWAY} src {VIP4} tos 4 ttl 9 dev eth0": (
        f"198.18.16.0/24 encap ip id 5 dst {GATEWAY} src {VIP4} tos 4 ttl 9 dev eth0 scope global"
    ),
    f"198.18.17.0/24 encap ip6 id 5 dst {GATEWAY6} tc 4 hoplimit 9 dev eth0": (
        f"198.18.17.0/24 encap ip6 id 5 dst {GATEWAY6} tc 4 hoplimit 9 dev eth0 scope global"
    ),
    f"198.18.18.0/24 via inet6 {GATEWAY6} dev eth0": "",
    f"198.18.19.0/24 via {GATEWAY} scope site table 1000 priority 7": (
        f"198.18.19.0/24 via {GATEWAY} scope site table 1000 metric 7"
    ),
    "local 198.18.20.1 dev eth0 table 400": "",
}
ROUTES6 = {
    f"2001:db8:1::/64 via {GATEWAY6} dev eth0": "",
    f"2001:db8:2::/64 via {GATEWAY6} dev eth0 pref high metric 55 mtu 1300 hoplimit 3": "",
    f"2001:db8:3::/64 from 2001:db8:99::/64 via {GATEWAY6} dev eth0": "",
    f"2001:db8:4::/64 nexthop via {GATEWAY6} dev eth0 weight 2 nexthop via 2001:db8::78 dev eth0": "",
    "2001:db8:5::/64 dev eth0 table 400": "",
    f"2001:db8:6::/64 encap ip6 id 7 dst {GATEWAY6} dev eth0": "",
    "unreachable 2001:db8:7::/64": "",
    f"inet6 default via {GATEWAY6} dev eth0 table 401": f"default via {GATEWAY6} dev eth0 table 401",
}
RULES = {
    "from 198.18.1.0/24 table 100 priority 1000": "",
    "to 198.18.2.0/24 iif eth0 lookup 100 priority 1001": "",
    "fwmark 7/0xff unreachable priority 1002": "",
    "fwmark 0x9 prohibit priority 1003": "",
    "not from 198.18.1.1 table 1000 order 1004": "",
    "from all tos 0x10 table 100 priority 1005": "",
    "from 198.18.3.0/24 oif eth0 table 100 suppress_prefixlength 8 priority 1006": "",
    "from 198.18.3.0/24 dev eth0 table 100 sup_group default priority 1007": (
        "from 198.18.3.0/24 dev eth0 table 100 suppress_ifgroup default priority 1007"
    ),
    "from 198.18.3.0/24 realms 3/4 table 100 priority 1008": "",
    "tunnel-id 44 table 100 priority 1009": "tun_id 44 table 100 priority 1009",
    "uidrange 100-200 table 100 priority 1010": "",
    "l3mdev priority 1011": "",
    "ipproto tcp sport 10-20 dport 30-40 table 100 priority 1012": "",
    "protocol 99 from 198.18.4.4 no_track table 100 priority 1013": (
        "protocol 99 from 198.18.4.4 table 100 priority 1013"
    ),
    "type goto 2000 priority 1014": "goto 2000 priority 1014",
    "from 198.18.5.5 nop priority 1015": "",
    "from 198.18.5.5 blackhole priority 1016": "",
    "from 198.18.6.6 table 100": "from 198.18.6.6 table 100 priority 16384",
}
RULES6 = {
    "from 2001:db8:6::/64 to 2001:db8:7::/64 table 1001 priority 1000": "",
    "inet6 iif eth0 table 100 priority 1001": "iif eth0 table 100 priority 1001",
}


def listed(node: Node, what: str, family: str) -> List[Dict[str, Any]]:
    """Routes or rules that are not the kernel's own, in a form to compare; sorted."""
    words = ("route", "show", "table", "all") if what == "route" else ("rule",)
    found = json.loads(node.ip("-j", "-d", family, *words, check=False) or "[]")
    ours = [one for one in found if one.get("protocol") not in ("kernel", "boot", "ra", None)]
    for one in ours:
        one.pop("flags", None)
        for leg in one.get("nexthops", ()):
            leg["flags"] = [flag for flag in leg.get("flags", ()) if flag == "onlink"]
    return sorted(ours, key=lambda one: json.dumps(one, sort_keys=True))


def everything(node: Node) -> List[Dict[str, Any]]:
    return [
        one for what in ("route", "rule") for family in ("-4", "-6") for one in listed(node, what, family)
    ]


def by_hand(node: Node) -> List[Dict[str, Any]]:
    """What iproute2 makes of the same lines, on a host with the same addresses."""
    node.ip("address", "add", f"{VIP4}/24", "dev", "eth0")
    for family, lines in (("-4", ROUTES), ("-6", ROUTES6)):
        for line, other in lines.items():
            words = (other or line).split()
            protocol = [] if "protocol" in words else ["protocol", "keepalived"]
            # options of the route stand before the first leg
            at = words.index("nexthop") if "nexthop" in words else len(words)
            node.ip(family, "route", "add", *words[:at], *protocol, *words[at:])
    for family, lines in (("-4", RULES), ("-6", RULES6)):
        for line, other in lines.items():
            words = (other or line).split()
            protocol = [] if "protocol" in words else ["protocol", "keepalived"]
            node.ip(family, "rule", "add", *words, *protocol)
    return everything(node)


def bench_with_all(make_bench: MakeBench) -> Bench:
    lines = (
        *NO_BURST_LATER,
        config.block("virtual_routes", [*ROUTES, *ROUTES6]),
        config.block("virtual_rules", [*RULES, *RULES6]),
    )
    return make_bench(lines=lines)


def test_every_option_makes_what_iproute2_makes_of_it(make_bench: MakeBench) -> None:
    bench = bench_with_all(make_bench)
    bench.start_active()
    number = len(ROUTES) + len(ROUTES6) + len(RULES) + len(RULES6)
    found = wait_until(
        "all of them", lambda: everything(bench.d) if len(everything(bench.d)) >= number else None, 5
    )
    status = bench.agent.instance()
    assert status["routes_and_rules_refused"] == {}
    assert status["routes_and_rules_held"] == status["routes_and_rules"]
    expected = by_hand(bench.t)
    assert [one for one in found or [] if one not in expected] == []
    assert [one for one in expected if one not in (found or [])] == []


def test_they_go_with_the_active_state_and_come_back_with_it(make_bench: MakeBench) -> None:
    bench = bench_with_all(make_bench)
    bench.start_active()
    number = len(ROUTES) + len(ROUTES6) + len(RULES) + len(RULES6)
    wait_until("all of them", lambda: len(everything(bench.d)) >= number, 5)
    with bench.tester.speaking(priority=200):
        bench.agent.wait_for_state("backup")
        wait_until("all to go", lambda: not everything(bench.d), 3)
    bench.agent.wait_for_state("active")
    wait_until("all of them again", lambda: len(everything(bench.d)) >= number, 5)
    bench.agent.stop()
    assert everything(bench.d) == []
    assert "cannot" not in bench.agent.log()


def test_a_successor_of_a_killed_agent_goes_on_or_clears_up(make_bench: MakeBench) -> None:
    bench = bench_with_all(make_bench)
    bench.start_active()
    number = len(ROUTES) + len(ROUTES6) + len(RULES) + len(RULES6)
    wait_until("all of them", lambda: len(everything(bench.d)) >= number, 5)
    before = everything(bench.d)
    bench.agent.kill()
    assert everything(bench.d) == before
    with bench.tester.speaking(priority=200):
        wait_until(
            "time to pass", lambda: bench.wire.senders() == ("t",) or len(bench.wire.adverts("t")) > 12, 5
        )
        bench.agent.start()
        bench.agent.wait_for_state("backup")
        wait_until("what was left to go", lambda: not everything(bench.d), 3)


def test_append_and_prepend_are_orders_and_add_gives_way(make_bench: MakeBench) -> None:
    """Routes to one destination: the one of the host stays, and ours stand where the line says."""
    lines = [
        f"198.18.1.0/24 via {GATEWAY} dev eth0",
        f"198.18.2.0/24 via {GATEWAY} dev eth0 append",
        f"198.18.3.0/24 via {GATEWAY} dev eth0 add",
    ]
    bench = make_bench(lines=(config.block("virtual_routes", lines),))
    for number in (1, 2, 3):
        bench.d.ip("route", "add", f"198.18.{number}.0/24", "via", GATEWAYS, "dev", "eth0")

    def gateways(number: int) -> List[str]:
        found = json.loads(bench.d.ip("-j", "route", "show", f"198.18.{number}.0/24"))
        return [one["gateway"] for one in found]

    bench.start_active()
    wait_until("the first route", lambda: gateways(1) == [GATEWAY, GATEWAYS], 3)
    assert gateways(2) == [GATEWAYS, GATEWAY]
    assert gateways(3) == [GATEWAYS]
    bench.agent.stop()
    assert [gateways(number) for number in (1, 2, 3)] == [[GATEWAYS]] * 3


def test_the_interface_of_a_route_must_be_up_unless_no_track(make_bench: MakeBench) -> None:
    bench = make_bench(lines=(*NO_BURST_LATER, config.block("virtual_routes", ["198.18.1.0/24 dev eth1"])))
    bench.d.add_interface("eth1")
    bench.start_active()
    wait_until("the route", lambda: len(everything(bench.d)) == 1, 3)
    bench.d.ip("link", "set", "eth1", "down")
    bench.agent.wait_for_state("fault")
    assert "interface eth1 of a virtual route or rule is down" in bench.agent.instance()["reason"]
    bench.d.ip("link", "set", "eth1", "up")
    bench.agent.wait_for_state("active")
    wait_until("the route", lambda: len(everything(bench.d)) == 1, 3)
    lines = (*NO_BURST_LATER, config.block("virtual_routes", ["198.18.1.0/24 dev eth1 no_track"]))
    bench.agent.reload(bench.config(lines=lines))
    bench.agent.wait_for_log("reloaded")
    bench.d.ip("link", "set", "eth1", "down")
    wait_until("the route to go", lambda: not everything(bench.d), 3)
    bench.d.ip("link", "set", "eth1", "up")
    wait_until("the route to be back", lambda: len(everything(bench.d)) == 1, 3)
    assert bench.agent.state() == "active"


def test_a_reload_changes_routes_and_rules_by_difference(make_bench: MakeBench) -> None:
    def lines(*routes: str) -> List[str]:
        rules = config.block("virtual_rules", ["from 198.18.1.0/24 table 100 priority 1000"])
        return [*NO_BURST_LATER, config.block("virtual_routes", routes), rules]

    first, second = f"198.18.1.0/24 via {GATEWAY} dev eth0", f"198.18.2.0/24 via {GATEWAY} dev eth0"
    bench = make_bench(lines=lines(first, second))
    bench.start_active()
    wait_until("all of them", lambda: len(everything(bench.d)) == 3, 3)
    with bench.d.popen(["ip", "monitor", "route", "rule"], stdout=-1, text=True) as watch:
        bench.agent.reload(
            bench.config(lines=lines(second, f"198.18.3.0/24 via {GATEWAY} dev eth0 mtu 1300"))
        )
        wait_until("the new route", lambda: "198.18.3.0/24" in bench.d.ip("route"), 5)
        wait_until("the old one to go", lambda: "198.18.1.0/24" not in bench.d.ip("route"), 3)
        watch.terminate()
        news = (watch.stdout or []) and watch.stdout.read()  # type: ignore[union-attr]
    assert "198.18.2.0/24" not in news, "what stays is not touched"
    assert "1000:" not in news
    assert bench.agent.state() == "active"
    assert not bench.wire.adverts("d", priority=0)


def test_promote_secondaries_is_set_and_given_back(make_bench: MakeBench) -> None:
    bench = make_bench(lines=("promote_secondaries",))
    bench.d.sysctl("net.ipv4.conf.eth0.promote_secondaries=0")

    def value() -> str:
        words = ["sysctl", "-n", "net.ipv4.conf.eth0.promote_secondaries"]
        with bench.d.popen(words, stdout=-1, text=True) as process:
            return process.communicate()[0].strip()

    bench.start_active()
    assert value() == "1"
    bench.agent.reload(bench.config(lines=()))
    wait_until("the old value", lambda: value() == "0", 5)
    bench.agent.reload(bench.config())
    wait_until("the new value", lambda: value() == "1", 5)
    bench.agent.stop()
    assert value() == "0"
