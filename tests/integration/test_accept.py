# SPDX-License-Identifier: GPL-3.0-or-later
"""accept, no_accept and strict mode: who may talk to a virtual address (RFC 9568 6.1, 6.4.3)."""

from __future__ import annotations

import json
import struct
import time
from typing import Any, Dict, List, Sequence

import pytest

from tests.lab import config, frames
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.capture import Frame
from tests.lab.lan import VIP4, VIP6, VIP6_LINK_LOCAL
from tests.lab.plugin import MakeBench
from tests.lab.prober import Prober
from tests.lab.shell import run, wait_until

VMAC4 = "00:00:5e:00:01:33"
BOTH = pytest.mark.parametrize("family", [4, 6])
REFUSING = pytest.mark.parametrize("lines", [["no_accept"], ["no_accept", "use_vmac"]], ids=["plain", "vmac"])


def ruleset(bench: Bench) -> List[Dict[str, Any]]:
    """The nftables of D."""
    text = run("ip", "netns", "exec", bench.d.namespace, "nft", "-j", "list", "ruleset", check=False)
    found: List[Dict[str, Any]] = json.loads(text or '{"nftables": []}')["nftables"]
    return found


def tables(bench: Bench) -> List[str]:
    """Names of its tables, each with its family."""
    return sorted(
        f"{one['table']['family']} {one['table']['name']}" for one in ruleset(bench) if "table" in one
    )


def elements(bench: Bench, family: str, name: str) -> List[Any]:
    """What is in a set."""
    for one in ruleset(bench):
        found = one.get("set") or one.get("map") or {}
        if (found.get("family"), found.get("name")) == (family, name):
            return list(found.get("elem", ()))
    raise AssertionError(f"no set {name} in {ruleset(bench)}")


def refusing(make_bench: MakeBench, family: int, lines: Sequence[str], **words: Any) -> Bench:
    """D is active and does not accept; w is a client."""
    bench = make_bench("w", family=family, lines=[*lines, *NO_BURST_LATER], **words)
    bench.start_active()
    wait_until("the addresses", lambda: bench.d.holds(*bench.addresses), 5)
    return bench


def answers(bench: Bench, address: str, during_s: float = 0.6) -> int:
    """How many echo requests of the client are answered within a time."""
    with Prober(bench.lan.w, address, 0.01) as client:
        bench.wire.wait_for_adverts("d", since_ns=time.time_ns() + round(during_s * 1e9))
        return client.answered


def syn(bench: Bench, address: str) -> bytes:
    """A TCP connection request of T to the address."""
    source = bench.t.ipv4 if ":" not in address else bench.t.ipv6
    body = struct.pack("!HHIIBBHHH", 41000, 80, 1, 0, 5 << 4, 2, 1000, 0, 0)
    total = frames.internet_sum(frames.pseudo_header(source, address, len(body), 6) + body)
    body = body[:16] + struct.pack("!H", total) + body[18:]
    return frames.ethernet(bench.t.mac, VMAC4, frames.ip_packet(source, address, body, protocol=6, ttl=64))


def about(bench: Bench, address: str, since_ns: int) -> List[Frame]:
    """IP packets that D sent from or to the address."""
    packed = frames.pack_ip(address)
    where = (slice(26, 30), slice(30, 34)) if len(packed) == 4 else (slice(22, 38), slice(38, 54))
    kind = b"\x08\0" if len(packed) == 4 else b"\x86\xdd"
    return [
        one
        for one in list(bench.wire.frames)
        if one.node == "d"
        and one.at_ns >= since_ns
        and one.data[12:14] == kind
        and packed in [one.data[part] for part in where]
        and not (kind == b"\x86\xdd" and one.data[20] == 58)
    ]


@BOTH
@pytest.mark.parametrize("lines", [[], ["accept"], ["use_vmac"]], ids=["default", "accept", "vmac"])
def test_an_active_router_accepts_by_default(make_bench: MakeBench, family: int, lines: List[str]) -> None:
    """R-F19; keepalived's default, where RFC 9568 would refuse."""
    bench = refusing(make_bench, family, lines)
    assert answers(bench, VIP4 if family == 4 else VIP6)


@BOTH
@REFUSING
def test_no_accept_drops_what_is_sent_to_the_address(
    make_bench: MakeBench, family: int, lines: List[str]
) -> None:
    """R-F20, R-C06: silence for a ping and for a connection request."""
    bench = refusing(make_bench, family, lines)
    vip = VIP4 if family == 4 else VIP6
    assert not answers(bench, vip)
    begin_ns = time.time_ns()
    if family == 4:
        bench.t.inject(syn(bench, vip))
    bench.wire.wait_for_adverts("d", 3, since_ns=begin_ns)
    assert not about(bench, vip, begin_ns)


@BOTH
@REFUSING
def test_no_accept_goes_on_resolving_the_address(
    make_bench: MakeBench, family: int, lines: List[str]
) -> None:
    """R-C07: ARP and neighbour discovery are never dropped."""
    bench = refusing(make_bench, family, lines)
    vip = VIP4 if family == 4 else VIP6
    answers(bench, vip, 0.3)

    def known() -> bool:
        found = json.loads(bench.lan.w.ip("-j", "neigh", "show", vip, check=False) or "[]")
        return bool(found) and "lladdr" in found[0]

    wait_until("the client to know the MAC", known, 5)


@BOTH
def test_the_address_of_the_host_itself_is_not_refused(make_bench: MakeBench, family: int) -> None:
    bench = refusing(make_bench, family, ["no_accept"])
    assert answers(bench, bench.d.ipv4 if family == 4 else bench.d.ipv6)


def test_a_link_local_address_is_refused_on_its_interface_only(make_bench: MakeBench) -> None:
    bench = refusing(make_bench, 6, ["no_accept"])
    (element,) = elements(bench, "ip6", "vips_link_local")
    assert element["concat"][0] == VIP6_LINK_LOCAL
    assert elements(bench, "ip6", "vips") == [VIP6]


def test_an_owner_accepts_whatever_the_file_says(make_bench: MakeBench) -> None:
    """R-F19, R-V17."""
    bench = refusing(make_bench, 4, ["no_accept"], priority=255, state="MASTER")
    assert answers(bench, VIP4)


def test_strict_mode_refuses_unless_told_otherwise(make_bench: MakeBench) -> None:
    """RFC 9568 6.1: Accept_Mode is false by default; keepalived keeps to it in strict mode only."""
    bench = refusing(make_bench, 4, ["strict_mode"])
    assert not answers(bench, VIP4)
    bench.agent.reload(bench.config(lines=["strict_mode", "accept", *NO_BURST_LATER]))
    wait_until("answers", lambda: answers(bench, VIP4, 0.2), 10)


def test_a_packet_to_the_address_goes_round_in_no_circle(make_bench: MakeBench) -> None:
    """R-O01: by way of the virtual MAC, to a non-owner that does not accept."""
    bench = refusing(make_bench, 4, ["no_accept", "use_vmac"])
    bench.d.sysctl("net.ipv4.ip_forward=1")
    begin_ns = time.time_ns()
    bench.t.inject(syn(bench, VIP4))
    bench.wire.wait_for_adverts("d", 3, since_ns=begin_ns)
    assert not about(bench, VIP4, begin_ns)


def test_the_rules_are_there_before_the_addresses_and_gone_at_the_end(make_bench: MakeBench) -> None:
    bench = make_bench(lines=["no_accept"])
    with bench.tester.speaking(priority=200):
        bench.start()
        bench.agent.wait_for_state("backup")
        assert elements(bench, "ip", "vips") == [VIP4]
        bench.agent.stop()
    assert tables(bench) == []


def test_nothing_is_put_into_nftables_without_need(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.start_active()
    assert tables(bench) == []


def test_the_words_of_nftables(make_bench: MakeBench) -> None:
    lines = ["nftables vrrp", "nftables_priority -5", "nftables_counters", "nftables_ifindex"]
    bench = make_bench("w", family=6, lines=["no_accept", *NO_BURST_LATER], global_lines=lines)
    bench.start_active()
    wait_until("the addresses", lambda: bench.d.holds(*bench.addresses), 5)
    assert tables(bench) == ["ip vrrp", "ip6 vrrp"]
    assert {one["chain"]["prio"] for one in ruleset(bench) if "chain" in one} == {-5}
    answers(bench, VIP6, 0.2)
    counted = [
        part["counter"]["packets"]
        for one in ruleset(bench)
        if one.get("rule", {}).get("chain") == "in"
        for part in one["rule"]["expr"]
        if "counter" in part
    ]
    assert any(counted), "dropped packets are counted"


def test_tables_of_others_are_left_alone(make_bench: MakeBench) -> None:
    bench = make_bench(lines=["no_accept"])
    nft = ("ip", "netns", "exec", bench.d.namespace, "nft")
    run(*nft, "add", "table", "inet", "others")
    run(*nft, "add", "table", "ip", "keepalived2")
    bench.start_active()
    bench.agent.stop()
    assert tables(bench) == ["inet others", "ip keepalived2"]


def test_a_table_of_the_same_name_that_is_not_needed_is_not_touched(make_bench: MakeBench) -> None:
    bench = make_bench()
    run("ip", "netns", "exec", bench.d.namespace, "nft", "add", "table", "ip", "keepalived")
    bench.start_active()
    bench.agent.stop()
    assert tables(bench) == ["ip keepalived"]


def test_rules_of_a_killed_agent_are_taken_over_or_cleared(make_bench: MakeBench) -> None:
    bench = refusing(make_bench, 4, ["no_accept"])
    bench.agent.kill()
    assert not answers_of_nobody(bench), "the rules outlive the agent, as the address does"
    bench.agent.start()
    bench.agent.wait_for_state("active")
    assert elements(bench, "ip", "vips") == [VIP4]
    bench.agent.kill()
    bench.agent.write(bench.config(lines=list(NO_BURST_LATER)))
    bench.agent.start()
    bench.agent.wait_for_state("active")
    assert tables(bench) == []


def answers_of_nobody(bench: Bench) -> int:
    """Answers while no agent runs."""
    with Prober(bench.lan.w, VIP4, 0.01) as client:
        time.sleep(0.3)
        return client.answered


@BOTH
def test_a_reload_turns_the_refusal_on_and_off(make_bench: MakeBench, family: int) -> None:
    bench = refusing(make_bench, family, [])
    vip = VIP4 if family == 4 else VIP6
    bench.agent.reload(bench.config(lines=["no_accept", *NO_BURST_LATER]))
    wait_until("silence", lambda: not answers(bench, vip, 0.2), 10)
    bench.agent.reload(bench.config(lines=list(NO_BURST_LATER)))
    wait_until("answers", lambda: answers(bench, vip, 0.2), 10)
    assert tables(bench) == []
    assert len(bench.agent.instance()["transitions"]) == 2, "it has been active all the time"


def test_addresses_that_come_by_reload_are_refused_too(make_bench: MakeBench) -> None:
    bench = refusing(make_bench, 4, ["no_accept"])
    addresses = [*config.virtual_addresses(4), "198.51.100.120/24"]
    bench.agent.reload(bench.config(addresses=addresses))
    wait_until("the address", lambda: bench.d.holds("198.51.100.120"), 5)
    assert sorted(elements(bench, "ip", "vips")) == [VIP4, "198.51.100.120"]
    assert not answers(bench, "198.51.100.120")


def test_status_says_that_packets_are_refused(make_bench: MakeBench) -> None:
    bench = refusing(make_bench, 4, ["no_accept"])
    one = bench.agent.instance()
    assert one["accept"] is False and one["firewall_problem"] == ""
    text = bench.agent.ask("status", "--runtime-dir", str(bench.agent.runtime)).stdout
    assert "accept    no" in text
