# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole values between two processes, and how the end of one of them is heard."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from vrrp_agent.loop.channel import Channel
from vrrp_agent.loop.loop import Loop


class End:
    """One end of a channel, and what it has heard."""

    def __init__(self, sock: socket.socket, loop: Loop) -> None:
        self.heard: list[Any] = []
        self.ends = 0
        self.channel = Channel(sock, loop, self.heard.append, self._count)

    def _count(self) -> None:
        self.ends += 1


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def ends(loop: Loop) -> Iterator[tuple[End, End]]:
    one, other = (End(sock, loop) for sock in socket.socketpair())
    yield one, other
    one.channel.close()
    other.channel.close()


def turn(loop: Loop, until: Any) -> None:
    """Let the loop work until something holds; a few hundred turns are more than any story needs."""
    for _number in range(300):
        if until():
            return
        loop.turn(0.01)
    raise AssertionError("nothing more happens")


def test_values_arrive_whole_and_in_order(loop: Loop, ends: tuple[End, End]) -> None:
    one, other = ends
    words = ["first", {"second": 2}, b"x" * 1_000_000]
    assert all(one.channel.send(word) for word in words)
    turn(loop, lambda: other.heard == words)


def test_the_last_words_of_a_peer_are_heard_though_nothing_can_be_sent_to_it(
    loop: Loop, ends: tuple[End, End]
) -> None:
    one, other = ends
    for word in ("going", "gone"):
        one.channel.send(word)
    one.channel.close()
    assert not other.channel.send("wait"), "nobody can take it"
    assert not other.channel.waiting
    turn(loop, lambda: other.ends)
    assert other.heard == ["going", "gone"]
    assert other.ends == 1
    assert not other.channel.send("too late")


def test_after_finish_nothing_more_is_sent_and_the_peer_hears_the_end(
    loop: Loop, ends: tuple[End, End]
) -> None:
    one, other = ends
    one.channel.send("last")
    one.channel.finish()
    assert not one.channel.send("more")
    turn(loop, lambda: other.ends)
    assert other.heard == ["last"]
