# SPDX-License-Identifier: GPL-3.0-or-later
"""Queues of scripts, with real ones: order, time limits, losses."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, List

import pytest
from vrrp_agent.conf.model import Command, Notify
from vrrp_agent.loop import events
from vrrp_agent.loop.events import INSTANCE, Happening
from vrrp_agent.loop.loop import Loop
from vrrp_agent.notify.scripts import MOST_WAITING, Scripts, Turn

from tests.unit.notify.stage import Lines, until

SECOND_NS = 1_000_000_000


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


class Stage:
    """Scripts that write what they were called with into one file."""

    def __init__(self, loop: Loop, directory: Path) -> None:
        self.loop, self.directory = loop, directory
        self.log = Lines()
        self.record = directory / "record"
        self.gate = directory / "gate"
        self.scripts = Scripts(loop, self.log, lambda: None)
        self.scripts.limit_ns = 60 * SECOND_NS

    def script(self, name: str, body: str = "") -> Command:
        path = self.directory / name
        path.write_text(f"#!/bin/sh\n{body}\necho {name} $* >> {self.record}\n")
        path.chmod(0o755)
        return Command((str(path),))

    def waiting_script(self, name: str) -> Command:
        """It ends when the gate is opened."""
        return self.script(name, f"while [ ! -e {self.gate} ]; do sleep 0.02; done")

    def open(self) -> None:
        self.gate.touch()

    def tell(self, notify: Notify, event: str = events.MASTER, name: str = "A", priority: int = 1) -> None:
        one = Happening(INSTANCE, name, event, priority)
        self.scripts.add(Turn(one, one, notify, "id"))

    def lines(self) -> List[str]:
        return self.record.read_text().splitlines() if self.record.exists() else []


@pytest.fixture
def stage(loop: Loop, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(loop, tmp_path)
    yield stage
    stage.scripts.kill()
    until(loop, lambda: stage.scripts.idle)


def test_the_next_script_begins_when_the_one_before_has_ended(stage: Stage, loop: Loop) -> None:
    notify = Notify(active=stage.waiting_script("slow"), every=stage.script("any"))
    stage.tell(notify)
    stage.tell(notify, events.BACKUP, priority=2)
    assert stage.scripts.status()["running"] == 1
    assert stage.scripts.status()["waiting"] == 1
    stage.open()
    until(loop, lambda: stage.scripts.idle)
    assert stage.lines() == ["slow", "any INSTANCE A MASTER 1", "any INSTANCE A BACKUP 2"]
    assert stage.scripts.status() == {
        "running": 0,
        "waiting": 0,
        "done": 3,
        "failed": 0,
        "timed_out": 0,
        "lost": 0,
    }


def test_instances_do_not_wait_for_each_other(stage: Stage, loop: Loop) -> None:
    stage.tell(Notify(active=stage.waiting_script("slow")))
    stage.tell(Notify(active=stage.script("quick")), name="B")
    until(loop, lambda: stage.lines() == ["quick"])
    stage.open()
    until(loop, lambda: stage.lines() == ["quick", "slow"])


def test_a_script_that_takes_too_long_is_ended_and_the_next_one_runs(stage: Stage, loop: Loop) -> None:
    stage.scripts.limit_ns = SECOND_NS // 10
    stage.tell(Notify(active=stage.waiting_script("slow"), every=stage.script("any")))
    until(loop, lambda: stage.scripts.idle)
    assert stage.lines() == ["any INSTANCE A MASTER 1"]
    assert stage.scripts.timed_out == 1
    assert "notify_master" in stage.log.text and "took too long" in stage.log.text


def test_a_queue_that_is_too_long_loses_its_oldest_event_and_says_so(stage: Stage, loop: Loop) -> None:
    notify = Notify(active=stage.waiting_script("first"), backup=stage.script("b"), fault=stage.script("f"))
    stage.tell(notify)
    stage.tell(notify, events.FAULT)
    for _ in range(MOST_WAITING):
        stage.tell(notify, events.BACKUP)
    assert stage.scripts.lost == 1
    assert "the event FAULT are not run" in stage.log.text
    stage.open()
    until(loop, lambda: stage.scripts.idle)
    assert stage.lines() == ["first"] + ["b"] * MOST_WAITING


def test_a_script_that_cannot_be_run_is_said_and_passed_over(stage: Stage, loop: Loop) -> None:
    missing = Command((str(stage.directory / "missing"),))
    nobody = Command((stage.script("x").argv[0],), user="no-such-user")
    stage.tell(Notify(active=missing, every=stage.script("any")))
    stage.tell(Notify(active=nobody), name="B")
    until(loop, lambda: stage.scripts.idle)
    assert stage.lines() == ["any INSTANCE A MASTER 1"]
    assert stage.scripts.failed == 2
    assert "missing" in stage.log.text and "no-such-user" in stage.log.text


def test_a_bad_exit_is_logged(stage: Stage, loop: Loop) -> None:
    stage.tell(Notify(active=stage.script("bad", "exit 3")))
    until(loop, lambda: stage.scripts.idle)
    assert "exit 3" in stage.log.text
    assert stage.scripts.failed == 1


def test_in_a_hurry_only_the_scripts_of_the_stop_still_run(stage: Stage, loop: Loop) -> None:
    notify = Notify(active=stage.waiting_script("slow"), backup=stage.script("b"), stop=stage.script("stop"))
    stage.tell(notify)
    stage.tell(notify, events.BACKUP)
    stage.tell(notify, events.STOP)
    stage.scripts.hurry()
    until(loop, lambda: stage.scripts.idle)
    assert stage.lines() == ["stop"]
    assert stage.scripts.lost == 1


def test_problems_are_said_before_a_script_is_needed(stage: Stage) -> None:
    stage.scripts.look_at([Command((str(stage.directory / "missing"),)), stage.script("good")])
    assert "missing will not run" in stage.log.text
    assert "good will not run" not in stage.log.text
