# SPDX-License-Identifier: GPL-3.0-or-later
"""Gratuitous ARP and unsolicited NA: what is in them, how many are sent, and when."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest

from tests.lab.bench import Bench
from tests.lab.capture import SeenAnnouncement
from tests.lab.lan import VIP4, VIP4_SECOND, VIP6, VIP6_LINK_LOCAL
from tests.lab.plugin import MakeBench
from tests.lab.shell import wait_until

SECOND_NS = 1_000_000_000


def wait_for_announcements(
    bench: Bench, number: int, address: str = VIP4, timeout_s: float = 5
) -> List[SeenAnnouncement]:
    """The first ``number`` announcements of an address."""

    def enough() -> List[SeenAnnouncement]:
        seen = bench.wire.announcements("d", address=address)
        return seen if len(seen) >= number else []

    return wait_until(f"{number} announcements of {address}", enough, timeout_s)


def settled(bench: Bench, since_ns: int, during_s: float, address: str = VIP4) -> int:
    """How many announcements of an address come within a time."""
    until_ns = since_ns + round(during_s * SECOND_NS)
    bench.wire.wait_for_adverts("d", since_ns=until_ns)
    return len(
        [one for one in bench.wire.announcements("d", address=address) if since_ns <= one.at_ns < until_ns]
    )


def test_a_gratuitous_arp_tells_everybody_who_has_the_address(make_bench: MakeBench) -> None:
    """Requirements section 10."""
    bench = make_bench()
    bench.start_active()
    for seen in wait_for_announcements(bench, 5):
        what = seen.announcement
        assert (what.kind, what.operation) == ("arp", 1)
        assert (what.mac, what.source_mac) == (bench.d.mac, bench.d.mac)
        assert what.destination_mac == "ff:ff:ff:ff:ff:ff"


def test_an_unsolicited_neighbour_advertisement_overrides_what_others_knew(make_bench: MakeBench) -> None:
    """R-F09: to all nodes, R=1 S=0 O=1, target link-layer address."""
    bench = make_bench(family=6)
    bench.start_active()
    for address in (VIP6_LINK_LOCAL, VIP6):
        for seen in wait_for_announcements(bench, 5, address):
            what = seen.announcement
            assert what.kind == "na"
            assert what.operation & 0x20, "the override flag"
            assert not what.operation & 0x40, "the solicited flag"
            assert what.mac == bench.d.mac
            assert what.destination_mac == "33:33:00:00:00:01"


@pytest.mark.parametrize(
    "lines, at_once",
    [([], 5), (["garp_master_repeat 2"], 2), (["garp_master_repeat 1"], 1)],
    ids=["default", "two", "one"],
)
def test_the_first_burst_has_garp_master_repeat_announcements(
    make_bench: MakeBench, lines: List[str], at_once: int
) -> None:
    bench = make_bench(lines=["garp_master_delay 0", *lines])
    first = bench.start_active()
    wait_for_announcements(bench, at_once)
    assert settled(bench, first.at_ns, 0.6) == at_once


def test_a_second_burst_comes_after_garp_master_delay(make_bench: MakeBench) -> None:
    bench = make_bench(lines=["garp_master_delay 1", "garp_master_repeat 3"])
    first = bench.start_active()
    seen = wait_for_announcements(bench, 6)
    bench.is_on_time("the delayed burst", seen[3].at_ns - first.at_ns, 1.0, first.at_ns, 5)
    assert settled(bench, first.at_ns, 1.6) == 6


def test_the_refresh_goes_on_and_on(make_bench: MakeBench) -> None:
    """keepalived: the first refresh comes garp_master_delay and one refresh interval after the takeover."""
    words = [
        "garp_master_delay 0",
        "garp_master_repeat 1",
        "garp_master_refresh 1",
        "garp_master_refresh_repeat 2",
    ]
    bench = make_bench(lines=words)
    first = bench.start_active()
    seen = wait_for_announcements(bench, 5)
    bench.is_on_time("the first refresh", seen[1].at_ns - first.at_ns, 1.0, first.at_ns, 5)
    bench.is_on_time("the second refresh", seen[3].at_ns - first.at_ns, 2.0, first.at_ns, 5)


def test_a_losing_advert_makes_an_active_router_announce_itself_again(make_bench: MakeBench) -> None:
    """garp_lower_prio_repeat at once, and again garp_lower_prio_delay later."""
    words = [
        "garp_master_delay 0",
        "garp_master_repeat 1",
        "garp_lower_prio_delay 1",
        "garp_lower_prio_repeat 2",
    ]
    bench = make_bench(lines=words)
    bench.start_active()
    wait_for_announcements(bench, 1)
    bench.tester.send(priority=50)
    heard_ns = bench.wire.wait_for_adverts("t")[0].at_ns
    seen = wait_for_announcements(bench, 5)
    bench.is_on_time("the answer", seen[1].at_ns - heard_ns, 0, heard_ns)
    bench.is_on_time("the delayed answer", seen[3].at_ns - heard_ns, 1.0, heard_ns, 5)


def test_vrrp_garp_interval_spaces_the_frames(make_bench: MakeBench) -> None:
    bench = make_bench(
        global_lines="vrrp_garp_interval 0.05", lines=["garp_master_delay 0", "garp_master_repeat 4"]
    )
    bench.start_active()
    seen = wait_for_announcements(bench, 4)
    gaps_ms = [(b.at_ns - a.at_ns) / 1e6 for a, b in zip(seen, seen[1:])]
    assert min(gaps_ms) >= 49, gaps_ms


def test_every_address_is_announced_round_by_round(make_bench: MakeBench) -> None:
    words: Dict[str, Any] = {"addresses": [f"{VIP4}/24", f"{VIP4_SECOND}/24"]}
    bench = make_bench(**words, lines=["garp_master_delay 0", "garp_master_repeat 3"])
    bench.start_active()
    wait_for_announcements(bench, 3, VIP4_SECOND)
    order: Tuple[str, ...] = tuple(one.announcement.address for one in bench.wire.announcements("d"))
    assert order == (VIP4, VIP4_SECOND) * 3


def test_a_backup_announces_nothing(make_bench: MakeBench) -> None:
    bench = make_bench()
    with bench.tester.speaking(priority=200):
        bench.start()
        bench.wire.wait_for_adverts("t", 8, since_ns=bench.log_time("init -> backup"))
    assert not bench.wire.announcements("d")


def test_announcements_stop_when_another_router_takes_over(make_bench: MakeBench) -> None:
    """The delayed burst of a router that is no longer active must not steal the traffic back."""
    bench = make_bench(lines=["garp_master_delay 1", "garp_master_repeat 2"])
    bench.start_active()
    wait_for_announcements(bench, 2)
    with bench.tester.speaking(priority=200):
        bench.agent.wait_for_state("backup")
        bench.wire.wait_for_adverts("t", 14)
    assert len(bench.wire.announcements("d")) == 2
