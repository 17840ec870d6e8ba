# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's side of the checks: what it keeps when orders, the process or the agent itself change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

import pytest
from vrrp_agent.check.messages import Orders, Suspended
from vrrp_agent.check.notebook import Notebook
from vrrp_agent.conf.model import Config
from vrrp_agent.conf.parts.balancing import TCP, Member, RealServer, VirtualServer
from vrrp_agent.conf.parts.checks import Check, Connection, FileCheck, MiscCheck, PingCheck, TcpCheck, Timing
from vrrp_agent.conf.parts.tracking import Command, WatchedFile
from vrrp_agent.daemon.sides import checking as module
from vrrp_agent.daemon.sides.checking import Checkers
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop
from vrrp_agent.loop.results import CheckKey, CheckResult, CheckRun

from tests.unit.check.orders import orders_of

SERVICE = ("[198.51.100.10]:tcp:80", 4)
ADDRESS = b"\xc6\x12\0\1"


def tcp(port: int, **timing: Any) -> TcpCheck:
    return TcpCheck(Timing(**timing), Connection(ADDRESS, port))


PING = PingCheck(Timing(), Connection(ADDRESS, 0))


def config(*checks: Check, **words: Any) -> Config:
    server = RealServer(ADDRESS, 80, "[198.18.0.1]:tcp:80", checks=checks)
    members = (Member(4, b"\xc6\x33\x64\x0a", 1, 80),)
    return replace(Config(), services=(VirtualServer(*SERVICE, TCP, members, servers=(server,), **words),))


def key(number: int) -> CheckKey:
    return CheckKey(SERVICE, (ADDRESS, 80), number)


class FakeSide:
    """Takes down what it is sent; the story speaks for the process."""

    def __init__(self, name: str, make: Any, loop: Any, log: Any, hello: Any, on_value: Any) -> None:
        self.first_words: Callable[[], Tuple[Orders, Suspended]] = make.__self__.first_words
        """What the process is forked with."""
        self.hello, self.say = hello, on_value
        self.sent: List[Any] = []
        self.running = False
        self.pid = 4711

    def start(self) -> None:
        self.running = True
        self.sent += [*self.first_words(), *self.hello()]

    def send(self, value: Any) -> bool:
        if self.running:
            self.sent.append(value)
        return self.running

    def retire(self) -> None:
        self.running = False

    def stop(self, patience_ns: int) -> None:
        self.running = False


class Scene:
    """Checkers without a process."""

    def __init__(self, place: Path, loop: Loop) -> None:
        self.path = str(place / "checks")
        self.loop = loop
        self.heard: List[CheckResult] = []
        self.checkers = self.agent()

    def agent(self, boot: str = "boot") -> Checkers:
        self.checkers = Checkers(self.loop, Log(0), self.heard.append, (self.path, boot))
        return self.checkers

    @property
    def side(self) -> FakeSide:
        side = self.checkers._side
        assert isinstance(side, FakeSide)
        return side

    def orders(self) -> Orders:
        return [one for one in self.side.sent if isinstance(one, Orders)][-1]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(module, "Side", FakeSide)
    loop = Loop()
    yield Scene(tmp_path, loop)
    loop.close()


def test_without_checks_there_is_no_process(scene: Scene) -> None:
    scene.checkers.apply(Config())
    scene.checkers.apply(config())
    assert not scene.side.running


def test_the_process_hears_what_to_check_and_tells_what_it_finds(scene: Scene) -> None:
    scene.checkers.apply(config(tcp(80)))
    assert [order.key for order in scene.orders().orders] == [key(0)]
    found = CheckResult(key(0), False, 0, "connection refused", 1.0)
    scene.side.say([found])
    scene.side.say([found])
    assert scene.heard == [found]
    scene.side.say([CheckResult(key(7), True)])
    assert scene.heard == [found], "a check that is not wanted says nothing"


def test_equal_orders_are_not_sent_again(scene: Scene) -> None:
    scene.checkers.apply(config(tcp(80)))
    before = len(scene.side.sent)
    scene.checkers.apply(config(tcp(80)))
    assert len(scene.side.sent) == before


def test_results_follow_their_checks_and_words_that_change(scene: Scene) -> None:
    scene.checkers.apply(config(tcp(80), PING))
    bad, good = CheckResult(key(0), False, 0, "refused"), CheckResult(key(1), True, 0, "answered")
    scene.side.say([bad, good, CheckRun(key(0), 1, "refused", 1.0, 4, 4)])
    scene.checkers.apply(config(PING, tcp(8080)))
    results = scene.checkers.results
    assert results == {key(0): good._replace(key=key(0)), key(1): bad._replace(key=key(1))}
    scene.checkers.apply(config(PING))
    assert list(results) == [key(0)]


def test_a_weight_that_a_program_said_outlives_a_reload_that_changes_the_other(scene: Scene) -> None:
    def of_weight(weight: int) -> Config:
        wanted = config(MiscCheck(Timing(), Command(("/bin/load",)), dynamic=True))
        (service,) = wanted.services
        servers = tuple(replace(server, weight=weight) for server in service.servers)
        return replace(wanted, services=(replace(service, servers=servers),))

    scene.checkers.apply(of_weight(1))
    scene.side.say([CheckResult(key(0), True, 4, "exit 7: weight 5", 1.0)])
    scene.checkers.apply(of_weight(100))
    assert scene.checkers.results[key(0)].added_weight + 100 == 5


def test_a_reload_sends_only_services_that_have_changed(scene: Scene) -> None:
    (one,) = config(tcp(80)).services
    two, three = replace(one, name="[198.51.100.11]:tcp:80"), replace(one, name="[198.51.100.12]:tcp:80")
    known = replace(Config(), services=(one, two, three))
    scene.checkers.apply(known)
    whole = scene.orders()
    scene.side.say([CheckResult(key(0), False, 0, "refused"), CheckRun(key(0), 1, "refused", 1.0, 4, 4)])
    server = replace(two.servers[0], checks=(tcp(8080),))
    new = replace(two, servers=(server,))
    scene.checkers.apply(replace(known, services=(three, one, new)))
    sent = scene.orders()
    assert [order.key.service for order in sent.orders] == [two.key]
    assert [order.key.service for order in sent.after(whole).orders] == [three.key, one.key, two.key]
    assert sent.after(whole) == orders_of_all(scene, replace(known, services=(three, one, new)))
    assert (list(scene.checkers.results), list(scene.checkers.runs)) == ([key(0)], [key(0)])
    after = sent.after(whole)
    scene.checkers.apply(replace(known, services=(new,)))
    assert scene.orders().orders == ()
    assert [order.key.service for order in scene.orders().after(after).orders] == [two.key]
    assert (scene.checkers.results, scene.checkers.runs) == ({}, {})


def orders_of_all(scene: Scene, wanted: Config) -> Orders:
    return replace(orders_of(wanted), path=scene.path, boot="boot")


def test_first_numbers_of_files_are_set_by_the_first_process_alone(scene: Scene) -> None:
    watched = WatchedFile("load", "/run/load", initial=7)
    wanted = replace(config(FileCheck(Timing(), "load", "/run/load")), files=(watched,))
    scene.checkers.apply(wanted)
    assert scene.orders().initial == (watched,)
    assert scene.side.first_words()[0].initial == ()


def test_a_process_that_has_died_learns_what_was_known(scene: Scene) -> None:
    scene.checkers.apply(config(tcp(80)))
    found = CheckResult(key(0), False, 0, "refused")
    scene.side.say([found])
    assert scene.side.first_words()[0].known == {key(0): found}


def test_an_agent_that_follows_a_killed_one_recalls(scene: Scene) -> None:
    wanted = config(tcp(80))
    found = CheckResult(key(0), False, 0, "refused", 1.0)
    orders = orders_of(wanted).orders
    Notebook().write(scene.path, "boot", orders, {key(0): found})
    scene.agent().apply(wanted)
    assert scene.checkers.results == {key(0): found}
    assert scene.orders().known == {key(0): found}
    scene.agent("another boot").apply(wanted)
    assert scene.checkers.results == {}


def test_nothing_is_recalled_by_a_reload_or_after_an_orderly_end(scene: Scene) -> None:
    wanted = config(tcp(80))
    orders = orders_of(wanted).orders
    scene.checkers.apply(Config())
    Notebook().write(scene.path, "boot", orders, {key(0): CheckResult(key(0), False)})
    scene.checkers.apply(wanted)
    assert scene.checkers.results == {}
    scene.checkers.stop(0)
    scene.agent().apply(wanted)
    assert scene.checkers.results == {}


def test_the_last_check_takes_the_process_with_it(scene: Scene) -> None:
    scene.checkers.apply(config(tcp(80)))
    Notebook().write(scene.path, "boot", scene.orders().orders, {key(0): CheckResult(key(0), False)})
    scene.checkers.apply(config())
    assert not scene.side.running
    assert not Path(scene.path).exists(), "a process that has died cannot take its notes away"
    assert scene.orders().orders == (), "it heard that nothing is to be kept for a successor"
    scene.checkers.apply(config(tcp(80)))
    assert scene.side.running


def test_services_without_their_address_rest(scene: Scene) -> None:
    scene.checkers.suspend(frozenset({SERVICE}))
    scene.checkers.apply(config(tcp(80), ha_suspend=True))
    assert scene.orders().orders[0].suspended
    scene.checkers.suspend(frozenset())
    assert scene.side.sent[-1] == Suspended(frozenset())
    scene.checkers.apply(config(tcp(80), PING, ha_suspend=True))
    assert not any(order.suspended for order in scene.orders().orders)
