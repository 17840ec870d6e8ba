# SPDX-License-Identifier: GPL-3.0-or-later
"""How much work a server can make in one turn of the loop: counted in bytes that are handed on."""

from __future__ import annotations

import os
from typing import Iterator, List, Optional

import pytest
from vrrp_agent.check.http import HttpProbe
from vrrp_agent.check.judge import MOST_FRAME_BYTES, MOST_UNASKED_BYTES
from vrrp_agent.check.probe import Context, Outcome
from vrrp_agent.check.stream import FEW_BYTES, Stream
from vrrp_agent.conf.parts.checks import Connection, HttpCheck, Pattern, Timing, TlsFiles, Url
from vrrp_agent.conf.parts.tracking import ScriptPolicy
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MEANEST = b"1\nx\n"
ENOUGH_TURNS = 3000
MOST_BYTES = 4 << 20
DIGEST = Url(digests=("0" * 32,))


class Endless:
    """A socket that gives a head once and then the same for ever."""

    def __init__(self, head: bytes, again: bytes) -> None:
        self._next, self._again = head, again
        self._reading, self._writing = os.pipe()

    def fileno(self) -> int:
        return self._reading

    def recv(self, most: int) -> bytes:
        while len(self._next) < most:
            self._next += self._again * (1 + most // len(self._again))
        data, self._next = self._next[:most], self._next[most:]
        return data

    def send(self, data: bytes, _flags: int = 0) -> int:
        return len(data)

    def close(self) -> None:
        os.close(self._reading)
        os.close(self._writing)


class NoTls:
    """Decrypts nothing, and gives whole records as TLS does."""

    ready, ended = True, False

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> List[bytes]:
        self._held += data
        records = []
        while len(self._held) >= 1 << 14:
            records.append(self._held[: 1 << 14])
            self._held = self._held[1 << 14 :]
        return records

    def send(self, data: bytes) -> None:
        pass

    def outgoing(self) -> bytes:
        return b""


class Scene:
    """A check that is connected to such a socket."""

    def __init__(self, url: Url, server: Endless, tls: Optional[NoTls] = None) -> None:
        self.loop = Loop()
        self.said: List[Outcome] = []
        self.turns: List[int] = []
        """Bytes that each turn has handed on."""
        self.server = server
        connection = Connection(b"\xc6\x12\0\1", 80)
        context = Context(self.loop, Log(0), ScriptPolicy(), TlsFiles())
        self.probe = HttpProbe(HttpCheck(Timing(), connection, (url,)), context, self.said.append)
        self.stream = Stream(self.loop, connection, self, tls)  # type: ignore[arg-type]
        self.stream._opening, self.stream._socket = None, server  # type: ignore[assignment]
        self.probe._stream = self.stream
        self.loop.add_reader(server.fileno(), self.stream._readable)
        self.probe.connected()

    def run(self) -> Scene:
        """Turn until the check has its outcome; the server always has more to read."""
        while not self.said and len(self.turns) < ENOUGH_TURNS:
            self.turns.append(0)
            if self.server.fileno() in self.loop._readers:
                self.stream._readable()
            else:
                self.loop.turn(0)
        return self

    def received(self, data: bytes) -> None:
        self.turns[-1] += len(data)
        assert sum(self.turns) < MOST_BYTES, f"it reads for ever: {len(self.turns)} turns"
        self.probe.received(data)

    def connected(self) -> None:
        raise AssertionError("it is")

    def ended(self) -> None:
        raise AssertionError("it never ends")

    def broken(self, why: str) -> None:
        raise AssertionError(why)


@pytest.fixture(name="tls", params=[False, True], ids=["plain", "TLS"])
def make_tls(request: pytest.FixtureRequest) -> Iterator[Optional[NoTls]]:
    yield NoTls() if request.param else None


@pytest.mark.parametrize("again", [MEANEST, b"1;why\r\nx\r\n"])
def test_chunks_of_one_byte_are_read_slowly_and_not_for_ever(tls: Optional[NoTls], again: bytes) -> None:
    scene = Scene(DIGEST, Endless(CHUNKED, again), tls).run()
    assert scene.said == [Outcome(False, "more than 256 KiB of frames of chunks")]
    assert max(scene.turns) <= FEW_BYTES
    frame_share = 1 - 1 / len(again)
    assert sum(scene.turns) <= MOST_FRAME_BYTES / frame_share + len(CHUNKED) + FEW_BYTES


def test_where_nothing_is_asked_of_the_body_the_status_is_enough(tls: Optional[NoTls]) -> None:
    scene = Scene(Url(), Endless(CHUNKED, MEANEST), tls).run()
    assert [(one.good, one.why) for one in scene.said] == [(True, "status 200")]
    assert sum(scene.turns) < 2 * MOST_FRAME_BYTES


def test_good_manners_at_first_buy_no_long_turn_later(tls: Optional[NoTls]) -> None:
    """A long chunk, then short ones: no turn has much of both."""
    scene = Scene(DIGEST, Endless(CHUNKED + b"20000\r\n" + b"y" * 0x20000 + b"\r\n", MEANEST), tls).run()
    assert not scene.said[0].good
    after, total = [], 0
    for count in scene.turns:
        total += count
        if total > 0x20000 + len(CHUNKED) + FEW_BYTES:
            after.append(count)
    assert max(after[1:]) <= FEW_BYTES


def test_headers_are_read_slowly_too(tls: Optional[NoTls]) -> None:
    scene = Scene(Url(), Endless(HEAD, b"a\n"), tls).run()
    assert scene.said == [Outcome(False, "more than 64 KiB of headers")]
    assert max(scene.turns) <= FEW_BYTES


@pytest.mark.parametrize("head", [HEAD + b"\r\n", HEAD + b"Content-Length: 900000000\r\n\r\n"])
def test_a_plain_body_comes_in_few_turns(tls: Optional[NoTls], head: bytes) -> None:
    scene = Scene(Url(pattern=Pattern("x")), Endless(head, b"x" * 5000), tls).run()
    assert scene.said[0].good
    assert sum(scene.turns) >= MOST_UNASKED_BYTES
    assert len(scene.turns) < 40


def test_honest_chunks_take_a_few_turns_each(tls: Optional[NoTls]) -> None:
    chunk = b"2000\r\n" + b"z" * 0x2000 + b"\r\n"
    scene = Scene(Url(), Endless(CHUNKED, chunk), tls).run()
    assert scene.said[0].good
    assert sum(scene.turns) >= MOST_UNASKED_BYTES
    assert len(scene.turns) < 4 * MOST_UNASKED_BYTES / 0x2000
