# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of mail and name servers, ends of programs, numbers in files: the pure parts."""

from __future__ import annotations

from typing import List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.check.files import judge as judge_number
from vrrp_agent.check.http import request, server_name
from vrrp_agent.check.misc import judge as judge_end
from vrrp_agent.check.probe import Outcome
from vrrp_agent.check.smtp_answer import MOST_ANSWER_BYTES, BadReply, Replies
from vrrp_agent.check.tls import name_for
from vrrp_agent.conf.parts.checks import (
    Connection,
    FileCheck,
    HttpCheck,
    MiscCheck,
    Timing,
    Url,
)
from vrrp_agent.conf.parts.tracking import Command
from vrrp_agent.kernel.program import Ended
from vrrp_agent.wire.dns import NoName, answer, packed_name, question

# Mail.


def codes(pieces: List[bytes]) -> List[object]:
    """The codes of all answers; a BadReply as its text."""
    replies = Replies()
    found: List[object] = []
    try:
        for piece in pieces:
            code = replies.feed(piece)
            while code is not None:
                found.append(code)
                code = replies.feed(b"")
    except BadReply as problem:
        found.append(str(problem))
    return found


MAIL = [
    (b"220 mail.example ESMTP\r\n", [220]),
    (b"220\r\n", [220]),
    (b"220-mail.example\r\n220-takes no mail from strangers\r\n220 ESMTP\r\n250 hello\r\n", [220, 250]),
    (b"250 a\n221 b\n", [250, 221]),
    (b"220 not whole", []),
    (b"hello\r\n", ["this is no answer of a mail server: 'hello'"]),
    (b"2200 x\r\n", ["this is no answer of a mail server: '2200 x'"]),
    (b"220x\r\n", ["this is no answer of a mail server: '220x'"]),
    (b"\r\n", ["this is no answer of a mail server: ''"]),
    (b"220-a\r\n250 b\r\n", ["an answer with two codes: 220 and 250"]),
    (b"x" * (MOST_ANSWER_BYTES + 1), ["an answer of more than 16 KiB"]),
    (b"220-more\r\n" * 2000, ["an answer of more than 16 KiB"]),
]


@pytest.mark.parametrize(("data", "expected"), MAIL)
def test_answers_of_mail_servers(data: bytes, expected: List[object]) -> None:
    assert codes([data]) == expected


@given(st.sampled_from([data for data, _codes in MAIL]), st.lists(st.integers(0, 100), max_size=8))
def test_the_pieces_of_a_mail_answer_change_nothing(data: bytes, cuts: List[int]) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    assert codes([data[start:end] for start, end in zip(places, places[1:])]) == codes([data])


# Names.


def test_a_question_is_what_keepalived_sends() -> None:
    assert question(0x1234, "SOA", ".").hex() == "12340100000100000000000000" + "00060001"
    asked = question(1, "AAAA", "www.example.org")
    assert asked.hex() == "0001010000010000000000000377777707657861" + "6d706c65036f726700001c0001"
    assert question(1, "aaaa", "www.example.org.") == asked


@pytest.mark.parametrize("name", ["a..b", ".a", "x" * 64 + ".example", ".".join(["x" * 60] * 5)])
def test_what_dns_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(NoName):
        packed_name(name)


def test_the_head_of_an_answer() -> None:
    good = answer(bytes.fromhex("1234 8180 0001 0001 0000 0000"))
    assert good is not None
    assert (good.number, good.code, good.truncated) == (0x1234, 0, False)
    bad = answer(bytes.fromhex("1234 8383 0001 0000 0000 0000") + b"rest")
    assert bad is not None
    assert (bad.error, bad.truncated) == ("NXDOMAIN", True)
    assert answer(question(1, "A", ".")) is None  # a question is no answer
    assert answer(bytes.fromhex("1234 8180 0001")) is None


@given(st.binary(max_size=40))
def test_any_datagram_is_an_answer_or_none(data: bytes) -> None:
    found = answer(data)
    assert found is None or 0 <= found.code <= 15


# Requests.


def http(version: str = "1.0", family: int = 4, **words: object) -> HttpCheck:
    """A check of a server at port 8080."""
    address = bytes([198, 51, 100, 7]) if family == 4 else bytes.fromhex("20010db8") + bytes(11) + b"\7"
    check = HttpCheck(Timing(), Connection(address, 8080), (Url(),), version=version)
    return HttpCheck(**{**check.__dict__, **words})


REQUESTS = [
    (http(), Url("/x"), "GET /x HTTP/1.0\r\n#Host: 198.51.100.7:8080\r\n\r\n"),
    (http("1.0C"), Url("/"), "GET / HTTP/1.0\r\n#Connection: close\r\nHost: 198.51.100.7:8080\r\n\r\n"),
    (http("1.1"), Url("/"), "GET / HTTP/1.1\r\n#Connection: close\r\nHost: 198.51.100.7:8080\r\n\r\n"),
    (http(family=6), Url("/"), "GET / HTTP/1.0\r\n#Host: [2001:db8::7]:8080\r\n\r\n"),
    (http(), Url("/", virtualhost="www.example"), "GET / HTTP/1.0\r\n#Host: www.example\r\n\r\n"),
]


@pytest.mark.parametrize(("check", "url", "text"), REQUESTS)
def test_a_request_is_what_keepalived_sends(check: HttpCheck, url: Url, text: str) -> None:
    assert request(check, url).decode() == text.replace("#", "User-Agent: KeepAliveClient\r\n")


NAMES = [
    (False, None, "www.example", ""),
    (True, None, "www.example", "www.example"),
    (True, None, "www.example:8443", "www.example"),
    (True, None, "", ""),
    (True, "other.example", "www.example", "other.example"),
    (True, None, "198.51.100.7", ""),
    (True, None, "[2001:db8::7]:443", ""),
    (True, None, "www.example.", "www.example"),
]


@pytest.mark.parametrize(("sni", "name", "host", "expected"), NAMES)
def test_the_name_in_tls(sni: bool, name: Optional[str], host: str, expected: str) -> None:
    assert server_name(http(sni=sni, sni_name=name), Url(virtualhost=host)) == expected


@given(st.text(max_size=30))
def test_any_host_is_a_name_or_none(host: str) -> None:
    assert not name_for(host).startswith(".")


# Programs.

ENDS = [
    # dynamic, end, told, good, weight
    (False, Ended(0), False, True, None),
    (False, Ended(1), False, False, None),
    (False, Ended(2), False, False, None),
    (False, Ended(None, 15), False, False, None),
    (False, Ended(0), True, False, None),  # it ended well when it was told to end
    (True, Ended(0), False, True, None),
    (True, Ended(1), False, False, None),
    (True, Ended(2), False, True, 0),
    (True, Ended(255), False, True, 253),
    (True, Ended(None, 9), False, False, None),
    (True, Ended(20), True, False, None),
    (True, Ended(None, 0, "cannot be run"), False, False, None),
]


@pytest.mark.parametrize(("dynamic", "end", "told", "good", "weight"), ENDS)
def test_how_a_program_ends(dynamic: bool, end: Ended, told: bool, good: bool, weight: Optional[int]) -> None:
    check = MiscCheck(Timing(), Command(("/bin/true",)), dynamic=dynamic)
    found: Outcome = judge_end(check, end, told, 5_000_000_000)
    assert (found.good, found.weight) == (good, weight)
    assert found.why == "timed out after 5 s" if told else found.why.startswith(str(end))


# Files.

NUMBERS = [
    # weight, reverse, number, good, added
    (0, False, 0, True, 0),
    (0, False, 7, False, 0),
    (0, False, -7, False, 0),
    (0, True, 0, False, 0),
    (0, True, 7, True, 0),
    (1, False, 7, True, 7),
    (2, False, -7, True, -14),
    (-2, False, 7, True, -14),
    (2, True, 7, True, -14),
    (1, False, 0, True, 0),
    (2, False, 1 << 30, True, (1 << 31) - 1),
    (1, False, (1 << 31), True, (1 << 31) - 1),
    (-1, False, 1 << 31, False, 0),
    (-1, False, (1 << 31) - 1, True, -(1 << 31) + 1),
]


@pytest.mark.parametrize(("weight", "reverse", "number", "good", "added"), NUMBERS)
def test_what_a_number_means(weight: int, reverse: bool, number: int, good: bool, added: int) -> None:
    check = FileCheck(Timing(), "f", "/f", weight, reverse)
    assert tuple(judge_number(check, number)) == (good, added)
