# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories of a process beside the agent: it hears, answers, dies, comes back and ends."""

from __future__ import annotations

import os
import signal
import time
from typing import Any, Callable, Iterator, List

import pytest
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
