# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers may answer checks with anything: an outcome, never a crash, never memory without bound."""

from __future__ import annotations

from typing import List

from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.check.judge import Judge
from vrrp_agent.check.smtp_answer import BadReply, Replies
from vrrp_agent.conf.parts.checks import Pattern, Url

GOOD = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 503 Busy\r\nServer: x\r\n\r\nno",
)
URLS = (Url(), Url(digests=("5d41402abc4b2a76b9719d911017c592",)), Url(pattern=Pattern("ell")))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Good answers with a few bytes spliced, cut or changed: these get further in than noise does."""
    data = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        remove = draw(st.integers(0, 8))
        data[at : at + remove] = draw(st.binary(max_size=8))
    return bytes(data)


@given(st.sampled_from(URLS), damaged() | st.binary(max_size=100), st.lists(st.integers(0, 100), max_size=4))
def test_any_answer_has_a_verdict_that_its_pieces_do_not_change(
    url: Url, data: bytes, cuts: List[int]
) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in zip(places, places[1:])]
    found = []
    for parts in ([data] if data else [], pieces):
        judge = Judge(url)
        verdict = None
        for part in parts:
            verdict = judge.feed(part)
            if verdict is not None:
                break
        found.append(verdict or judge.end())
    assert found[0] == found[1]
    assert found[0].why


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_any_talk_of_a_mail_server_is_an_answer_or_a_reason(pieces: List[bytes]) -> None:
    replies = Replies()
    try:
        for piece in pieces:
            code = replies.feed(piece)
            assert code is None or 0 <= code <= 999
    except BadReply as problem:
        assert str(problem)
