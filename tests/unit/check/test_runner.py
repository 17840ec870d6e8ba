# SPDX-License-Identifier: GPL-3.0-or-later
"""One check at work, with a probe that does what the story says."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Callable, Iterator, List, Optional

import pytest
from vrrp_agent.check import runner as module
from vrrp_agent.check.messages import Order
from vrrp_agent.check.probe import Context, Done, Outcome, not_asked
from vrrp_agent.check.runner import Runner
from vrrp_agent.conf.parts.checks import Check, Connection, TcpCheck, Timing, TlsFiles
from vrrp_agent.conf.parts.tracking import ScriptPolicy
from vrrp_agent.loop.log import DEBUG, Log
from vrrp_agent.loop.loop import Loop
from vrrp_agent.loop.results import CheckKey, CheckResult

SECOND = 1_000_000_000
KEY = CheckKey(("[198.51.100.10]:tcp:80", 4), (b"\xc6\x12\0\1", 80), 0)
TIMING = Timing(SECOND, SECOND, 1, SECOND // 10)
CHECK = TcpCheck(TIMING, Connection(b"\xc6\x12\0\1", 80))
ORDER = Order(KEY, CHECK, "[198.18.0.1]:tcp:80 of [198.51.100.10]:tcp:80", weight=10)
GOOD, BAD = Outcome(True, "connected"), Outcome(False, "connection refused")


class FakeProbe:
    """Notes what it is asked, and answers when the story says."""

    limit_ns = 5 * SECOND

    def __init__(self, check: Check, context: Context, done: Done) -> None:
        self.check, self.done = check, done
        self.running = False
        self.starts = 0

    def start(self) -> None:
        self.running = True
        self.starts += 1

    def stop(self) -> None:
        self.running = False

    def answer(self, outcome: Outcome) -> None:
        assert self.running
        self.running = False
        self.done(outcome)


class Scene:
    """A runner on a clock that the story moves."""

    def __init__(self, log: Log) -> None:
        self.now = 0
        self.loop = Loop(lambda: self.now)
        self.probes: List[FakeProbe] = []
        self.said: List[CheckResult] = []
        self.context = Context(self.loop, log, ScriptPolicy(), TlsFiles())

    def make(self, check: Check, context: Context, done: Done) -> FakeProbe:
        self.probes.append(FakeProbe(check, context, done))
        return self.probes[-1]

    def runner(self, order: Order = ORDER, known: Optional[CheckResult] = None) -> Runner:
        made = Runner(order, self.context, self.said.append, known, lambda: 0.5)
        made.begin()
        return made

    @property
    def probe(self) -> FakeProbe:
        return self.probes[-1]

    def at(self, seconds: float) -> None:
        self.now = int(seconds * SECOND)
        self.loop.schedule.run_due(self.now)


@pytest.fixture
def log_lines() -> Iterator[Callable[[], List[str]]]:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)

    def lines() -> List[str]:
        try:
            return os.read(read_end, 65536).decode().splitlines()
        except BlockingIOError:
            return []

    lines.descriptor = write_end  # type: ignore[attr-defined]
    yield lines
    os.close(read_end)
    os.close(write_end)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, log_lines: Any) -> Iterator[Scene]:
    made = Scene(Log(DEBUG, log_lines.descriptor))
    monkeypatch.setattr(module, "make", made.make)
    yield made
    made.loop.close()


def test_the_first_result_is_said_and_then_only_changes(scene: Scene, log_lines: Any) -> None:
    scene.runner()
    scene.at(0.49)
    assert scene.probe.starts == 0
    for second in (0.5, 1.5, 2.5):
        scene.at(second)
        scene.probe.answer(GOOD)
    assert [(one.good, one.why) for one in scene.said] == [(True, "connected")]
    scene.at(3.5)
    scene.probe.answer(BAD)
    assert len(scene.said) == 1
    scene.at(3.6)
    scene.probe.answer(BAD)
    assert [(one.good, one.why) for one in scene.said[1:]] == [(False, "connection refused")]
    written = log_lines()
    assert [line.split()[2] for line in written] == ["info", "warning"]
    assert "TCP_CHECK of [198.18.0.1]:tcp:80 of [198.51.100.10]:tcp:80: bad after 2 tries" in written[1]


def test_a_try_without_an_answer_times_out(scene: Scene) -> None:
    runner = scene.runner()
    scene.at(0.5)
    scene.at(5.5)
    assert not scene.probe.running
    assert [(one.good, one.why) for one in scene.said] == [(False, "timed out")]
    assert (runner.run().runs, runner.run().failures, runner.run().took_ns) == (1, 1, 5 * SECOND)


def test_every_failure_is_logged_where_that_is_wanted(scene: Scene, log_lines: Any) -> None:
    loud = replace(ORDER, check=replace(CHECK, timing=replace(TIMING, log_all_failures=True)))
    scene.runner(loud, CheckResult(KEY, True))
    scene.at(0.5)
    scene.probe.answer(BAD)
    assert "failed (connection refused; try 1 of 2)" in log_lines()[0]


def test_what_this_host_cannot_ask_changes_nothing(scene: Scene, log_lines: Any) -> None:
    runner = scene.runner(known=CheckResult(KEY, False))
    for second in (0.5, 1.5, 2.5):
        scene.at(second)
        scene.probe.answer(not_asked("bindto 198.18.0.9: cannot assign requested address"))
    assert not scene.said
    assert runner.run().runs == 0
    assert runner.run().why.startswith("bindto")
    assert len(log_lines()) == 1


def test_a_suspended_check_asks_nothing(scene: Scene) -> None:
    runner = scene.runner()
    scene.at(0.5)
    runner.suspend(True)
    assert not scene.probe.running
    scene.at(100)
    assert scene.probe.starts == 1
    runner.suspend(False)
    scene.at(100.5)
    assert scene.probe.starts == 2


def test_a_check_that_begins_suspended_asks_nothing_until_it_may(scene: Scene) -> None:
    runner = scene.runner(replace(ORDER, suspended=True))
    scene.at(100)
    assert scene.probe.starts == 0
    runner.suspend(False)
    scene.at(100.5)
    assert scene.probe.starts == 1


def test_a_reload_of_the_pace_alone_keeps_result_and_place(scene: Scene) -> None:
    runner = scene.runner()
    scene.at(0.5)
    scene.probe.answer(GOOD)
    moved = replace(ORDER, key=KEY._replace(number=3), check=replace(CHECK, timing=replace(TIMING, retry=9)))
    runner.use(moved)
    assert runner.result == scene.said[0]._replace(key=moved.key)
    scene.at(1.5)
    assert scene.probe.running


def test_the_weight_of_misc_dynamic_is_held_against_that_of_the_server(scene: Scene) -> None:
    runner = scene.runner()
    scene.at(0.5)
    scene.probe.answer(Outcome(True, "exit 6", weight=4))
    assert scene.said[-1].added_weight == -6
    runner.use(replace(ORDER, weight=20))
    assert runner.result.added_weight == -16
    scene.at(1.5)
    scene.probe.answer(BAD)
    assert runner.result.added_weight == -16, "a failure that does not count yet takes nothing back"
    scene.at(1.6)
    scene.probe.answer(BAD)
    assert (scene.said[-1].good, scene.said[-1].added_weight) == (False, 0)


def test_other_settings_of_all_probes_make_a_new_one_and_try_again(scene: Scene) -> None:
    runner = scene.runner()
    scene.at(0.5)
    first = scene.probe
    runner.use_context(scene.context._replace(tls=TlsFiles(ca="/etc/ca.pem")))
    assert not first.running
    scene.at(1.0)
    assert scene.probe is not first
    assert scene.probe.running


def test_a_stopped_check_is_quiet(scene: Scene) -> None:
    runner = scene.runner()
    scene.at(0.5)
    runner.stop()
    assert not scene.probe.running
    scene.at(50)
    assert scene.probe.starts == 1
