# SPDX-License-Identifier: GPL-3.0-or-later
"""reload_time_file: which moment a text names, and what becomes of the file."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.parts.operations import ReloadFiles
from vrrp_agent.daemon.process.timed_reload import BadTime, Clerk, TimedReload, When, read_time
from vrrp_agent.loop.loop import Loop

from tests.unit.daemon.host import Lines

NOON = 1_700_049_600  # 2023-11-15 12:00:00 UTC


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A zone with summer time, an hour before UTC in November."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "after_s", "dated"),
    [
        ("12:00:01Z", 1, False),
        ("13:00:01", 1, False),
        ("12:00:00Z", 86400, False),
        ("11:59:59Z", 86399, False),
        ("23-11-15 12:10:00Z", 600, True),
        ("2023-11-15 12:10:00Z", 600, True),
        ("2023-11-16 13:00:00", 86400, True),
    ],
)
def test_a_time_is_the_next_one(text: str, after_s: int, dated: bool) -> None:
    assert read_time(text, NOON) == When(NOON + after_s, dated)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is no time"),
        ("noon", "is no time"),
        ("12:00", "is no time"),
        ("12:00:00 UTC", "is no time"),
        ("25:00:00", "no such time"),
        ("2023-02-30 12:00:00", "no such time"),
        ("2023-11-15 11:59:59Z", "is over"),
        ("2024-03-31 02:30:00", "no such time"),
    ],
)
def test_what_is_no_time_to_come_is_refused(text: str, part: str) -> None:
    with pytest.raises(BadTime, match=part):
        read_time(text, NOON)


@given(st.integers(0, 4_000_000_000), st.integers(0, 86399))
def test_a_time_of_the_day_is_never_more_than_a_day_away(now_s: int, second: int) -> None:
    text = time.strftime("%H:%M:%S", time.gmtime(second)) + "Z"
    assert 0 < read_time(text, now_s).wall_s - now_s <= 86400


class Told:
    """The channel to the agent."""

    def __init__(self) -> None:
        self.values: List[Any] = []

    def send(self, value: Any) -> bool:
        self.values.append(value)
        return True


def turns(loop: Loop, channel: Told, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not channel.values:
        loop.turn(0.05)


def soon(seconds: int = 2) -> str:
    return time.strftime("%H:%M:%SZ", time.gmtime(time.time() + seconds))


@pytest.mark.parametrize("repeat", [False, True])
def test_the_clerk_asks_for_a_reload_when_it_is_time(tmp_path: Path, repeat: bool) -> None:
    file = tmp_path / "when"
    file.write_text(soon() + "\n")
    loop, log, channel = Loop(), Lines(), Told()
    clerk = Clerk(loop, channel, log)  # type: ignore[arg-type]
    clerk.take(ReloadFiles(str(file), repeat))
    assert log.having("a reload is set for")
    turns(loop, channel, 10)
    assert channel.values == [None]
    assert file.exists() == repeat, "only a time that comes again stays"
    loop.close()


def test_a_file_that_goes_takes_the_reload_with_it(tmp_path: Path) -> None:
    file = tmp_path / "when"
    file.write_text(soon(3600))
    loop, log, channel = Loop(), Lines(), Told()
    Clerk(loop, channel, log).take(ReloadFiles(str(file)))  # type: ignore[arg-type]
    os.unlink(file)
    deadline = time.monotonic() + 10
    while not log.having("taken back"):
        assert time.monotonic() < deadline
        loop.turn(0.05)
    loop.close()


def test_nonsense_in_the_file_is_said_once(tmp_path: Path) -> None:
    file = tmp_path / "when"
    file.write_text("tomorrow\n")
    loop, log, channel = Loop(), Lines(), Told()
    clerk = Clerk(loop, channel, log)  # type: ignore[arg-type]
    clerk.take(ReloadFiles(str(file)))
    clerk._look()
    assert len(log.having("'tomorrow' is no time")) == 1
    assert channel.values == []
    loop.close()


def test_the_process_goes_with_the_word() -> None:
    loop = Loop()
    timed = TimedReload(loop, Lines(), lambda: None)
    timed.apply(ReloadFiles(time_file="/nowhere/time"))
    pid = timed._side.pid
    assert timed._side.running
    timed.apply(ReloadFiles())
    deadline = time.monotonic() + 10
    while timed._side.pid:
        assert time.monotonic() < deadline
        loop.turn(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    timed.apply(ReloadFiles(time_file="/nowhere/time"))
    assert timed._side.running
    timed.stop(10**9)
    loop.close()


def test_without_the_word_there_is_no_process() -> None:
    loop = Loop()
    timed = TimedReload(loop, Lines(), lambda: None)
    timed.apply(ReloadFiles())
    assert not timed._side.running
    timed.stop(0)
    loop.close()
