# SPDX-License-Identifier: GPL-3.0-or-later
"""Which answers of UDP_CHECK are good, and what errors of connections mean."""

from __future__ import annotations

import errno
import socket

import pytest
from vrrp_agent.check import connect, ping
from vrrp_agent.check.udp import OWN_PAYLOAD, judge
from vrrp_agent.conf.parts.checks import Connection, Timing, UdpCheck

TO = Connection(b"\xc6\x12\0\1", 53)


def check(**words: object) -> UdpCheck:
    return UdpCheck(Timing(), TO, require_reply=True, **words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "answer", "problem"),
    [
        (check(), b"", ""),
        (check(), b"x" * 300, ""),  # as keepalived: the length counts only where it was asked for
        (check(max_length=200), b"x" * 201, "max_reply_length"),
        (check(min_length=3), b"xy", "min_reply_length"),
        (check(reply=b"\x01\x02"), b"\x01\x02\x03", ""),
        (check(reply=b"\x01\x02"), b"\x01", ""),
        (check(reply=b"\x01\x02"), b"\x01\x03", "byte 2 of the answer is 03 and not 02"),
        (check(reply=b"\x01\x02"), b"\x01\x02" * 128, "max_reply_length"),
        (check(reply=b"\x10\x20", reply_mask=b"\xf0\x00"), b"\x1f\xff", ""),
        (check(reply=b"\x10\x20", reply_mask=b"\xf0\x00"), b"\x2f\xff", "byte 1"),
    ],
)
def test_an_answer_is_held_against_the_words(one: UdpCheck, answer: bytes, problem: str) -> None:
    assert (problem in judge(one, answer)) if problem else judge(one, answer) == ""


def test_the_own_payload_is_as_long_as_keepalived_s() -> None:
    assert len(OWN_PAYLOAD) == 32


@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.EPERM])
def test_the_way_and_the_server_are_to_blame(number: int) -> None:
    assert connect.against_server(number)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.EINVAL])
def test_this_host_is_to_blame(number: int) -> None:
    assert not connect.against_server(number)


def test_errors_have_plain_words() -> None:
    assert connect.words(errno.ECONNREFUSED) == "connection refused"
    assert connect.words(errno.EMFILE) == "too many open files"


def test_an_unknown_interface_is_named() -> None:
    away = Connection(socket.inet_pton(socket.AF_INET6, "fe80::1"), 80, bind_interface="no-such-link")
    with pytest.raises(connect.CannotAsk, match="bind_if no-such-link"):
        connect.target(away)


def test_a_ping_carries_as_much_as_that_of_ping() -> None:
    assert len(ping._TEXT) + ping._TOKEN_BYTES == 56
