# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that checks, without its process: what it makes of orders, and what it sends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator, List, Sequence

import pytest
from vrrp_agent.check import notebook, post
from vrrp_agent.check import runner as runner_module
from vrrp_agent.check import worker as worker_module
from vrrp_agent.check.messages import Order, Orders, Suspended
from vrrp_agent.check.probe import Context, Done, Outcome
from vrrp_agent.check.worker import CheckWorker
from vrrp_agent.conf.parts.checks import Check, Connection, FileCheck, MiscCheck, TcpCheck, Timing
from vrrp_agent.conf.parts.tracking import Command, ScriptPolicy
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop
from vrrp_agent.loop.results import CheckKey, CheckResult, CheckRun

SECOND, MS = 1_000_000_000, 1_000_000
SERVICE, ADDRESS = ("[198.51.100.10]:tcp:80", 4), b"\xc6\x12\0\1"
TIMING = Timing(SECOND, 0, 0, SECOND)


class FakeProbe:
    """Answers at once with what the story says of its port."""

    limit_ns = 5 * SECOND

    def __init__(self, check: Check, context: Context, done: Done) -> None:
        self.check, self.done = check, done
        FakeProbe.made.append(self)

    made: List[FakeProbe]
    bad: Sequence[int]

    def start(self) -> None:
        port = self.check.connection.port if isinstance(self.check, TcpCheck) else 0
        FakeProbe.tries.append(port)
        self.done(Outcome(False, "refused") if port in FakeProbe.bad else Outcome(True, "connected"))

    tries: List[int]

    def stop(self) -> None:
        pass


class FakeChannel:
    """Takes down what is sent."""

    def __init__(self) -> None:
        self.sent: List[Any] = []

    def send(self, value: Any) -> bool:
        self.sent.append(value)
        return True


class Scene:
    """A worker on a clock that the story moves."""

    def __init__(self, place: Path) -> None:
        self.now = 0
        self.loop = Loop(lambda: self.now)
        self.channel = FakeChannel()
        self.path = str(place / "checks")
        self.worker = CheckWorker(self.loop, self.channel, Log(0))  # type: ignore[arg-type]

    def order(self, *checks: Check, **words: Any) -> None:
        keys = [CheckKey(SERVICE, (ADDRESS, 80), number) for number in range(len(checks))]
        orders = tuple(Order(key, check, "") for key, check in zip(keys, checks))
        self.worker.take(Orders(orders, path=self.path, boot="boot", **words))

    def run(self, seconds: float) -> None:
        """Let so much time pass, in small steps."""
        end = self.now + int(seconds * SECOND)
        while self.now < end:
            self.now = min(self.now + 5 * MS, end)
            self.loop.schedule.run_due(self.now)

    def results(self) -> List[CheckResult]:
        found = [one for value in self.channel.sent for one in value if isinstance(one, CheckResult)]
        self.channel.sent.clear()
        return found

    def said(self) -> List[Any]:
        return [(one.key.number, one.good) for one in self.results()]


def tcp(port: int, **timing: Any) -> TcpCheck:
    return TcpCheck(replace(TIMING, **timing), Connection(ADDRESS, port))


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    FakeProbe.made, FakeProbe.tries, FakeProbe.bad = [], [], ()
    monkeypatch.setattr(runner_module, "make", FakeProbe)
    made = Scene(tmp_path)
    yield made
    made.worker.end()
    made.loop.close()


def test_orders_of_some_services_leave_the_checks_of_the_others_alone(scene: Scene) -> None:
    names = [("[198.51.100.10]:tcp:80", 4), ("[198.51.100.11]:tcp:80", 4), ("[198.51.100.12]:tcp:80", 4)]
    one, two, three = (Order(CheckKey(name, (ADDRESS, 80), 0), tcp(80), "") for name in names)
    scene.worker.take(Orders((one, two)))
    runners = dict(scene.worker._runners)
    other = replace(two, check=tcp(8080))
    scene.worker.take(Orders((other, three), services=(names[2], names[0], names[1])))
    now = scene.worker._runners
    assert list(now) == [three.key, one.key, two.key]
    assert now[one.key] is runners[one.key]
    assert now[two.key].order == other
    scene.worker.take(Orders((), services=(names[1],)))
    assert list(scene.worker._runners) == [two.key]
    assert scene.worker._orders == Orders((other,))


def test_results_are_said_once_and_noted_for_a_successor(scene: Scene) -> None:
    FakeProbe.bad = (81,)
    scene.order(tcp(80), tcp(81))
    scene.run(3)
    assert sorted(scene.said()) == [(0, True), (1, False)]
    orders = scene.worker._orders.orders
    noted = notebook.read(scene.path, "boot", orders)
    assert {key.number: one.good for key, one in noted.items()} == {0: True, 1: False}
    FakeProbe.bad = (80, 81)
    scene.run(1.01)
    scene.order()
    assert not Path(scene.path).exists(), "at once: the agent lets go of a process without checks"
    scene.run(1)
    assert not Path(scene.path).exists()


def test_notes_that_take_long_are_written_less_often(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    written: List[int] = []

    def write(_book: Any, *_words: Any) -> None:
        written.append(scene.now)
        scene.now += 50 * MS

    monkeypatch.setattr(worker_module.Notebook, "write", write)
    scene.order(tcp(80, delay_loop_ns=20 * MS))
    for turn in range(200):
        FakeProbe.bad = (80,) if turn % 2 else ()
        scene.run(0.02)
    assert 3 <= len(written) <= 5, "4 s, and 50 ms each time"


def test_a_reload_keeps_what_asks_the_same_and_carries_states(scene: Scene) -> None:
    FakeProbe.bad = (81,)
    scene.order(tcp(80), tcp(81))
    scene.run(0.5)
    scene.results()
    made = len(FakeProbe.made)
    scene.order(tcp(81), tcp(80), tcp(82))
    assert len(FakeProbe.made) == made + 1, "one check is new"
    scene.run(0.2)
    assert sorted(scene.said()) == [(0, False), (1, True), (2, True)]
    FakeProbe.bad = ()
    scene.order(tcp(8081), tcp(80), tcp(82))
    runner = scene.worker._runners[CheckKey(SERVICE, (ADDRESS, 80), 0)]
    assert runner.result.good is False, "other words, and the same state"
    scene.run(1)
    assert runner.result.good is True


def test_a_check_that_is_gone_asks_no_more(scene: Scene) -> None:
    scene.order(tcp(80), tcp(81))
    scene.run(1.5)
    scene.order(tcp(80))
    FakeProbe.tries.clear()
    scene.run(3)
    assert set(FakeProbe.tries) == {80}
    assert len(FakeProbe.tries) == 3


def test_a_new_process_says_nothing_that_is_known_already(scene: Scene) -> None:
    key = CheckKey(SERVICE, (ADDRESS, 80), 0)
    FakeProbe.bad = (80,)
    scene.order(tcp(80), known={key: CheckResult(key, False, 0, "refused", 1.0)})
    scene.run(3)
    assert scene.results() == []


def test_suspended_services_rest(scene: Scene) -> None:
    scene.order(tcp(80))
    scene.worker.take(Suspended(frozenset({SERVICE})))
    scene.run(3)
    assert FakeProbe.tries == []
    scene.worker.take(Suspended(frozenset()))
    scene.run(0.1)
    assert FakeProbe.tries == [80]


def test_another_policy_makes_new_probes_of_programs_only(scene: Scene) -> None:
    misc = MiscCheck(TIMING, Command(("/bin/true",)))
    scene.order(tcp(80), misc)
    made = len(FakeProbe.made)
    scene.order(tcp(80), misc, policy=ScriptPolicy(security=True))
    assert [one.check.kind for one in FakeProbe.made[made:]] == ["MISC_CHECK"]


def test_a_storm_of_news_comes_in_portions(scene: Scene) -> None:
    count = 95
    scene.order(*(tcp(1000 + number) for number in range(count)))
    scene.run(1)
    sizes = [len(value) for value in scene.channel.sent if isinstance(value[0], CheckResult)]
    assert sum(sizes) == count
    assert max(sizes) <= post.RESULTS


def test_how_checks_went_is_told_in_portions_and_only_where_it_is_new(scene: Scene) -> None:
    count = 60
    scene.order(*(tcp(1000 + number, delay_loop_ns=100 * SECOND) for number in range(count)))
    scene.run(6)
    runs = [value for value in scene.channel.sent if isinstance(value[0], CheckRun)]
    assert sum(len(value) for value in runs) == count
    assert max(len(value) for value in runs) <= post.RUNS
    scene.channel.sent.clear()
    scene.run(20)
    assert scene.channel.sent == [], "no check was made, and nothing is told"


def test_what_a_file_said_is_noted_over_a_reload_too(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "load").write_text("-7\n")
    number = FileCheck(TIMING, "load", str(tmp_path / "load"))
    scene.order(number, tcp(80))
    scene.run(0.2)
    assert sorted(scene.said()) == [(0, True), (1, True)]
    scene.order(tcp(80), number)
    scene.run(0.2)
    noted = notebook.read(scene.path, "boot", scene.worker._orders.orders)
    assert {key.number: one.added_weight for key, one in noted.items()} == {0: 0, 1: -7}
