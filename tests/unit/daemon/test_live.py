# SPDX-License-Identifier: GPL-3.0-or-later
"""One virtual router at work: what the election decides is done, in its order."""

from __future__ import annotations

import errno
from typing import Any, List

import pytest
from vrrp_agent.conf.model import GarpPolicy, UnicastPeer
from vrrp_agent.daemon.hands import Hands
from vrrp_agent.election.actions import Note

from tests.unit.daemon.host import packed
from tests.unit.daemon.make import PEER, SECOND, VIP, datagram, instance
from tests.unit.daemon.stage import Stage


@pytest.fixture
def diary(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """Everything that leaves the agent, in its order."""
    found: List[str] = []
    submit, send_frame, send = stage.host.submit, stage.host.send, Hands.send_advert

    def noted_submit(requests: List[bytes]) -> Any:
        done = len(stage.host.done)
        result = submit(requests)
        found.extend(f"{one.verb} {one.address}" for one in stage.host.done[done:])
        return result

    def noted_frame(interface: str, frame: bytes) -> None:
        found.append(f"announce on {interface}")
        send_frame(interface, frame)

    def noted_advert(hands: Hands, priority: int, now: int) -> None:
        found.append(f"advert {priority}")
        send(hands, priority, now)

    monkeypatch.setattr(stage.host, "submit", noted_submit)
    monkeypatch.setattr(stage.host, "send", noted_frame)
    monkeypatch.setattr(Hands, "send_advert", noted_advert)
    return found


def test_a_takeover_is_done_in_the_order_of_the_rfc(stage: Stage, diary: List[str]) -> None:
    """RFC 9568 6.4.2: the advert first, so that other backups stay quiet, then the addresses."""
    stage.apply(instance())
    stage.wait(3.7)
    assert diary == ["advert 100", f"add {VIP}/24", "announce on eth0"]


def test_giving_way_removes_the_addresses_and_says_nothing(stage: Stage, diary: List[str]) -> None:
    stage.start_active(instance())
    diary.clear()
    stage.hear(datagram(priority=200))
    assert diary == [f"remove {VIP}/24"]


def test_an_orderly_stop_resigns_before_it_removes(stage: Stage, diary: List[str]) -> None:
    stage.start_active(instance())
    diary.clear()
    stage.agent.stop()
    assert diary == ["advert 0", f"remove {VIP}/24"]


def test_a_backup_that_stops_says_nothing(stage: Stage, diary: List[str]) -> None:
    stage.apply(instance())
    stage.agent.stop()
    assert diary == []


def test_a_takeover_comes_at_the_nanosecond_of_the_deadline(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram(priority=200, interval_ns=SECOND))
    heard = stage.clock.now
    down_ns = 3 * SECOND + (256 - 100) * SECOND // 256
    stage.wait(0)
    stage.clock.now = heard + down_ns - 1
    stage.loop.turn(0)
    assert stage.one()["state"] == "backup"
    stage.clock.now = heard + down_ns
    stage.loop.turn(0)
    assert stage.one()["state"] == "active"


def test_active_routers_share_wake_ups_and_backups_never_do(stage: Stage) -> None:
    stage.start_active(instance())
    stage.apply(instance(), instance("VI_2", "203.0.113.2", vrid=20))
    active, backup = (stage.agent._lives["eth0", 4, vrid] for vrid in (10, 20))
    assert active.slack_ns == SECOND // 32
    assert backup.slack_ns == 0
    stage.hear(datagram(priority=200))
    assert active.slack_ns == 0


def test_a_unicast_advert_goes_to_every_peer(stage: Stage) -> None:
    peers = (UnicastPeer(packed(PEER)), UnicastPeer(packed("198.51.100.3")))
    stage.start_active(instance(unicast_peers=peers))
    stage.wait(1)
    assert [destination for _data, destination in stage.socket().sent] == [(peer.packed,) for peer in peers]
    assert stage.one()["counters"]["adverts_sent"] % 2 == 0


def test_an_advert_that_cannot_be_sent_is_counted_and_said_now_and_then(stage: Stage) -> None:
    stage.start_active(instance())
    before = stage.one()["counters"]["adverts_sent"]
    stage.socket().error = OSError(errno.ENETUNREACH, "Network is unreachable")
    stage.wait(5)
    counters = stage.one()["counters"]
    assert (counters["adverts_sent"], counters["send_errors"]) == (before, 5)
    assert len(stage.log.having("advert not sent: Network is unreachable")) == 1
    stage.socket().error = None
    stage.wait(1)
    assert stage.one()["counters"]["adverts_sent"] == before + 1


def test_an_advert_that_is_late_by_an_interval_is_counted_and_said_once(stage: Stage) -> None:
    stage.start_active(instance())
    stage.clock.now += 5 * SECOND
    stage.wait(0)
    assert stage.one()["counters"]["late_adverts"] == 1
    assert len(stage.log.having("late")) == 1


def test_transitions_are_kept_and_counted(stage: Stage) -> None:
    stage.apply(instance())
    stage.wait(4)
    stage.hear(datagram(priority=200))
    one = stage.one()
    assert [(step["from"], step["to"]) for step in one["transitions"]] == [
        ("init", "backup"),
        ("backup", "active"),
        ("active", "backup"),
    ]
    assert one["transitions"][-1]["reason"] == one["reason"]
    assert one["reason"] == f"priority 200 heard from {PEER}, ours is 100"
    assert (one["counters"]["became_active"], one["counters"]["released_active"]) == (1, 1)
    assert one["transitions"][-1]["at"] == one["since"]


def test_only_the_last_transitions_are_kept(stage: Stage) -> None:
    stage.apply(instance())
    for _ in range(20):
        stage.wait(4)
        stage.hear(datagram(priority=200))
    assert len(stage.one()["transitions"]) == 20


def test_a_fault_is_a_warning_and_other_changes_are_news(stage: Stage) -> None:
    stage.apply(instance())
    stage.host.add_link(2, "eth0", flags=0x1)
    stage.wait(0)
    levels = {text: level for level, text in stage.log.lines if " -> " in text}
    assert levels["VI_1: init -> backup: started, listening for an active router"] == 5
    assert levels["VI_1: backup -> fault: interface eth0 is down"] == 4


def test_peers_decide_how_many_notes_there_are_but_not_how_many_lines(stage: Stage) -> None:
    stage.apply(instance())
    live = stage.agent._lives["eth0", 4, 10]
    for number in range(100):
        live._perform((Note(f"interval {number} learned"),), stage.clock.now)
    assert len(stage.log.having("learned")) <= 8


def test_the_second_burst_comes_after_the_delay(stage: Stage) -> None:
    policy = GarpPolicy(master_repeat=2, master_delay_ns=3 * SECOND)
    stage.apply(instance(garp=policy))
    stage.wait(3.7)
    assert len(stage.host.frames) == 2
    stage.wait(2.5)
    assert len(stage.host.frames) == 2
    stage.wait(0.6)
    assert len(stage.host.frames) == 4


def test_what_waits_for_its_pause_is_not_sent_after_giving_way(stage: Stage) -> None:
    policy = GarpPolicy(master_repeat=5, arp_interval_ns=SECOND, lower_prio_repeat=0)
    stage.apply(instance(garp=policy))
    stage.wait(3.7)
    assert len(stage.host.frames) == 1
    stage.hear(datagram(priority=200))
    stage.wait(2)
    assert len(stage.host.frames) == 1


def test_a_router_without_addresses_takes_over_and_resigns(stage: Stage) -> None:
    stage.start_active(instance(addresses=()))
    assert stage.one()["addresses_held"] == []
    sock = stage.socket()
    stage.wait(1)
    stage.agent.stop()
    assert sock.priorities() == [100, 0]
