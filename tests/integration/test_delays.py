# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting at the right moment: after a stall, between announcements."""

from __future__ import annotations

import signal

import pytest

from tests.lab import config
from tests.lab.engines import Agent
from tests.lab.lan import VIP4, VIP4_SECOND
from tests.lab.plugin import MakeBench, MakeLan
from tests.lab.shell import stays, wait_until

PAUSE_S = 0.1


@pytest.mark.parametrize(("words", "taken_from"), [("timer_expired_backup 150", "b"), ("", "a")])
def test_a_router_that_was_stalled_gives_way_if_it_is_told_to(
    make_lan: MakeLan, words: str, taken_from: str
) -> None:
    """a (200) sleeps until b (150) has taken over. Without the word it wins the addresses back."""
    lan = make_lan("a", "b")
    agents = [
        Agent(node, config.file(node, config.instance(priority=priority, lines=["nopreempt", words])))
        for node, priority in ((lan.a, 200), (lan.b, 150))
    ]
    a, b = agents
    a.start()
    a.wait_for_state("active")
    b.start()
    b.wait_for_state("backup")
    a.signal(signal.SIGSTOP)
    b.wait_for_state("active")
    a.signal(signal.SIGCONT)
    wait_until(f"{taken_from} to hold the address alone", lambda: lan.holders(VIP4) == (taken_from,), 10)
    stays("it to stay there", lambda: lan.holders(VIP4) == (taken_from,), 1)
    if words:
        assert "timer_expired_backup" in a.instance()["transitions"][-1]["reason"]


def test_interfaces_of_a_garp_group_share_one_pause(make_bench: MakeBench) -> None:
    bench = make_bench(
        addresses=[f"{VIP4}/24", f"{VIP4_SECOND}/24 dev eth1"],
        lines=["garp_master_delay 0", "garp_master_repeat 3"],
    )
    bench.d.add_interface("eth1", bridged=True)
    bench.wire.watch("d-eth1", "d")
    group = config.block(
        "garp_group", [f"garp_interval {PAUSE_S}", config.block("interfaces", ["eth0 eth1"])]
    )
    bench.agent.write(bench.config(group))
    bench.agent.start()
    bench.agent.wait_for_state("active")
    seen = wait_until(
        "three announcements of each address",
        lambda: (found := bench.wire.announcements("d"))[5:] and found,
        10,
    )
    assert {one.announcement.address for one in seen} == {VIP4, VIP4_SECOND}
    gaps = [(later.at_ns - earlier.at_ns) / 1e9 for earlier, later in zip(seen, seen[1:])]
    assert min(gaps) >= 0.5 * PAUSE_S, f"announcements {gaps} s apart: the pause is not shared"


def test_interfaces_without_adverts_are_announced_on_again_and_again(make_bench: MakeBench) -> None:
    """garp_extra_if all: one second is the shortest there is."""
    bench = make_bench(
        addresses=[f"{VIP4}/24", f"{VIP4_SECOND}/24 dev eth1"],
        lines=["garp_master_delay 0", "garp_master_repeat 1", "garp_extra_if all 1"],
    )
    bench.d.add_interface("eth1", bridged=True)
    bench.wire.watch("d-eth1", "d-eth1")
    bench.agent.start()
    bench.agent.wait_for_state("active")
    wait_until("four announcements on eth1", lambda: len(bench.wire.announcements("d-eth1")) >= 4, 15)
    assert len(bench.wire.announcements("d")) == 1
