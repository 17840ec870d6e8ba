# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds whatever happens, in whatever order."""

from __future__ import annotations

from typing import Tuple

from hypothesis import settings as budget
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from vrrp_agent.conf.model import GarpPolicy
from vrrp_agent.election.actions import (
    Actions,
    AddAddresses,
    Announce,
    Note,
    RemoveAddresses,
    SendAdvert,
    StateChanged,
)
from vrrp_agent.election.memory import Memory
from vrrp_agent.election.router import VirtualRouter
from vrrp_agent.election.settings import RouterSettings, State
from vrrp_agent.election.timers import NEVER

from tests.unit.election.bench import HERE, HIGHER, LOWER, MS, SECOND, settings

INTERVALS = st.sampled_from([10 * MS, 100 * MS, SECOND, 3 * SECOND, 40_950 * MS])
PRIORITIES = st.sampled_from([1, 50, 99, 100, 101, 200, 254, 255])
SETTINGS = st.builds(
    settings,
    version=st.sampled_from([2, 3]),
    priority=PRIORITIES,
    advert_int_ns=INTERVALS,
    preempt=st.booleans(),
    preempt_delay_ns=st.sampled_from([0, 500 * MS, 10 * SECOND]),
    down_timer_adverts=st.integers(1, 5),
    startup_delay_ns=st.sampled_from([0, 2 * SECOND]),
    lower_prio_no_advert=st.booleans(),
    higher_prio_send_advert=st.booleans(),
    owner_ignore_adverts=st.booleans(),
    garp=st.builds(
        GarpPolicy,
        master_delay_ns=st.sampled_from([0, 5 * SECOND]),
        master_repeat=st.integers(0, 3),
        master_refresh_ns=st.sampled_from([0, 7 * SECOND]),
        lower_prio_delay_ns=st.sampled_from([0, 3 * SECOND]),
        lower_prio_repeat=st.integers(0, 3),
    ),
)


class AnyLife(RuleBasedStateMachine):
    """A router in the hands of a caller who keeps the rules, on a network that keeps none."""

    @initialize(config=SETTINGS)
    def new(self, config: RouterSettings) -> None:
        self.router = VirtualRouter(config)
        self.now = 0
        self.holds_addresses = False

    def did(self, before: State, actions: Actions) -> None:
        router = self.router
        kinds = [type(action) for action in actions]
        for action in actions:
            if isinstance(action, AddAddresses):
                self.holds_addresses = True
            elif isinstance(action, RemoveAddresses):
                self.holds_addresses = False
            elif isinstance(action, Announce):
                assert action.repeat > 0
                assert self.holds_addresses
            elif isinstance(action, StateChanged):
                assert (action.old, action.new) == (before, router.state)
                assert action.old is not action.new
                assert action.at_ns == self.now == router.since_ns
                assert action.reason == router.reason != ""
        assert kinds.count(StateChanged) == (before is not router.state)
        assert kinds.count(AddAddresses) == (router.state is State.ACTIVE and before is not State.ACTIVE)
        if before is State.ACTIVE and router.state is not State.ACTIVE:
            assert RemoveAddresses in kinds
        notes = [kind is Note for kind in kinds]
        assert notes == sorted(notes)
        sent = [action.priority for action in actions if isinstance(action, SendAdvert)]
        assert len(sent) <= 1
        if 0 in sent:
            assert router.state in (State.INITIALIZE, State.FAULT)
        elif sent and router.state is State.ACTIVE:
            assert sent == [router.effective_priority]

    @precondition(lambda self: self.router.state is State.INITIALIZE)
    @rule()
    def start(self) -> None:
        self.did(State.INITIALIZE, self.router.start(self.now))

    @precondition(lambda self: self.router.state is State.INITIALIZE)
    @rule()
    def resume(self) -> None:
        self.did(State.INITIALIZE, self.router.resume_active(self.now))

    @rule()
    def stop(self) -> None:
        before = self.router.state
        self.did(before, self.router.stop(self.now))
        assert self.router.state is State.INITIALIZE
        assert self.router.deadline is None

    @rule(late=st.integers(0, 20 * SECOND))
    def wait_for_the_timer(self, late: int) -> None:
        if self.router.deadline is None:
            return
        before = self.router.state
        self.now = max(self.now, self.router.deadline) + late
        self.did(before, self.router.timer(self.now))
        assert self.router.deadline > self.now

    @rule(early=st.integers(1, 200 * MS))
    def be_woken_early(self, early: int) -> None:
        if self.router.deadline is None or self.router.deadline - early < self.now:
            return
        before = self.router.state
        self.now = self.router.deadline - early
        self.did(before, self.router.timer(self.now))
        assert self.router.state is before
        assert self.router.deadline > self.now

    @rule(wait=st.integers(0, 5 * SECOND))
    def let_time_pass(self, wait: int) -> None:
        self.now = min(self.now + wait, self.router.deadline or NEVER)

    @rule(
        priority=st.one_of(st.just(0), PRIORITIES),
        source=st.sampled_from([HERE, HIGHER, LOWER]),
        interval=INTERVALS,
    )
    def hear(self, priority: int, source: bytes, interval: int) -> None:
        before, deadline = self.router.state, self.router.deadline
        self.did(before, self.router.receive(priority, source, interval, self.now))
        if source == self.router.source or before in (State.INITIALIZE, State.FAULT):
            assert (self.router.state, self.router.deadline) == (before, deadline)
        if before is State.BACKUP:
            assert self.router.state is State.BACKUP

    @rule(faults=st.sampled_from([(), ("interface eth0 is down",), ("no address",)]))
    def break_or_mend(self, faults: Tuple[str, ...]) -> None:
        before = self.router.state
        self.did(before, self.router.set_faults(faults, self.now))
        if faults and before is not State.INITIALIZE:
            assert self.router.state is State.FAULT

    @rule(priority=st.integers(-10, 300))
    def change_priority(self, priority: int) -> None:
        assert self.router.set_priority(priority, self.now) == ()

    @rule(config=SETTINGS)
    def reconfigure(self, config: RouterSettings) -> None:
        before = self.router.state
        assert self.router.reconfigure(config, self.now) == ()
        assert self.router.state is before

    @invariant()
    def addresses_are_held_exactly_while_active(self) -> None:
        assert self.holds_addresses == (self.router.state is State.ACTIVE)

    @invariant()
    def there_is_a_deadline_exactly_while_something_is_to_come(self) -> None:
        waiting = self.router.state in (State.BACKUP, State.ACTIVE)
        assert (self.router.deadline is not None) == waiting
        if waiting:
            assert self.router.deadline == min(self.router.timer_ns, self.router.schedule.next_ns)

    @invariant()
    def priorities_are_in_range(self) -> None:
        owner = self.router.settings.owner
        assert self.router.effective_priority in ((254, 255) if owner else range(1, 255))

    @invariant()
    def an_advert_is_never_further_away_than_an_interval(self) -> None:
        if self.router.state is State.ACTIVE:
            assert self.router.timer_ns <= self.now + self.router.settings.advert_int_ns


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = budget(max_examples=120, stateful_step_count=40, deadline=None)


def test_the_variables_are_slots_so_that_a_misspelt_one_is_an_error() -> None:
    router = VirtualRouter(settings())
    assert not hasattr(router, "__dict__")
    assert set(Memory.__slots__) >= {
        "state",
        "reason",
        "since_ns",
        "deadline",
        "active_priority",
        "active_source",
    }
