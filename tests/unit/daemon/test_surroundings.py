# SPDX-License-Identifier: GPL-3.0-or-later
"""The process around the agent: what of it changes, and when; scripts that run once; lateness."""

from __future__ import annotations

import os
import signal
import stat
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Iterator, List, Tuple

import pytest
from vrrp_agent.conf.model import Command, Config, GlobalSettings, ScriptPolicy
from vrrp_agent.conf.parts.operations import OnceCommand, Operations, Promptness
from vrrp_agent.daemon.process import surroundings
from vrrp_agent.daemon.process.once import run_once
from vrrp_agent.daemon.process.promptness import Watchdog
from vrrp_agent.daemon.process.signals import NUMBERS, Signals
from vrrp_agent.daemon.process.surroundings import Surroundings, write_number
from vrrp_agent.daemon.service import with_umask
from vrrp_agent.loop.loop import Loop

from tests.unit.daemon.host import Clock, Lines

MS = 1_000_000


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Iterator[List[Tuple[Any, ...]]]:
    """What would have been asked of the kernel."""
    calls: List[Tuple[Any, ...]] = []

    def noted(name: str) -> Callable[..., str]:
        def act(*words: Any) -> str:
            calls.append((name, *words))
            return ""

        return act

    names = ("lock_memory", "set_realtime", "limit_realtime", "set_nice", "set_affinity", "set_name")
    guard = SimpleNamespace(DEFAULT_REALTIME_PRIORITY=20, **{name: noted(name) for name in names})
    monkeypatch.setattr(surroundings, "process", guard)
    before = os.umask(0o022)
    os.umask(before)
    yield calls
    os.umask(before)


def test_a_reload_changes_what_differs_and_nothing_else(done: List[Tuple[Any, ...]]) -> None:
    made = Surroundings(Loop(), Lines())
    settings = GlobalSettings(realtime_priority=30)
    made.apply(settings)
    assert done == [("set_name", "vrrp-agent"), ("set_realtime", 30), ("limit_realtime", None)]
    done.clear()
    made.apply(replace(settings, router_id="other"))
    assert done == []
    made.apply(replace(settings, operations=Operations(process_name="keepalived")))
    assert done == [("set_name", "keepalived")]
    done.clear()
    made.apply(replace(settings, process_priority=-5, cpu_affinity=(0,)))
    assert done == [("set_name", "vrrp-agent"), ("set_nice", -5), ("set_affinity", (0,))]
    done.clear()
    made.apply(settings)
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    assert done == [("set_nice", nice), ("set_affinity", tuple(os.sched_getaffinity(0)))], "as it was"


def test_the_umask_of_the_command_line_goes_before_that_of_the_file() -> None:
    file = Config(GlobalSettings(scripts=ScriptPolicy(umask=0o002), operations=Operations(umask=0o002)))
    settings = with_umask(file, 0o077).settings
    assert (settings.operations.umask, settings.scripts.umask) == (0o077, 0o077)
    assert with_umask(file, None) is file


def test_without_the_word_the_umask_is_what_it_was(done: List[Tuple[Any, ...]]) -> None:
    made = Surroundings(Loop(), Lines())
    made.set_umask(0o002)
    assert os.umask(0o022) == 0o002
    made.set_umask(None)
    assert os.umask(0o022) == 0o022


def test_the_process_number_is_there_for_those_who_want_to_signal(tmp_path: Path) -> None:
    made = Surroundings(Loop(), Lines())
    path, victim = tmp_path / "keepalived.pid", tmp_path / "victim"
    victim.write_text("precious")
    path.symlink_to(victim)
    before = os.umask(0o077)
    made.write_pid_files([str(path)])
    os.umask(before)
    assert path.read_text() == f"{os.getpid()}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert victim.read_text() == "precious"
    made.remove_pid_files()
    assert not path.exists()


def test_a_pid_file_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    log = Lines()
    Surroundings(Loop(), log).write_pid_files([str(tmp_path / "no" / "pid")])
    assert log.having("cannot write the process number")
    with pytest.raises(OSError):
        write_number(str(tmp_path / "no" / "pid"))


# max_auto_priority.


class Late:
    """A loop whose clock is moved by hand, and a watchdog on it."""

    def __init__(self, problem: str = "") -> None:
        self.clock, self.log = Clock(), Lines()
        self.loop = Loop(self.clock)
        self.priorities: List[int] = []

        def set_priority(priority: int) -> str:
            self.priorities.append(priority)
            return problem

        self.dog = Watchdog(self.loop, self.log, set_priority)

    def sleep(self, milliseconds: int) -> None:
        self.clock.now += milliseconds * MS
        self.loop.turn(0)


def test_an_agent_that_wakes_up_late_gets_more_priority_up_to_the_bound() -> None:
    late = Late()
    late.dog.apply(Promptness(most=22, late_ns=1000 * MS), 20)
    for _ in range(20):
        late.sleep(125)
    assert late.priorities == [], "it is on time"
    late.sleep(1200)
    late.sleep(1200)
    late.sleep(1200)
    assert late.priorities == [21, 22]
    assert len(late.log.having("s late: real-time priority is now")) == 2


def test_a_refusal_ends_the_attempts() -> None:
    late = Late("Operation not permitted")
    late.dog.apply(Promptness(most=99, late_ns=1000 * MS), 0)
    for _ in range(3):
        late.sleep(2000)
    assert late.priorities == [1]
    assert late.log.having("was refused: Operation not permitted")


def test_without_the_word_nobody_looks() -> None:
    late = Late()
    late.dog.apply(Promptness(), 20)
    late.sleep(5000)
    assert late.loop.schedule.next_deadline() is None
    assert late.priorities == []


# startup_script and shutdown_script.


def script(path: Path, text: str) -> Tuple[str, ...]:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return (str(path),)


def once(argv: Tuple[str, ...], seconds: float = 10) -> OnceCommand:
    return OnceCommand(Command(argv), int(seconds * 1000) * MS)


def test_a_script_runs_to_its_end(tmp_path: Path) -> None:
    log = Lines()
    argv = script(tmp_path / "s", f'umask > "{tmp_path}/umask"; echo "$1" > "{tmp_path}/said"')
    assert run_once("startup_script", once((*argv, "a b")), ScriptPolicy(umask=0o027), log)
    assert (tmp_path / "said").read_text() == "a b\n"
    assert (tmp_path / "umask").read_text().strip() == "0027"


def test_a_script_that_fails_is_named_and_nobody_minds(tmp_path: Path) -> None:
    log = Lines()
    assert not run_once("startup_script", once(script(tmp_path / "s", "exit 3")), ScriptPolicy(), log)
    assert log.having("startup_script: ") and log.having("exit 3")


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    log = Lines()
    assert not run_once("shutdown_script", once((str(tmp_path / "none"),)), ScriptPolicy(), log)
    assert log.having("shutdown_script: ") and log.having("No such file")


def test_a_script_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    """SIGTERM does not impress it, and its child neither."""
    log = Lines()
    text = f"trap '' TERM\n(trap '' TERM; exec sleep 61) &\necho $! > {tmp_path}/child\nsleep 62"
    argv = script(tmp_path / "s", text)
    begin = time.monotonic()
    assert not run_once("startup_script", once(argv, 0.3), ScriptPolicy(), log)
    took_s = time.monotonic() - begin
    assert 2 < took_s < 12, took_s
    assert log.having("took longer than 0.3 s and was ended")
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while alive(child):
        assert time.monotonic() < deadline, "the child of the script lives"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


# Signals.


def test_signals_have_keepalived_s_numbers() -> None:
    assert NUMBERS["STOP"] == 15 and NUMBERS["RELOAD"] == 1
    assert (NUMBERS["DATA"], NUMBERS["STATS"]) == (10, 12)
    assert (NUMBERS["JSON"], NUMBERS["STATS_CLEAR"], NUMBERS["TDUMP"]) == (36, 63, 64)


def test_a_signal_is_an_event_of_the_loop() -> None:
    number = signal.SIGRTMAX - 1
    before = signal.getsignal(number)
    loop = Loop()
    heard: List[str] = []
    signals = Signals(loop)
    signals.on(number, lambda: heard.append("later"), lambda: heard.append("at once"))
    os.kill(os.getpid(), number)
    time.sleep(0)
    assert heard == ["at once"]
    loop.turn(1)
    assert heard == ["at once", "later"]
    signals.close()
    signal.signal(number, before)
    loop.close()
