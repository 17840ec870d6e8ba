# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers are worth to HTTP_GET, and which url is next."""

from __future__ import annotations

import hashlib
from typing import List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.check.judge import MOST_DIGESTED_BYTES, MOST_TEXT_BYTES, MOST_UNASKED_BYTES, Judge, Verdict
from vrrp_agent.check.url_turns import UrlTurns
from vrrp_agent.conf.parts.checks import Pattern, Url

HELLO = hashlib.md5(b"hello").hexdigest()
FRAMES = b"5\r\nhello\r\n0\r\n\r\n"
OF_FRAMES = hashlib.md5(FRAMES).hexdigest()
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + FRAMES
SIZED = HEAD + b"Content-Length: 5\r\n\r\n"
OPEN = HEAD + b"\r\n"


def verdict(url: Url, *data: bytes) -> Tuple[Verdict, bool]:
    """The verdict, and whether it came before the connection ended."""
    judge = Judge(url)
    for piece in data:
        found = judge.feed(piece)
        if found is not None:
            return found, True
    return judge.end(), False


STORIES = [
    # url, answer, good, why, before the end
    (Url(), SIZED + b"hello", True, "status 200", True),
    (Url(), OPEN + b"hello", True, "status 200", False),
    (Url(), SIZED + b"he", True, "status 200; closed after 2 of 5 bytes of the body", False),
    (Url(), HEAD[:-2], False, "closed in the middle of the headers", False),
    (Url(), b"HTTP/1.0 503 Busy\r\n\r\n", False, "status 503", True),
    (Url(), b"HTTP/1.0 302 Found\r\nLocation: /\r\n\r\n", False, "status 302", True),
    (Url(statuses=((200, 200), (300, 399))), b"HTTP/1.0 302 Found\r\n\r\n", True, "status 302", False),
    (Url(statuses=((200, 200),)), b"HTTP/1.0 201 Made\r\n\r\n", False, "status 201", True),
    (Url(statuses=()), b"HTTP/1.0 503 Busy\r\n\r\n", True, "status 503", False),
    (Url(), b"220 mail.example ESMTP\r\n", False, "the answer is not HTTP: '220 mail.example ESMTP'", True),
    (Url(digests=(HELLO,)), SIZED + b"hello", True, "status 200, digest matches", True),
    (Url(digests=("0" * 32, HELLO)), OPEN + b"hello", True, "status 200, digest matches", False),
    (Url(digests=(HELLO,)), CHUNKED, True, "status 200, digest matches", True),
    (Url(digests=(OF_FRAMES,)), CHUNKED, True, "status 200, digest matches", True),
    (
        Url(digests=("0" * 32,)),
        SIZED + b"hello",
        False,
        f"digest {HELLO} of 5 bytes is not the expected one",
        True,
    ),
    (Url(digests=(HELLO,)), SIZED + b"hell", False, "closed after 4 of 5 bytes of the body", False),
    (Url(digests=(HELLO,)), b"HTTP/1.0 500 No\r\n\r\nhello", False, "status 500", True),
    (Url(pattern=Pattern("h")), SIZED + b"hell", False, "closed after 4 of 5 bytes of the body", False),
]


@pytest.mark.parametrize(("url", "data", "good", "why", "early"), STORIES)
def test_an_answer_is_judged_by_status_then_digest(
    url: Url, data: bytes, good: bool, why: str, early: bool
) -> None:
    assert verdict(url, data) == (Verdict(good, why), early)
    assert verdict(url, *[data[at : at + 1] for at in range(len(data))])[0].good == good


def test_a_regex_has_the_body_to_decide_on() -> None:
    url = Url(pattern=Pattern("ell"), digests=(HELLO,))
    assert verdict(url, CHUNKED) == (Verdict(True, "status 200", b"hello"), True)


def test_a_body_without_end_is_read_no_further_than_needed() -> None:
    block = b"x" * 65536
    for url, most in (
        (Url(), MOST_UNASKED_BYTES),
        (Url(pattern=Pattern("y")), MOST_TEXT_BYTES),
        (Url(digests=(HELLO,)), MOST_DIGESTED_BYTES),
    ):
        judge = Judge(url)
        assert judge.feed(OPEN) is None
        found: Optional[Verdict] = None
        read = 0
        while found is None:
            found = judge.feed(block)
            read += len(block)
            assert read <= most + len(block), f"{url} reads on after {read} bytes"
        assert read >= most
        assert found.good == (not url.digests)
        assert len(found.text or b"") <= MOST_TEXT_BYTES
        if url.digests:
            assert found.why == "the body is longer than 64 MiB"


def test_progress_says_where_a_slow_answer_stands() -> None:
    judge = Judge(Url())
    assert judge.progress() == "no answer"
    judge.feed(HEAD)
    assert judge.progress() == "the headers did not end"
    judge.feed(b"Content-Length: 9\r\n\r\nabc")
    assert judge.progress() == "the body did not end, 3 of 9 bytes came"


# Which url is next. keepalived's own order was watched with the same servers (docs/health-checks.md).


def walk(urls: int, retry: int, tries: str) -> Tuple[str, str]:
    """The place of each try, and where the check was good."""
    turns = UrlTurns(urls, retry)
    places, goods = "", ""
    for one in tries:
        places += str(turns.place)
        if one == "1":
            goods += str(int(turns.good()))
        else:
            turns.bad()
            goods += "0"
    return places, goods


def test_one_url_a_turn() -> None:
    assert walk(3, 1, "1111111") == ("0120120", "0010010")
    assert walk(1, 1, "111") == ("000", "111")


def test_a_failure_that_is_forgiven_changes_nothing_of_the_order() -> None:
    assert walk(2, 1, "11101111") == ("01011010", "01001010")


def test_after_a_failure_that_counts_all_urls_must_be_good_again() -> None:
    assert walk(2, 0, "110111") == ("010001", "010001")
    assert walk(2, 1, "111001111") == ("010111010", "010000010")
    assert walk(1, 0, "10111") == ("00000", "10011")


def test_before_anything_is_known_the_first_failure_counts() -> None:
    assert walk(1, 3, "011") == ("000", "001")
    assert walk(2, 3, "10111") == ("01101", "00001")


@given(st.integers(1, 4), st.integers(0, 3), st.lists(st.booleans(), max_size=40))
def test_good_means_that_every_url_was_good_since_the_last_failure_that_counts(
    urls: int, retry: int, tries: List[bool]
) -> None:
    turns = UrlTurns(urls, retry)
    seen: List[int] = []
    row = 0
    for good in tries:
        place = turns.place
        if not good:
            turns.bad()
            row += 1
            if row > retry:
                seen = []
            continue
        if row > retry:
            seen = []
            row = 0
            if turns.good():
                raise AssertionError("good at once after a failure that counts")
            continue
        row = 0
        seen.append(place)
        if turns.good():
            assert sorted(set(seen)) == list(range(urls)), seen
            seen = []
