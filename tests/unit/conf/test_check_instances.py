# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual router may not say, each with its place and what to write instead."""

from __future__ import annotations

from typing import Tuple

import pytest

from tests.unit.conf.texts import instance, load_text, the_problem, where

ADDRESSES6 = "fe80::10/64,2001:db8::10/64"
AUTH = "authentication {\n  auth_type PASS\n  auth_pass secret\n}"


@pytest.mark.parametrize(
    ("body", "place", "message", "hint"),
    [
        ("priority 0", (7, 14), "0 is out of range", "write a whole number from 1 to 255"),
        ("priority 256", (7, 14), "256 is out of range", "from 1 to 255"),
        ("priority high", (7, 14), "'high' is not a whole number", "from 1 to 255"),
        (
            "priority 99999999999999999999999999999999999999",
            (7, 14),
            "is not a whole number",
            "from 1 to 255",
        ),
        ("priority", (7, 5), "priority: PRIORITY is missing", "from 1 to 255"),
        ("state ACTIVE", (7, 11), "'ACTIVE' is not possible here", "write MASTER or BACKUP"),
        ("version 4", (7, 13), "4 is out of range", "from 2 to 3"),
        ("advert_int 0", (7, 16), "0 is out of range", "a number of seconds from 0.01 to 255"),
        ("advert_int 0.5", (7, 16), "version 2 has whole seconds only", "write 'version 3' too"),
        ("advert_int 0.5\nversion 2", (7, 16), "version 2 has whole seconds only", "write 'version 3' too"),
        ("version 3\nadvert_int 41", (8, 16), "version 3 cannot say 41 seconds", "at most 40.95"),
        ("preempt_delay 1001", (7, 19), "1001 is out of range", "from 0 to 1000"),
        (
            "authentication {\n auth_type PASS\n auth_pass 123456789\n}",
            (9, 16),
            "auth_pass is longer than 8 bytes: keepalived cuts it to 8",
            "write at most 8 bytes",
        ),
        (
            "authentication {\n auth_type PASS\n auth_pass \u00e4\u00f6\u00fc\u00dfx\n}",
            (9, 16),
            "auth_pass is longer than 8 bytes",
            "write at most 8 bytes",
        ),
        (
            "authentication {\n auth_type PASS\n}",
            (7, 5),
            "auth_pass is missing",
            "write 'auth_pass PASSWORD'",
        ),
        ("authentication {\n auth_pass x\n}", (7, 5), "auth_type is missing", "write 'auth_type PASS'"),
        (
            "unicast_src_ip 198.51.100.1\nunicast_peer {\n  198.51.100.2\n  198.51.100.1\n}",
            (10, 7),
            "198.51.100.1 is its own unicast_src_ip",
            "list the other routers only",
        ),
        (
            "unicast_peer {\n  2001:db8::2\n}",
            (8, 7),
            "the peer 2001:db8::2 is IPv6, but the instance is IPv4",
            "write the peer's IPv4 address",
        ),
        ("unicast_peer {\n  198.51.100.300\n}", (8, 7), "is not an IP address", "write an IP address"),
        ("unicast_peer {\n  198.51.100.2/24\n}", (8, 7), "no prefix may stand here", "write 198.51.100.2"),
        (
            "unicast_peer {\n  224.0.0.18\n}",
            (8, 7),
            "is not an address of a router",
            "the peer's own address",
        ),
        (
            "unicast_src_ip 2001:db8::1\nunicast_peer {\n 198.51.100.2\n}",
            (7, 20),
            "unicast_src_ip 2001:db8::1 is IPv6",
            "write an IPv4 address",
        ),
        ("mcast_dst_ip 198.51.100.1", (7, 18), "is not a multicast address", "224.0.0.18"),
        ("mcast_src_ip 224.0.0.1", (7, 18), "is a multicast address", "224.0.0.18"),
        (
            "track_interface {\n  eth0.1234567890123\n}",
            (8, 7),
            "longer than 15 bytes",
            "as 'ip link' shows it",
        ),
        ("track_interface {\n  eth1 weight 300\n}", (8, 19), "300 is out of range", "from -253 to 253"),
        (
            "virtual_ipaddress {\n  2001:db8::1\n}",
            (8, 7),
            "2001:db8::1 is IPv6, but the instance is IPv4",
            "virtual_ipaddress_excluded",
        ),
        (
            "virtual_ipaddress {\n  198.51.100.11/33\n}",
            (8, 7),
            "'/33' is not a prefix length",
            "from 0 to 32",
        ),
        (
            "virtual_ipaddress {\n  198.51.100.11 label eth0:1234567890123\n}",
            (8, 27),
            "longer than 15 bytes",
            "at most 15",
        ),
        (
            "virtual_ipaddress {\n  198.51.100.11 dev\n}",
            (8, 21),
            "dev: IFNAME is missing",
            "write an interface",
        ),
        (
            "virtual_ipaddress {\n  198.51.100.11 labl x\n}",
            (8, 21),
            "unknown word 'labl'",
            "did you mean 'label'?",
        ),
        (
            "virtual_ipaddress {\n  198.51.100.11 scope nowhere_i_know\n}",
            (8, 27),
            "no scope named",
            "write its number",
        ),
        (
            "virtual_ipaddress {\n  198.51.100.11 peer 2001:db8::1\n}",
            (8, 26),
            "of another family",
            "use one family",
        ),
        (
            "virtual_ipaddress {\n  224.0.0.1\n}",
            (8, 7),
            "not an address that a host can have",
            "a unicast address",
        ),
        (
            "virtual_ipaddress_excluded {\n  2001:db8::1/64 brd +\n}",
            (8, 22),
            "no broadcast address",
            "take 'brd' out",
        ),
    ],
)
def test_an_error_is_named_with_its_place(body: str, place: Tuple[int, int], message: str, hint: str) -> None:
    problem = the_problem(instance(body))
    assert problem.severity == "error"
    assert where(problem) == place
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("body", "message", "hint"),
    [
        (
            "state MASTER\npriority 100\nnopreempt",
            "nopreempt has no effect with state MASTER",
            "write 'state BACKUP'",
        ),
        ("priority 255\nnopreempt", "nopreempt has no effect with priority 255", "below 255"),
        ("nopreempt\npreempt_delay 5", "preempt_delay has no effect with nopreempt", "take one of them out"),
        (
            "state MASTER\npriority 100\npreempt_delay 5",
            "preempt_delay has no effect with state MASTER",
            "state BACKUP",
        ),
        ("state MASTER", "makes the priority 255", "write 'priority N'"),
        ("state BACKUP\npriority 255", "it takes over at once", "from 1 to 254"),
        ("owner_ignore_adverts", "means nothing below priority 255", "take it out"),
        (f"version 3\n{AUTH}", "version 3 has no authentication", "write 'version 2'"),
        ("version 3\nadvert_int 0.015", "0.015 is rounded", "two digits after the point"),
        ("unicast_src_ip 198.51.100.1", "unicast_src_ip without peers", "list the other routers"),
        ("unicast_peer {\n}", "unicast_peer without peers", "list the other routers"),
        (
            "unicast_peer {\n 198.51.100.2\n 198.51.100.2\n}",
            "the peer 198.51.100.2 is given twice",
            "take one out",
        ),
        (
            "mcast_dst_ip 224.0.0.18\nunicast_peer {\n 198.51.100.2\n}",
            "means nothing beside unicast_peer",
            "take it out",
        ),
        ("track_interface {\n  eth0\n}", "its own interface is tracked anyway", "take it out"),
        ("virtual_ipaddress {\n 198.51.100.11 brd +\n}", "prefix /32 has no broadcast", "198.51.100.11/24"),
        (
            "virtual_ipaddress {\n 198.51.100.11/24 peer 198.51.100.12/32\n}",
            "is ignored beside peer",
            "at the peer",
        ),
        (
            "virtual_ipaddress_excluded {\n 2001:db8::1/64 label x\n}",
            "has no label: it is ignored",
            "take 'label' out",
        ),
        ("virtual_ipaddress_excluded {\n 2001:db8::1/64 scope link\n}", "it is ignored", "take 'scope' out"),
        ("native_ipv6", "'native_ipv6' is an old word", "leave it out"),
        ("virtual_ipaddress {\n  198.51.100.10/32\n}", "198.51.100.10/32 is given twice", "take one out"),
        ("virtual_ipaddress_excluded {\n 198.51.100.10\n}", "198.51.100.10 is given twice", "take one out"),
    ],
)
def test_a_warning_is_given_and_the_instance_still_works(body: str, message: str, hint: str) -> None:
    loaded = load_text(instance(body))
    assert [problem.severity for problem in loaded.problems] == ["warning"], loaded.problems
    assert loaded.config is not None
    assert message in loaded.problems[0].message
    assert hint in loaded.problems[0].hint


def test_one_vrid_is_one_router_on_an_interface_and_family() -> None:
    text = instance(name="A") + instance(name="B", addresses="198.51.100.11")
    problem = the_problem(text)
    assert "VRID 51 on eth0 is the one of A already (IPv4)" in problem.message
    assert where(problem) == (11, 23)


@pytest.mark.parametrize("other", [{"interface": "eth1"}, {"vrid": 52}, {"addresses": ADDRESSES6}])
def test_the_same_vrid_may_be_used_elsewhere(other: dict) -> None:
    options = {"addresses": "198.51.100.11", **other}
    assert not load_text(instance(name="A") + instance(name="B", **options)).problems


def test_two_instances_cannot_move_one_address() -> None:
    problem = the_problem(instance(name="A") + instance(name="B", vrid=52))
    assert (problem.severity, where(problem)) == ("warning", (13, 9))
    assert "198.51.100.10/24 belongs to A too" in problem.message


@pytest.mark.parametrize(
    ("line", "place", "message"),
    [
        ("    virtual_router_id 51\n", (1, 1), "virtual_router_id is missing"),
        ("    interface eth0\n", (1, 1), "interface is missing"),
    ],
)
def test_a_word_that_every_instance_needs(line: str, place: Tuple[int, int], message: str) -> None:
    problem = the_problem(instance().replace(line, ""))
    assert (problem.severity, where(problem)) == ("error", place)
    assert message in problem.message


def test_an_instance_without_addresses_is_doubtful_unless_it_says_so() -> None:
    text = "vrrp_instance A {\n  interface eth0\n  virtual_router_id 1\n}\n"
    assert the_problem(text).message == "A has no virtual address"
    assert not load_text(text.replace("}", "  no_virtual_ipaddress\n}")).problems


def test_a_unicast_instance_can_do_without_an_interface_in_keepalived_only() -> None:
    body = "unicast_peer {\n  198.51.100.2\n}"
    without = instance(body).replace("    interface eth0\n", "")
    assert "needs unicast_src_ip" in the_problem(without).message
    sourced = instance(body + "\nunicast_src_ip 198.51.100.1").replace("    interface eth0\n", "")
    problem = the_problem(sourced)
    assert (problem.severity, problem.message) == (
        "error",
        "VI_1: an instance without interface is not supported yet",
    )
    assert "the interface that has 198.51.100.1" in problem.hint
    assert not load_text(sourced, unsupported="").problems


def test_the_first_ipv6_address_should_be_link_local() -> None:
    assert not load_text(instance(addresses=ADDRESSES6)).problems
    problem = the_problem(instance(addresses="2001:db8::10/64"))
    assert (problem.severity, where(problem)) == ("warning", (5, 9))
    assert "fe80::/10" in problem.hint


def test_version_2_knows_no_ipv6() -> None:
    assert "version 2 knows no IPv6" in the_problem(instance("version 2", addresses=ADDRESSES6)).message


def test_the_global_version_counts_for_the_interval() -> None:
    assert not load_text("global_defs {\n vrrp_version 3\n}\n" + instance("advert_int 0.5")).problems


def test_addresses_beyond_what_an_advert_holds_are_pointed_out() -> None:
    many = ",".join(f"198.18.{n // 200}.{n % 200 + 1}" for n in range(256))
    problem = the_problem(instance(addresses=many))
    assert (problem.severity, where(problem)) == ("warning", (5 + 255, 9))


def test_global_defs_after_an_instance_is_too_late_for_some_words() -> None:
    text = instance() + "global_defs {\n  router_id x\n  vrrp_garp_master_delay 1\n}\n"
    problem = the_problem(text)
    assert (problem.severity, where(problem)) == ("warning", (11, 3))
    assert problem.message == "vrrp_garp_master_delay comes too late for vrrp_instance VI_1"


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("via 198.51.100.1", "DEST is missing", "destination"),
        ("198.51.100.0/24", "the route leads nowhere", "via ADDRESS"),
        ("198.51.100.0/24 via 2001:db8::1", "is IPv6, but the route is IPv4", "'via inet6 2001:db8::1'"),
        ("198.51.100.0/24 dev eth0 table atlantis", "no table named 'atlantis'", "write its number"),
        ("198.51.100.0/24 dev eth0 rtt soon", "'soon' is not a time", "s or ms"),
        ("198.51.100.0/24 nexthop weight 5", "this nexthop leads nowhere", "nexthop via ADDRESS"),
        ("198.51.100.0/24 via", "via: ADDRESS is missing", "IP address"),
        ("198.51.100.0/24 dev eth0 metric x", "'x' is not a whole number", "whole number"),
        ("198.51.100.0/24 dev eth0 fastest", "unknown word 'fastest'", ""),
    ],
)
def test_a_route_that_makes_no_sense(line: str, message: str, hint: str) -> None:
    problem = the_problem(f"static_routes {{\n  {line}\n}}\n")
    assert problem.severity == "error"
    assert problem.line == 2
    assert message in problem.message
    assert hint in problem.hint


def test_a_secret_never_shows_up_in_a_message() -> None:
    text = instance("authentication {\n auth_type PASS\n auth_pass verysecretword\n auth_pass a b\n}")
    for problem in load_text(text).problems:
        assert "verysecretword" not in str(problem) + problem.hint


def test_a_tracked_route_keeps_the_protocol_tag_that_tracking_needs() -> None:
    line = "static_routes {\n  198.18.0.0/24 dev eth0 protocol 98%s\n}\n"
    (problem,) = load_text(instance() + line % "").problems
    assert problem.severity == "warning"
    assert "'98' is ignored" in problem.message and "no_track" in problem.hint
    loaded = load_text(instance() + line % " no_track")
    assert not loaded.problems
    assert loaded.config is not None and loaded.config.static_routes[0].protocol == 98
