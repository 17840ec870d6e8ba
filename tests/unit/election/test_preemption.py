# SPDX-License-Identifier: GPL-3.0-or-later
"""Preemption: nopreempt, preempt_delay (K-06), and what an owner may do (R-C05)."""

from __future__ import annotations

from typing import Any

from vrrp_agent.conf import model
from vrrp_agent.election.settings import RouterSettings, State, settings_of

from tests.unit.election.bench import DOWN, HIGHER, LOWER, MS, SECOND, SKEW, Bench

DELAY = 10 * SECOND


def instance(**changes: Any) -> model.Instance:
    return model.Instance(
        **{"name": "V", "interface": "eth0", "vrid": 10, "family": 4, "version": 3, **changes}
    )


def hear_each_second(bench: Bench, priority: int, first: int, last: int) -> None:
    for at in range(first, last + 1):
        bench.hear(priority, at=at * SECOND)


def test_without_preemption_a_lower_active_router_is_left_in_its_place() -> None:
    bench = Bench(preempt=False, priority=200).start()
    hear_each_second(bench, 50, 1, 60)
    assert bench.router.state is State.BACKUP
    bench.run_until(200 * SECOND)
    skew = 56 * SECOND // 256
    assert bench.states()[1:] == [(60 * SECOND + 3 * SECOND + skew, State.ACTIVE)]


def test_without_preemption_a_resignation_counts_all_the_same() -> None:
    bench = Bench(preempt=False).start()
    hear_each_second(bench, 50, 1, 3)
    bench.hear(0, at=3_500 * MS)
    assert bench.router.deadline == 3_500 * MS + SKEW


def test_preempt_delay_begins_with_the_first_lower_advert() -> None:
    """K-06: adverts are accepted for 10 s; the one at 12 s is not, so the wait is from the one at 11 s."""
    bench = Bench(preempt_delay_ns=DELAY).start()
    hear_each_second(bench, 50, 2, 40)
    takeover = 11 * SECOND + DOWN
    assert bench.states() == [(0, State.BACKUP), (takeover, State.ACTIVE)]
    assert (
        bench.notes()[0]
        == "192.0.2.11 is active with the lower priority 50: preempt_delay of 10.000 s begins"
    )


def test_preempt_delay_is_over_exactly_when_it_is() -> None:
    """The advert that comes at the very end of the delay is the first that is not accepted."""
    for late, accepted in ((-1, True), (0, False)):
        bench = Bench(preempt_delay_ns=2 * SECOND).start()
        bench.hear(50, at=SECOND)
        bench.hear(50, at=2 * SECOND)
        bench.hear(50, at=3 * SECOND + late)
        last = 3 * SECOND + late if accepted else 2 * SECOND
        assert bench.router.deadline == last + DOWN


def test_preempt_delay_teaches_the_interval_meanwhile() -> None:
    bench = Bench(preempt_delay_ns=DELAY).start()
    bench.hear(50, interval=2 * SECOND, at=SECOND)
    assert bench.router.active_interval_ns == 2 * SECOND
    assert bench.router.deadline == SECOND + 6 * SECOND + 2 * SKEW


def test_preempt_delay_is_put_back_when_an_equal_or_higher_router_is_heard() -> None:
    for priority in (100, 200):
        bench = Bench(preempt_delay_ns=DELAY).start()
        hear_each_second(bench, 50, 1, 9)
        bench.hear(priority, LOWER, at=9_500 * MS)
        hear_each_second(bench, 50, 10, 19)
        assert bench.router.state is State.BACKUP
        # The clock began anew at 10 s, so the advert at 20 s is not accepted.
        hear_each_second(bench, 50, 20, 30)
        assert bench.states()[1:] == [(19 * SECOND + DOWN, State.ACTIVE)]
        assert "preempt_delay put back: an equal or higher priority was heard" in bench.notes()


def test_preempt_delay_does_not_hold_back_a_takeover_from_a_dead_router() -> None:
    bench = Bench(preempt_delay_ns=100 * SECOND).start()
    hear_each_second(bench, 50, 1, 3)
    bench.run_until(20 * SECOND)
    assert bench.states()[1:] == [(3 * SECOND + DOWN, State.ACTIVE)]


def test_preempt_delay_is_counted_anew_after_each_time_as_active() -> None:
    bench = Bench(preempt_delay_ns=3 * SECOND).start()
    hear_each_second(bench, 50, 1, 10)
    assert bench.router.state is State.ACTIVE
    bench.hear(200, at=20 * SECOND)
    hear_each_second(bench, 50, 21, 23)
    assert bench.router.deadline == 23 * SECOND + DOWN
    hear_each_second(bench, 50, 24, 25)
    assert bench.router.deadline == 23 * SECOND + DOWN


def test_a_raised_priority_starts_no_delay_by_itself() -> None:
    bench = Bench(preempt_delay_ns=DELAY).start()
    bench.hear(120, at=SECOND)
    bench.router.set_priority(150, bench.now)
    hear_each_second(bench, 120, 2, 30)
    # The clock began at 2 s; the advert at 11 s was the last that was accepted.
    skew = 106 * SECOND // 256 + (106 * SECOND % 256 > 0)
    assert bench.states()[1:] == [(11 * SECOND + 3 * SECOND + skew, State.ACTIVE)]


def test_owner_takes_over_at_once_whatever_the_configuration_says() -> None:
    """R-C05, RFC 9568 6.1: the owner preempts independently of Preempt_Mode."""
    settings = settings_of(instance(priority=255, preempt=False, preempt_delay_ns=DELAY))
    assert (settings.preempt, settings.preempt_delay_ns) == (True, 0)
    bench = Bench(priority=255, preempt=settings.preempt, preempt_delay_ns=settings.preempt_delay_ns).start()
    assert bench.router.state is State.ACTIVE


def test_state_master_brings_preemption_back_as_in_keepalived() -> None:
    settings = settings_of(instance(start_active=True, preempt=False, preempt_delay_ns=DELAY))
    assert (settings.preempt, settings.preempt_delay_ns) == (True, 0)


def test_preempt_delay_has_no_meaning_without_preemption_or_in_strict_mode() -> None:
    assert settings_of(instance(preempt=False, preempt_delay_ns=DELAY)).preempt_delay_ns == 0
    assert settings_of(instance(strict=True, preempt_delay_ns=DELAY)).preempt_delay_ns == 0
    assert settings_of(instance(preempt_delay_ns=DELAY)).preempt_delay_ns == DELAY


def test_settings_take_over_what_the_instance_says() -> None:
    garp = model.GarpPolicy(master_repeat=1)
    made = settings_of(
        instance(
            priority=150,
            version=2,
            advert_int_ns=2 * SECOND,
            preempt=False,
            down_timer_adverts=5,
            lower_prio_no_advert=True,
            higher_prio_send_advert=True,
            owner_ignore_adverts=True,
            garp=garp,
        ),
        HIGHER,
        7,
    )
    assert made == RouterSettings(
        version=2,
        priority=150,
        advert_int_ns=2 * SECOND,
        source=HIGHER,
        preempt=False,
        preempt_delay_ns=0,
        down_timer_adverts=5,
        startup_delay_ns=7,
        lower_prio_no_advert=True,
        higher_prio_send_advert=True,
        owner_ignore_adverts=True,
        garp=garp,
    )
