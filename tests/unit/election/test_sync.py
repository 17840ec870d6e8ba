# SPDX-License-Identifier: GPL-3.0-or-later
"""Sync groups: the members are active together or not at all (keepalived vrrp_sync_group)."""

from __future__ import annotations

import time
from typing import Dict, List, Optional, Tuple

from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.election.actions import Actions, Announce, LowerHeard, SendAdvert, StateChanged
from vrrp_agent.election.router import VirtualRouter
from vrrp_agent.election.settings import State
from vrrp_agent.election.sync import Member, Move, SyncGroup

from tests.unit.election.bench import DOWN, HIGHER, LOWER, MS, SECOND, SKEW, settings

INIT, BACKUP, ACTIVE, FAULT = State.INITIALIZE, State.BACKUP, State.ACTIVE, State.FAULT


class Group:
    """Routers of one group with one clock, wired as the daemon does it."""

    def __init__(self, *changes: dict, start: bool = True) -> None:
        self.sync = SyncGroup("G")
        self.now = 0
        self.diary: List[Tuple[int, str, object]] = []
        self.routers: Dict[str, VirtualRouter] = {
            f"VI_{number}": VirtualRouter(settings(**change)) for number, change in enumerate(changes, 1)
        }
        self.join(*self.routers)
        if start:
            self.start()

    def __getitem__(self, number: int) -> VirtualRouter:
        return self.routers[f"VI_{number}"]

    def join(self, *names: str) -> None:
        self._do(self.sync.set_members([Member(name, self.routers[name]) for name in names], self.now))

    def start(self) -> None:
        self._do(self.sync.settle(self.now))
        for name, router in self.routers.items():
            self._note(name, router.start(self.now))
        self.settle()

    def settle(self, left: Optional[VirtualRouter] = None, quickly: bool = False) -> None:
        self._do(self.sync.settle(self.now, left, quickly))
        change = self.sync.find_state()
        if change is not None:
            self.diary.append((self.now, "G", change))

    def did(self, number: int, actions: Actions, quickly: bool = False) -> None:
        """A member has something to do, and the group follows."""
        router = self[number]
        self._note(f"VI_{number}", actions)
        left = None
        for action in actions:
            if isinstance(action, StateChanged) and (action.old, action.new) == (ACTIVE, BACKUP):
                left = router
            if isinstance(action, LowerHeard):
                self._do(self.sync.lower_heard(router, self.now))
        self.settle(left, quickly)

    def run_until(self, until: int) -> Group:
        while True:
            due = [
                (router.deadline, name)
                for name, router in self.routers.items()
                if router.deadline is not None
            ]
            if not due or min(due)[0] > until:
                break
            self.now, name = min(due)
            self.did(int(name[3:]), self.routers[name].timer(self.now))
        self.now = until
        return self

    def hear(self, number: int, priority: int, source: bytes = HIGHER, interval: int = SECOND) -> None:
        self.did(number, self[number].receive(priority, source, interval, self.now))

    def fault(self, number: int, *texts: str) -> None:
        self.did(number, self[number].set_faults(texts, self.now))

    def states(self) -> List[State]:
        return [router.state for router in self.routers.values()]

    def forget(self) -> Group:
        self.diary.clear()
        return self

    def turns(self) -> List[Tuple[str, State]]:
        """Who came into which state, in order."""
        return [(name, one.new) for _at, name, one in self.diary if isinstance(one, StateChanged)]

    def adverts(self) -> List[Tuple[str, int]]:
        return [(name, one.priority) for _at, name, one in self.diary if isinstance(one, SendAdvert)]

    def _do(self, moves: List[Move]) -> None:
        for member, actions in moves:
            self._note(member.name, actions)

    def _note(self, name: str, actions: Actions) -> None:
        self.diary.extend([(self.now, name, action) for action in actions])


def active_pair(**changes: object) -> Group:
    group = Group(dict(changes), dict(changes)).run_until(DOWN)
    assert group.states() == [ACTIVE, ACTIVE]
    return group


def test_nobody_is_active_before_all_want_to_be() -> None:
    group = Group({}, {"priority": 50}).forget()
    group.run_until(DOWN)
    assert group.states() == [BACKUP, BACKUP]
    assert group[1].wants_active
    group.run_until(DOWN + SECOND)
    assert group.turns() == [("VI_2", ACTIVE), ("VI_1", ACTIVE), ("G", ACTIVE)]
    at = {at for at, _name, one in group.diary if isinstance(one, StateChanged)}
    assert at == {DOWN + 50 * SECOND // 256}


def test_a_member_that_follows_somebody_keeps_the_others_back() -> None:
    group = Group({}, {}).forget()
    for n in range(10):
        group.run_until((n + 1) * SECOND)
        group.hear(2, 200)
    assert group.states() == [BACKUP, BACKUP]
    assert group[1].wants_active
    assert group.adverts() == []
    group.run_until(10 * SECOND + DOWN)
    assert group.turns() == [("VI_2", ACTIVE), ("VI_1", ACTIVE), ("G", ACTIVE)]


def test_a_wish_ends_when_a_better_router_is_heard() -> None:
    group = Group({}, {"priority": 1}).run_until(DOWN)
    assert group[1].wants_active
    group.hear(1, 200)
    assert not group[1].wants_active
    group.run_until(DOWN + SECOND)
    assert group.states() == [BACKUP, BACKUP]
    assert group[2].wants_active


def test_a_wish_does_not_end_with_an_advert_that_is_ignored() -> None:
    group = Group({}, {"priority": 1}).run_until(DOWN)
    group.hear(1, 50)
    assert group[1].wants_active


def test_one_that_is_outbid_takes_all_with_it_and_they_resign() -> None:
    group = active_pair().forget()
    group.hear(2, 150)
    assert group.turns() == [("VI_2", BACKUP), ("VI_1", BACKUP), ("G", BACKUP)]
    assert group.adverts() == [("VI_1", 0)]
    assert group[1].deadline == group.now + DOWN
    assert "VI_2" in group[1].reason


def test_one_fault_is_the_fault_of_all() -> None:
    group = active_pair().forget()
    group.fault(1, "interface eth0 is down")
    assert group.turns() == [("VI_1", FAULT), ("VI_2", FAULT), ("G", FAULT)]
    assert group.adverts() == [("VI_1", 0), ("VI_2", 0)]
    assert "VI_1" in group[2].reason
    assert group.sync.reason == "VI_1: interface eth0 is down"


def test_a_fault_is_over_when_no_member_has_one() -> None:
    group = active_pair()
    group.fault(1, "interface eth0 is down")
    group.fault(2, "interface eth1 is down")
    group.forget()
    group.fault(1)
    assert group.states() == [FAULT, FAULT]
    assert "VI_2" in group[1].reason
    group.fault(2)
    assert group.turns() == [("VI_2", BACKUP), ("VI_1", BACKUP), ("G", BACKUP)]
    group.run_until(group.now + DOWN)
    assert group.states() == [ACTIVE, ACTIVE]


def test_each_is_told_of_the_same_faulty_member_until_that_is_well() -> None:
    group = Group({}, {}, {})
    group.fault(3, "interface eth0 is down")
    group.fault(1, "interface eth1 is down")
    assert "VI_3" in group[2].group_fault, "not of VI_1, which comes first but failed later"
    assert ("VI_3" in group[1].group_fault, "VI_1" in group[3].group_fault) == (True, True)
    group.fault(3)
    assert ("VI_1" in group[2].group_fault, "VI_1" in group[3].group_fault) == (True, True)
    assert group[1].group_fault == ""


def test_the_work_for_a_group_that_fails_as_a_whole_grows_with_its_size_alone() -> None:
    def settle_s(size: int) -> float:
        group = Group(*[{} for _member in range(size)])
        for router in group.routers.values():
            router.set_faults(("interface eth0 is down",), 0)
        begin = time.perf_counter()
        group.sync.settle(0)
        return time.perf_counter() - begin

    small, large = (min(settle_s(size) for _turn in range(5)) for size in (40, 2000))
    assert large < 50 * 4 * small, "50 times as many members; a square would be 2500 times the work"


def test_a_group_starts_in_fault_when_one_member_is_in_fault() -> None:
    group = Group({}, {}, start=False)
    group[2].set_faults(("no address",), 0)
    group.start()
    assert group.turns() == [("VI_1", FAULT), ("VI_2", FAULT), ("G", FAULT)]


def test_only_a_group_of_owners_starts_as_active_group() -> None:
    assert Group({"priority": 255}, {"priority": 255}).states() == [ACTIVE, ACTIVE]
    mixed = Group({"priority": 255}, {"priority": 100})
    assert mixed.states() == [BACKUP, BACKUP]
    mixed.run_until(DOWN)
    assert mixed.states() == [ACTIVE, ACTIVE]


def test_owners_leave_a_fault_together() -> None:
    group = Group({"priority": 255}, {"priority": 255})
    group.fault(1, "interface eth0 is down")
    assert group.states() == [FAULT, FAULT]
    group.forget().fault(1)
    assert group.turns() == [("VI_1", ACTIVE), ("VI_2", ACTIVE), ("G", ACTIVE)]


def test_an_advert_of_lower_priority_makes_all_announce() -> None:
    group = active_pair().forget()
    group.hear(1, 50)
    announced = [(name, one.repeat) for _at, name, one in group.diary if isinstance(one, Announce)]
    assert announced == [("VI_1", 5), ("VI_2", 5)]
    assert group.adverts() == [("VI_1", 100)]
    group.forget().run_until(group.now + 5 * SECOND)
    later = [name for _at, name, one in group.diary if isinstance(one, Announce)]
    assert sorted(set(later)) == ["VI_1", "VI_2"]


def test_stepping_down_is_for_all_and_for_a_skew_time_only() -> None:
    group = active_pair().forget()
    group.did(1, group[1].step_down("an address is gone", group.now), quickly=True)
    assert group.turns() == [("VI_1", BACKUP), ("VI_2", BACKUP), ("G", BACKUP)]
    assert group.adverts() == [("VI_1", 0), ("VI_2", 0)]
    group.forget().run_until(group.now + SKEW)
    assert group.turns() == [("VI_2", ACTIVE), ("VI_1", ACTIVE), ("G", ACTIVE)] or group.turns() == [
        ("VI_1", ACTIVE),
        ("VI_2", ACTIVE),
        ("G", ACTIVE),
    ]


def test_a_member_that_overslept_takes_all_with_it() -> None:
    group = active_pair(preempt=False, timer_expired_backup=200)
    group.now += 4 * SECOND
    group.forget().did(1, group[1].timer(group.now))
    assert group.turns() == [("VI_1", BACKUP), ("VI_2", BACKUP), ("G", BACKUP)]


# Reloads: a group is made of routers that are in different states.


def loose(*adverts: Tuple[int, int]) -> Group:
    """Two routers without a group: the first active, the second has heard these (time, priority)."""
    group = Group({}, {}, start=False)
    group.join()
    for router in group.routers.values():
        router.start(0)
    for at, priority in adverts:
        group.now = at
        group[2].receive(priority, HIGHER, SECOND, at)
    group.now = DOWN
    group[1].timer(DOWN)
    assert group.states() == [ACTIVE, BACKUP]
    return group.forget()


def test_a_group_made_of_an_active_router_and_one_that_follows_another_steps_down() -> None:
    group = loose((SECOND, 200), (3 * SECOND, 200))
    group.join("VI_1", "VI_2")
    group.settle()
    assert group.turns() == [("VI_1", BACKUP), ("G", BACKUP)]
    assert group.adverts() == [("VI_1", 0)]


def test_a_group_made_of_an_active_router_and_a_new_one_waits_for_the_new_one() -> None:
    group = loose((SECOND, 50))
    group[2].stop(group.now)
    newcomer = group.routers["VI_2"] = VirtualRouter(settings())
    group.join("VI_1", "VI_2")
    newcomer.start(group.now)
    group.settle()
    assert group.states() == [ACTIVE, BACKUP]
    group.run_until(DOWN + DOWN)
    assert group.states() == [ACTIVE, ACTIVE]


def test_a_new_member_that_finds_an_active_router_takes_the_group_down() -> None:
    group = loose((SECOND, 50))
    group[2].stop(group.now)
    newcomer = group.routers["VI_2"] = VirtualRouter(settings())
    group.join("VI_1", "VI_2")
    newcomer.start(group.now)
    group.settle()
    group.run_until(DOWN + 500 * MS)
    group.hear(2, 200)
    assert group.states() == [BACKUP, BACKUP]


def test_who_leaves_a_group_in_fault_is_healthy_again() -> None:
    group = active_pair()
    group.fault(1, "interface eth0 is down")
    group.join("VI_1")
    group.settle()
    assert group.states() == [FAULT, BACKUP]
    assert group[2].group is None


def test_who_leaves_a_group_takes_over_alone() -> None:
    group = Group({}, {"priority": 1})
    group.run_until(DOWN)
    group.join("VI_2")
    group.settle()
    group.run_until(DOWN + 2 * DOWN)
    assert group.states() == [ACTIVE, ACTIVE]


# Whatever happens.

happenings = st.lists(
    st.tuples(
        st.integers(0, 3 * SECOND),
        st.integers(1, 3),
        st.sampled_from(["advert", "advert", "advert", "fault", "healthy", "step", "resign"]),
        st.sampled_from([50, 100, 200, 255]),
        st.sampled_from([HIGHER, LOWER]),
    ),
    max_size=40,
)
kinds = st.fixed_dictionaries(
    {
        "preempt": st.booleans(),
        "preempt_delay_ns": st.sampled_from([0, 2 * SECOND]),
        "timer_expired_backup": st.sampled_from([0, 200]),
    }
)


@given(st.lists(st.sampled_from([1, 100, 150, 255]), min_size=3, max_size=3), kinds, happenings)
def test_members_are_never_split(priorities: List[int], kind: dict, events: list) -> None:
    group = Group(*[{"priority": priority, **kind} for priority in priorities])
    for gap, number, what, priority, source in events:
        group.run_until(group.now + gap)
        if what == "advert":
            group.hear(number, priority, source)
        elif what == "resign":
            group.hear(number, 0, source)
        elif what == "fault":
            group.fault(number, "broken")
        elif what == "healthy":
            group.fault(number)
        else:
            group.did(number, group[number].step_down("told to", group.now), quickly=True)
        assert len(set(group.states())) == 1, group.states()
        assert group.sync.state is group[1].state
    for number in (1, 2, 3):
        group.fault(number)
    group.run_until(group.now + 20 * SECOND)
    assert group.states() == [ACTIVE] * 3
