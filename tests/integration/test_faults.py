# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual router needs may go away and come back: FAULT, with its reason, and the way out of it."""

from __future__ import annotations

import pytest

from tests.lab import config
from tests.lab.bench import LOG_MS, NO_BURST_LATER
from tests.lab.lan import VIP4, VIP6
from tests.lab.plugin import MakeBench
from tests.lab.shell import wait_until

CAUSES = ["cable", "link set down"]


def test_a_tracked_interface_that_goes_down_means_fault(make_bench: MakeBench) -> None:
    """K-07: an active router resigns first, so that the peer need not wait."""
    bench = make_bench(lines=[config.block("track_interface", ["eth1"]), *NO_BURST_LATER])
    bench.d.add_interface("eth1")
    bench.start_active()
    bench.agent.wait_for_state("active")
    down_ns = bench.d.pull_cable("eth1")
    resigned = bench.wire.wait_for_adverts("d", since_ns=down_ns, priority=0)[0]
    waited_ms = (resigned.at_ns - down_ns) / 1e6  # the kernel itself reports a lost carrier up to 100 ms late
    assert waited_ms < 400, f"the resignation came {waited_ms:.0f} ms after the cable was pulled"
    bench.agent.wait_for_state("fault")
    status = bench.agent.instance()
    assert "eth1" in status["reason"] and status["faults"]
    assert bench.d.holds_none(VIP4)
    bench.d.plug_cable("eth1")
    bench.takes_over_after(bench.log_time("fault -> backup"), bench.down_s, LOG_MS)
    bench.agent.wait_for_state("active")
    assert bench.d.holds(VIP4)


def test_a_tracked_interface_with_a_weight_changes_the_priority(make_bench: MakeBench) -> None:
    bench = make_bench(
        lines=[config.block("track_interface", ["eth1 weight 20", "eth2 weight -30"]), *NO_BURST_LATER]
    )
    bench.d.add_interface("eth1")
    bench.d.add_interface("eth2")
    assert bench.start_active().advert.priority == 120
    down_ns = bench.d.pull_cable("eth1")
    bench.wire.wait_for_adverts("d", 2, since_ns=down_ns, priority=100)
    down_ns = bench.d.pull_cable("eth2")
    bench.wire.wait_for_adverts("d", 2, since_ns=down_ns, priority=70)
    status = bench.agent.instance()
    assert (status["base_priority"], status["effective_priority"]) == (100, 70)
    up_ns = bench.d.plug_cable("eth1")
    bench.wire.wait_for_adverts("d", 2, since_ns=up_ns, priority=90)
    assert bench.agent.state() == "active"


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("family", [4, 6])
def test_the_own_link_going_down_means_fault_and_coming_back_means_backup(
    make_bench: MakeBench, family: int, cause: str
) -> None:
    bench = make_bench(family=family)
    bench.start_active()
    bench.agent.wait_for_state("active")
    if cause == "cable":
        bench.d.pull_cable()
    else:
        bench.d.ip("link", "set", "eth0", "down")
    bench.agent.wait_for_state("fault")
    assert "eth0" in bench.agent.instance()["reason"]
    wait_until("the addresses to go", lambda: bench.d.holds_none(*bench.addresses), 3)
    if cause == "cable":
        bench.d.plug_cable()
    else:
        bench.d.ip("link", "set", "eth0", "up")
        if family == 6:  # the kernel forgets IPv6 addresses when a link goes down
            bench.d.ip("address", "replace", f"{bench.d.link_local}/64", "dev", "eth0", "nodad")
    up_ns = bench.log_time("fault -> backup")
    bench.takes_over_after(up_ns, bench.down_s, LOG_MS)
    wait_until("the addresses to return", lambda: bench.d.holds(*bench.addresses), 3)


def test_a_router_without_a_source_address_is_in_fault_until_it_has_one(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.d.ip("address", "del", f"{bench.d.ipv4}/24", "dev", "eth0")
    bench.agent.start()
    bench.agent.wait_for_state("fault")
    assert "address" in bench.agent.instance()["reason"]
    bench.d.ip("address", "add", f"{bench.d.ipv4}/24", "dev", "eth0")
    first = bench.next_advert(0)
    assert first.advert.source == bench.d.ipv4


def test_the_source_follows_when_the_primary_address_changes(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    bench.start_active()
    bench.d.ip("address", "add", "198.51.100.60/24", "dev", "eth0")
    bench.d.ip("address", "add", "198.18.0.60/24", "dev", "eth0")
    bench.d.ip("address", "del", f"{bench.d.ipv4}/24", "dev", "eth0")
    wait_until(
        "adverts from an address that is left",
        lambda: bench.wire.adverts("d")[-1].advert.source in ("198.51.100.60", "198.18.0.60"),
        3,
    )
    assert bench.wire.adverts("d")[-1].advert.checksum_form == "pseudo"


def test_an_interface_that_appears_late_joins_with_dynamic_interfaces(make_bench: MakeBench) -> None:
    bench = make_bench(interface="eth1", global_lines="dynamic_interfaces")
    bench.wire.watch("d-eth1", "late")
    bench.agent.start()
    bench.agent.wait_for_state("fault")
    assert "eth1 does not exist" in bench.agent.instance()["reason"]
    bench.d.add_interface("eth1", bridged=True)
    bench.d.ip("address", "add", "198.51.100.70/24", "dev", "eth1")
    first = bench.wire.wait_for_adverts("late")[0]
    assert first.advert.source == "198.51.100.70"
    bench.agent.wait_for_state("active")
    with bench.tester.speaking(priority=200):
        bench.agent.wait_for_state("backup")


def test_an_interface_that_goes_away_and_returns_under_the_same_name_works_again(
    make_bench: MakeBench,
) -> None:
    bench = make_bench(interface="eth1", global_lines="dynamic_interfaces")
    bench.wire.watch("d-eth1", "late")
    for _ in range(2):
        bench.d.add_interface("eth1", bridged=True)
        bench.d.ip("address", "add", "198.51.100.70/24", "dev", "eth1")
        if not bench.agent.running:
            bench.agent.start()
        bench.agent.wait_for_state("active")
        assert bench.d.holds(VIP4)
        bench.d.ip("link", "del", "eth1")
        bench.agent.wait_for_state("fault")
    with bench.tester.speaking(priority=200):
        bench.d.add_interface("eth1", bridged=True)
        bench.d.ip("address", "add", "198.51.100.70/24", "dev", "eth1")
        bench.agent.wait_for_state("backup")
        wait_until(
            "adverts to be heard on the new interface",
            lambda: bench.agent.instance()["active_router"] == {"address": bench.t.ipv4, "priority": 200},
            5,
        )


def test_a_fault_that_is_there_at_the_start_is_told_and_left(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.d.pull_cable()
    bench.agent.start()
    bench.agent.wait_for_state("fault")
    assert not bench.wire.adverts("d")
    bench.d.plug_cable()
    bench.agent.wait_for_state("active")


def test_status_tells_the_way_of_the_last_transitions(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.start_active()
    bench.d.pull_cable()
    bench.agent.wait_for_state("fault")
    bench.d.plug_cable()
    bench.agent.wait_for_state("active")
    steps = [(one["from"], one["to"]) for one in bench.agent.instance()["transitions"]]
    assert steps == [
        ("init", "backup"),
        ("backup", "active"),
        ("active", "fault"),
        ("fault", "backup"),
        ("backup", "active"),
    ]
    assert all(one["reason"] for one in bench.agent.instance()["transitions"])


def test_one_family_may_be_in_fault_while_the_other_works(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.agent.write(bench.config(config.instance("VI_6", family=6, advert_int=0.1)))
    bench.d.ip("address", "del", f"{bench.d.ipv4}/24", "dev", "eth0")
    bench.agent.start()
    bench.agent.wait_for_state("active", "VI_6")
    assert bench.agent.state("VI_1") == "fault"
    assert bench.d.holds(VIP6)
