# SPDX-License-Identifier: GPL-3.0-or-later
"""When the agent becomes active: the formulas of RFC 9568 6.1 and RFC 3768 6.1, measured on the wire."""

from __future__ import annotations

import os
import signal
import time
from typing import Tuple

import pytest

from tests.lab import config
from tests.lab.bench import LOG_MS, NO_BURST_LATER
from tests.lab.engines import Agent
from tests.lab.plugin import MakeBench

# version, family, priority, own interval in s, interval of the active router in s
TIMERS = [
    (3, 4, 100, 0.1, 0.1),
    (3, 4, 1, 0.1, 0.1),
    (3, 4, 254, 0.01, 0.01),
    (3, 4, 100, 0.1, 0.25),
    (3, 4, 100, 0.25, 0.1),
    (3, 6, 100, 0.1, 0.1),
    (2, 4, 100, 1, 1),
    (2, 4, 254, 1, 1),
]


@pytest.mark.parametrize("version, family, priority", [(3, 4, 100), (3, 6, 200), (2, 4, 254)])
def test_a_router_that_hears_nobody_becomes_active_after_the_down_interval(
    make_bench: MakeBench, version: int, family: int, priority: int
) -> None:
    """R-F02: no advert and no announcement before Active_Down_Interval has passed."""
    advert_int_s = 1 if version == 2 else 0.2
    bench = make_bench(version=version, family=family, priority=priority, advert_int=advert_int_s)
    started_ns = bench.start()
    assert bench.agent.state() == "backup"
    first = bench.takes_over_after(started_ns, bench.down_s, early_ms=LOG_MS)
    assert first.advert.priority == priority
    early = [one for one in bench.wire.announcements("d") if one.at_ns < first.at_ns]
    assert not early, "announced addresses before the first advert"


@pytest.mark.parametrize("version, family, priority, own_s, learned_s", TIMERS)
def test_a_backup_takes_over_when_the_active_router_goes_silent(
    make_bench: MakeBench, version: int, family: int, priority: int, own_s: float, learned_s: float
) -> None:
    """R-C02, R-C03, R-C04, R-C08: the interval is learned in version 3, and the skew is exact."""
    bench = make_bench(version=version, family=family, priority=priority, advert_int=own_s)
    unit_s = 1.0 if version == 2 else 0.01
    with bench.tester.speaking(every_s=learned_s, interval=round(learned_s / unit_s), priority=255):
        bench.start()
        bench.wire.wait_for_adverts("t", 4, since_ns=bench.log_time("init -> backup"))
    expected_s = config.down_interval_s(priority, learned_s, version)
    first = bench.takes_over_after(bench.last_advert_of_t(), expected_s)
    assert first.advert.interval_s == pytest.approx(own_s), "an advert carries the configured interval"
    second = bench.wire.wait_for_adverts("d", 2)[1]
    bench.is_on_time(
        "the second advert", second.at_ns - first.at_ns, own_s, first.at_ns, own_s * 1000 / 32 + 1
    )


@pytest.mark.parametrize("version, family", [(3, 4), (3, 6), (2, 4)])
def test_a_backup_takes_over_after_the_skew_time_when_the_active_router_resigns(
    make_bench: MakeBench, version: int, family: int
) -> None:
    """R-F10: an advert of priority 0 sets the timer to Skew_Time."""
    advert_int_s = 1 if version == 2 else 0.2
    bench = make_bench(version=version, family=family, advert_int=advert_int_s)
    with bench.tester.speaking(every_s=advert_int_s, priority=200):
        bench.start()
        bench.wire.wait_for_adverts("t", 2, since_ns=bench.log_time("init -> backup"))
    bench.tester.send(priority=0)
    resigned = bench.wire.wait_for_adverts("t", priority=0)[0]
    bench.takes_over_after(resigned.at_ns, config.skew_s(100, advert_int_s, version))


def test_a_lower_priority_does_not_hold_up_the_takeover(make_bench: MakeBench) -> None:
    """R-F12: its adverts are discarded, the timer keeps running, its interval is not learned."""
    bench = make_bench()
    with bench.tester.speaking(every_s=0.02, priority=50, interval=400):
        started_ns = bench.start()
        bench.takes_over_after(started_ns, bench.down_s, early_ms=LOG_MS)


@pytest.mark.parametrize("source", ["198.51.100.2", "198.51.100.254"])
def test_an_equal_priority_holds_a_backup_whatever_its_address(make_bench: MakeBench, source: str) -> None:
    """R-F11, R-F13: priority >= ours restarts the timer with the learned interval."""
    bench = make_bench()
    with bench.tester.speaking(every_s=0.2, priority=100, interval=20, source=source):
        bench.start()
        bench.wire.wait_for_adverts("t", 4, since_ns=bench.log_time("init -> backup"))
        assert bench.agent.instance()["active_router"] == {"address": source, "priority": 100}
    bench.takes_over_after(bench.last_advert_of_t(), config.down_interval_s(100, 0.2))


def test_down_timer_adverts_changes_the_multiplier(make_bench: MakeBench) -> None:
    bench = make_bench(lines=["down_timer_adverts 5"])
    with bench.tester.speaking(priority=200):
        bench.start()
        bench.wire.wait_for_adverts("t", 3, since_ns=bench.log_time("init -> backup"))
    bench.takes_over_after(bench.last_advert_of_t(), config.down_interval_s(100, 0.1, adverts=5))


def test_a_startup_delay_holds_the_first_takeover_back(make_bench: MakeBench) -> None:
    bench = make_bench(global_lines="vrrp_startup_delay 0.8")
    started_ns = bench.start()
    bench.takes_over_after(started_ns, 0.8 + bench.down_s, early_ms=LOG_MS)


def test_an_active_router_keeps_its_pace_without_drift(make_bench: MakeBench) -> None:
    """R-F22: the mean spacing is the interval."""
    bench = make_bench(advert_int=0.05, lines=NO_BURST_LATER)
    first = bench.start_active()
    seen = bench.stays_active(2.0, first.at_ns)
    mean_ms = (seen[-1].at_ns - seen[0].at_ns) / 1e6 / (len(seen) - 1)
    assert mean_ms == pytest.approx(50, rel=0.02), f"{len(seen)} adverts {mean_ms:.3f} ms apart on average"


@pytest.mark.parametrize("priorities", [(253, 254), (100, 101)], ids=str)
def test_of_two_backups_the_higher_priority_takes_over(
    make_bench: MakeBench, priorities: Tuple[int, int]
) -> None:
    """R-C04: the skew decides, so that there is one takeover and not two."""
    lower, higher = priorities
    bench = make_bench("e", priority=higher, advert_int=1 if higher == 101 else 2)
    text = config.instance(priority=lower, advert_int=bench.advert_int_s)
    other = Agent(bench.lan.e, config.file(bench.lan.e, text))
    with bench.tester.speaking(every_s=0.1, priority=255, interval=round(bench.advert_int_s * 100)):
        other.start()
        bench.start()
        other.wait_for_state("backup")
        bench.wire.wait_for_adverts("t", 2, since_ns=bench.log_time("init -> backup"))
    silent_ns = bench.last_advert_of_t()
    bench.takes_over_after(silent_ns, config.down_interval_s(higher, bench.advert_int_s))
    assert bench.wire.senders(since_ns=silent_ns + 1) == ("d",)
    assert other.state() == "backup"


def test_an_active_router_whose_adverts_are_held_up_says_so_once(make_bench: MakeBench) -> None:
    """R-L09 (RFC 9568 2.5): the log line is limited, the counter is not."""
    bench = make_bench(advert_int=0.01, lines=NO_BURST_LATER)
    bench.start_active()
    for _ in range(3):
        os.kill(bench.agent.pid, signal.SIGSTOP)
        time.sleep(0.1)  # ten adverts long
        os.kill(bench.agent.pid, signal.SIGCONT)
        bench.wire.wait_for_adverts("d", 5, since_ns=time.time_ns())
    bench.wait_for_counters(lambda counters: counters["late_adverts"] >= 3, "three late adverts")
    assert len([line for line in bench.agent.log().splitlines() if " late" in line]) == 1
    assert bench.agent.state() == "active"
