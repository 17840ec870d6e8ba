# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories of a process beside the agent: it hears, answers, dies, comes back and ends."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest
from vrrp_agent.loop import side as module
from vrrp_agent.loop.channel import Channel
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop
from vrrp_agent.loop.side import Side, Worker

DEADLINE_S = 10.0


class Echo(Worker):
    """Sends back what it hears, with its own process id."""

    def __init__(self, loop: Loop, channel: Channel, log: Log) -> None:
        self._channel = channel

    def take(self, value: Any) -> None:
        if value == "die":
            os._exit(9)
        self._channel.send((os.getpid(), value))


def until(loop: Loop, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "did not happen"
        loop.turn(0.05)


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def heard() -> List[Any]:
    return []


@pytest.fixture
def side(loop: Loop, heard: List[Any]) -> Iterator[Side]:
    side = Side("echo", Echo, loop, Log(0), lambda: ["hello"], heard.append)
    side.start()
    yield side
    side.stop()


def test_a_side_hears_first_what_every_new_one_must_know(side: Side, loop: Loop, heard: List[Any]) -> None:
    side.send("first")
    until(loop, lambda: len(heard) == 2)
    assert heard == [(side.pid, "hello"), (side.pid, "first")]
    assert side.pid != os.getpid()


def test_a_value_larger_than_a_socket_buffer_arrives_whole(side: Side, loop: Loop, heard: List[Any]) -> None:
    large = b"x" * 5_000_000
    side.send(large)
    until(loop, lambda: len(heard) == 2)
    assert heard[1] == (side.pid, large)


def test_a_side_that_dies_is_started_again_and_told_again(side: Side, loop: Loop, heard: List[Any]) -> None:
    until(loop, lambda: len(heard) == 1)
    first = side.pid
    side.send("die")
    until(loop, lambda: len(heard) == 2)
    assert heard[1] == (side.pid, "hello")
    assert side.pid != first
    assert side.restarts == 1


def test_what_is_sent_to_a_dead_side_is_said_to_be_lost(side: Side, loop: Loop, heard: List[Any]) -> None:
    until(loop, lambda: len(heard) == 1)
    os.kill(side.pid, signal.SIGKILL)
    until(loop, lambda: not side.running)
    assert side.send("lost") is False


def test_a_side_ends_with_the_agent_and_leaves_no_process(loop: Loop, heard: List[Any]) -> None:
    side = Side("echo", Echo, loop, Log(0), lambda: ["hello"], heard.append)
    side.start()
    until(loop, lambda: len(heard) == 1)
    pid = side.pid
    side.stop()
    assert side.pid == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


class Deaf(Worker):
    """Never ends by itself."""

    def __init__(self, loop: Loop, channel: Channel, log: Log) -> None:
        channel.send(os.getpid())

    def end(self) -> None:
        time.sleep(DEADLINE_S * 10)


def test_a_side_that_does_not_end_is_killed(loop: Loop, heard: List[Any]) -> None:
    side = Side("deaf", Deaf, loop, Log(0), list, heard.append)
    side.start()
    until(loop, lambda: len(heard) == 1)
    side.stop(patience_ns=50_000_000)
    assert side.pid == 0
    with pytest.raises(ProcessLookupError):
        os.kill(heard[0], 0)


class Slow(Worker):
    """Says when it begins and when it has ended, and takes its time to end."""

    def __init__(self, loop: Loop, channel: Channel, log: Log) -> None:
        self._path = ""

    def take(self, value: Any) -> None:
        if not self._path:
            self._path = value
            self._say("begins")
        else:
            self._say(value)

    def end(self) -> None:
        time.sleep(0.3)
        self._say("ends")

    def _say(self, word: str) -> None:
        with open(self._path, "a", encoding="utf-8") as stream:
            stream.write(f"{word}\n")


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    return tmp_path / "diary"


@pytest.fixture
def slow(loop: Loop, diary: Path) -> Iterator[Side]:
    side = Side("slow", Slow, loop, Log(0), lambda: [str(diary)], lambda _value: None)
    side.start()
    until(loop, diary.exists)
    yield side
    side.stop()


def words(diary: Path) -> List[str]:
    return diary.read_text().split()


def test_one_that_retires_reads_its_last_words_ends_and_is_no_zombie(
    slow: Side, loop: Loop, diary: Path
) -> None:
    pid = slow.pid
    slow.send("last")
    slow.retire()
    assert not slow.running and not slow.send("too late")
    until(loop, lambda: not slow.pid)
    assert words(diary) == ["begins", "last", "ends"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert slow.deadline is None


def test_the_next_one_begins_when_the_one_that_retires_has_ended(slow: Side, loop: Loop, diary: Path) -> None:
    slow.retire()
    slow.start()
    assert not slow.running
    until(loop, lambda: slow.running)
    until(loop, lambda: len(words(diary)) == 3)
    assert words(diary) == ["begins", "ends", "begins"]
    assert slow.restarts == 0, "it has not died"


def test_the_end_of_the_agent_waits_for_one_that_retires(slow: Side, diary: Path) -> None:
    pid = slow.pid
    slow.retire()
    slow.stop()
    assert words(diary) == ["begins", "ends"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_end_of_the_agent_comes_after_the_work_of_both(slow: Side, diary: Path) -> None:
    slow.retire()
    slow.start()
    slow.stop()
    assert words(diary) == ["begins", "ends", "begins", "ends"]


def test_one_that_does_not_retire_is_killed(
    loop: Loop, heard: List[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETIREMENT_NS", 50_000_000)
    side = Side("deaf", Deaf, loop, Log(0), list, heard.append)
    side.start()
    until(loop, lambda: len(heard) == 1)
    side.retire()
    until(loop, lambda: not side.pid)
    with pytest.raises(ProcessLookupError):
        os.kill(heard[0], 0)


class Late(Worker):
    """Is still being made when the agent goes, and speaks to nobody."""

    def __init__(self, loop: Loop, channel: Channel, log: Log) -> None:
        give_up_s = time.monotonic() + DEADLINE_S
        while channel.send("a word") and time.monotonic() < give_up_s:
            time.sleep(0.01)


def test_one_that_is_still_being_made_when_the_agent_goes_ends_by_itself(
    loop: Loop, heard: List[Any]
) -> None:
    side = Side("late", Late, loop, Log(0), list, heard.append)
    side.start()
    until(loop, lambda: len(heard) == 1)
    assert side.stop(patience_ns=5_000_000_000), "it had to be killed"
