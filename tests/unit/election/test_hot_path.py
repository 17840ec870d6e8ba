# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens at every advert must cost next to nothing, and do what the table says."""

from __future__ import annotations

import tracemalloc
from typing import Callable, List, Tuple

from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.election.actions import NOTHING
from vrrp_agent.election.memory import NO_PRIORITY, Memory, Occasion
from vrrp_agent.election.router import VirtualRouter
from vrrp_agent.election.settings import State
from vrrp_agent.election.table import Event

from tests.unit.election.bench import DOWN, HERE, HIGHER, LOWER, MS, SECOND, Bench, picture, settings


def kept_bytes(work: Callable[[], None]) -> int:
    """Bytes that ``work`` still holds when it is over, at most."""
    work()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_an_active_router_hands_out_the_same_tuple_at_every_advert() -> None:
    router = Bench().become_active().run_until(DOWN + 10 * SECOND).router
    first = router.timer(router.deadline or 0)
    for _n in range(10):
        assert router.timer(router.deadline or 0) is first
    router.set_priority(90, router.deadline or 0)
    assert router.timer(router.deadline or 0) is not first


def test_a_backup_returns_the_shared_nothing_for_the_usual_advert() -> None:
    bench = Bench().start()
    bench.hear(200, at=SECOND)
    assert bench.hear(200, at=2 * SECOND) is NOTHING
    assert bench.router.deadline == 2 * SECOND + DOWN


def test_a_day_of_adverts_leaves_no_memory_behind() -> None:
    backup, active = Bench().start().router, Bench().become_active().run_until(DOWN + 10 * SECOND).router
    backup.receive(200, HIGHER, SECOND, 0)

    def work() -> None:
        for n in range(10_000):
            backup.receive(200, HIGHER, SECOND, n * SECOND)
            active.timer(active.deadline or 0)

    assert kept_bytes(work) < 1000


# The short ways against the table: the same router, once with and once without them.


def by_table(
    router: VirtualRouter, priority: int, source: bytes, interval: int, now: int
) -> Tuple[object, ...]:
    router.usual_priority = NO_PRIORITY
    return router._happen(Event.ADVERT, Occasion(now, priority, source, interval))


heard_adverts = st.lists(
    st.tuples(
        st.integers(0, 4 * SECOND),
        st.sampled_from([0, 50, 100, 200, 255]),
        st.sampled_from([HERE, HIGHER, LOWER]),
        st.sampled_from([SECOND, SECOND, SECOND, 3 * SECOND]),
        st.booleans(),
    ),
    max_size=30,
)
choices = st.fixed_dictionaries(
    {
        "version": st.sampled_from([2, 3]),
        "preempt": st.booleans(),
        "preempt_delay_ns": st.sampled_from([0, 5 * SECOND]),
        "startup_delay_ns": st.sampled_from([0, 3 * SECOND]),
        "priority": st.sampled_from([1, 100, 254, 255]),
    }
)


def without_shortcut_marks(router: VirtualRouter) -> List[object]:
    """Every variable but the one that tells the short way when it may be taken."""
    names = [name for name in Memory.__slots__ if name not in ("usual_priority", "schedule")]
    return [router.schedule.next_ns, *[getattr(router, name) for name in names]]


@given(choices, heard_adverts)
def test_the_short_way_of_a_backup_does_what_the_table_says(changes: dict, adverts: list) -> None:
    short, long = (VirtualRouter(settings(**changes)) for _n in range(2))
    now = 0
    for router in (short, long):
        router.start(now)
    for gap, priority, source, interval, twice in adverts:
        for _n in range(1 + twice * 2):
            now += gap // 3
            while (short.deadline or 0) <= now and short.deadline is not None:
                at = short.deadline
                assert short.timer(at) == long.timer(at)
            assert short.receive(priority, source, interval, now) == by_table(
                long, priority, source, interval, now
            )
            assert without_shortcut_marks(short) == without_shortcut_marks(long)


@given(st.lists(st.integers(-900 * MS, 1200 * MS), min_size=1, max_size=50))
def test_the_short_way_of_an_active_router_does_what_the_table_says(offsets: List[int]) -> None:
    short = Bench().become_active().router
    long = Bench().become_active().router
    for offset in offsets:
        now = (short.deadline or 0) + offset
        assert short.timer(now) == long._serve_active(now)
        assert picture(short) == picture(long)
        assert short.state is State.ACTIVE
