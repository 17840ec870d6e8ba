# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of HTTP servers, good and bad, in one piece and in any pieces."""

from __future__ import annotations

from typing import List, NamedTuple, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.check.http_answer import MOST_HEADER_BYTES, BadAnswer, HttpAnswer

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Read(NamedTuple):
    """What came of an answer."""

    status: int
    body: bytes
    done: bool
    missing: str
    problem: str = ""
    raw: bytes = b""


def read(pieces: List[bytes]) -> Read:
    """Feed all of it, then close the connection."""
    answer = HttpAnswer()
    body = raw = b""
    missing = ""
    try:
        for piece in pieces:
            came = answer.feed(piece)
            body += came.body
            raw += came.raw
        done = answer.done
        missing = answer.end()
    except BadAnswer as problem:
        return Read(answer.status, b"", False, "", str(problem))
    return Read(answer.status, body, done, missing, "", raw)


GOOD = [
    (PLAIN, 200, b"hello", True),
    (PLAIN + b"HTTP/1.1 500 next\r\n\r\n", 200, b"hello", True),  # what follows is not ours
    (b"HTTP/1.0 404 Not Found\r\n\r\nno", 404, b"no", False),  # until the connection ends
    (b"HTTP/1.1 200\r\n\r\n", 200, b"", False),  # no reason; keepalived wants a blank after the code
    (b"HTTP/1.1 200 OK\n\nbody", 200, b"body", False),  # RFC 9112 2.2: a bare LF may be taken
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 304, b"", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b"", True),
    (b"HTTP/1.1 200 OK\r\ncontent-length:  2 \r\n\r\nab", 200, b"ab", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nab", 200, b"ab", False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 200, b"ab", False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nab", 200, b"a", True),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, 200, b"hello", True),
    (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 503 Busy\r\n\r\n", 503, b"", False),
    (b"HTTP/1.1 101 Switching\r\n\r\nwhatever", 101, b"", True),
    (b"HTTP/2 200\r\n\r\nx", 200, b"x", False),
    (b"HTTP/1.1 200 OK\r\nno header at all\r\n\r\nx", 200, b"x", False),
    (CHUNKS + b"5\r\nhello\r\n0\r\n\r\n", 200, b"hello", True),
    (CHUNKS + b"5;a=b\r\nhello\r\n1 \r\n!\r\n0\r\nTrailer: 1\r\n\r\nrest", 200, b"hello!", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" + CHUNKS[17:] + b"1\nx\n0\n\n", 200, b"x", True),
]
BAD = [
    (b"", "closed without an answer"),
    (b"SSH-2.0-OpenSSH_9.2p1\r\n", "the answer is not HTTP: 'SSH-2.0-OpenSSH_9.2p1'"),
    (b"S", "the answer is not HTTP: 'S'"),
    (b"\0" * 100, "the answer is not HTTP: "),
    (b"HTTP/1.1 2x0 OK\r\n\r\n", "the status line makes no sense"),
    (b"HTTP/1.1 2000 OK\r\n\r\n", "the status line makes no sense"),
    (b"HTTP/x 200 OK\r\n\r\n", "the status line makes no sense"),
    (b"HTTP/1.1 200 OK", "closed in the middle of the headers"),
    (b"HTTP/1.1 200 OK\r\nServer: x\r\n", "closed in the middle of the headers"),
    (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000, "more than 64 KiB of headers"),
    (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000, "more than 64 KiB of headers"),
    (b"HTTP/1.1 100 C\r\n\r\n" * 5000, "more than 64 KiB of headers"),
    (CHUNKS + b"z\r\n", "the size of a chunk makes no sense: 'z'"),
    (CHUNKS + b"-1\r\n", "the size of a chunk makes no sense"),
    (CHUNKS + b"1\r\nxy\r\n", "a chunk does not end where it should"),
    (CHUNKS + b"0\r\n" + b"X: y\r\n" * 20000, "more than 64 KiB of headers"),
]
SHORT = [
    (PLAIN[:-2], "closed after 3 of 5 bytes of the body"),
    (CHUNKS + b"5\r\nhe", "closed in the middle of the chunks, after 2 bytes of the body"),
    (CHUNKS + b"5\r\nhello\r\n", "closed in the middle of the chunks, after 5 bytes of the body"),
]


@pytest.mark.parametrize(("data", "status", "body", "done"), GOOD)
def test_a_good_answer(data: bytes, status: int, body: bytes, done: bool) -> None:
    found = read([data])
    assert (found.status, found.body, found.done, found.missing, found.problem) == (
        status,
        body,
        done,
        "",
        "",
    )


@pytest.mark.parametrize(("data", "problem"), BAD)
def test_what_is_no_answer_is_refused_with_its_begin(data: bytes, problem: str) -> None:
    assert problem in read([data]).problem


@pytest.mark.parametrize(("data", "missing"), SHORT)
def test_a_server_that_closes_half_way_is_told_from_one_that_has_finished(data: bytes, missing: str) -> None:
    found = read([data])
    assert (found.status, found.missing) == (200, missing)


def test_the_raw_body_is_what_came_on_the_wire_for_keepalived_digests_it() -> None:
    frames = b"5\r\nhello\r\n0\r\n\r\n"
    assert read([CHUNKS + frames + b"next"]).raw == frames


SAMPLES = [data for data, *_rest in [*GOOD, *BAD, *SHORT] if len(data) < 300]


@given(st.sampled_from(SAMPLES), st.lists(st.integers(0, 300), max_size=12))
def test_the_pieces_in_which_an_answer_comes_change_nothing(data: bytes, cuts: List[int]) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in zip(places, places[1:])]
    assert read(pieces) == read([data])


@given(st.integers(0, 2), st.binary(max_size=200))
def test_a_header_limit_does_not_depend_on_the_pieces(more: int, tail: bytes) -> None:
    start = b"HTTP/1.1 200 OK\r\nX: "
    exact = start + b"y" * (MOST_HEADER_BYTES - len(start) - 4) + b"y" * more + b"\r\n\r\n" + tail
    whole, halves = read([exact]), read([exact[:30000], exact[30000:]])
    assert whole == halves
    assert bool(whole.problem) == (more > 0)


def chunked(parts: List[bytes]) -> bytes:
    """A body in the chunks of a server."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@given(st.lists(st.binary(min_size=1, max_size=50)), st.lists(st.integers(0, 500), max_size=6))
def test_chunks_are_put_together(parts: List[bytes], cuts: List[int]) -> None:
    data = CHUNKS + chunked(parts)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    found = read([data[start:end] for start, end in zip(places, places[1:])])
    assert (found.body, found.done) == (b"".join(parts), True)


def test_many_short_chunks_take_no_square_of_their_number() -> None:
    """A server that sends chunks of one byte must not keep the process from its other checks."""
    import time

    def seconds(count: int) -> float:
        data = CHUNKS + chunked([b"x"] * count)
        start = time.process_time()
        assert read([data]).done
        return time.process_time() - start

    small: Optional[float] = min(seconds(2_000) for _try in range(3))
    assert small is not None
    assert min(seconds(20_000) for _try in range(2)) < 40 * small + 0.05
