# SPDX-License-Identifier: GPL-3.0-or-later
"""The state table, row by row: each situation says what an outside observer must see."""

from __future__ import annotations

import re
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import pytest
from vrrp_agent.election import conditions, reasons, steps
from vrrp_agent.election.actions import (
    Action,
    Actions,
    AddAddresses,
    Announce,
    LowerHeard,
    RemoveAddresses,
    SendAdvert,
    StateChanged,
)
from vrrp_agent.election.memory import Memory, Occasion, Partners
from vrrp_agent.election.router import IllegalEvent, VirtualRouter
from vrrp_agent.election.settings import State
from vrrp_agent.election.table import RULES, Event, Rule, rules_by_pair

from tests.unit.election.bench import (
    DOWN,
    HERE,
    HIGHER,
    LOWER,
    SECOND,
    SKEW,
    Bench,
    picture,
    without_notes,
)

INIT, BACKUP, ACTIVE, FAULT = State.INITIALIZE, State.BACKUP, State.ACTIVE, State.FAULT
EVERY_PAIR = [(state, event) for state in State for event in Event]
EXPECTED_ILLEGAL = {
    (state, event) for state in (BACKUP, ACTIVE, FAULT) for event in (Event.STARTUP, Event.RESUME)
}
BECOMES_ACTIVE: List[Action] = [SendAdvert(100), AddAddresses(), Announce(5)]
OWNER_ACTIVE: List[Action] = [SendAdvert(255), AddAddresses(), Announce(5)]
RESIGNS: List[Action] = [SendAdvert(0), RemoveAddresses()]


def new(**changes: Any) -> Bench:
    return Bench(**changes)


def held_back() -> Bench:
    bench = new(priority=255, startup_delay_ns=SECOND)
    bench.router.hold_until_ns = SECOND  # start() sets it before it asks the table
    return bench


def backup(**changes: Any) -> Bench:
    return Bench(**changes).start().run_until(SECOND)


def active(**changes: Any) -> Bench:
    """Active since DOWN; now 300 ms later."""
    return Bench(**changes).become_active().run_until(DOWN + 300_000_000)


def owner(**changes: Any) -> Bench:
    return Bench(priority=255, **changes).start().run_until(300_000_000)


def fault(**changes: Any) -> Bench:
    bench = Bench(**changes)
    bench.router.set_faults(("interface eth0 is down",), 0)
    return bench.start().run_until(SECOND)


def broken(bench: Bench) -> Bench:
    bench.router.set_faults(("interface eth0 is down",), bench.now)
    return bench


def asleep(until: int) -> Bench:
    """Active, with a peer of priority 200, and kept from the CPU since DOWN."""
    bench = active(preempt=False, timer_expired_backup=200)
    bench.now += until
    return bench


class Waiting(Partners):
    """A group whose other members do not want to be active."""

    def ready(self, asker: Memory) -> bool:
        return False

    def starts_active(self) -> bool:
        return False


def grouped(bench: Bench) -> Bench:
    bench.router.group = Waiting()
    return bench


def under_a_rival_owner() -> Bench:
    """An owner whose two adverts did not make the other owner, with the lower address, give way."""
    bench = owner()
    bench.hear(255, LOWER)
    return bench.run_until(2 * SECOND + 500_000_000)


class Situation(NamedTuple):
    """What is, what happens, and what must follow: actions but StateChanged, state, time to the timer."""

    title: str
    bench: Callable[[], Bench]
    event: Event
    advert: Optional[Tuple[int, bytes]]
    actions: List[Action]
    next: State
    left_ns: Optional[int]


S = Situation
# fmt: off
SITUATIONS = [
    S("start with a fault", lambda: broken(new()), Event.STARTUP, None, [], FAULT, None),
    S("owner starts in the startup delay", held_back, Event.STARTUP, None, [], BACKUP, SECOND),
    S("owner starts", lambda: new(priority=255), Event.STARTUP, None, OWNER_ACTIVE, ACTIVE, SECOND),
    S("others start", new, Event.STARTUP, None, [], BACKUP, DOWN),
    S("resume with a fault", lambda: broken(new()), Event.RESUME, None, RESIGNS, FAULT, None),
    S("resume", new, Event.RESUME, None, BECOMES_ACTIVE, ACTIVE, SECOND),
    S("stop before start", new, Event.SHUTDOWN, None, [], INIT, None),
    S("stale timer before start", new, Event.DOWN_TIMER, None, [], INIT, None),
    S("stale timer before start", new, Event.ADVER_TIMER, None, [], INIT, None),
    S("advert before start", new, Event.ADVERT, (200, HIGHER), [], INIT, None),
    S("resignation before start", new, Event.ADVERT, (0, HIGHER), [], INIT, None),
    S("fault before start", new, Event.FAULT, None, [], INIT, None),
    S("recovery before start", lambda: broken(new()), Event.HEALTHY, None, [], INIT, None),
    S("group active before start", new, Event.GROUP_ACTIVE, None, [], INIT, None),
    S("group backup before start", new, Event.GROUP_BACKUP, None, [], INIT, None),
    S("step down before start", new, Event.STEP_DOWN, None, [], INIT, None),

    S("backup stops", backup, Event.SHUTDOWN, None, [], INIT, None),
    S("backup takes over", backup, Event.DOWN_TIMER, None, BECOMES_ACTIVE, ACTIVE, SECOND),
    S("backup and a stale advert timer", backup, Event.ADVER_TIMER, None, [], BACKUP, DOWN - SECOND),
    S("backup waits for its group", lambda: grouped(backup()), Event.DOWN_TIMER, None, [], BACKUP, DOWN),
    S("backup joins its group", backup, Event.GROUP_ACTIVE, None, BECOMES_ACTIVE, ACTIVE, SECOND),
    S("backup and a group that is backup", backup, Event.GROUP_BACKUP, None, [], BACKUP, DOWN - SECOND),
    S("backup cannot step down", backup, Event.STEP_DOWN, None, [], BACKUP, DOWN - SECOND),
    S("backup hears itself", backup, Event.ADVERT, (200, HERE), [], BACKUP, DOWN - SECOND),
    S("deaf owner as backup", lambda: Bench(priority=255, owner_ignore_adverts=True,
      startup_delay_ns=SECOND).start(), Event.ADVERT, (255, HIGHER), [], BACKUP, SECOND),
    S("backup hears a resignation", backup, Event.ADVERT, (0, HIGHER), [], BACKUP, SKEW),
    S("backup hears a higher one", backup, Event.ADVERT, (200, LOWER), [], BACKUP, DOWN),
    S("backup hears an equal one", backup, Event.ADVERT, (100, LOWER), [], BACKUP, DOWN),
    S("backup hears a lower one", backup, Event.ADVERT, (99, HIGHER), [], BACKUP, DOWN - SECOND),
    S("patient backup hears a lower one", lambda: backup(preempt=False), Event.ADVERT, (1, LOWER), [],
      BACKUP, DOWN),
    S("backup breaks", backup, Event.FAULT, None, [], FAULT, None),
    S("backup is told that it is healthy", lambda: broken_by_hand(backup()), Event.HEALTHY, None, [],
      BACKUP, DOWN - SECOND),

    S("active stops", active, Event.SHUTDOWN, None, RESIGNS, INIT, None),
    S("active and a stale down timer", active, Event.DOWN_TIMER, None, [], ACTIVE, SECOND - 300_000_000),
    S("active advertises", active, Event.ADVER_TIMER, None, [SendAdvert(100)], ACTIVE, SECOND),
    S("active overslept", lambda: asleep(0), Event.ADVER_TIMER, None, [RemoveAddresses()], BACKUP, DOWN),
    S("active overslept and was replaced", lambda: asleep(4 * SECOND), Event.ADVERT, (99, LOWER),
      [RemoveAddresses()], BACKUP, DOWN),
    S("active and an active group", active, Event.GROUP_ACTIVE, None, [], ACTIVE, SECOND - 300_000_000),
    S("active leaves with its group", active, Event.GROUP_BACKUP, None, RESIGNS, BACKUP, DOWN),
    S("active steps down", active, Event.STEP_DOWN, None, RESIGNS, BACKUP, SKEW),
    S("active hears itself", active, Event.ADVERT, (200, HERE), [], ACTIVE, SECOND - 300_000_000),
    S("deaf owner", lambda: owner(owner_ignore_adverts=True), Event.ADVERT, (255, HIGHER), [], ACTIVE,
      SECOND - 300_000_000),
    S("active hears a resignation", active, Event.ADVERT, (0, LOWER), [SendAdvert(100)], ACTIVE, SECOND),
    S("owner and a rival that stays", under_a_rival_owner, Event.ADVERT, (255, LOWER),
      [RemoveAddresses()], BACKUP, 3 * SECOND + 3_906_250),
    S("active hears a higher one", active, Event.ADVERT, (101, LOWER), [RemoveAddresses()], BACKUP, DOWN),
    S("active hears an equal one with the higher address", active, Event.ADVERT, (100, HIGHER),
      [RemoveAddresses()], BACKUP, DOWN),
    S("polite active hears a higher one", lambda: active(higher_prio_send_advert=True), Event.ADVERT,
      (101, LOWER), [SendAdvert(100), RemoveAddresses()], BACKUP, DOWN),
    S("owner hears an owner with the higher address", owner, Event.ADVERT, (255, HIGHER),
      [RemoveAddresses()], BACKUP, 3 * SECOND + 3_906_250),
    S("active hears a lower one", active, Event.ADVERT, (99, HIGHER),
      [SendAdvert(100), Announce(5), LowerHeard()], ACTIVE, SECOND - 300_000_000),
    S("active hears an equal one with the lower address", active, Event.ADVERT, (100, LOWER),
      [SendAdvert(100), Announce(5), LowerHeard()], ACTIVE, SECOND - 300_000_000),
    S("silent active hears a lower one", lambda: active(lower_prio_no_advert=True), Event.ADVERT, (99,
      HIGHER), [Announce(5), LowerHeard()], ACTIVE, SECOND - 300_000_000),
    S("active of version 2 hears a lower one", lambda: active(version=2), Event.ADVERT, (99, HIGHER),
      [SendAdvert(100), Announce(5), LowerHeard()], ACTIVE, SECOND - 300_000_000),
    S("active breaks", active, Event.FAULT, None, RESIGNS, FAULT, None),
    S("active is told that it is healthy", lambda: broken_by_hand(active()), Event.HEALTHY, None, [],
      ACTIVE, SECOND - 300_000_000),

    S("broken one stops", fault, Event.SHUTDOWN, None, [], INIT, None),
    S("broken one and a stale down timer", fault, Event.DOWN_TIMER, None, [], FAULT, None),
    S("broken one and a stale advert timer", fault, Event.ADVER_TIMER, None, [], FAULT, None),
    S("broken one and an active group", fault, Event.GROUP_ACTIVE, None, [], FAULT, None),
    S("broken one and a group that is backup", fault, Event.GROUP_BACKUP, None, [], FAULT, None),
    S("broken one cannot step down", fault, Event.STEP_DOWN, None, [], FAULT, None),
    S("broken one hears a resignation", fault, Event.ADVERT, (0, HIGHER), [], FAULT, None),
    S("broken one hears a lower one", fault, Event.ADVERT, (1, HIGHER), [], FAULT, None),
    S("broken one breaks further", fault, Event.FAULT, None, [], FAULT, None),
    S("broken one recovers", fault, Event.HEALTHY, None, [], BACKUP, DOWN),
    S("broken owner recovers", lambda: fault(priority=255), Event.HEALTHY, None, OWNER_ACTIVE, ACTIVE,
      SECOND),
    S("broken owner recovers in the startup delay", lambda: fault(priority=255,
      startup_delay_ns=3 * SECOND), Event.HEALTHY, None, [], BACKUP, 2 * SECOND),
]
# fmt: on


def broken_by_hand(bench: Bench) -> Bench:
    """Its fault is gone before it was noticed: only so can a healthy router be told that it is healthy."""
    bench.router.faults = ("gone already",)
    return bench


def occasion_of(situation: Situation, bench: Bench) -> Occasion:
    if situation.advert is None:
        return Occasion(bench.now)
    priority, source = situation.advert
    return Occasion(bench.now, priority, source, SECOND)


def row_of(situation: Situation) -> Rule:
    """The row of the table that is for this situation."""
    bench = situation.bench()
    occasion = occasion_of(situation, bench)
    if situation.title == "active overslept":
        occasion = Occasion(bench.router.timer_ns + 4 * SECOND)
    for rule in rules_by_pair()[bench.router.state, situation.event]:
        if getattr(conditions, rule.condition)(bench.router, occasion):
            return rule
    raise AssertionError(f"no row for: {situation.title}")


def happens(router: VirtualRouter, event: Event, occasion: Occasion) -> Actions:
    """Through the public method where there is one; stale timers cannot be had that way."""
    now = occasion.now
    if event is Event.STARTUP:
        return router.start(now)
    if event is Event.RESUME:
        return router.resume_active(now)
    if event is Event.SHUTDOWN:
        return router.stop(now)
    if event is Event.FAULT:
        return router.set_faults(("another fault",), now)
    if event is Event.HEALTHY:
        return router.set_faults((), now)
    if event is Event.GROUP_ACTIVE:
        return router.join_active("the group can be active", now)
    if event is Event.GROUP_BACKUP:
        return router.leave_active("the group is backup", now)
    if event is Event.STEP_DOWN:
        return router.step_down("an address is gone", now)
    if event is Event.ADVERT:
        return router.receive(occasion.priority, occasion.source, occasion.interval_ns, now)
    return router._happen(event, occasion)


@pytest.mark.parametrize("situation", SITUATIONS, ids=[one.title.replace(" ", "-") for one in SITUATIONS])
def test_each_situation_gives_exactly_these_actions(situation: Situation) -> None:
    bench = situation.bench()
    router = bench.router
    old = router.state
    occasion = occasion_of(situation, bench)
    if (situation.event is Event.DOWN_TIMER and old is BACKUP) or (
        situation.event is Event.ADVER_TIMER and old is ACTIVE
    ):
        late = 4 * SECOND if router.settings.timer_expired_backup else 0
        occasion = Occasion(router.timer_ns + late)
        actions = router.timer(occasion.now)
    else:
        actions = happens(router, situation.event, occasion)

    left = router.timer_ns - occasion.now if router.deadline is not None else None
    seen = [one for one in without_notes(actions) if not isinstance(one, StateChanged)]
    assert (seen, router.state, left) == (situation.actions, situation.next, situation.left_ns)
    changes = [one for one in actions if isinstance(one, StateChanged)]
    if situation.next is old:
        assert changes == []
    else:
        assert changes == [StateChanged(old, situation.next, router.reason, occasion.now)]
        assert without_notes(actions)[-1] == changes[0]
        assert router.reason
        assert router.since_ns == occasion.now


@pytest.mark.parametrize("situation", SITUATIONS, ids=[one.title.replace(" ", "-") for one in SITUATIONS])
def test_the_row_of_each_situation_names_the_state_that_follows(situation: Situation) -> None:
    rule = row_of(situation)
    assert (rule.event, rule.next) == (situation.event, situation.next)


def test_every_row_of_the_table_has_a_situation() -> None:
    seen = [row_of(situation) for situation in SITUATIONS]
    assert [rule for rule in RULES if rule not in seen] == []


@pytest.mark.parametrize(("state", "event"), EVERY_PAIR)
def test_every_pair_of_state_and_event_is_decided(state: State, event: Event) -> None:
    rows = rules_by_pair().get((state, event), ())
    if (state, event) in EXPECTED_ILLEGAL:
        assert rows == ()
    else:
        assert [rule.condition for rule in rows].index("always") == len(rows) - 1


@pytest.mark.parametrize("build", [backup, active, fault])
@pytest.mark.parametrize("event", [Event.STARTUP, Event.RESUME])
def test_an_illegal_event_is_refused_and_changes_nothing(build: Callable[[], Bench], event: Event) -> None:
    bench = build()
    before = picture(bench.router)
    with pytest.raises(IllegalEvent, match=f"state {bench.router.state} cannot take the event {event}"):
        happens(bench.router, event, Occasion(bench.now))
    assert picture(bench.router) == before


IGNORED = [one for one in SITUATIONS if row_of(one).steps == () and row_of(one).next is row_of(one).state]


@pytest.mark.parametrize("situation", IGNORED, ids=[one.title.replace(" ", "-") for one in IGNORED])
def test_what_is_ignored_leaves_no_trace(situation: Situation) -> None:
    bench = situation.bench()
    before = picture(bench.router)
    occasion = occasion_of(situation, bench)
    assert bench.router._happen(situation.event, occasion) == ()
    assert picture(bench.router) == before


@pytest.mark.parametrize("rule", RULES, ids=[f"{one.state}-{one.event}-{one.condition}" for one in RULES])
def test_each_row_is_complete(rule: Rule) -> None:
    for name in rule.steps:
        assert callable(getattr(steps, name))
    assert bool(rule.reason) == (rule.state is not rule.next)
    if rule.reason:
        assert callable(getattr(reasons, rule.reason))
    assert re.search(r"\d\.\d|keepalived|own packets", rule.cites)


def test_no_row_stands_twice_or_behind_the_row_that_takes_all() -> None:
    for rows in rules_by_pair().values():
        names = [rule.condition for rule in rows]
        assert len(set(names)) == len(names)
        assert "always" not in names[:-1]


def test_every_step_and_condition_is_used_by_the_table() -> None:
    def public(module: Any) -> set:
        return {
            name
            for name, value in vars(module).items()
            if callable(value)
            and getattr(value, "__module__", "") == module.__name__
            and not name.startswith("_")
        }

    helpers = {"preemption_delayed", "rival_owner_left"}
    assert public(conditions) - helpers == {rule.condition for rule in RULES}
    assert public(steps) == {name for rule in RULES for name in rule.steps}


def test_both_orders_of_the_addresses_are_compared_as_unsigned_bytes() -> None:
    bench = active(source=bytes((127, 255, 255, 255)))
    bench.hear(100, bytes((128, 0, 0, 0)))
    assert bench.router.state is BACKUP
    last_bit = bytes.fromhex("fe800000000000000000000000000010")
    for source, state in ((last_bit[:-1] + b"\x11", BACKUP), (last_bit[:-1] + b"\x0f", ACTIVE)):
        bench = active(source=last_bit)
        bench.hear(100, source)
        assert bench.router.state is state
