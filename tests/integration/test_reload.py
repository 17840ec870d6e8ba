# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGHUP: what is the same goes on untouched, what differs changes, what is wrong changes nothing."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from typing import Iterator, List

import pytest

from tests.lab import config
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.lan import VIP4, VIP4_SECOND, Node
from tests.lab.plugin import MakeBench
from tests.lab.prober import Prober
from tests.lab.shell import wait_until


@contextlib.contextmanager
def changes_of(node: Node, log: Path) -> Iterator[List[str]]:
    """Every change of addresses, routes and links in a node while the block runs; filled in at its end."""
    lines: List[str] = []
    with log.open("wb") as out:
        monitor = node.popen(
            ["ip", "-o", "monitor", "address", "route", "link"], stdout=out, stderr=subprocess.STDOUT
        )
    node.ip("address", "add", "198.18.255.1/32", "dev", "lo")  # the monitor is listening once it shows this
    wait_until("ip monitor to listen", lambda: _poke(node) and "198.18.255.1" in log.read_text(), 5)
    length = len(log.read_text())
    try:
        yield lines
        node.ip("address", "add", "198.18.255.2/32", "dev", "lo")
        wait_until("the end of the changes", lambda: "198.18.255.2" in log.read_text(), 5)
        lines += [line for line in log.read_text()[length:].splitlines() if "198.18.255." not in line]
    finally:
        monitor.kill()
        monitor.wait()


def _poke(node: Node) -> bool:
    node.ip("address", "del", "198.18.255.1/32", "dev", "lo", check=False)
    node.ip("address", "add", "198.18.255.1/32", "dev", "lo", check=False)
    return True


def is_arp_request(data: bytes) -> bool:
    """A gratuitous ARP or a question."""
    return data[12:14] == b"\x08\x06" and data[21] == 1


def reload(bench: Bench, text: str) -> int:
    """Reload and wait until it is done; return when the signal was sent."""
    done = bench.agent.log().count("reloaded:")
    at_ns = bench.agent.reload(text)
    wait_until("the reload", lambda: bench.agent.log().count("reloaded:") > done, 10)
    return at_ns


def test_the_same_file_changes_nothing_and_sends_nothing(make_bench: MakeBench) -> None:
    """Only the regular adverts, on time; no address, route or link is touched; no ping is lost."""
    static = config.block("static_ipaddress", ["198.18.0.1/24 dev eth0"])
    bench = make_bench("w", lines=NO_BURST_LATER)
    bench.agent.write(bench.config(static))
    bench.start_active()
    bench.agent.wait_for_state("active")
    before = bench.agent.instance()
    with (
        Prober(bench.lan.w, VIP4, 0.001) as prober,
        changes_of(bench.d, bench.lan.scratch / "monitor") as changes,
    ):
        wait_until("answers", lambda: prober.answered > 20, 5)
        begin_ns = time.time_ns()
        for _ in range(3):
            reload(bench, bench.agent.config)
        bench.stays_active(1.5, begin_ns)
    assert changes == []
    asked = [
        one
        for one in bench.wire.frames
        if one.node == "d" and one.at_ns > begin_ns and is_arp_request(one.data)
    ]
    assert not asked, "an announcement or a question beside the adverts"
    assert prober.outage_s(begin_ns) == 0, prober.gaps(begin_ns)
    after = bench.agent.instance()
    assert (after["since"], after["transitions"]) == (before["since"], before["transitions"])
    assert after["counters"]["adverts_sent"] > before["counters"]["adverts_sent"]


def test_the_same_file_leaves_the_timer_of_a_backup_running(make_bench: MakeBench) -> None:
    """A reload while the active router is silent must not put the takeover off."""
    bench = make_bench(advert_int=0.4)
    with bench.tester.speaking(every_s=0.1, priority=200):
        bench.start()
        bench.wire.wait_for_adverts("t", 3, since_ns=bench.log_time("init -> backup"))
    silent_ns = bench.last_advert_of_t()
    bench.agent.reload()
    bench.takes_over_after(silent_ns, bench.down_s)
    assert bench.agent.log().count("reloaded:") == 1


def test_a_changed_priority_is_in_the_next_advert(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    bench.start_active()
    bench.agent.wait_for_state("active")
    at_ns = reload(bench, bench.config(priority=150))
    bench.wire.wait_for_adverts("d", 3, since_ns=at_ns, priority=150)
    bench.stays_active(0.5, at_ns)
    assert bench.agent.instance()["base_priority"] == 150
    assert not [one for one in bench.wire.announcements("d") if one.at_ns > at_ns]


def test_a_raised_priority_takes_over_from_a_lower_router(make_bench: MakeBench) -> None:
    bench = make_bench()
    with bench.tester.speaking(every_s=0.05, priority=150):
        bench.start()
        bench.wire.wait_for_adverts("t", 5, since_ns=bench.log_time("init -> backup"))
        reload(bench, bench.config(priority=200))
        bench.agent.wait_for_state("active")


def test_an_added_address_comes_alone_and_is_announced(make_bench: MakeBench) -> None:
    """R-S09: the address that was there stays untouched."""
    bench = make_bench("w", lines=NO_BURST_LATER)
    bench.start_active()
    bench.agent.wait_for_state("active")
    with (
        Prober(bench.lan.w, VIP4, 0.001) as prober,
        changes_of(bench.d, bench.lan.scratch / "monitor") as changes,
    ):
        wait_until("answers", lambda: prober.answered > 20, 5)
        at_ns = reload(bench, bench.config(addresses=[f"{VIP4}/24", f"{VIP4_SECOND}/24"]))
        wait_until("the new address", lambda: bench.d.holds(VIP4, VIP4_SECOND), 3)
        bench.stays_active(0.5, at_ns)
    assert prober.outage_s(at_ns) == 0
    assert not [line for line in changes if f" {VIP4}/" in line], "the old address was touched"
    announced = [one.announcement.address for one in bench.wire.announcements("d", since_ns=at_ns)]
    assert announced == [VIP4_SECOND] * 5
    assert bench.wire.adverts("d")[-1].advert.addresses == (VIP4, VIP4_SECOND)


def test_a_removed_address_goes_alone(make_bench: MakeBench) -> None:
    bench = make_bench(addresses=[f"{VIP4}/24", f"{VIP4_SECOND}/24"], lines=NO_BURST_LATER)
    bench.start_active()
    wait_until("both addresses", lambda: bench.d.holds(VIP4, VIP4_SECOND), 3)
    at_ns = reload(bench, bench.config(addresses=[f"{VIP4}/24"]))
    wait_until("one address", lambda: bench.d.holds_none(VIP4_SECOND), 3)
    assert bench.d.holds(VIP4)
    bench.stays_active(0.5, at_ns)
    assert bench.wire.adverts("d")[-1].advert.addresses == (VIP4,)


def test_an_address_may_move_from_one_instance_to_another(make_bench: MakeBench) -> None:
    """keepalived needs two reloads for that."""
    bench = make_bench(addresses=[f"{VIP4}/24", f"{VIP4_SECOND}/24"], lines=NO_BURST_LATER)
    other = config.instance(
        "VI_2", vrid=52, advert_int=0.1, addresses=["198.51.100.102/24"], lines=NO_BURST_LATER
    )
    bench.agent.write(bench.config(other))
    bench.start_active()
    bench.agent.wait_for_state("active", "VI_2")
    other = other.replace("198.51.100.102/24", f"198.51.100.102/24\n{VIP4_SECOND}/24")
    reload(bench, bench.config(other, addresses=[f"{VIP4}/24"]))
    assert bench.d.holds(VIP4, VIP4_SECOND, "198.51.100.102")
    assert f"{VIP4_SECOND}/24" in bench.agent.instance("VI_2")["addresses_held"]


def test_an_added_instance_begins_and_the_others_go_on(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    bench.start_active()
    bench.agent.wait_for_state("active")
    more = config.instance("VI_2", vrid=52, advert_int=0.1, addresses=["198.51.100.102/24"])
    at_ns = reload(bench, bench.config(more))
    bench.agent.wait_for_state("active", "VI_2")
    bench.stays_active(0.5, at_ns)
    assert bench.d.holds(VIP4, "198.51.100.102")
    seen = [one for one in bench.wire.adverts("d", since_ns=at_ns) if one.advert.vrid == 51]
    gaps_ms = [(b.at_ns - a.at_ns) / 1e6 for a, b in zip(seen, seen[1:])]
    bench.is_on_time("the widest gap of the old instance", round(max(gaps_ms) * 1e6), 0.1, at_ns, early_ms=5)


def test_a_removed_instance_resigns_and_gives_its_address_back(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    more = config.instance("VI_2", vrid=52, advert_int=0.1, addresses=["198.51.100.102/24"])
    bench.agent.write(bench.config(more))
    bench.start_active()
    bench.agent.wait_for_state("active", "VI_1")
    bench.agent.wait_for_state("active", "VI_2")
    at_ns = reload(bench, bench.config())
    bench.wire.wait_for_adverts("d", since_ns=at_ns, vrid=52, priority=0)
    assert bench.d.holds(VIP4)
    assert bench.d.holds_none("198.51.100.102")
    assert [one["name"] for one in bench.agent.status()["instances"]] == ["VI_1"]


def test_a_renamed_instance_is_the_same_virtual_router(make_bench: MakeBench) -> None:
    """keepalived: interface, family and VRID make it the same."""
    bench = make_bench(lines=NO_BURST_LATER)
    bench.start_active()
    bench.agent.wait_for_state("active")
    with changes_of(bench.d, bench.lan.scratch / "monitor") as changes:
        at_ns = reload(bench, bench.config(name="VI_RENAMED"))
        bench.stays_active(0.5, at_ns)
    assert changes == []
    assert bench.agent.state("VI_RENAMED") == "active"
    assert not bench.wire.adverts("d", since_ns=at_ns, priority=0)


def test_a_changed_interval_is_used_at_once(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER, advert_int=1)
    bench.start_active()
    at_ns = reload(bench, bench.config(advert_int=0.1))
    seen = bench.wire.wait_for_adverts("d", 3, since_ns=at_ns, timeout_s=1.5)
    assert seen[1].advert.interval_s == 0.1


def test_statics_follow_the_file(make_bench: MakeBench) -> None:
    bench = make_bench()
    first = config.block("static_ipaddress", ["198.18.0.1/24 dev eth0", "198.18.1.1/24 dev eth0"])
    second = config.block("static_ipaddress", ["198.18.1.1/24 dev eth0", "198.18.2.1/24 dev eth0"])
    bench.agent.write(bench.config(first))
    bench.start()
    wait_until("the first addresses", lambda: bench.d.holds("198.18.0.1", "198.18.1.1"), 3)
    reload(bench, bench.config(second))
    assert bench.d.holds("198.18.1.1", "198.18.2.1")
    assert bench.d.holds_none("198.18.0.1")


BAD_FILES = {
    "unknown-word": ("vrrp_instance VI_1 {\n    no_such_word 1\n}\n", "no_such_word"),
    "missing-brace": ("vrrp_instance VI_1 {\n    interface eth0\n", ":1:"),
    "out-of-range": ("vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 999\n}\n", ":3:23: "),
    "empty": ("", "holds no configuration"),
    "no-such-interface": (config.instance(interface="eth9"), "eth9"),
    "noise": ("\x00\x01\x02 { } { {{{ \xff", ""),
}


@pytest.mark.parametrize("text, hint", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_changes_nothing_and_says_why(make_bench: MakeBench, text: str, hint: str) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    bench.start_active()
    bench.agent.wait_for_state("active")
    before = bench.agent.instance()
    lines_before = len(bench.agent.log().splitlines())
    at_ns = bench.agent.reload(text)
    bench.agent.wait_for_log("the old configuration goes on")
    bench.stays_active(0.6, at_ns)
    assert bench.d.holds(VIP4)
    said = "\n".join(bench.agent.log().splitlines()[lines_before:])
    assert hint in said and " error " in said
    after = bench.agent.instance()
    assert {**after, "counters": 0, "next_deadline_s": 0} == {**before, "counters": 0, "next_deadline_s": 0}
    at_ns = reload(bench, bench.config(priority=150))
    bench.wire.wait_for_adverts("d", since_ns=at_ns, priority=150)


def test_many_reloads_in_a_row_end_in_the_last_file(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    bench.start_active()
    begin_ns = time.time_ns()
    for priority in range(101, 121):
        bench.agent.reload(bench.config(priority=priority))
    wait_until("the last priority", lambda: bench.agent.instance()["base_priority"] == 120, 10)
    bench.stays_active(0.5, begin_ns)
    assert bench.agent.running
