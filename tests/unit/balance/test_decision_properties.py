# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds of a virtual server whatever its checks find, in whatever order, over any reload."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from vrrp_agent.balance.actions import Action, SetPool, Tell
from vrrp_agent.balance.decision import Decision
from vrrp_agent.balance.quorum import HIGHEST_WEIGHT, is_up
from vrrp_agent.conf.parts.balancing import RealServer, VirtualServer
from vrrp_agent.loop.results import CheckKey, CheckResult

from tests.unit.balance.farm import began, check, result, server, service, sorry, weights

CHECKS = st.lists(st.builds(check, st.booleans(), st.integers(80, 82)), max_size=3)


@st.composite
def servers(draw: st.DrawFn) -> List[RealServer]:
    numbers = draw(st.lists(st.integers(1, 4), unique=True, max_size=4))
    return [
        server(number, draw(CHECKS), weight=draw(st.integers(0, 3)), inhibit=draw(st.booleans()))
        for number in numbers
    ]


@st.composite
def services(draw: st.DrawFn) -> VirtualServer:
    return service(
        *draw(servers()),
        quorum=draw(st.integers(1, 6)),
        hysteresis=draw(st.integers(0, 3)),
        sorry_server=draw(st.one_of(st.none(), st.builds(sorry, st.booleans()))),
        omega=draw(st.booleans()),
    )


RESULTS = st.builds(
    result,
    st.integers(1, 4),
    st.booleans(),
    at=st.integers(0, 2),
    added=st.sampled_from([0, 0, 1, -2, 2**33, -(2**33)]),
)


class Life(RuleBasedStateMachine):
    """One service from its start to its end."""

    decision: Decision
    now = 0.0

    @initialize(one=services(), init=st.booleans())
    def start(self, one: VirtualServer, init: bool) -> None:
        self.results: Dict[CheckKey, CheckResult] = {}
        self.told: Dict[str, str] = {}
        self.pool: Dict[Tuple[bytes, int], object] = {}
        self.was_up: Optional[bool] = None
        self.decision = Decision(one, {}, self.now, init)
        self.see(self.decision.begin(self.now))

    @rule(found=RESULTS)
    def a_check_runs(self, found: CheckResult) -> None:
        self.now += 1
        before = self.decision.up
        actions = self.decision.take(found, self.now)
        self.results[found.key] = found
        assert self.decision.up is is_up(before, self.decision.weight, self.decision.quorum)
        self.see(actions)
        assert self.decision.take(found, self.now) == (), "the same result again changes nothing"

    @rule(one=services(), init=st.booleans())
    def a_reload(self, one: VirtualServer, init: bool) -> None:
        self.now += 1
        kept = {
            CheckKey(one.key, each.key, number)
            for each in one.servers
            for number, wanted in enumerate(each.checks)
            if self.same(each, number, wanted)
        }
        self.results = {key: found for key, found in self.results.items() if key in kept}
        before = self.decision.up
        present = {f"RS {each.config.name} {one.name}" for each in self.decision.servers.values()}
        self.see(self.decision.change(one, self.results, self.now, init))
        present &= {f"RS {each.name} {one.name}" for each in one.servers}
        # One that is gone begins anew when it comes back, and quietly.
        self.told = {name: word for name, word in self.told.items() if name in present or name[0] == "V"}
        assert self.decision.up is is_up(before, self.decision.weight, self.decision.quorum)
        assert self.decision.change(one, self.results, self.now, init) == (), "once more changes nothing"

    def same(self, each: RealServer, number: int, wanted: object) -> bool:
        state = self.decision.servers.get(each.key)
        return state is not None and state.config.checks[number : number + 1] == (wanted,)

    def see(self, actions: Tuple[Action, ...]) -> None:
        """What is told of a thing is never said twice, and pools are said when they change."""
        for one in actions:
            if isinstance(one, Tell) and one.event in ("UP", "DOWN"):
                subject = f"{one.kind} {one.name}"
                again = self.told.get(subject) == one.event
                assert not again or one.previous == "", one
                self.told[subject] = one.event
            elif isinstance(one, SetPool):
                assert one.pool != self.pool
                self.pool = dict(one.pool)

    @invariant()
    def pools_that_are_said_are_the_pools(self) -> None:
        assert self.pool == self.decision.pool

    @invariant()
    def sorry_and_real_servers_never_carry_together(self) -> None:
        carrying = {name for name, weight in weights(self.decision).items() if weight}
        if "sorry" in carrying:
            assert carrying == {"sorry"}
            assert not self.decision.up
        if self.decision.sorry:
            assert not carrying - {"sorry"}

    @invariant()
    def weight_0_means_inhibited_or_configured(self) -> None:
        for entry in self.decision.pool.values():
            assert 0 <= entry.weight <= HIGHEST_WEIGHT
            state = self.decision.servers.get(entry.server.key)
            if state is not None and not state.up:
                assert entry.weight == 0
                assert entry.server.inhibit

    @invariant()
    def a_server_is_up_if_and_only_if_no_check_is_bad(self) -> None:
        for state in self.decision.servers.values():
            assert state.up is state.good
            for number in range(len(state.findings)):
                found = self.results.get(CheckKey(self.decision.service.key, state.config.key, number))
                if found is not None and found.good is False:
                    assert not state.up

    @invariant()
    def who_is_up_and_wanted_is_in(self) -> None:
        for key, state in self.decision.servers.items():
            expected = (state.up and not self.decision.sorry) or state.config.inhibit
            assert (key in self.decision.pool) is expected


Life.TestCase.settings = budget(max_examples=200, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase


@given(one=services(), found=st.lists(RESULTS, max_size=8), seed=st.randoms())
@budget(max_examples=200, deadline=None)
def test_the_order_of_results_of_different_checks_does_not_matter(
    one: VirtualServer, found: List[CheckResult], seed: object
) -> None:
    last = list({each.key: each for each in found}.values())
    mixed = list(last)
    seed.shuffle(mixed)  # type: ignore[attr-defined]
    first, _actions = began(one)
    second, _actions = began(one)
    for each in last:
        first.take(each, 1.0)
    for each in mixed:
        second.take(each, 1.0)
    ups = [{key: state.up for key, state in each.servers.items()} for each in (first, second)]
    assert ups[0] == ups[1]
    assert first.weight == second.weight
    if not first.quorum.hysteresis:  # otherwise the way there decides, as it should
        assert first.up is second.up
        assert first.pool == second.pool
