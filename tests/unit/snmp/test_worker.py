# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that speaks SNMP, between an agent and a master that the test plays."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as some
from vrrp_agent.snmp import agentx, facts, keepalived, rfc2787, rfc6527, values
from vrrp_agent.snmp.agentx import Pdu, Range
from vrrp_agent.snmp.facts import Change, Changed, Taken
from vrrp_agent.snmp.keepalived_names import GLOBAL, VRRP
from vrrp_agent.snmp.values import Binding, Oid, integer, text
from vrrp_agent.snmp.worker import SnmpWorker

from tests.unit.conf.texts import config_of, instance
from tests.unit.snmp.master import SESSION, Master, World
from tests.unit.snmp.pictures import ETH0, packed, router
from tests.unit.snmp.test_agentx import pdus

NAME: Oid = (*VRRP, 3, 1, 2, 1)
PRIORITY: Oid = (*keepalived.BASE_PRIORITY, 1)
PREEMPT: Oid = (*keepalived.PREEMPT, 1)


class Bench:
    """A worker; ``sent`` is what it has said to the agent."""

    def __init__(self, world: World, words: str = "enable_snmp_vrrp\nenable_traps", body: str = "") -> None:
        self.world = world
        self.sent: List[Any] = []
        self.master: Master = world.listen()
        self.worker = SnmpWorker(world.loop, self, world.log)  # type: ignore[arg-type]
        self.configure(words, body)
        world.turn(20)

    def send(self, value: Any) -> bool:
        """The channel's way to the agent."""
        if not isinstance(value, facts.Report):
            self.sent.append(value)
        return True

    def configure(self, words: str, body: str = "") -> None:
        """Hand over a configuration in pieces, as the agent does."""
        socket = f"snmp_socket unix:{self.world.path}"
        config = config_of(f"global_defs {{\n router_id r1\n {socket}\n{words}\n}}\n" + instance(body))
        empty = replace(config, instances=(), static_routes=())
        self.worker.take(facts.Begin(empty, "0.0", "host"))
        for one in config.instances:
            self.worker.take(facts.Part("instances", (one,)))
        self.worker.take(facts.End())

    def asks(self) -> List[int]:
        """The questions that the agent was asked."""
        return [value.number for value in self.sent if isinstance(value, facts.Ask)]

    def answer(self, *routers: Any, **words: Any) -> None:
        """Answer the last question."""
        number = self.asks()[-1]
        self.worker.take(facts.Rows(number, routers or (router(),)))
        taken = Taken(number, self.world.now_ns, {"eth0": ETH0}, {}, {}, {}, {}, {})
        self.worker.take(taken._replace(**words))

    def reply(self, packet: int) -> Pdu:
        """The answer that the master has got."""
        self.world.until(lambda: self.master.answer_to(packet))
        found = self.master.answer_to(packet)
        assert found is not None
        return found

    def get(self, name: Oid, *routers: Any) -> Any:
        """The value of an object, with a new picture where one is asked for."""
        before = len(self.asks())
        packet = self.master.get(name)
        self.world.turn()
        if len(self.asks()) > before:
            self.answer(*routers)
        return self.reply(packet).bindings[0].value

    def set(self, *bindings: Binding) -> Tuple[int, int]:
        """A whole TestSet; error and index of the answer."""
        before = len(self.asks())
        packet = self.master.ask(agentx.TEST_SET, bindings=bindings)
        self.world.turn()
        if len(self.asks()) > before:
            self.answer()
        found = self.reply(packet)
        return found.error, found.index


@pytest.fixture
def bench(world: World) -> Bench:
    return Bench(world)


@pytest.mark.parametrize(
    "words, roots",
    [
        ("enable_snmp_vrrp", [GLOBAL, VRRP]),
        ("enable_snmp_keepalived", [GLOBAL, VRRP]),
        ("enable_snmp_rfc", [rfc2787.ROOT, rfc6527.ROOT]),
        ("enable_snmp_rfcv2", [rfc2787.ROOT]),
        ("enable_snmp_rfcv3\nenable_snmp_vrrp", [GLOBAL, VRRP, rfc6527.ROOT]),
    ],
)
def test_what_is_switched_on_is_registered(world: World, words: str, roots: List[Oid]) -> None:
    bench = Bench(world, words)
    assert [pdu.subtree for pdu in bench.master.of(agentx.REGISTER)] == roots


def test_nobody_asks_and_the_agent_is_not_asked(bench: Bench) -> None:
    bench.world.wait(30)
    assert bench.sent == []


def test_a_walk_asks_the_agent_once_a_second_at_most(bench: Bench) -> None:
    assert bench.get(NAME) == text("VI_1")
    for _turn in range(9):
        bench.world.wait(0.1)
        assert bench.get(NAME) == text("VI_1")
    assert len(bench.asks()) == 1
    bench.world.wait(0.2)
    assert bench.get(NAME) == text("VI_1")
    assert len(bench.asks()) == 2


def test_requests_that_wait_for_a_picture_are_answered_in_order_by_one(bench: Bench) -> None:
    packets = [bench.master.get_next(VRRP), bench.master.get(NAME), bench.master.get(PRIORITY)]
    bench.world.turn(20)
    assert len(bench.asks()) == 1
    assert not bench.master.of(agentx.RESPONSE)
    bench.answer()
    bench.reply(packets[-1])
    assert [pdu.packet for pdu in bench.master.of(agentx.RESPONSE)] == packets


def test_an_agent_that_is_busy_is_answered_for_with_the_old_picture(bench: Bench) -> None:
    assert bench.get((*VRRP, 3, 1, 8, 1), router(priority=90)) == integer(90)
    bench.world.wait(2)
    packet = bench.master.get((*VRRP, 3, 1, 8, 1))
    bench.world.wait(0.6)
    assert bench.reply(packet).bindings[0].value == integer(90)


def test_a_change_of_state_makes_the_picture_old(bench: Bench) -> None:
    bench.get(NAME)
    bench.world.wait(0.2)
    bench.worker.take(Changed(False, "VI_1", facts.ACTIVE))
    state = (*VRRP, 3, 1, 4, 1)
    assert bench.get(state, router(state=facts.ACTIVE)) == integer(facts.ACTIVE)


def test_get_bulk_repeats_what_get_next_would_say(bench: Bench) -> None:
    bench.get(NAME)
    ranges = (Range(GLOBAL, False, ()), Range((*VRRP, 3), False, (*VRRP, 4)), Range((*VRRP, 20), False, ()))
    packet = bench.master.ask(agentx.GET_BULK, ranges=ranges, non_repeaters=1, max_repetitions=3)
    found = bench.reply(packet).bindings
    assert [one.name for one in found[:2]] == [(*GLOBAL, 1, 0), NAME]
    assert found[2].value.kind == values.END_OF_VIEW
    assert [one.name for one in found[3::2]] == [(*VRRP, 3, 1, 3, 1), (*VRRP, 3, 1, 4, 1)]


def test_an_immense_get_bulk_is_cut(bench: Bench) -> None:
    bench.get(NAME)
    packet = bench.master.ask(agentx.GET_BULK, ranges=(Range(VRRP, False, ()),) * 100, max_repetitions=0xFFFF)
    assert len(bench.reply(packet).bindings) <= 512


def test_a_set_is_tested_ordered_done_and_then_answered(bench: Bench) -> None:
    assert bench.set(Binding(PRIORITY, integer(150)), Binding(PREEMPT, integer(2))) == (0, 0)
    assert not [value for value in bench.sent if isinstance(value, Change)], "a test changes nothing"
    packet = bench.master.ask(agentx.COMMIT_SET)
    bench.world.turn(20)
    orders = [value for value in bench.sent if isinstance(value, Change)]
    assert orders == [Change(1, "VI_1", priority=150), Change(2, "VI_1", preempt=False)]
    assert bench.master.answer_to(packet) is None, "not before the agent has done it"
    bench.worker.take(facts.ChangeDone(1, ""))
    bench.worker.take(facts.ChangeDone(2, ""))
    assert bench.reply(packet).error == 0
    bench.master.ask(agentx.CLEANUP_SET)
    assert bench.get(PRIORITY, router(base_priority=150)) == integer(150), "the writer reads what it wrote"


def test_an_undone_set_puts_back_what_there_was(bench: Bench) -> None:
    bench.set(Binding(PRIORITY, integer(150)))
    bench.master.ask(agentx.COMMIT_SET)
    bench.world.turn()
    bench.worker.take(facts.ChangeDone(1, ""))
    packet = bench.master.ask(agentx.UNDO_SET)
    bench.world.turn()
    assert bench.sent[-1] == Change(2, "VI_1", priority=100)
    bench.worker.take(facts.ChangeDone(2, ""))
    assert bench.reply(packet).error == 0


def test_a_change_that_the_agent_cannot_make_fails(bench: Bench) -> None:
    bench.set(Binding(PRIORITY, integer(150)))
    packet = bench.master.ask(agentx.COMMIT_SET)
    bench.world.turn()
    bench.worker.take(facts.ChangeDone(1, "there is no instance VI_1"))
    assert bench.reply(packet).error == agentx.COMMIT_FAILED


@pytest.mark.parametrize(
    "name, value, error",
    [
        (PRIORITY, integer(0), agentx.WRONG_VALUE),
        (PRIORITY, integer(255), agentx.WRONG_VALUE),
        (PRIORITY, integer(-1), agentx.WRONG_VALUE),
        (PRIORITY, text("100"), agentx.WRONG_TYPE),
        (PREEMPT, integer(3), agentx.WRONG_VALUE),
        ((*keepalived.BASE_PRIORITY, 2), integer(100), agentx.NO_CREATION),
        (keepalived.BASE_PRIORITY, integer(100), agentx.NOT_WRITABLE),
        (NAME, text("other"), agentx.NOT_WRITABLE),
        ((1, 3), integer(1), agentx.NOT_WRITABLE),
    ],
)
def test_what_must_not_be_set_is_refused(bench: Bench, name: Oid, value: Any, error: int) -> None:
    assert bench.set(Binding(PREEMPT, integer(1)), Binding(name, value)) == (error, 2)


def test_an_owner_stays_the_owner(world: World) -> None:
    bench = Bench(world, body="priority 255")
    bench.get(NAME, router(base_priority=255, priority=255))
    assert bench.set(Binding(PRIORITY, integer(100))) == (agentx.WRONG_VALUE, 1)


def traps(bench: Bench) -> List[Any]:
    """Which notifications the master has heard."""
    bench.world.turn(20)
    return [bindings[0].value.data for bindings in bench.master.notifications()]


def test_changes_are_told_in_every_mib_that_is_served(world: World) -> None:
    bench = Bench(world, "enable_snmp_vrrp\nenable_snmp_rfc\nenable_traps", "version 2")
    bench.worker.take(Changed(False, "VI_1", facts.BACKUP))
    bench.worker.take(Changed(False, "VI_1", facts.ACTIVE, 2, packed("198.51.100.1"), facts.NO_RESPONSE))
    bench.worker.take(Changed(True, "G1", facts.ACTIVE))
    told = traps(bench)
    state, group = (*VRRP, 10, 0, 2), (*VRRP, 10, 0, 1)
    assert told == [state, state, (*rfc2787.ROOT, 0, 1), (*rfc6527.ROOT, 0, 1), group]


def test_a_router_that_was_deleted_is_told_of_without_its_settings(bench: Bench) -> None:
    bench.worker.take(Changed(False, "VI_9", facts.DELETED))
    bench.world.turn(20)
    assert bench.master.notifications()[0][1:3] == (
        Binding((*VRRP, 3, 1, 2), text("VI_9")),
        Binding((*VRRP, 3, 1, 4), integer(facts.DELETED)),
    )


@pytest.mark.parametrize("words", ["enable_snmp_vrrp\nenable_snmp_rfc", "enable_snmp_rfc"])
def test_without_enable_traps_nothing_is_told(world: World, words: str) -> None:
    bench = Bench(world, words)
    bench.worker.take(Changed(False, "VI_1", facts.ACTIVE))
    bench.worker.take(Changed(True, "G1", facts.ACTIVE))
    bench.worker.take(facts.BadAdvert(2, 51, 4, 3, b"\1\2\3\4", facts.TTL_ERROR))
    assert traps(bench) == []


def test_the_same_settings_keep_the_session_and_others_open_a_new_one(bench: Bench) -> None:
    bench.configure("enable_snmp_vrrp\nenable_traps", "priority 50")
    bench.world.turn(20)
    assert bench.master.connections == 1
    bench.configure("enable_snmp_vrrp\nenable_snmp_rfcv3\nenable_traps")
    bench.world.turn(30)
    assert bench.master.connections == 2
    assert (*rfc6527.ROOT,) in [pdu.subtree for pdu in bench.master.of(agentx.REGISTER)]


def test_an_answer_to_an_older_question_is_passed_over(bench: Bench) -> None:
    bench.worker.take(facts.Rows(99, (router(priority=1),)))
    bench.worker.take(Taken(99, bench.world.now_ns, {}, {}, {}, {}, {}, {}))
    assert bench.get((*VRRP, 3, 1, 8, 1), router(priority=90)) == integer(90)


def test_a_worker_without_a_configuration_does_nothing(world: World) -> None:
    worker = SnmpWorker(world.loop, None, world.log)  # type: ignore[arg-type]
    worker.take(facts.End())
    worker.take(Changed(False, "VI_1", facts.ACTIVE))
    worker.end()
    assert world.log.lines == []


@given(some.lists(pdus, min_size=1, max_size=8))
def test_whatever_the_master_asks_the_process_goes_on(requests: List[Pdu]) -> None:
    """Every PDU that can be read, in any order, in this session or another, with a context or without."""
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory))
        bench = Bench(world)
        for pdu in requests:
            if pdu.kind != agentx.CLOSE:
                bench.master.send(replace(pdu, session=SESSION, packet=1000 + pdu.packet % 1000))
        world.turn(30)
        if bench.asks():
            bench.answer()
        bench.worker.take(facts.ChangeDone(1, ""))
        world.turn(30)
        assert bench.get(NAME) == text("VI_1")
        world.close()
