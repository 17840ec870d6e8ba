# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of routes and rules: what they mean, and what they may not say."""

from __future__ import annotations

import socket
from typing import List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.match.addresses import clear_host_bits
from vrrp_agent.conf.model import Config, Encap, NextHop, Route, Rule, Tracked
from vrrp_agent.conf.problem import ERROR
from vrrp_agent.conf.values.encaps import labels, locator
from vrrp_agent.conf.values.routes import time_metric
from vrrp_agent.conf.values.rules import fwmark

from tests.unit.conf.texts import load_text

INSTANCE = (
    "vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 1\n  virtual_ipaddress { 198.51.100.1\n }\n"
)
ALL_ONES = 0xFFFFFFFF


def packed(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


NET, NET6, GATEWAY = packed("198.18.0.0"), packed("2001:db8::"), packed("198.51.100.1")


def findings(text: str) -> List[Tuple[str, str]]:
    return [(problem.severity, problem.message) for problem in load_text(text).problems]


def config_of(text: str) -> Config:
    loaded = load_text(text)
    assert loaded.config is not None, loaded.problems
    return loaded.config


def route_of(line: str) -> Route:
    (one,) = config_of(f"static_routes {{\n  {line}\n}}\n").static_routes
    return one


def rule_of(line: str) -> Rule:
    (one,) = config_of(f"static_rules {{\n  {line}\n}}\n").static_rules
    return one


def hop(text: str = "198.51.100.1", **words: object) -> NextHop:
    return NextHop(gateway=packed(text), **words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "line, expected",
    [
        ("198.18.0.0/16 via 198.51.100.1 tos 0x10", Route(4, NET, 16, next_hops=(hop(),), tos=16)),
        (
            "198.18.0.0/16 via 198.51.100.1 realms 3/4",
            Route(4, NET, 16, next_hops=(hop(realms=0x30004),)),
        ),
        (
            "198.18.0.0/16 nexthop via 198.51.100.1 realms 5 nexthop via 198.51.100.2",
            Route(4, NET, 16, next_hops=(hop(realms=5), hop("198.51.100.2"))),
        ),
        (
            "198.18.0.0/16 gw 198.51.100.1 or 198.51.100.2",
            Route(4, NET, 16, next_hops=(hop(), hop("198.51.100.2"))),
        ),
        (
            "198.18.0.0/16 via 198.51.100.1 congctl lock reno ttl-propagate disabled fastopen_no_cookie 1",
            Route(
                4,
                NET,
                16,
                next_hops=(hop(),),
                metrics=(("congctl lock", 1), ("fastopen_no_cookie", 1)),
                congestion_control="reno",
                ttl_propagate=False,
            ),
        ),
        (
            "2001:db8::/32 via 2001:db8::1 from 2001:db8:1::/48 expires 60 pref high",
            Route(
                6,
                NET6,
                32,
                next_hops=(hop("2001:db8::1"),),
                origin=(packed("2001:db8:1::"), 48),
                expires_s=60,
                preference=1,
            ),
        ),
        ("default via 198.51.100.1 append", Route(4, None, 0, next_hops=(hop(),), append="append")),
        ("default via 198.51.100.1 append prepend", Route(4, None, 0, next_hops=(hop(),), append="prepend")),
        (
            "198.18.0.0/16 encap ip id 5 dst 198.51.100.1 ttl 9 dev eth0",
            Route(
                4,
                NET,
                16,
                next_hops=(
                    NextHop(device="eth0", encap=Encap("ip", (("id", 5), ("dst", GATEWAY), ("ttl", 9)))),
                ),
            ),
        ),
        (
            "198.18.0.0/16 via 198.51.100.1 encap mpls 100/0x10",
            Route(4, NET, 16, next_hops=(hop(encap=Encap("mpls", (("labels", (100, 16)),))),)),
        ),
        (
            "198.18.0.0/16 via 198.51.100.1 table 9 vrf blue",
            Route(4, NET, 16, next_hops=(hop(),), table=9, vrf="blue"),
        ),
        ("198.18.0.0/16 via 198.51.100.1 vrf blue table 9", Route(4, NET, 16, next_hops=(hop(),), table=9)),
        ("198.18.7.7/16 via 198.51.100.1", Route(4, NET, 16, next_hops=(hop(),))),
        (
            "198.18.0.0/16 dev eth0 track_group G",
            Route(4, NET, 16, next_hops=(NextHop(device="eth0"),), track_group="G"),
        ),
    ],
)
def test_a_route_line(line: str, expected: Route) -> None:
    text = f"{INSTANCE}}}\ntrack_group G {{\n group {{\n VI_1\n }}\n}}\nstatic_routes {{\n  {line}\n}}\n"
    assert config_of(text).static_routes == (expected,)


@pytest.mark.parametrize(
    "line, expected",
    [
        ("from 198.18.0.0/16 table 100 priority 5", Rule(4, table=100, priority=5, source=(NET, 16))),
        ("to 2001:db8::/32 lookup 1000 order 5", Rule(6, table=1000, priority=5, destination=(NET6, 32))),
        ("inet6 from all table main preference 5", Rule(6, table=254, priority=5)),
        ("fwmark 0x7/255 unreachable priority 5", Rule(4, action="unreachable", priority=5, fwmark=(7, 255))),
        ("fwmark 7 prohibit priority 5", Rule(4, action="prohibit", priority=5, fwmark=(7, ALL_ONES))),
        ("not dev eth0 oif eth1 nop priority 5", None),
        ("type goto 20 preference 5", Rule(4, action="goto", goto=20, priority=5)),
        (
            "ipproto tcp sport 10-20 dport 30 table 9 priority 5",
            Rule(4, table=9, priority=5, ip_protocol=6, source_ports=(10, 20), destination_ports=(30, 30)),
        ),
        (
            "uidrange 1-2 tunnel-id 3 table 9 priority 5",
            Rule(4, table=9, priority=5, uid_range=(1, 2), tunnel_id=3),
        ),
        ("l3mdev priority 5", Rule(4, l3mdev=True, priority=5)),
        (
            "tos 4 sup_pl 8 sup_group default realms 3/4 table 9 priority 5",
            Rule(4, table=9, priority=5, tos=4, suppress_prefix_length=8, suppress_group=0, realms=0x30004),
        ),
        ("protocol 99 table 9 priority 5 no_track", Rule(4, table=9, priority=5, protocol=99, no_track=True)),
        ("from 198.18.7.7/16 table 9 priority 5", Rule(4, table=9, priority=5, source=(NET, 16))),
    ],
)
def test_a_rule_line(line: str, expected: Rule) -> None:
    if expected is None:
        expected = Rule(
            4, action="nop", priority=5, invert=True, input_interface="eth0", output_interface="eth1"
        )
    assert rule_of(line) == expected


def test_rules_without_preference_get_them_downwards_each_family_by_itself() -> None:
    text = (
        "static_rules {\n from 198.18.0.1 table 9\n from 2001:db8::1 table 9\n}\n"
        f"{INSTANCE}  virtual_rules {{\n from 198.18.0.2 table 9\n from 198.18.0.3 table 9 priority 7\n"
        " from 198.18.0.4 table 9\n}\n}\n"
    )
    config = config_of(text)
    assert [rule.priority for rule in config.static_rules] == [16384, 16384]
    assert [rule.priority for rule in config.instances[0].rules] == [16383, 7, 16382]


@pytest.mark.parametrize(
    "block, line, message",
    [
        ("routes", "198.18.0.0/16", "the route leads nowhere"),
        ("routes", "198.18.0.0/16 dev eth0 expires 5", "'expires' is for IPv6 routes only"),
        ("routes", "2001:db8::/32 dev eth0 realms 5", "'realms' is for IPv4 routes only"),
        ("routes", "198.18.0.0/16 dev eth0 realms 1/300", "'1/300' is not a realm"),
        (
            "routes",
            "198.18.0.0/16 dev eth0 tos nonsense",
            "this host has no type of service named 'nonsense'",
        ),
        ("routes", "nat 198.18.0.0/16 dev eth0", "Linux has no routes of type nat any more"),
        ("routes", "198.18.0.0/16 dev eth0 encap mpls 1/2/3", "'1/2/3' are no MPLS labels"),
        ("routes", "198.18.0.0/16 dev eth0 encap ila 1:2", "'1:2' is no locator"),
        ("routes", "198.18.0.0/16 dev eth0 encap ip ttl 3", "encap ip needs an address or an id"),
        ("routes", "198.18.0.0/16 dev eth0 encap ip dst 2001:db8::1", "2001:db8::1 is of the wrong family"),
        ("routes", "198.18.0.0/16 or 198.51.100.1", "'or' stands beside one 'via'"),
        ("routes", "198.18.0.0/16 via 198.51.100.1 track_group G", "needs an interface"),
        ("routes", "198.18.0.0/16 nexthop weight 3", "this nexthop leads nowhere"),
        ("rules", "from 198.18.0.0/16 priority 5", "the rule does nothing"),
        ("rules", "from 198.18.0.0/16 to 2001:db8::1 table 5 priority 5", "but the rule is IPv4"),
        (
            "rules",
            "from 198.18.0.0/16 table 5 blackhole priority 5",
            "'blackhole' cannot stand beside 'table'",
        ),
        (
            "rules",
            "from 198.18.0.0/16 nop sup_pl 3 priority 5",
            "'sup_pl' means something for a rule with a table",
        ),
        ("rules", "from 198.18.0.0/16 goto 5", "a rule with goto needs a preference"),
        ("rules", "from 198.18.0.0/16 goto 5 priority 5", "goto 5 does not lead forward"),
        ("rules", "from 198.18.0.0/16 table 0 priority 5", "there is no table 0"),
        ("rules", "fwmark -1 table 9 priority 5", "'-1' is no firewall mark"),
        ("rules", "table 0x100000000 priority 5", "there is no table 0x100000000"),
        ("rules", "tos 0x100 table 9 priority 5", "there is no type of service 0x100"),
        ("rules", "uidrange 0-4294967296 table 9 priority 5", "0-4294967296 is out of range"),
        ("rules", "inet6 realms 3 table 9 priority 5", "'realms' is for IPv4 rules only"),
        ("rules", "ipproto nonsense table 9 priority 5", "no IP protocol named 'nonsense'"),
        ("rules", "from 198.18.0.0/16 table 5 priority 5 track_group G", "needs an interface"),
    ],
)
def test_what_a_line_may_not_say(block: str, line: str, message: str) -> None:
    text = f"{INSTANCE}}}\ntrack_group G {{\n group {{\n VI_1\n }}\n}}\nstatic_{block} {{\n  {line}\n}}\n"
    found = [text for severity, text in findings(text) if severity == ERROR]
    assert any(message in text for text in found), found


@pytest.mark.parametrize(
    "block, line, message",
    [
        ("routes", "198.18.0.1/16 dev eth0", "has bits set behind its prefix"),
        ("routes", "198.18.0.0/16 dev eth0 protocol 99", "a tracked route keeps protocol keepalived"),
        ("routes", "198.18.0.0/16 dev eth0 as to 198.18.0.1", "'as' rewrites labels of MPLS routes only"),
        (
            "rules",
            "from 198.18.0.0/16 table 9 protocol 99 priority 5",
            "a tracked rule keeps protocol keepalived",
        ),
        ("rules", "from 198.18.0.0/16 table 9", "gets one from 16384 downwards"),
    ],
)
def test_what_is_pointed_out(block: str, line: str, message: str) -> None:
    found = findings(f"static_{block} {{\n  {line}\n}}\n")
    assert [severity for severity, _text in found] == ["warning"]
    assert message in found[0][1]


def test_the_instances_of_a_track_group_track_the_interfaces_of_its_items() -> None:
    text = (
        f"{INSTANCE}}}\ntrack_group G {{\n group {{\n VI_1\n }}\n}}\n"
        "static_ipaddress {\n 198.18.0.1/24 dev eth1 track_group G\n}\n"
        "static_routes {\n 198.18.1.0/24 dev eth2 track_group G\n 198.18.2.0/24 dev eth0 track_group G\n}\n"
        "static_rules {\n iif eth3 table 9 priority 5 track_group G\n}\n"
    )
    config = config_of(text)
    assert config.track_groups == (("G", ("VI_1",)),)
    tracked = config.instances[0].track_interfaces
    assert tracked == (Tracked("eth1"), Tracked("eth2"), Tracked("eth3")), (
        "eth0 is its own, and tracked anyway"
    )


def test_a_track_group_names_instances_that_exist() -> None:
    found = findings("track_group G {\n group {\n VI_9\n }\n}\n")
    assert ("error", "there is no vrrp_instance 'VI_9'") in found


@pytest.mark.parametrize(
    "of_all, own, restore",
    [
        ("", "", False),
        ("agent_restore", "", True),
        ("agent_restore", "agent_restore off", False),
        ("", "agent_restore", True),
    ],
)
def test_agent_restore_of_the_instance_counts_before_that_of_all(
    of_all: str, own: str, restore: bool
) -> None:
    text = f"{INSTANCE}  {own}\n}}\nglobal_defs {{\n  {of_all}\n}}\n"
    assert config_of(text).instances[0].restore is restore


@pytest.mark.parametrize(
    "text, value",
    [
        ("300ms", 2400),
        ("1s", 8000),
        ("0.5s", 4000),
        ("2400", 2400),
        ("1ms", 1600),
        ("999s", 960000),
        ("1e3ms", None),
        ("ms", None),
        ("-1s", None),
    ],
)
def test_times_are_in_eighths_of_a_millisecond_and_in_the_kernels_range(text: str, value: int) -> None:
    assert time_metric(text, 8) == value


@given(st.text(max_size=20))
def test_words_that_mean_nothing_are_never_an_exception(text: str) -> None:
    labels(text or "x")
    locator(text)
    fwmark(text or "x")
    time_metric(text, 8)


@given(st.binary(min_size=4, max_size=4), st.integers(0, 32))
def test_clearing_host_bits_twice_is_clearing_them_once(address: bytes, length: int) -> None:
    once = clear_host_bits(address, length)
    assert clear_host_bits(once, length) == once
    assert int.from_bytes(once, "big") <= int.from_bytes(address, "big")
