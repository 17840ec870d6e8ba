# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of a program, one after the other, also over a reload."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Callable, Iterator, List

import pytest
from vrrp_agent.check import misc
from vrrp_agent.check.messages import Order
from vrrp_agent.check.probe import Context
from vrrp_agent.check.runner import Runner
from vrrp_agent.conf.parts.checks import MiscCheck, Timing, TlsFiles
from vrrp_agent.conf.parts.tracking import Command, ScriptPolicy
from vrrp_agent.kernel.program import Ended
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop
from vrrp_agent.loop.results import CheckKey, CheckResult

SECOND = 1_000_000_000
KEY = CheckKey(("[198.51.100.10]:tcp:80", 4), (b"\xc6\x12\0\1", 80), 0)
CHECK = MiscCheck(Timing(SECOND, 0, 0, SECOND), Command(("/bin/slow",)))


class Run:
    """A program that ends when the story says so, told to or not."""

    undying = False

    def __init__(self, on_end: Callable[[Ended, bool], None]) -> None:
        self.on_end = on_end
        self.told = False

    def end(self) -> None:
        self.told = True

    def ends(self) -> None:
        self.on_end(Ended(0), self.told)


class Scene:
    def __init__(self) -> None:
        self.now = 0
        self.loop = Loop(lambda: self.now)
        self.runs: List[Run] = []
        self.said: List[CheckResult] = []
        self.context = Context(self.loop, Log(0), ScriptPolicy(), TlsFiles())
        self.runner = Runner(Order(KEY, CHECK, "server"), self.context, self.said.append, None, lambda: 0.5)

    def make(
        self,
        _program: Any,
        _loop: Loop,
        _limit_ns: int,
        on_end: Callable[[Ended, bool], None],
        *_refused: Any,
    ) -> Run:
        self.runs.append(Run(on_end))
        return self.runs[-1]

    def at(self, seconds: float) -> None:
        while self.now < seconds * SECOND:
            self.now += SECOND // 20
            self.loop.schedule.run_due(self.now)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    made = Scene()
    monkeypatch.setattr(misc, "Running", made.make)
    monkeypatch.setattr(misc, "start", lambda *_words, **_more: None)
    monkeypatch.setattr(misc, "look_again", lambda *_words: None)
    found = SimpleNamespace(path="/bin/slow", argv=("/bin/slow",), identity=None, warnings=())
    monkeypatch.setattr(misc, "examine", lambda *_words: found)
    yield made
    made.loop.close()
    misc._alive.clear()


def other_timing(scene: Scene) -> None:
    before = scene.runner.order.check.timing
    timing = replace(before, delay_loop_ns=2 * SECOND, retry=before.retry + 1)
    scene.runner.use(replace(scene.runner.order, check=replace(CHECK, timing=timing)))


def other_policy(scene: Scene) -> None:
    scene.runner.use_context(scene.context._replace(policy=ScriptPolicy(umask=0o22)))


@pytest.mark.parametrize("change", [other_timing, other_policy])
def test_a_reload_runs_no_program_beside_the_run_before(
    scene: Scene, change: Callable[[Scene], None]
) -> None:
    scene.runner.begin()
    scene.at(1)
    (first,) = scene.runs
    change(scene)
    change(scene)
    assert first.told
    scene.at(8)
    assert len(scene.runs) == 1, "the first one has not ended"
    first.ends()
    assert scene.said == [], "the end of a run that was given up says nothing"
    scene.at(12)
    assert len(scene.runs) == 2
    scene.runs[1].ends()
    assert [one.good for one in scene.said] == [True]
