# SPDX-License-Identifier: GPL-3.0-or-later
"""Sync groups in a whole agent: members, happenings, announcements and reloads."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest
from vrrp_agent.conf.model import (
    Command,
    GarpPolicy,
    GlobalSettings,
    Instance,
    Script,
    SyncGroup,
    Tracked,
    UnicastPeer,
)
from vrrp_agent.election.sync import SyncGroup as ElectedGroup
from vrrp_agent.loop.events import Happening
from vrrp_agent.track.messages import SCRIPT, Reading

from tests.unit.daemon.host import UP, packed
from tests.unit.daemon.make import ONE_GARP, SECOND, address, datagram, instance
from tests.unit.daemon.stage import Stage

GROUP = (SyncGroup("G", ("VI_1", "VI_2")),)


def inside(**words: Any) -> Instance:
    return instance("VI_1", **words)


def outside(**words: Any) -> Instance:
    return instance("VI_2", "198.18.0.100/24", **{"interface": "eth1", "vrid": 11, **words})


@pytest.fixture
def told(stage: Stage) -> List[Happening]:
    """What the listeners hear; eth1 has an address."""
    stage.host.add_address(3, "198.18.0.1/24")
    stage.wait(0)
    heard: List[Happening] = []
    stage.agent._teller.tell = heard.append  # type: ignore[method-assign]
    return heard


def words(told: List[Happening]) -> List[Tuple[str, str, str]]:
    found = [(one.kind, one.name, one.event) for one in told]
    told.clear()
    return found


def group(stage: Stage) -> Dict[str, Any]:
    (found,) = [line["group"] for line in stage.lines_of_status() if "group" in line]
    return dict(found)


def states(stage: Stage) -> List[str]:
    return [one["state"] for one in stage.status()]


def test_members_become_active_together_and_are_told_of_before_their_group(
    stage: Stage, told: List[Happening]
) -> None:
    stage.apply(inside(), outside(priority=50), groups=GROUP)
    assert words(told) == [
        ("GROUP", "G", "BACKUP"),
        ("INSTANCE", "VI_1", "BACKUP"),
        ("INSTANCE", "VI_2", "BACKUP"),
    ]
    stage.wait(3.7)
    assert states(stage) == ["backup", "backup"]
    assert stage.one("VI_1")["waits_for_group"]
    stage.wait(0.2)
    assert words(told) == [
        ("INSTANCE", "VI_2", "MASTER"),
        ("INSTANCE", "VI_1", "MASTER"),
        ("GROUP", "G", "MASTER"),
    ]
    assert (stage.one("VI_1")["group"], group(stage)["state"]) == ("G", "active")


def test_a_fault_of_one_is_the_fault_of_all(stage: Stage, told: List[Happening]) -> None:
    stage.start_active(inside(), outside(), groups=GROUP)
    words(told)
    stage.host.add_link(3, "eth1", flags=0x1)
    stage.wait(0.1)
    assert words(told) == [
        ("INSTANCE", "VI_2", "FAULT"),
        ("INSTANCE", "VI_1", "FAULT"),
        ("GROUP", "G", "FAULT"),
    ]
    assert stage.one("VI_1")["faults"] == ["VI_2 of sync group G is in fault"]
    assert stage.socket().priorities()[-1] == 0
    assert group(stage)["reason"] == "VI_2: interface eth1 is down"
    stage.host.add_link(3, "eth1")
    stage.wait(0.1)
    assert words(told) == [
        ("INSTANCE", "VI_2", "BACKUP"),
        ("INSTANCE", "VI_1", "BACKUP"),
        ("GROUP", "G", "BACKUP"),
    ]


def test_a_group_moves_once_for_a_link_that_all_its_members_use(
    stage: Stage, told: List[Happening], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With hundreds of members everything else would hold up the adverts of other routers."""
    names = [f"VI_{number}" for number in range(1, 21)]
    routers = [instance(name, f"198.51.100.{100 + at}/24", vrid=at) for at, name in enumerate(names, 1)]
    stage.start_active(*routers, groups=(SyncGroup("G", tuple(names)),))
    words(told)
    settled: List[int] = []
    settle = ElectedGroup.settle

    def counted(self: ElectedGroup, now: int, *more: Any) -> Any:
        settled.append(now)
        return settle(self, now, *more)

    monkeypatch.setattr(ElectedGroup, "settle", counted)
    stage.host.add_link(2, "eth0", flags=0x1)
    stage.wait(0.1)
    assert states(stage) == ["fault"] * 20
    assert words(told) == [*(("INSTANCE", name, "FAULT") for name in names), ("GROUP", "G", "FAULT")]
    assert group(stage)["reason"] == "VI_1: interface eth0 is down"
    stage.host.add_link(2, "eth0")
    stage.wait(0.1)
    assert states(stage) == ["backup"] * 20
    assert words(told) == [*(("INSTANCE", name, "BACKUP") for name in names), ("GROUP", "G", "BACKUP")]
    assert len(settled) == 2


def test_a_group_that_begins_in_fault_is_told_of_after_its_members(
    stage: Stage, told: List[Happening]
) -> None:
    stage.host.add_link(3, "eth1", flags=0x1)
    stage.wait(0)
    stage.apply(inside(), outside(), groups=GROUP)
    assert words(told) == [
        ("INSTANCE", "VI_1", "FAULT"),
        ("INSTANCE", "VI_2", "FAULT"),
        ("GROUP", "G", "FAULT"),
    ]


def test_owners_begin_as_active_group(stage: Stage, told: List[Happening]) -> None:
    stage.apply(inside(priority=255), outside(priority=255), groups=GROUP)
    assert words(told) == [
        ("INSTANCE", "VI_1", "MASTER"),
        ("INSTANCE", "VI_2", "MASTER"),
        ("GROUP", "G", "MASTER"),
    ]


def test_a_better_router_on_one_side_ends_both(stage: Stage, told: List[Happening]) -> None:
    stage.start_active(inside(), outside(), groups=GROUP)
    words(told)
    stage.hear(datagram(priority=200))
    assert words(told) == [
        ("INSTANCE", "VI_1", "BACKUP"),
        ("INSTANCE", "VI_2", "BACKUP"),
        ("GROUP", "G", "BACKUP"),
    ]
    assert stage.socket(interface="eth1").priorities()[-1] == 0
    assert stage.host.holds(3) == ["198.18.0.1/24"]


def test_a_lower_priority_on_one_side_makes_both_announce(stage: Stage, told: List[Happening]) -> None:
    stage.start_active(inside(), outside(), groups=GROUP)
    words(told)
    stage.hear(datagram(priority=50))
    assert [interface for interface, _frame in stage.host.frames] == ["eth0", "eth1"]
    assert words(told) == [("INSTANCE", "VI_1", "MASTER_RX_LOWER_PRI")]


def test_an_orderly_end_is_told_of_member_by_member(stage: Stage, told: List[Happening]) -> None:
    stage.start_active(inside(), outside(), groups=GROUP)
    words(told)
    stage.agent.stop()
    assert words(told) == [
        ("INSTANCE", "VI_1", "STOP"),
        ("INSTANCE", "VI_2", "STOP"),
        ("GROUP", "G", "STOP"),
    ]


def test_a_reload_that_changes_nothing_is_told_to_nobody(stage: Stage, told: List[Happening]) -> None:
    stage.start_active(inside(), outside(), groups=GROUP)
    words(told)
    stage.apply(inside(), outside(), groups=GROUP)
    assert words(told) == []
    assert stage.socket().sent == []


def test_a_group_may_come_to_active_routers_and_go_again(stage: Stage, told: List[Happening]) -> None:
    stage.start_active(inside(), outside())
    words(told)
    stage.apply(inside(), outside(), groups=GROUP)
    assert words(told) == [("GROUP", "G", "MASTER")]
    stage.apply(inside(), outside())
    assert words(told) == []
    assert stage.one("VI_1")["group"] is None
    stage.hear(datagram(priority=200))
    assert states(stage) == ["backup", "active"]


def test_a_group_of_an_active_router_and_one_that_follows_steps_down(
    stage: Stage, told: List[Happening]
) -> None:
    stage.start_active(inside(), outside())
    stage.hear(datagram(priority=200))
    assert states(stage) == ["backup", "active"]
    stage.forget()
    words(told)
    stage.apply(inside(), outside(), groups=GROUP)
    assert states(stage) == ["backup", "backup"]
    assert words(told) == [("INSTANCE", "VI_2", "BACKUP"), ("GROUP", "G", "BACKUP")]
    assert stage.socket(interface="eth1").priorities() == [0]


def test_a_new_member_is_waited_for(stage: Stage, told: List[Happening]) -> None:
    """The active one stays active until the new one knows whether it can be."""
    stage.start_active(inside())
    stage.apply(inside(), outside(), groups=GROUP)
    assert states(stage) == ["active", "backup"]
    stage.wait(4)
    assert states(stage) == ["active", "active"]
    assert group(stage)["state"] == "active"
    del told[:]


def test_a_member_that_is_removed_leaves_the_others(stage: Stage, told: List[Happening]) -> None:
    stage.start_active(inside(), outside(), groups=GROUP)
    words(told)
    stage.apply(inside(), groups=(SyncGroup("G", ("VI_1",)),))
    assert states(stage) == ["active"]
    assert group(stage)["members"] == ["VI_1"]
    stage.apply()
    assert [line for line in stage.lines_of_status() if "group" in line] == []


def test_a_member_may_change_its_group(stage: Stage, told: List[Happening]) -> None:
    third = instance("VI_3", "198.51.100.103/24", vrid=12)
    stage.start_active(inside(), outside(), third, groups=GROUP)
    stage.apply(
        inside(), outside(), third, groups=(SyncGroup("G", ("VI_1", "VI_3")), SyncGroup("H", ("VI_2",)))
    )
    stage.hear(datagram(priority=200))
    assert states(stage) == ["backup", "active", "backup"]
    del told[:]


def test_stepping_down_is_for_all_members(stage: Stage, told: List[Happening]) -> None:
    stage.start_active(inside(), outside(), groups=GROUP)
    words(told)
    live = next(iter(stage.agent._lives.values()))
    live.step_down("an address is gone", stage.clock.now)
    assert states(stage) == ["backup", "backup"]
    stage.wait(0.7)  # the skew time
    assert states(stage) == ["active", "active"]


# What is not about groups, but tells the same way.


def test_a_stall_makes_a_router_that_does_not_preempt_step_down(stage: Stage, told: List[Happening]) -> None:
    """timer_expired_backup: after the time that the best peer waits, somebody else is active."""
    stage.start_active(inside(preempt=False, timer_expired_backup=200))
    words(told)
    stage.clock.now += 2 * SECOND
    stage.wait(0)
    assert states(stage) == ["active"]
    stage.clock.now += 4 * SECOND
    stage.wait(0)
    assert words(told) == [("INSTANCE", "VI_1", "BACKUP")]
    assert "timer_expired_backup" in stage.one()["reason"]


def test_unicast_peers_hear_of_the_source_after_a_fault(stage: Stage, told: List[Happening]) -> None:
    stage.apply(inside(unicast_peers=(UnicastPeer(packed("198.51.100.2")),)))
    stage.host.add_link(2, "eth0", flags=0x1)
    stage.wait(0.1)
    stage.forget()
    stage.host.add_link(2, "eth0")
    stage.wait(0.1)
    ((interface, frame),) = stage.host.frames
    assert interface == "eth0"
    assert packed("198.51.100.1") in frame
    del told[:]


def test_strict_routers_do_not_speak_unicast_where_multicast_works(
    stage: Stage, told: List[Happening]
) -> None:
    router = inside(strict=True, unicast_peers=(UnicastPeer(packed("198.51.100.2")),))
    stage.apply(router)
    assert states(stage) == ["backup"]
    stage.host.add_link(2, "eth0", flags=UP | 0x1000)
    stage.wait(0.1)
    assert "can do multicast" in stage.one()["reason"]
    del told[:]


def test_other_interfaces_are_told_of_again_and_again(stage: Stage, told: List[Happening]) -> None:
    """garp_extra_if all: the first address of each interface that carries no adverts."""
    garp = GarpPolicy(master_repeat=1, master_delay_ns=0, extra_interval_ns=10 * SECOND, extra_all=True)
    every = (
        address(),
        address("198.18.0.100/24", device="eth1"),
        address("198.18.0.101/24", device="eth1"),
    )
    stage.start_active(inside(addresses=every, garp=garp))
    stage.wait(19)
    assert [interface for interface, _frame in stage.host.frames] == ["eth1"] * 2
    stage.forget()
    stage.apply(inside(addresses=every, garp=ONE_GARP))
    stage.wait(60)
    assert stage.host.frames == []
    del told[:]


def test_what_comes_within_the_startup_delay_is_held_back_too(stage: Stage, told: List[Happening]) -> None:
    settings = GlobalSettings(startup_delay_ns=10 * SECOND)
    stage.apply(inside(), settings=settings)
    stage.wait(4)
    stage.apply(inside(), outside(), settings=settings)
    stage.wait(9)
    assert states(stage) == ["backup", "backup"]
    stage.wait(1)
    assert states(stage) == ["active", "active"]
    del told[:]


# Members that wait for what they track.

CHECKED = instance("VI_2", "198.18.0.100/24", interface="eth1", vrid=11, track_scripts=(Tracked("check"),))

SCRIPTS = (Script("check", Command(("/bin/true",))),)


def known(stage: Stage, good: bool) -> None:
    """The script has run."""
    stage.agent._trackers._take(Reading(SCRIPT, "check", good))
    stage.wait(0)


@pytest.fixture
def waiting(stage: Stage, told: List[Happening]) -> Stage:
    """A group of which one member tracks a script that has not run yet."""
    stage.agent._trackers._side.start = lambda: None  # type: ignore[method-assign]
    settings = GlobalSettings(startup_delay_ns=6 * SECOND)
    stage.apply(inside(), CHECKED, groups=GROUP, settings=settings, scripts=SCRIPTS)
    assert words(told) == []
    assert states(stage) == ["init", "init"]
    return stage


def test_a_group_begins_when_all_that_its_members_track_is_known(
    waiting: Stage, told: List[Happening]
) -> None:
    waiting.wait(4)
    known(waiting, True)
    assert words(told) == [
        ("GROUP", "G", "BACKUP"),
        ("INSTANCE", "VI_1", "BACKUP"),
        ("INSTANCE", "VI_2", "BACKUP"),
    ]
    waiting.wait(2 + 3.5)  # the rest of the startup delay, and nearly the down interval
    assert states(waiting) == ["backup", "backup"]
    waiting.wait(0.2)
    assert states(waiting) == ["active", "active"]


def test_a_group_begins_in_fault_when_what_it_waited_for_is_bad(
    waiting: Stage, told: List[Happening]
) -> None:
    known(waiting, False)
    assert words(told) == [
        ("INSTANCE", "VI_1", "FAULT"),
        ("INSTANCE", "VI_2", "FAULT"),
        ("GROUP", "G", "FAULT"),
    ]
    known(waiting, True)
    assert states(waiting) == ["backup", "backup"]


def test_what_is_found_out_after_the_end_begins_nothing(waiting: Stage, told: List[Happening]) -> None:
    """The processes beside the agent speak on until they have ended; its sockets are closed."""
    waiting.agent.stop()
    words(told)
    waiting.agent._trackers._take(Reading(SCRIPT, "check", True))
    assert waiting.agent.adjust("VI_1", {"priority": 150}) == "the agent is stopping"
    assert words(told) == []
    assert not any(live.began_ns for live in waiting.agent._lives.values())
