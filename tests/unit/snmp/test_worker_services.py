# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that speaks SNMP, with virtual servers to speak of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List, Tuple

import pytest
from vrrp_agent.conf.model import Snmp
from vrrp_agent.loop.results import CheckKey
from vrrp_agent.snmp import agentx, facts
from vrrp_agent.snmp.facts import ServerChanged
from vrrp_agent.snmp.keepalived_names import CHECK, GLOBAL, VRRP
from vrrp_agent.snmp.values import Binding, Oid, gauge, integer, text
from vrrp_agent.snmp.worker import SnmpWorker

from tests.unit.snmp.master import World
from tests.unit.snmp.pictures import ETH0
from tests.unit.snmp.test_keepalived_services import picture, service, status

UP: Oid = (*CHECK, 4, 1, 6, 1, 1)
WEIGHT: Oid = (*CHECK, 4, 1, 7)
NAME: Oid = (*GLOBAL, 2, 0)


class Bench:
    """A worker with one virtual server; ``sent`` is what it asks the agent."""

    def __init__(self, world: World, **snmp: Any) -> None:
        self.world = world
        self.sent: List[Any] = []
        self.master = world.listen()
        self.worker = SnmpWorker(world.loop, self, world.log)  # type: ignore[arg-type]
        self.service = service()
        config = picture(self.service).config
        snmp = {"traps": True, **snmp, "socket": f"unix:{world.path}"}
        settings = replace(config.settings, snmp=Snmp(**snmp))
        self.worker.take(facts.Begin(replace(config, settings=settings, services=()), "0.0", "host"))
        self.worker.take(facts.Part("services", config.services))
        self.worker.take(facts.End())
        world.turn(20)

    def send(self, value: Any) -> bool:
        """The channel's way to the agent."""
        self.sent.append(value)
        return True

    def get(self, name: Oid, **states: Any) -> Any:
        """The value of an object; the agent answers with these states of its servers."""
        return self._answered(self.master.get(name), **states).bindings[0].value

    def set(self, *bindings: Binding, **states: Any) -> Tuple[int, int]:
        """A whole TestSet; error and index of the answer."""
        found = self._answered(self.master.ask(agentx.TEST_SET, bindings=bindings), **states)
        return found.error, found.index

    def _answered(self, packet: int, **states: Any) -> agentx.Pdu:
        self.world.turn()
        number = [value.number for value in self.sent if isinstance(value, facts.Ask)][-1]
        row = status(self.service, **{name: one for name, one in states.items() if name != "checks"})
        self.worker.take(facts.Service(number, self.service.key, row, {"connections": 9}, {}))
        self.worker.take(facts.Checks(number, states.get("checks", {})))
        self.worker.take(facts.Taken(number, self.world.now_ns, {"eth0": ETH0}, {}, {}, {}, {}, {}))
        self.world.until(lambda: self.master.answer_to(packet))
        found = self.master.answer_to(packet)
        assert found is not None
        return found


@pytest.mark.parametrize(
    ("words", "roots"), [({}, [GLOBAL, CHECK]), ({"keepalived": True}, [GLOBAL, VRRP, CHECK])]
)
def test_the_branch_of_the_checkers_comes_with_the_global_one(
    world: World, words: Any, roots: List[Oid]
) -> None:
    bench = Bench(world, **words)
    assert [pdu.subtree for pdu in bench.master.of(agentx.REGISTER)] == roots


def test_what_is_read_is_what_the_agent_says_when_it_is_asked(world: World) -> None:
    bench = Bench(world)
    assert bench.get(UP) == integer(1)
    world.wait(2)
    assert bench.get(UP, s1={"state": "down"}) == integer(2)
    world.wait(2)
    assert bench.get(NAME) == text("r1")


def test_a_change_is_told_and_makes_the_next_reader_ask_again(world: World) -> None:
    bench = Bench(world)
    bench.worker.take(ServerChanged(bench.service.key, bench.service.servers[0].name, False, 1, False))
    bench.worker.take(ServerChanged(bench.service.key, "", False, 0, True))
    bench.worker.take(ServerChanged(("gone", 4), "", False, 0, False))
    bench.world.turn(20)
    heard = [bindings[0].value.data for bindings in bench.master.notifications()]
    assert heard == [(*CHECK, 5, 0, 1), (*CHECK, 5, 0, 2)]


def test_without_enable_traps_nothing_is_told(world: World) -> None:
    bench = Bench(world, traps=False)
    bench.worker.take(ServerChanged(bench.service.key, "", False, 0, False))
    bench.world.turn(20)
    assert bench.master.notifications() == []


FAILED: Oid = (*CHECK, 4, 1, 13, 1, 2)
NOT_RUN: Oid = (*CHECK, 4, 1, 63, 1)


def test_counters_and_checks_are_put_together_here(world: World) -> None:
    bench = Bench(world)
    first, second = (CheckKey(bench.service.key, one.key, 0) for one in bench.service.servers)
    gone = CheckKey(bench.service.key, (b"", 0), 0)
    known = {first: None, second: False, gone: False}
    assert bench.get(FAILED, checks=known) == gauge(1)
    assert bench.get((*NOT_RUN, 1), checks=known) == gauge(1)
    assert bench.get((*NOT_RUN, 2), checks=known) == gauge(0)
    assert bench.get((*CHECK, 3, 1, 27, 1)) == gauge(9)


# Writes.


def test_a_weight_that_is_written_is_asked_of_the_agent_and_can_be_undone(world: World) -> None:
    bench = Bench(world)
    second = bench.service.servers[1]
    known = {"s2": {"weight": 9, "configured_weight": 4}}
    assert bench.set(Binding((*WEIGHT, 1, 2), integer(7)), **known) == (0, 0)
    asked: List[Tuple[Any, ...]] = []
    for kind in (agentx.COMMIT_SET, agentx.UNDO_SET):
        packet = bench.master.ask(kind)
        world.turn()
        change = bench.sent[-1]
        asked.append((change.service, change.server, change.weight))
        bench.worker.take(facts.ChangeDone(change.number, ""))
        world.until(lambda at=packet: bench.master.answer_to(at))  # type: ignore[misc]
    assert asked == [(bench.service.key, second.key, 7), (bench.service.key, second.key, 4)]


@pytest.mark.parametrize(
    ("index", "value", "error"),
    [
        ((1, 3), integer(1), agentx.NO_CREATION),
        ((2, 1), integer(1), agentx.NO_CREATION),
        ((1, 1, 1), integer(1), agentx.NO_CREATION),
        ((), integer(1), agentx.NO_CREATION),
        ((1, 1), gauge(1), agentx.WRONG_TYPE),
        ((1, 1), integer(-1), agentx.WRONG_VALUE),
    ],
)
def test_what_cannot_be_written_says_why(world: World, index: Oid, value: Any, error: int) -> None:
    assert Bench(world).set(Binding((*WEIGHT, *index), value)) == (error, 1)


def test_other_columns_are_read_only(world: World) -> None:
    assert Bench(world).set(Binding(UP, integer(1))) == (agentx.NOT_WRITABLE, 1)


def test_what_a_reload_takes_away_is_told_of_after_it(world: World) -> None:
    bench = Bench(world)
    config = picture(bench.service).config
    settings = replace(config.settings, snmp=Snmp(traps=True, socket=f"unix:{world.path}"))
    bench.worker.take(facts.Begin(replace(config, settings=settings, services=()), "0.0", "host"))
    bench.worker.take(facts.End())
    bench.worker.take(ServerChanged(bench.service.key, bench.service.servers[0].name, False, 1, False))
    bench.worker.take(ServerChanged(bench.service.key, "", False, 0, False))
    bench.world.turn(20)
    heard = [bindings[0].value.data for bindings in bench.master.notifications()]
    assert heard == [(*CHECK, 5, 0, 1), (*CHECK, 5, 0, 2)]
