# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and routes as keepalived.conf describes them: on the host, with every option."""

from __future__ import annotations

import json
from typing import Any, Dict, List

import pytest

from tests.lab import config
from tests.lab.bench import Bench
from tests.lab.lan import VIP4, VIP6, VIP6_LINK_LOCAL
from tests.lab.plugin import MakeBench
from tests.lab.shell import wait_until

OPTIONS = [
    ("198.51.100.100", {"prefixlen": 32}),
    ("198.51.100.100/24", {"prefixlen": 24, "scope": "global"}),
    ("198.51.100.100/24 dev eth0", {"dev": "eth0"}),
    ("198.51.100.100/24 dev eth0 label eth0:vip", {"label": "eth0:vip"}),
    # the kernel wants one scope for all IPv4 addresses of a network, so these have a network of their own
    ("198.51.100.100/32 scope link", {"scope": "link"}),
    ("198.51.100.100/32 scope site", {"scope": "site"}),
    ("198.51.100.100/24 brd 198.51.100.255", {"broadcast": "198.51.100.255"}),
    ("198.51.100.100/24 brd +", {"broadcast": "198.51.100.255"}),
    ("198.51.100.100/24 brd -", {"broadcast": "198.51.100.0"}),
    ("198.51.100.100/24 dev eth1", {"dev": "eth1"}),
    (
        "198.51.100.100/25 brd 198.51.100.127 dev eth0 scope link label eth0:1",
        {"label": "eth0:1", "prefixlen": 25},
    ),
]


def routes(bench: Bench, family: int, destination: str) -> List[Dict[str, Any]]:
    """The routes to ``destination`` in every table."""
    text = bench.d.ip("-j", f"-{family}", "route", "show", "table", "all", check=False)
    return [one for one in json.loads(text or "[]") if one["dst"] == destination]


@pytest.mark.parametrize("line, expected", OPTIONS, ids=[line for line, _ in OPTIONS])
def test_an_address_has_the_options_of_its_line(
    make_bench: MakeBench, line: str, expected: Dict[str, Any]
) -> None:
    bench = make_bench(addresses=[line])
    bench.d.add_interface("eth1")
    bench.start_active()
    entry = wait_until("the address", lambda: bench.d.find(VIP4), 3)
    assert {key: (entry or {}).get(key) for key in expected} == expected
    bench.agent.stop()
    assert bench.d.holds_none(VIP4)


def test_an_ipv6_group_holds_all_its_addresses_without_duplicate_detection(make_bench: MakeBench) -> None:
    bench = make_bench(family=6)
    bench.d.sysctl("net.ipv6.conf.all.accept_dad=1", "net.ipv6.conf.eth0.accept_dad=1")
    bench.start_active()
    wait_until("both addresses", lambda: bench.d.holds(VIP6, VIP6_LINK_LOCAL), 3)
    for address in (VIP6, VIP6_LINK_LOCAL):
        entry = bench.d.find(address)
        assert entry is not None and entry["prefixlen"] == 64
        assert not entry.get("tentative") and not entry.get("dadfailed")


def test_excluded_addresses_come_and_go_but_are_not_advertised(make_bench: MakeBench) -> None:
    """virtual_ipaddress_excluded: of either family."""
    lines = config.block("virtual_ipaddress_excluded", ["198.51.100.110/24", "2001:db8::110/64"])
    bench = make_bench(lines=lines)
    advert = bench.start_active().advert
    assert advert.addresses == (VIP4,)
    wait_until("all addresses", lambda: bench.d.holds(VIP4, "198.51.100.110", "2001:db8::110"), 3)
    announced = bench.wire.announcements("d")
    wait_until(
        "announcements of the excluded addresses",
        lambda: (
            {"198.51.100.110", "2001:db8::110"}
            <= {one.announcement.address for one in bench.wire.announcements("d")}
        ),
        3,
    )
    assert announced is not None
    bench.agent.stop()
    assert bench.d.holds_none(VIP4, "198.51.100.110", "2001:db8::110")


def test_two_hundred_addresses_are_there_before_the_second_advert(make_bench: MakeBench) -> None:
    """As many as fit are advertised; all are held."""
    addresses = [f"198.18.{number // 200}.{number % 200 + 1}/32" for number in range(200)]
    bench = make_bench(addresses=addresses, advert_int=0.2)
    first = bench.start_active()
    assert first.advert.count == 200
    names = [line.split("/")[0] for line in addresses]
    bench.wire.wait_for_adverts("d", 2)
    assert bench.d.holds(*names)
    bench.agent.stop()
    assert bench.d.holds_none(*names)


def test_static_addresses_are_there_while_the_agent_runs(make_bench: MakeBench) -> None:
    bench = make_bench()
    static = config.block(
        "static_ipaddress", ["198.18.0.1/24 dev eth0 label eth0:static", "2001:db8:1::1/64 dev eth0"]
    )
    bench.agent.write(bench.config(static))
    with bench.tester.speaking(priority=200):
        bench.start()
        wait_until("the static addresses", lambda: bench.d.holds("198.18.0.1", "2001:db8:1::1"), 3)
        entry = bench.d.find("198.18.0.1")
        assert entry is not None and entry["label"] == "eth0:static"
        assert not bench.wire.adverts("d"), "a backup has them too"
        bench.agent.stop()
    assert bench.d.holds_none("198.18.0.1", "2001:db8:1::1")


def test_static_routes_are_there_while_the_agent_runs(make_bench: MakeBench) -> None:
    bench = make_bench()
    lines = [
        "198.18.10.0/24 via 198.51.100.11 dev eth0 metric 5",
        "198.18.11.0/24 dev eth0 scope link table 100",
        "blackhole 198.18.12.0/24",
        "2001:db8:10::/48 via 2001:db8::11 dev eth0",
    ]
    bench.agent.write(bench.config(config.block("static_routes", lines)))
    bench.start()
    wait_until("the IPv6 route", lambda: routes(bench, 6, "2001:db8:10::/48"), 3)
    first = routes(bench, 4, "198.18.10.0/24")[0]
    assert (first["gateway"], first["dev"], first["metric"]) == ("198.51.100.11", "eth0", 5)
    second = routes(bench, 4, "198.18.11.0/24")[0]
    assert (second["table"], second["scope"]) == ("100", "link")
    assert routes(bench, 4, "198.18.12.0/24")[0]["type"] == "blackhole"
    bench.agent.stop()
    for destination in ("198.18.10.0/24", "198.18.11.0/24", "198.18.12.0/24"):
        assert not routes(bench, 4, destination)
    assert not routes(bench, 6, "2001:db8:10::/48")


def test_addresses_of_others_are_left_alone(make_bench: MakeBench) -> None:
    """A host's own address survives start, takeover and stop."""
    bench = make_bench()
    bench.d.ip("address", "add", "198.51.100.50/24", "dev", "eth0")
    before = bench.d.addresses()
    bench.start_active()
    wait_until("the virtual address", lambda: bench.d.holds(VIP4), 3)
    bench.agent.stop()
    assert bench.d.addresses() == before


def test_status_names_the_addresses_that_are_held(make_bench: MakeBench) -> None:
    bench = make_bench()
    with bench.tester.speaking(priority=200):
        bench.start()
        assert bench.agent.instance()["addresses_held"] == []
    bench.agent.wait_for_state("active")
    assert bench.agent.instance()["addresses_held"] == [f"{VIP4}/24"]
