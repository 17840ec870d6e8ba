# SPDX-License-Identifier: GPL-3.0-or-later
"""A session with the SNMP master: it opens, registers, is lost, comes back, and says goodbye."""

from __future__ import annotations

from typing import Any, List, Tuple

import pytest
from vrrp_agent.conf.parts.endpoint import Endpoint
from vrrp_agent.snmp import agentx, session
from vrrp_agent.snmp.agentx import Pdu
from vrrp_agent.snmp.session import Session, Subtree
from vrrp_agent.snmp.values import Binding, integer

from tests.unit.snmp.master import SESSION, World

ONE, TWO = Subtree((1, 3, 6, 1, 2, 1, 68), "one"), Subtree((1, 3, 6, 1, 2, 1, 207), "two")


class Client:
    """A session and what it was asked."""

    def __init__(self, world: World, *subtrees: Subtree) -> None:
        self.asked: List[Pdu] = []
        self.states: List[Tuple[bool, str]] = []
        where, served = Endpoint(world.path), subtrees or (ONE, TWO)
        self.session = Session(world.loop, world.log, where, served, self.asked.append, self._note)
        self.session.start()

    def _note(self, is_open: bool, problem: str) -> None:
        self.states.append((is_open, problem))


def news(number: int) -> Tuple[Binding, ...]:
    return (Binding((1, 1), integer(number)),)


def numbers(world: World) -> List[Any]:
    """The notifications that the master has heard."""
    assert world.master is not None
    return [bindings[0].value.data for bindings in world.master.notifications()]


def test_it_opens_a_session_and_registers_what_is_served(world: World) -> None:
    master = world.listen()
    client = Client(world)
    world.until(lambda: client.session.ready)
    world.turn()
    assert [pdu.kind for pdu in master.heard[:3]] == [agentx.OPEN, agentx.REGISTER, agentx.REGISTER]
    assert [pdu.subtree for pdu in master.of(agentx.REGISTER)] == [ONE.root, TWO.root]
    assert {pdu.session for pdu in master.heard[1:]} == {SESSION}
    assert [pdu.description for pdu in master.of(agentx.ADD_CAPS)] == ["one", "two"]
    assert sum("is open" in line for line in world.log.lines) == 1
    assert client.states == [(True, "")]


def test_it_tells_how_long_the_master_is_up(world: World) -> None:
    world.listen()
    client = Client(world)
    world.until(lambda: client.session.ready)
    world.wait(2)
    assert client.session.up_s == pytest.approx(52, abs=0.2)


def test_requests_are_handed_on_and_answered(world: World) -> None:
    master = world.listen()
    client = Client(world)
    world.until(lambda: client.session.ready)
    packet = master.get_next(ONE.root)
    world.until(lambda: client.asked)
    assert client.asked[0].ranges[0].start == ONE.root
    client.session.answer(client.asked[0], news(3))
    world.until(lambda: master.answer_to(packet))
    answer = master.answer_to(packet)
    assert answer is not None and answer.bindings == news(3) and answer.transaction == 1


@pytest.mark.parametrize(
    "words, error",
    [({"session": 1}, agentx.NOT_OPEN), ({"context": b"other"}, agentx.UNSUPPORTED_CONTEXT)],
)
def test_what_is_not_for_this_session_is_refused(world: World, words: Any, error: int) -> None:
    master = world.listen()
    client = Client(world)
    world.until(lambda: client.session.ready)
    packet = master.ask(agentx.GET_NEXT, **words)
    world.until(lambda: master.answer_to(packet))
    answer = master.answer_to(packet)
    assert answer is not None and answer.error == error and not client.asked


def test_a_request_that_cannot_be_read_is_answered_so_and_the_session_goes_on(world: World) -> None:
    master = world.listen()
    client = Client(world)
    world.until(lambda: client.session.ready)
    head = agentx.encode(Pdu(agentx.GET, SESSION, 1, 500))[:16]
    master.send_bytes(head + bytes.fromhex("00000004 ff000000"))
    world.until(lambda: master.answer_to(500))
    answer = master.answer_to(500)
    assert answer is not None and answer.error == agentx.PARSE_ERROR
    assert client.session.ready


def test_a_master_that_sends_nothing_else_does_not_fill_the_journal(world: World) -> None:
    master = world.listen()
    client = Client(world)
    world.until(lambda: client.session.ready)
    world.log.lines.clear()
    head = agentx.encode(Pdu(agentx.GET, SESSION, 1, 500))[:16]
    for _request in range(100):
        master.send_bytes(head + bytes.fromhex("00000004 ff000000"))
        world.turn()
    assert len(world.log.lines) == 1 and "cannot be read" in world.log.lines[0]
    world.wait(10)
    master.send_bytes(head + bytes.fromhex("00000004 ff000000"))
    world.turn()
    assert len(world.log.lines) == 2 and "(99 more like this in the last 10 s)" in world.log.lines[1]
    assert sum(pdu.error == agentx.PARSE_ERROR for pdu in master.of(agentx.RESPONSE)) == 101


def test_bytes_that_are_no_agentx_end_the_session_and_it_is_opened_again(world: World) -> None:
    master = world.listen()
    client = Client(world)
    world.until(lambda: client.session.ready)
    master.send_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    world.until(lambda: not client.session.ready)
    assert "does not speak AgentX" in world.log.lines[-1]
    assert client.states[-1][0] is False and "does not speak AgentX" in client.states[-1][1]
    world.wait(1.5)
    world.until(lambda: client.session.ready)
    assert master.connections == 2


def test_an_absent_master_is_tried_again_with_growing_pauses_and_said_once(
    world: World,
) -> None:
    client = Client(world)
    world.wait(40)
    assert len(world.log.lines) == 1 and "No such file" in world.log.lines[0]
    master = world.listen()
    world.wait(15.5)
    world.until(lambda: client.session.ready)
    assert master.connections == 1


def test_a_master_that_was_restarted_is_found_again_within_seconds(world: World) -> None:
    world.listen()
    client = Client(world)
    world.until(lambda: client.session.ready)
    assert world.master is not None
    world.master.close()
    world.master = None
    world.turn()
    assert not client.session.ready
    master = world.listen()
    world.wait(3.2)
    world.until(lambda: client.session.ready)
    assert [pdu.subtree for pdu in master.of(agentx.REGISTER)] == [ONE.root, TWO.root]


def test_a_master_that_does_not_answer_is_left_and_tried_again(world: World) -> None:
    master = world.listen()
    master.silent = True
    client = Client(world)
    world.wait(10.5)
    assert any("does not answer" in line for line in world.log.lines)
    master.silent = False
    world.wait(2)
    world.until(lambda: client.session.ready)


def test_a_master_that_answers_no_ping_has_gone(world: World) -> None:
    master = world.listen()
    client = Client(world)
    world.until(lambda: client.session.ready)
    world.wait(61)
    assert len(master.of(agentx.PING)) == 1 and client.session.ready
    master.silent = True
    world.wait(121)
    assert any("any more" in line for line in world.log.lines)


def test_a_subtree_that_is_taken_is_said_once_and_does_not_hold_up_the_others(
    world: World,
) -> None:
    """As with keepalived -x beside the agent."""
    master = world.listen()
    master.refuse = [ONE.root]
    client = Client(world)
    world.until(lambda: client.session.ready)
    errors = [line for line in world.log.lines if "another sub-agent has registered it" in line]
    assert len(errors) == 1 and "1.3.6.1.2.1.68" in errors[0]
    assert client.states[-1] == (True, "not taken: 1.3.6.1.2.1.68")
    world.wait(61)
    assert len(master.of(agentx.REGISTER)) == 3
    master.refuse = []
    world.wait(60)
    world.turn()
    assert [pdu.subtree for pdu in master.of(agentx.ADD_CAPS)] == [TWO.root, ONE.root]
    assert client.states[-1] == (True, "")
    assert len([line for line in world.log.lines if "another sub-agent" in line]) == 1


def test_news_wait_for_the_session_and_are_sent_in_order(world: World) -> None:
    client = Client(world)
    for number in range(3):
        client.session.notify(news(number))
    world.listen()
    world.wait(1.5)
    world.until(lambda: len(numbers(world)) == 3)
    client.session.notify(news(3))
    world.until(lambda: len(numbers(world)) == 4)
    assert numbers(world) == [0, 1, 2, 3]


def test_old_news_are_not_sent_and_there_are_never_too_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MOST_KEPT", 100)
    client = Client(world)
    client.session.notify(news(-1))
    world.wait(61)
    for number in range(110):
        client.session.notify(news(number))
    world.listen()
    world.wait(16)
    world.until(lambda: numbers(world) and numbers(world)[-1] == 109)
    assert numbers(world) == list(range(10, 110))


def test_a_master_that_does_not_read_does_not_fill_the_memory(world: World) -> None:
    master = world.listen()
    client = Client(world)
    world.until(lambda: client.session.ready)
    master.silent = True
    for number in range(20_000):
        client.session.notify((Binding((1, 1), integer(number)), Binding((1, 2), integer(0))))
    assert client.session.ready, "news alone end no session"
    assert len(client.session._unsent) <= 1 << 20


def test_at_its_end_it_says_goodbye_after_its_last_news(world: World) -> None:
    master = world.listen()
    client = Client(world)
    world.until(lambda: client.session.ready)
    client.session.notify(news(1))
    client.session.close()
    world.turn()
    assert [pdu.kind for pdu in master.heard[-2:]] == [agentx.NOTIFY, agentx.CLOSE]
    assert master.heard[-1].reason == agentx.CLOSE_SHUTDOWN
