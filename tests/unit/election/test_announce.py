# SPDX-License-Identifier: GPL-3.0-or-later
"""When gratuitous ARPs and unsolicited NAs are sent (keepalived garp_master_*, garp_lower_prio_*)."""

from __future__ import annotations

import pytest
from vrrp_agent.conf.model import Address, GarpPolicy, Instance
from vrrp_agent.election.actions import Announce, AnnounceElsewhere, SendAdvert
from vrrp_agent.election.settings import settings_of

from tests.unit.election.bench import DOWN, LOWER, MS, SECOND, Bench, settings, without_notes


def test_two_bursts_of_five_follow_a_takeover_by_default() -> None:
    bench = Bench().become_active().run_until(DOWN + 100 * SECOND)
    assert bench.announcements() == [(DOWN, 5), (DOWN + 5 * SECOND, 5)]


def test_without_a_delay_there_is_one_burst() -> None:
    bench = (
        Bench(garp=GarpPolicy(master_delay_ns=0, master_repeat=3))
        .become_active()
        .run_until(DOWN + 60 * SECOND)
    )
    assert bench.announcements() == [(DOWN, 3)]


def test_repeat_zero_sends_none_at_all() -> None:
    bench = Bench(garp=GarpPolicy(master_repeat=0, lower_prio_repeat=0)).become_active()
    bench.hear(50, at=DOWN + SECOND)
    bench.run_until(DOWN + 60 * SECOND)
    assert bench.announcements() == []


def test_refresh_begins_after_the_delay_and_goes_on_without_drift() -> None:
    policy = GarpPolicy(master_refresh_ns=60 * SECOND, master_refresh_repeat=2)
    bench = Bench(garp=policy).become_active().run_until(DOWN + 10_000 * SECOND)
    bursts = [(DOWN, 5), (DOWN + 5 * SECOND, 5)]
    bursts += [(DOWN + at * SECOND, 2) for at in range(65, 10_001, 60)]
    assert bench.announcements() == bursts


def test_a_losing_advert_is_answered_with_a_burst_now_and_one_after_the_delay() -> None:
    """K-05."""
    policy = GarpPolicy(master_delay_ns=0, lower_prio_delay_ns=7 * SECOND, lower_prio_repeat=2)
    bench = Bench(garp=policy).become_active().forget()
    bench.hear(50, at=DOWN + 100 * MS)
    bench.run_until(DOWN + 60 * SECOND)
    assert bench.announcements() == [(DOWN + 100 * MS, 2), (DOWN + 7100 * MS, 2)]


def test_a_stream_of_losing_adverts_leaves_one_delayed_burst_behind() -> None:
    policy = GarpPolicy(master_delay_ns=0, lower_prio_delay_ns=7 * SECOND, lower_prio_repeat=2)
    bench = Bench(garp=policy).become_active().forget()
    for n in range(20):
        bench.hear(50, at=DOWN + n * 500 * MS)
    bench.run_until(DOWN + 60 * SECOND)
    assert bench.announcements()[:20] == [(DOWN + n * 500 * MS, 2) for n in range(20)]
    assert bench.announcements()[20:] == [(DOWN + 16_500 * MS, 2)]


@pytest.mark.parametrize(("master", "lower_prio"), [(3, 4), (6, 4)])
def test_bursts_that_fall_together_are_one_of_the_larger_size(master: int, lower_prio: int) -> None:
    policy = GarpPolicy(
        master_delay_ns=5 * SECOND,
        master_repeat=master,
        lower_prio_delay_ns=2 * SECOND,
        lower_prio_repeat=lower_prio,
    )
    bench = Bench(garp=policy).become_active().forget()
    bench.hear(50, at=DOWN + 3 * SECOND)
    bench.run_until(DOWN + 60 * SECOND)
    larger = max(master, lower_prio)
    assert bench.announcements() == [(DOWN + 3 * SECOND, lower_prio), (DOWN + 5 * SECOND, larger)]


def test_the_advert_goes_before_the_burst_that_is_due_with_it() -> None:
    bench = Bench().become_active().run_until(DOWN + 4 * SECOND)
    assert bench.router.timer(DOWN + 5 * SECOND) == (SendAdvert(100), Announce(5))


def test_a_burst_between_two_adverts_does_not_bring_the_advert_forward() -> None:
    policy = GarpPolicy(master_delay_ns=1_500 * MS)
    bench = Bench(garp=policy).become_active().run_until(DOWN + SECOND)
    assert bench.router.deadline == DOWN + 1_500 * MS
    assert bench.router.timer(DOWN + 1_499 * MS) == (Announce(5),)
    assert bench.router.deadline == DOWN + 2 * SECOND


def test_a_stall_does_not_pile_up_refreshes() -> None:
    bench = (
        Bench(garp=GarpPolicy(master_refresh_ns=10 * SECOND)).become_active().run_until(DOWN + 10 * SECOND)
    )
    late = DOWN + 100 * SECOND
    assert without_notes(bench.router.timer(late)) == [SendAdvert(100), Announce(1)]
    assert bench.router.schedule.next_ns == late + 10 * SECOND


def test_the_next_time_as_active_has_its_own_bursts() -> None:
    bench = Bench(garp=GarpPolicy(master_refresh_ns=10 * SECOND)).become_active()
    bench.hear(200, at=DOWN + 2 * SECOND)
    again = 2 * DOWN + 2 * SECOND
    bench.forget().run_until(again + 16 * SECOND)
    assert bench.announcements() == [(again, 5), (again + 5 * SECOND, 5), (again + 15 * SECOND, 1)]


def test_an_equal_router_with_the_lower_address_is_a_losing_one() -> None:
    bench = Bench().become_active().forget()
    bench.hear(100, LOWER)
    assert bench.announcements() == [(DOWN, 5)]


# garp_extra_if: where no adverts go.


def test_other_interfaces_are_served_after_the_delay_and_then_without_drift() -> None:
    policy = GarpPolicy(extra_interval_ns=10 * SECOND)
    bench = Bench(garp=policy).become_active().run_until(DOWN + 100 * SECOND)
    assert bench.times(AnnounceElsewhere) == [DOWN + at * SECOND for at in range(15, 101, 10)]
    assert bench.announcements() == [(DOWN, 5), (DOWN + 5 * SECOND, 5)]


def test_other_interfaces_are_left_alone_by_a_backup() -> None:
    bench = Bench(garp=GarpPolicy(extra_interval_ns=10 * SECOND)).become_active()
    bench.hear(200, at=DOWN + SECOND)
    bench.forget()
    for second in range(2, 60):
        bench.hear(200, at=DOWN + second * SECOND)
    assert bench.times(AnnounceElsewhere) == []


def test_another_interval_for_other_interfaces_counts_from_the_reload() -> None:
    bench = Bench(garp=GarpPolicy(extra_interval_ns=60 * SECOND)).become_active().forget()
    at = bench.run_until(DOWN + 7 * SECOND).now
    bench.router.reconfigure(settings(garp=GarpPolicy(extra_interval_ns=10 * SECOND)), at)
    bench.run_until(at + 25 * SECOND)
    assert bench.times(AnnounceElsewhere) == [at + 10 * SECOND, at + 20 * SECOND]
    bench.router.reconfigure(settings(), bench.now)
    bench.forget().run_until(bench.now + 100 * SECOND)
    assert bench.times(AnnounceElsewhere) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 0),
        ({"device": "eth0"}, 0),
        ({"device": "eth1"}, 10),
        ({"use_vmac": True}, 10),
    ],
)
def test_without_an_address_elsewhere_nothing_is_timed(changes: dict, expected: int) -> None:
    """As keepalived: the word is off then."""
    line = Address(bytes((192, 0, 2, 100)), 24, **changes)
    garp = GarpPolicy(extra_interval_ns=10 * SECOND)
    router = Instance(name="A", interface="eth0", vrid=1, family=4, version=3, addresses=(line,), garp=garp)
    assert settings_of(router).garp.extra_interval_ns == expected * SECOND
