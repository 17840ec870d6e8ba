# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose adverts are heard: peers, hops, groups of their own, and lists that differ.

T claims priority 200 against D's 100: D is active unless it believes T.
"""

from __future__ import annotations

from typing import Any, Dict, Sequence

import pytest

from tests.lab import config, frames
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.lan import Lan
from tests.lab.plugin import MakeLan
from tests.lab.shell import stays, wait_until

STRANGER = "198.51.100.99"
GROUP = "224.0.0.99"


def unicast_bench(lan: Lan, *lines: str, peer_words: str = "", glob: Sequence[str] = ()) -> Bench:
    """D hears T as a unicast peer."""
    peers = config.block("unicast_peer", [f"{lan.t.ipv4} {peer_words}".strip()])
    words = [f"unicast_src_ip {lan.d.ipv4}", peers, *lines, *NO_BURST_LATER]
    return Bench(lan, lines=words, global_lines=glob)


def to_d(bench: Bench, ttl: int = 255, **words: Any) -> Dict[str, Any]:
    """The words of a unicast advert of T."""
    return {
        "destination": bench.d.ipv4,
        "destination_mac": bench.d.mac,
        "priority": 200,
        "packet_options": {"ttl": ttl},
        **words,
    }


def believed(bench: Bench, **words: Any) -> bool:
    """Whether such adverts make D a backup."""
    before = bench.agent.instance()["counters"]
    with bench.tester.speaking(**words):
        wait_until(
            "D to have heard it", lambda: bench.agent.instance()["counters"] != before and _counted(bench) > 2
        )
        return bench.agent.state() == "backup"


def _counted(bench: Bench) -> int:
    """Adverts that were believed or refused."""
    received: int = bench.agent.instance()["counters"]["adverts_received"]
    return received + sum(bench.discards().values())


@pytest.mark.parametrize(("lines", "glob", "taken"), [
    ([], [], True),
    (["check_unicast_src"], [], False),
    ([], ["vrrp_check_unicast_src"], False),
])  # fmt: skip
def test_a_stranger_is_believed_unless_sources_are_checked(
    make_lan: MakeLan, lines: Sequence[str], glob: Sequence[str], taken: bool
) -> None:
    bench = unicast_bench(make_lan("d", "t"), *lines, glob=glob)
    bench.start_active()
    assert believed(bench, **to_d(bench, source=STRANGER)) is taken
    assert ("unknown_peer" in bench.discards()) is not taken


def test_a_peer_is_believed_when_sources_are_checked(make_lan: MakeLan) -> None:
    bench = unicast_bench(make_lan("d", "t"), "check_unicast_src")
    bench.start_active()
    assert believed(bench, **to_d(bench))
    assert bench.discards() == {}


@pytest.mark.parametrize(("limit", "ttl", "taken"), [
    ("", 1, True),
    ("min_ttl 255", 255, True),
    ("min_ttl 255", 254, False),
    ("min_ttl 60 max_ttl 64", 64, True),
    ("min_ttl 60 max_ttl 64", 65, False),
    ("min_ttl 60 max_ttl 64", 59, False),
])  # fmt: skip
def test_a_peer_is_believed_from_as_far_away_as_it_may_be(
    make_lan: MakeLan, limit: str, ttl: int, taken: bool
) -> None:
    """keepalived min_ttl and max_ttl; without them unicast may come from anywhere."""
    bench = unicast_bench(make_lan("d", "t"), peer_words=limit)
    bench.start_active()
    assert believed(bench, **to_d(bench, ttl)) is taken
    assert ("ttl" in bench.discards()) is not taken


def test_a_limit_on_one_peer_keeps_strangers_out_too(make_lan: MakeLan) -> None:
    bench = unicast_bench(make_lan("d", "t"), peer_words="min_ttl 255")
    bench.start_active()
    assert not believed(bench, **to_d(bench, source=STRANGER))
    assert set(bench.discards()) == {"unknown_peer"}


def test_a_group_of_its_own_is_spoken_to_and_heard(make_lan: MakeLan) -> None:
    bench = Bench(make_lan("d", "t"), lines=[f"mcast_dst_ip {GROUP}", *NO_BURST_LATER])
    bench.start_active()
    assert {one.advert.destination for one in bench.wire.adverts("d")} == {GROUP}
    assert believed(bench, destination=GROUP, priority=200)


def test_who_has_a_group_of_its_own_does_not_hear_the_usual_one(make_lan: MakeLan) -> None:
    bench = Bench(make_lan("d", "t"), lines=[f"mcast_dst_ip {GROUP}", *NO_BURST_LATER])
    bench.start_active()
    with bench.tester.speaking(priority=200, destination=frames.GROUP4):
        stays("D is active", lambda: bench.agent.state() == "active", 1)
    assert bench.agent.instance()["counters"]["adverts_received"] == 0


@pytest.mark.parametrize(("lines", "glob", "again"), [
    ([], [], True),
    (["skip_check_adv_addr"], [], False),
    ([], ["vrrp_skip_check_adv_addr"], False),
])  # fmt: skip
def test_other_addresses_are_counted_once_or_each_time(
    make_lan: MakeLan, lines: Sequence[str], glob: Sequence[str], again: bool
) -> None:
    """The router that is known already is not compared again with skip_check_adv_addr."""
    bench = Bench(make_lan("d", "t"), lines=[*lines, *NO_BURST_LATER], global_lines=glob)
    bench.start_active()
    with bench.tester.speaking(priority=200, addresses=["198.51.100.55"]):
        bench.wait_for_counters(lambda counters: counters["adverts_received"] >= 6, "six adverts")
    counters = bench.agent.instance()["counters"]
    assert counters["addr_list_mismatches"] == (counters["adverts_received"] if again else 1)
