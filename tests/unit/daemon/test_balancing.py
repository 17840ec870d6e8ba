# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's side of virtual servers: what processes are told, and what ``status`` makes of their words."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from vrrp_agent.balance.actions import Known
from vrrp_agent.balance.messages import Counts, Goodbye, Report, Roles, Setup
from vrrp_agent.check.messages import Suspended
from vrrp_agent.conf.model import Config, GlobalSettings
from vrrp_agent.conf.parts.balancing import UDP, Balancing, Member, SyncDaemon, VirtualServer
from vrrp_agent.daemon.sides import balancing, checking
from vrrp_agent.daemon.sides.services import VirtualServers
from vrrp_agent.election.settings import State
from vrrp_agent.loop.channel import Channel
from vrrp_agent.loop.events import DOWN, INSTANCE, MASTER, SERVER, SERVICE, UP, Details, Happening
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop
from vrrp_agent.loop.results import CheckRun
from vrrp_agent.loop.side import Worker

from tests.unit.balance.farm import NAME, check, packed, result, server, service, sorry
from tests.unit.daemon.host import Lines

KEY = (NAME, 4)
SECOND_NS = 1_000_000_000
ONE = service(server(1, [check()]), server(2, [check()]), sorry_server=sorry())
OTHER = replace(ONE, name="[198.51.100.10]:tcp:81", members=(Member(4, packed("198.51.100.10"), 1, 81),))


class QuietSide:
    """A side that keeps what it is sent."""

    pid = 7
    restarts = 0

    def __init__(self, name: str, make: Any, loop: Loop, log: Any, hello: Any, on_value: Any) -> None:
        self.sent: List[Any] = []
        self.running = False
        self.stopped: List[bool] = []
        self.hello, self.say = hello, on_value
        owner = getattr(make, "__self__", None)
        self.first_words = getattr(owner, "first_words", tuple)
        """What the process that balances is forked with."""

    def start(self, at_once: bool = False) -> None:
        self.running = True
        self.sent.extend((*self.first_words(), *self.hello()))

    def send(self, value: Any) -> bool:
        if self.running:
            self.sent.append(value)
        return self.running

    def retire(self) -> None:
        self.running = False

    def die_and_return(self) -> None:
        self.sent.clear()
        self.sent.extend((*self.first_words(), *self.hello()))

    def stop(self, _patience_ns: int, hear_out: bool = False) -> bool:
        self.stopped.append(hear_out)
        return True


class Scene:
    def __init__(self, placed: str = "") -> None:
        self.told: List[Happening] = []
        self.here: set[bytes] = set()
        self.lives: Dict[str, Any] = {}
        interfaces = SimpleNamespace(addresses=lambda: self.here)
        kept = (("", "boot"), placed)
        self.loop = Loop()
        self.all = VirtualServers(self.loop, Lines(), interfaces, self.lives, self.told.append, *kept)  # type: ignore
        self.balance: QuietSide = self.all.balancer._side  # type: ignore[assignment]
        self.check: QuietSide = self.all.checkers._side  # type: ignore[assignment]

    def wait(self) -> None:
        """What is put off for a moment is done now."""
        self.loop.schedule.run_due(self.loop.clock() + SECOND_NS)

    def apply(self, *services: VirtualServer, **words: Any) -> None:
        settings = replace(GlobalSettings(), balancing=Balancing(**words))
        self.all.apply(Config(settings, services=services))

    def setups(self) -> List[Setup]:
        return [one for one in self.balance.sent if isinstance(one, Setup)]

    def live(self, name: str, state: State) -> None:
        router = SimpleNamespace(state=state)
        self.lives[name] = SimpleNamespace(instance=SimpleNamespace(name=name), router=router)

    def status(self) -> Tuple[Dict[str, Any], List[Dict[str, Any]]]:
        lines = list(self.all.status())
        services = [line["service"] for line in lines if "service" in line]
        return next((line["balancing"] for line in lines if "balancing" in line), {}), services


@pytest.fixture(name="scene")
def make_scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(balancing, "Side", QuietSide)
    monkeypatch.setattr(checking, "Side", QuietSide)
    return Scene()


def row(name: str = NAME, **words: Any) -> Dict[str, Any]:
    servers = [
        {"name": server(number).name, "state": "up", "since": 1.0, "reason": "", "weight": 1}
        for number in (1, 2)
    ]
    late = {"name": sorry().name, "state": "down", "since": 1.0, "weight": 0}
    return {"name": name, "state": "up", "since": 1.0, "servers": servers, "sorry_server": late, **words}


def report(*services: VirtualServer, empty: bool = False) -> Report:
    known = Known(True, {server(1).key: True})
    rows = {one.key: row(one.name) for one in services}
    return Report("ipvs", "", {}, rows, {one.key: known for one in services}, empty)


def test_without_services_no_process_begins(scene: Scene) -> None:
    scene.apply()
    assert not scene.balance.running
    assert not scene.check.running
    assert scene.status() == ({}, [])


def test_a_start_says_it_is_the_first_and_a_successor_hears_what_is_known(scene: Scene) -> None:
    scene.apply(ONE)
    (setup,) = scene.setups()
    assert (setup.first, setup.services, setup.known, setup.before) == (True, (ONE,), {}, ())
    scene.balance.say(report(ONE))
    scene.check.say(result(1, False))
    scene.balance.die_and_return()
    (setup,) = scene.setups()
    assert not setup.first
    assert setup.results == {result(1, False).key: result(1, False)}
    assert setup.known == {KEY: Known(True, {server(1).key: True})}


def test_a_successor_knows_what_was_told_after_the_last_report(scene: Scene) -> None:
    scene.apply(ONE)
    scene.balance.say(report(ONE))
    details = Details(4)
    scene.balance.say(Happening(SERVER, f"{server(1).name} {NAME}", DOWN, 0, details=details))
    scene.balance.say(Happening(SERVER, f"{server(2).name} {NAME}", DOWN, 0, details=details))
    scene.balance.say(Happening(SERVICE, NAME, DOWN, 0, details=details))
    scene.balance.say(Happening(SERVICE, OTHER.name, DOWN, 0, details=details))
    scene.balance.die_and_return()
    known = Known(False, {server(1).key: False, server(2).key: False})
    assert scene.setups()[-1].known == {KEY: known}


def test_a_successor_hears_what_may_have_been_left_behind(scene: Scene) -> None:
    scene.apply(ONE, OTHER)
    scene.apply(ONE)
    scene.balance.die_and_return()
    assert scene.setups()[-1].before == (OTHER,)


def test_an_equal_configuration_is_not_sent_again(scene: Scene) -> None:
    scene.apply(ONE)
    scene.balance.sent.clear()
    scene.apply(ONE)
    assert scene.balance.sent == []
    scene.apply(ONE, init_notifies=True)
    assert len(scene.balance.sent) == 1


def test_a_reload_sends_only_services_that_have_changed(scene: Scene) -> None:
    scene.apply(ONE, OTHER)
    (first,) = scene.setups()
    scene.check.say(result(1, False))
    new = replace(OTHER, quorum=2)
    scene.apply(new, ONE)
    sent = scene.setups()[-1]
    assert (sent.services, sent.results) == ((new,), {})
    assert sent.after(first).services == (new, ONE)
    scene.apply(new, replace(ONE, quorum=2))
    assert scene.setups()[-1].results == {result(1, False).key: result(1, False)}
    scene.apply(new)
    assert (scene.setups()[-1].services, scene.setups()[-1].order) == ((), (OTHER.key,))


def test_the_process_goes_when_it_has_nothing_left_and_has_said_its_last_words(scene: Scene) -> None:
    scene.apply(ONE)
    scene.apply()
    assert scene.balance.running
    happening = Happening(SERVICE, NAME, DOWN, 0)
    scene.balance.say(happening)
    scene.balance.say(report(empty=True))
    assert scene.told == [happening]
    assert not scene.balance.running
    scene.apply(ONE)
    assert scene.balance.running
    assert scene.setups()[-1].known == {}


def test_a_service_that_comes_back_meanwhile_keeps_the_process(scene: Scene) -> None:
    scene.apply(ONE)
    scene.apply()
    scene.apply(ONE)
    scene.balance.say(report(empty=True))
    assert scene.balance.running


def test_results_go_from_one_process_to_the_other_only_when_they_are_new(scene: Scene) -> None:
    scene.apply(ONE)
    scene.balance.sent.clear()
    scene.check.say(result(1, False))
    scene.check.say(result(1, False))
    assert scene.balance.sent == [result(1, False)]


def test_what_is_told_goes_on_to_others(scene: Scene) -> None:
    scene.apply(ONE)
    one = Happening(SERVER, f"{server(1).name} {NAME}", UP, 0)
    scene.balance.say(one)
    assert scene.told == [one]


def test_the_end_hears_the_last_words_out(scene: Scene) -> None:
    scene.apply(ONE)
    scene.all.stop(1)
    assert scene.balance.sent[-1] == Goodbye()
    assert scene.balance.stopped == [True]


# The end, with true processes.


class Placing(Worker):
    """Stands for the worker: places by writing a file, and takes the file away at the end."""

    def __init__(self, loop: Loop, channel: Channel, log: Log, *rest: Any) -> None:
        self._loop = loop
        self._path, self._mood = os.environ["PLACED"], os.environ["MOOD"]

    def take(self, value: Any) -> None:
        if isinstance(value, Setup):
            with open(self._path, "w") as file:
                file.write(str(len(value.services)))
        elif isinstance(value, Goodbye):
            self._go()

    def _go(self) -> None:
        if self._mood == "hangs":
            time.sleep(60)
        if self._mood == "dies" and not os.path.exists(self._path + ".died"):
            with open(self._path + ".died", "w"):
                os._exit(1)
        os.unlink(self._path)
        self._loop.stop()


class Ending:
    def __init__(self, path: Path) -> None:
        self.path, self.loop, self.log = path, Loop(), Lines()
        self.balancer = balancing.Balancer(self.loop, self.log, {}, lambda _happening: None)

    def turn_until(self, condition: Callable[[], bool]) -> None:
        end_s = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end_s
            self.loop.turn(0.01)

    def begin(self) -> None:
        self.balancer.apply(Config(services=(ONE,)))
        self.turn_until(self.path.exists)

    def kill(self) -> None:
        pid, restarts = self.balancer.pid, self.balancer.restarts
        os.kill(pid, signal.SIGKILL)
        self.turn_until(lambda: self.balancer.restarts > restarts)


@pytest.fixture(name="ending")
def make_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ending]:
    monkeypatch.setattr("vrrp_agent.balance.worker.BalanceWorker", Placing)
    monkeypatch.setenv("PLACED", str(tmp_path / "placed"))
    monkeypatch.setenv("MOOD", "quick")
    ending = Ending(tmp_path / "placed")
    yield ending
    ending.balancer._side.stop(0)
    ending.loop.close()


def test_an_orderly_end_takes_services_away_while_a_dead_process_waits_for_its_successor(
    ending: Ending,
) -> None:
    ending.begin()
    ending.kill()
    ending.turn_until(lambda: ending.balancer.pid != 0)
    ending.kill()
    assert ending.balancer.pid == 0, "the second death is followed by a pause"
    assert ending.path.exists()
    ending.balancer.stop(10 * SECOND_NS)
    assert not ending.path.exists()
    assert not [text for _level, text in ending.log.lines if "in the kernel still" in text]


def test_an_orderly_end_hears_of_a_process_that_was_killed_an_instant_ago(ending: Ending) -> None:
    ending.begin()
    os.kill(ending.balancer.pid, signal.SIGKILL)
    ending.balancer.stop(10 * SECOND_NS)
    assert not ending.path.exists()


def test_a_process_that_dies_of_its_last_work_has_a_successor_that_does_it(
    ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOOD", "dies")
    ending.begin()
    ending.balancer.stop(10 * SECOND_NS)
    assert not ending.path.exists()


def test_a_process_that_does_not_end_in_time_is_said(ending: Ending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOOD", "hangs")
    ending.begin()
    began_ns = time.monotonic_ns()
    ending.balancer.stop(SECOND_NS // 5)
    assert time.monotonic_ns() - began_ns < 5 * SECOND_NS
    assert "child_wait_time" in ending.log.lines[-1][1]
    assert ending.balancer.pid == 0


def test_an_end_that_has_nothing_to_take_away_begins_no_process(ending: Ending) -> None:
    ending.balancer.stop(SECOND_NS)
    assert ending.balancer._side.pid == 0
    assert not ending.path.exists()
    assert ending.log.lines == []


# What a killed agent has left.


def test_a_killed_agent_that_had_services_leaves_work_for_one_without_any(
    scene: Scene, tmp_path: Path
) -> None:
    notes = tmp_path / "services"
    assert not scene.balance.running
    notes.write_text("")
    follower = Scene(str(notes))
    follower.apply()
    assert [one.services for one in follower.setups()] == [()]
    follower.balance.say(report(empty=True))
    assert not follower.balance.running
    follower.apply(init_notifies=True)
    assert not follower.balance.running, "only a start looks for what was left"


def test_an_agent_that_finds_no_notes_begins_no_process(scene: Scene, tmp_path: Path) -> None:
    follower = Scene(str(tmp_path / "services"))
    follower.apply()
    assert not follower.balance.running


# Roles and addresses.


def test_roles_follow_the_instance_of_the_sync_daemon(scene: Scene) -> None:
    scene.live("VI_1", State.BACKUP)
    scene.apply(ONE, sync_daemon=SyncDaemon("eth1", "VI_1"))
    assert scene.balance.sent[0] == Roles(frozenset())
    scene.live("VI_1", State.ACTIVE)
    scene.live("VI_2", State.ACTIVE)
    scene.all.happened(Happening(INSTANCE, "VI_2", MASTER, 100))
    assert scene.balance.sent[-1] != Roles(frozenset({"VI_1", "VI_2"}))
    scene.all.happened(Happening(INSTANCE, "VI_1", MASTER, 100))
    assert scene.balance.sent[-1] == Roles(frozenset({"VI_1", "VI_2"}))


@pytest.mark.parametrize(
    ("members", "here", "rests"),
    [
        ((Member(4, packed("198.51.100.10"), 1, 80),), "198.51.100.10", False),
        ((Member(4, packed("198.51.100.10"), 1, 80),), "198.51.100.11", True),
        ((Member(4, packed("198.51.100.10"), 5, 80),), "198.51.100.14", False),
        ((Member(4, packed("198.51.100.10"), 5, 80),), "198.51.100.15", True),
        ((Member(4, fwmark=7),), "198.51.100.15", False),
        ((Member(6, packed("2001:db8::10"), 9, 80),), "2001:db8::12", False),
        ((Member(6, packed("2001:db8::10"), 9, 80),), "198.51.100.10", True),
    ],
)
def test_ha_suspend_lets_checks_rest_while_no_address_is_here(
    scene: Scene, members: Tuple[Member, ...], here: str, rests: bool
) -> None:
    one = replace(ONE, members=members, ha_suspend=True)
    scene.here = {packed(here)}
    scene.apply(one)
    scene.balance.say(report(one))
    assert scene.status()[1][0]["suspended"] is rests
    assert all(order.suspended is rests for order in scene.check.sent[0].orders)


def test_an_address_that_comes_wakes_the_checks_and_a_reload_without_the_word_does(scene: Scene) -> None:
    resting = replace(ONE, ha_suspend=True)
    scene.apply(resting)
    scene.here = {packed("198.51.100.10")}
    scene.all.addresses_changed()
    scene.wait()
    assert scene.check.sent[-1] == Suspended(frozenset())
    scene.here = set()
    scene.all.addresses_changed()
    scene.wait()
    assert scene.check.sent[-1] == Suspended(frozenset({KEY}))
    scene.apply(ONE)
    assert not any(order.suspended for order in scene.check.sent[-1].orders)


def test_many_batches_of_addresses_are_looked_at_once(scene: Scene) -> None:
    scene.apply(replace(ONE, ha_suspend=True))
    looks: List[int] = []

    def addresses() -> set[bytes]:
        looks.append(1)
        return {packed(f"198.51.100.{len(looks)}")}

    scene.all._interfaces = SimpleNamespace(addresses=addresses)  # type: ignore[assignment]
    for _batch in range(100):
        scene.all.addresses_changed()
    assert looks == []
    scene.wait()
    assert len(looks) == 1
    scene.all.addresses_changed()
    scene.all.stop(0)
    scene.wait()
    assert len(looks) == 1, "the agent is stopping"


def test_addresses_cost_nothing_without_ha_suspend(scene: Scene) -> None:
    scene.apply(ONE)
    scene.all._interfaces = None  # type: ignore[assignment]
    scene.all.addresses_changed()


# Status.


def test_status_brings_together_what_both_processes_say(scene: Scene) -> None:
    scene.apply(ONE)
    assert scene.status()[1] == []
    scene.balance.say(report(ONE))
    scene.balance.say(Counts({KEY: ({"connections": 9}, {server(1).name: {"connections": 4}})}))
    scene.check.say(result(1, False, why="connection refused"))
    scene.check.say([CheckRun(result(1, False).key, 2_000_000, "connection refused", 5.0, 3, 2)])
    whole, (one,) = scene.status()
    assert (whole["backend"], whole["pid"], whole["check_pid"], whole["problem"]) == ("ipvs", 7, 7, "")
    assert one["connections"] == {"connections": 9}
    first, second = one["servers"]
    assert first["connections"] == {"connections": 4}
    assert first["since"] == "1970-01-01T00:00:01.000Z"
    assert first["checks"] == [
        {
            "kind": "TCP_CHECK",
            "state": "bad",
            "why": "connection refused",
            "since": "1970-01-01T00:00:01.000Z",
            "took_s": 0.002,
            "last_run": "1970-01-01T00:00:05.000Z",
            "runs": 3,
            "failures": 2,
        }
    ]
    assert second["checks"][0]["state"] == "unknown"
    assert "checks" not in one["sorry_server"]


def test_status_says_that_the_process_that_checks_has_died(scene: Scene) -> None:
    scene.apply(ONE)
    scene.balance.say(report(ONE))
    assert scene.status()[0]["check_restarts"] == 0
    scene.check.running, scene.check.restarts = False, 2
    whole, _services = scene.status()
    assert (whole["check_pid"], whole["check_restarts"]) == (0, 2)
    assert whole["problem"].startswith("no server is checked")
    scene.apply(service(server(1)))
    assert scene.status()[0]["problem"] == "", "there is nothing to check"


def test_what_was_said_of_a_service_of_a_group_follows_it_to_another_number(scene: Scene) -> None:
    tcp = replace(ONE, name="[web]:0", group="web")
    scene.apply(tcp)
    scene.balance.say(report(tcp))
    above, below = replace(tcp, protocol=UDP), replace(tcp, name="[web]:1")
    scene.apply(above, below)
    assert list(scene.all.balancer.rows) == [below.key]
    scene.balance.die_and_return()
    assert scene.setups()[-1].known == {below.key: Known(True, {server(1).key: True})}


def test_status_forgets_what_a_reload_has_removed(scene: Scene) -> None:
    scene.apply(ONE, OTHER)
    scene.balance.say(report(ONE, OTHER))
    scene.apply(OTHER)
    assert [one["name"] for one in scene.status()[1]] == [OTHER.name]
    scene.balance.say(report(ONE))  # it was sent before the process knew
    assert [one["name"] for one in scene.status()[1]] == [OTHER.name]
