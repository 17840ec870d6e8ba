# SPDX-License-Identifier: GPL-3.0-or-later
"""What the loop does first, and what it never does before something else."""

from __future__ import annotations

import socket
import time
from typing import Iterator, List, Optional, Tuple

import pytest
from vrrp_agent.loop.loop import Loop

from tests.unit.daemon.host import Clock

Pair = Tuple[socket.socket, socket.socket]


@pytest.fixture
def clock() -> Clock:
    return Clock(now=1000)


@pytest.fixture
def loop(clock: Clock) -> Iterator[Loop]:
    loop = Loop(clock)
    yield loop
    loop.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


class Alarm:
    """A timer that writes into the diary."""

    slack_ns = 0

    def __init__(self, diary: List[str], deadline: Optional[int]) -> None:
        self.queued_ns: Optional[int] = None
        self.deadline = deadline
        self._diary = diary

    def expire(self, now: int) -> None:
        self._diary.append(f"alarm at {now}")
        self.deadline = None


def reader(loop: Loop, sock: socket.socket, diary: List[str]) -> None:
    def read() -> None:
        diary.append(sock.recv(100).decode())

    loop.add_reader(sock.fileno(), read)


def test_what_has_arrived_is_heard_before_a_timer_that_is_long_due(
    loop: Loop, clock: Clock, pair: Pair
) -> None:
    """A process that was stopped for an hour hears the adverts that wait before it takes over."""
    diary: List[str] = []
    reader(loop, pair[0], diary)
    loop.schedule.refresh(Alarm(diary, clock.now + 10))
    pair[1].send(b"advert")
    clock.now += 3600 * 10**9
    loop.turn(0)
    assert diary == ["advert", f"alarm at {clock.now}"]


def test_a_job_is_done_only_when_no_timer_is_due(loop: Loop, clock: Clock) -> None:
    diary: List[str] = []
    loop.add_job(lambda: bool(diary.append("job")))
    loop.schedule.refresh(Alarm(diary, clock.now))
    loop.turn(0)
    assert diary == [f"alarm at {clock.now}"]
    loop.turn(0)
    assert diary[1:] == ["job"]


def test_a_job_that_has_more_to_do_takes_turns_with_others(loop: Loop) -> None:
    diary: List[str] = []
    rest = [True, True, False]

    def long() -> bool:
        diary.append("long")
        return rest.pop(0)

    loop.add_job(long)
    loop.add_job(lambda: bool(diary.append("short")))
    for _ in range(6):
        loop.turn(0)
    assert diary == ["long", "short", "long", "long"]


def test_a_job_keeps_the_loop_from_waiting(loop: Loop) -> None:
    done: List[int] = []
    loop.add_job(lambda: bool(done.append(1)))
    began = time.monotonic()
    loop.turn(30)
    assert done and time.monotonic() - began < 5


def test_the_wait_ends_with_the_nearest_deadline_to_the_millisecond() -> None:
    loop = Loop()
    diary: List[str] = []
    due = loop.clock() + 20_300_000
    loop.schedule.refresh(Alarm(diary, due))
    while not diary:
        loop.turn()
        assert loop.clock() < due + 2 * 10**9
    assert loop.clock() >= due, "never early"
    loop.close()


def test_stop_is_obeyed_after_the_turn(loop: Loop, pair: Pair) -> None:
    diary: List[str] = []
    reader(loop, pair[0], diary)
    pair[1].send(b"x")
    loop.add_job(lambda: bool(loop.stop()))
    loop.run()
    assert diary == ["x"]


def test_a_removed_reader_hears_nothing_more(loop: Loop, pair: Pair) -> None:
    diary: List[str] = []
    reader(loop, pair[0], diary)
    loop.remove_reader(pair[0].fileno())
    loop.remove_reader(pair[0].fileno())
    pair[1].send(b"x")
    loop.turn(0)
    assert diary == []


def test_a_reader_may_remove_another_that_has_news_in_the_same_turn(loop: Loop, pair: Pair) -> None:
    diary: List[str] = []
    other, theirs = socket.socketpair()
    with other, theirs:

        def end(name: str) -> None:
            diary.append(name)
            loop.remove_reader(pair[0].fileno())
            loop.remove_reader(other.fileno())

        loop.add_reader(pair[0].fileno(), lambda: end("first"))
        loop.add_reader(other.fileno(), lambda: end("second"))
        pair[1].send(b"x")
        theirs.send(b"x")
        loop.turn(0)
        assert len(diary) == 1


def test_reading_and_writing_are_watched_apart(loop: Loop, pair: Pair) -> None:
    diary: List[str] = []
    reader(loop, pair[0], diary)

    def writable() -> None:
        diary.append("writable")
        loop.remove_writer(pair[0].fileno())

    loop.add_writer(pair[0].fileno(), writable)
    loop.turn(0)
    pair[1].send(b"readable")
    loop.turn(0)
    assert diary == ["writable", "readable"]


def test_a_peer_that_hangs_up_wakes_the_reader(loop: Loop, pair: Pair) -> None:
    diary: List[str] = []
    reader(loop, pair[0], diary)
    pair[1].close()
    loop.turn(0)
    assert diary == [""]


def test_the_loop_is_behind_while_a_reader_leaves_something_unread(loop: Loop, pair: Pair) -> None:
    full = [True, True, False]

    def read() -> None:
        if full.pop(0):
            loop.leave_unread()
        else:
            pair[0].recv(100)

    loop.add_reader(pair[0].fileno(), read)
    pair[1].send(b"x")
    seen = []
    for _ in range(4):
        loop.turn(0)
        seen.append(loop.behind)
    assert seen == [True, True, False, False]


def test_a_reader_that_never_ends_cannot_hold_takeovers_back_for_ever(loop: Loop, pair: Pair) -> None:
    """After some full turns everything that came before the deadline has been read."""
    loop.add_reader(pair[0].fileno(), loop.leave_unread)
    pair[1].send(b"flood")
    turns = 0
    loop.turn(0)
    while loop.behind:
        loop.turn(0)
        turns += 1
        assert turns < 100
    assert turns >= 8
