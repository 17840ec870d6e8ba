# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is active: the rules of RFC 9568 6.4 and keepalived's own, told with a tester that speaks by hand."""

from __future__ import annotations

import time

import pytest

from tests.lab import config
from tests.lab.bench import LOG_MS, NO_BURST_LATER
from tests.lab.lan import VIP4
from tests.lab.plugin import MakeBench


def test_an_active_router_gives_way_to_a_higher_priority_and_comes_back(make_bench: MakeBench) -> None:
    """R-F24: it is silent for the Active_Down_Interval of the learned interval."""
    bench = make_bench(lines=NO_BURST_LATER)
    bench.start_active()
    heard_ns = bench.tester.send(priority=101, interval=20)
    bench.agent.wait_for_state("backup")
    assert bench.d.holds_none(VIP4)
    heard_ns = bench.wire.adverts("t", since_ns=heard_ns)[0].at_ns
    back = bench.next_advert(heard_ns + 20_000_000)  # one that was under way may still leave
    bench.is_on_time("its return", back.at_ns - heard_ns, config.down_interval_s(100, 0.2), heard_ns)
    bench.agent.wait_for_state("active")
    assert bench.d.holds(VIP4)


@pytest.mark.parametrize(
    "family, source, wins",
    [
        (4, "198.51.100.11", True),
        (4, "198.51.100.9", False),
        (4, "198.51.101.0", True),
        (6, "fe80::11", True),
        (6, "fe80::f", False),
        (6, "fe80:0:0:1::1", True),
    ],
)
def test_of_two_equal_priorities_the_higher_address_stays_active(
    make_bench: MakeBench, family: int, source: str, wins: bool
) -> None:
    """R-F24: addresses are compared as unsigned numbers."""
    bench = make_bench(family=family, lines=NO_BURST_LATER)
    bench.start_active()
    heard_ns = bench.tester.send(priority=100, source=source)
    if wins:
        bench.agent.wait_for_state("backup")
        assert bench.agent.instance()["active_router"]["address"] == source
    else:
        bench.stays_active(0.5, heard_ns)
        assert bench.agent.state() == "active"


@pytest.mark.parametrize("version, family", [(3, 4), (3, 6)])
def test_an_active_router_answers_a_losing_advert_at_once(
    make_bench: MakeBench, version: int, family: int
) -> None:
    """R-F26: the answer is extra; the regular advert still comes when it was due."""
    bench = make_bench(version=version, family=family, advert_int=0.4, lines=NO_BURST_LATER)
    first = bench.start_active()
    second = bench.next_advert(first.at_ns + 1)
    bench.tester.send(priority=50)
    losing_ns = bench.wire.wait_for_adverts("t", since_ns=second.at_ns)[0].at_ns
    answer = bench.next_advert(losing_ns)
    bench.is_on_time("the answer", answer.at_ns - losing_ns, 0, losing_ns)
    regular = bench.next_advert(answer.at_ns + 1)
    bench.is_on_time(
        "the regular advert", regular.at_ns - second.at_ns, 0.4, second.at_ns, 0.4 * 1000 / 32 + 1
    )


def test_lower_prio_no_advert_keeps_an_active_router_from_answering(make_bench: MakeBench) -> None:
    bench = make_bench(advert_int=0.4, lines=[*NO_BURST_LATER], global_lines="vrrp_lower_prio_no_advert")
    first = bench.start_active()
    bench.tester.send(priority=50)
    second = bench.next_advert(first.at_ns + 1)
    bench.is_on_time("the regular advert", second.at_ns - first.at_ns, 0.4, first.at_ns, 0.4 * 1000 / 32 + 1)


def test_an_active_router_answers_a_resignation_with_an_advert(make_bench: MakeBench) -> None:
    """R-F23: and its timer starts anew with it."""
    bench = make_bench(advert_int=0.4, lines=NO_BURST_LATER)
    first = bench.start_active()
    second = bench.next_advert(first.at_ns + 1)
    time.sleep(0.15)
    bench.tester.send(priority=0)
    resigned_ns = bench.wire.wait_for_adverts("t", since_ns=second.at_ns)[0].at_ns
    answer = bench.next_advert(resigned_ns)
    bench.is_on_time("the answer", answer.at_ns - resigned_ns, 0, resigned_ns)
    regular = bench.next_advert(answer.at_ns + 1)
    bench.is_on_time("the next advert", regular.at_ns - answer.at_ns, 0.4, answer.at_ns, 0.4 * 1000 / 32 + 1)


def test_nopreempt_leaves_a_lower_priority_active(make_bench: MakeBench) -> None:
    """R-F11: it follows the lower router, and takes over when that one goes silent."""
    bench = make_bench(lines="nopreempt")
    with bench.tester.speaking(priority=50):
        started_ns = bench.start()
        bench.wire.wait_for_adverts("t", 10, since_ns=started_ns)
        assert not bench.wire.adverts("d")
        assert bench.agent.state() == "backup"
    bench.takes_over_after(bench.last_advert_of_t(), bench.down_s)


def test_nopreempt_does_not_matter_to_an_active_router(make_bench: MakeBench) -> None:
    """R-F25."""
    bench = make_bench(lines=["nopreempt", *NO_BURST_LATER])
    bench.start_active()
    bench.tester.send(priority=101)
    bench.agent.wait_for_state("backup")


def test_preempt_delay_lets_a_lower_router_work_for_that_long(make_bench: MakeBench) -> None:
    """keepalived: the clock starts with the first advert of a lower router."""
    bench = make_bench(lines="preempt_delay 1")
    with bench.tester.speaking(every_s=0.05, priority=50):
        started_ns = bench.start()
        first_lower = bench.wire.wait_for_adverts("t", since_ns=started_ns)[0]
        seen = bench.next_advert(started_ns)
        waited_s = (seen.at_ns - first_lower.at_ns) / 1e9
        assert waited_s >= 0.999, f"took over {waited_s:.3f} s after the first lower advert"
        assert waited_s <= 1 + bench.down_s + 0.05 + bench.lan.stalls.worst_ms() / 500
    bench.agent.wait_for_state("active")


def test_preempt_delay_is_not_a_delay_when_nobody_is_active(make_bench: MakeBench) -> None:
    bench = make_bench(lines="preempt_delay 5")
    bench.takes_over_after(bench.start(), bench.down_s, early_ms=LOG_MS)


@pytest.mark.parametrize("version, family", [(3, 4), (3, 6), (2, 4)])
def test_an_address_owner_is_active_at_once(make_bench: MakeBench, version: int, family: int) -> None:
    """R-F01, R-P04: first the advert of priority 255, then the announcements."""
    advert_int_s = 1 if version == 2 else 0.2
    bench = make_bench(version=version, family=family, priority=255, state="MASTER", advert_int=advert_int_s)
    first = bench.start_active()
    assert first.advert.priority == 255
    bench.is_on_time(
        "the first advert", first.at_ns - bench.log_time("init -> active"), 0, first.at_ns, LOG_MS
    )
    second = bench.next_advert(first.at_ns + 1)
    # The first one may have been late itself: by a stall, as everything here.
    early_ms = advert_int_s * 1000 / 32 + 1 + bench.lan.stalls.worst_ms()
    bench.is_on_time("the second advert", second.at_ns - first.at_ns, advert_int_s, first.at_ns, early_ms)
    announced = bench.wire.announcements("d")
    assert announced and announced[0].at_ns >= first.at_ns
    assert {one.announcement.address for one in announced} == set(bench.addresses)


def test_an_owner_preempts_even_with_nopreempt(make_bench: MakeBench) -> None:
    """R-C05."""
    bench = make_bench(priority=255, state="MASTER", lines="nopreempt")
    with bench.tester.speaking(priority=254):
        first = bench.start_active()
        bench.stays_active(0.5, first.at_ns)


def test_an_owner_that_ignores_adverts_stays_active(make_bench: MakeBench) -> None:
    """R-X05 as published, R-V12: an owner discards adverts for its addresses."""
    lines = ["owner_ignore_adverts", *NO_BURST_LATER]
    bench = make_bench(priority=255, state="MASTER", lines=lines)
    first = bench.start_active()
    bench.tester.send(priority=255, source="198.51.100.200")
    bench.stays_active(0.5, first.at_ns)
    assert bench.discards() == {"owner": 1}


def test_of_two_owners_the_lower_address_gives_way_until_the_other_is_gone(make_bench: MakeBench) -> None:
    """R-X05 with erratum 8298, R-O03, K-05a: it says so, and is owner again afterwards."""
    bench = make_bench(priority=255, state="MASTER", lines=NO_BURST_LATER)
    bench.start_active()
    with bench.tester.speaking(priority=255, source="198.51.100.200"):
        bench.agent.wait_for_state("backup")
        assert bench.d.holds_none(VIP4)
        assert "address owner (priority 255) too" in bench.agent.log()
        bench.wire.wait_for_adverts("t", 5, since_ns=time.time_ns())
        assert bench.agent.state() == "backup"
    bench.agent.wait_for_state("active")
    bench.wire.wait_for_adverts("d", 2, since_ns=time.time_ns(), priority=255)


def test_of_two_owners_the_higher_address_stays_active(make_bench: MakeBench) -> None:
    """K-05a: the other one hears us and gives way."""
    bench = make_bench(priority=255, state="MASTER", lines=NO_BURST_LATER)
    bench.start_active()
    for _ in range(2):
        bench.tester.send(priority=255, source="198.51.100.2")
    begin_ns = time.time_ns()
    bench.wire.wait_for_adverts("d", 8, since_ns=begin_ns, priority=255)
    assert bench.agent.state() == "active"
    assert bench.d.holds(VIP4)


def test_an_owner_gives_way_to_another_one_that_goes_on_and_on(make_bench: MakeBench) -> None:
    """keepalived: an owner with the lower address that does not give way does not know the rule."""
    bench = make_bench(priority=255, state="MASTER", lines=NO_BURST_LATER)
    bench.start_active()
    with bench.tester.speaking(priority=255, source="198.51.100.2"):
        bench.agent.wait_for_state("backup")
        assert bench.d.holds_none(VIP4)
    bench.agent.wait_for_state("active")


def test_a_backup_that_stops_says_nothing(make_bench: MakeBench) -> None:
    """R-F08."""
    bench = make_bench()
    with bench.tester.speaking(priority=200):
        bench.start()
        bench.wire.wait_for_adverts("t", 2, since_ns=bench.log_time("init -> backup"))
        bench.agent.stop()
    assert bench.agent.wait() == 0
    assert not bench.wire.adverts("d")
    assert not bench.wire.announcements("d")


@pytest.mark.parametrize("version, family", [(3, 4), (3, 6), (2, 4)])
def test_an_active_router_resigns_when_it_stops(make_bench: MakeBench, version: int, family: int) -> None:
    """R-F21, R-P06: one advert of priority 0 with the whole list, then silence; the address is gone."""
    bench = make_bench(version=version, family=family, advert_int=1 if version == 2 else 0.1)
    bench.start_active()
    bench.agent.wait_for_state("active")
    stopped_ns = bench.agent.stop()
    assert bench.agent.wait() == 0
    assert bench.d.holds_none(*bench.addresses)
    last = bench.wire.wait_for_adverts("d", since_ns=stopped_ns, priority=0)
    assert [one.advert.priority for one in bench.wire.adverts("d", since_ns=stopped_ns)].count(0) == 1
    assert bench.wire.adverts("d")[-1] == last[0], "something was sent after the resignation"
    assert list(last[0].advert.addresses) == bench.addresses
    assert last[0].advert.checksum_form != "wrong"
    before = [one for one in bench.wire.adverts("d") if one.at_ns < stopped_ns]
    assert all(one.advert.priority == 100 for one in before)


def test_a_tester_of_another_vrid_changes_nothing(make_bench: MakeBench) -> None:
    """R-P03."""
    bench = make_bench(lines=NO_BURST_LATER)
    with bench.tester.speaking(every_s=0.05, priority=200, vrid=52):
        bench.takes_over_after(bench.start(), bench.down_s, early_ms=LOG_MS)
        bench.stays_active(0.5)


def test_two_instances_on_one_interface_are_two_elections(make_bench: MakeBench) -> None:
    bench = make_bench()
    other = config.instance("VI_2", vrid=52, priority=100, advert_int=0.1, addresses=["198.51.100.102/24"])
    bench.agent.write(bench.config(other))
    with bench.tester.speaking(priority=200, vrid=52):
        bench.start()
        bench.agent.wait_for_state("active", "VI_1")
        assert bench.agent.state("VI_2") == "backup"
        assert bench.d.holds(VIP4)
        assert bench.d.holds_none("198.51.100.102")
    bench.agent.wait_for_state("active", "VI_2")


def test_both_families_of_one_vrid_are_two_virtual_routers(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.agent.write(bench.config(config.instance("VI_6", family=6, advert_int=0.1)))
    with bench.tester.speaking(priority=200):
        bench.start()
        bench.agent.wait_for_state("active", "VI_6")
        assert bench.agent.state("VI_1") == "backup"
        assert bench.d.holds("fe80::100", "2001:db8::100")
