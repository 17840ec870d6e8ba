# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of mails about virtual and real servers, as keepalived has them."""

from __future__ import annotations

import pytest
from vrrp_agent.balance.words import of_check, of_quorum
from vrrp_agent.conf.parts.checks import KINDS


@pytest.mark.parametrize(
    ("up", "first", "words"),
    [
        (True, False, "Gained quorum 3+1=4 <= 5"),
        (False, False, "Lost quorum 3+1=2 <= 1"),
        (True, True, "Starting with quorum up 3+1=4 <= 5"),
        (False, True, "Starting with quorum down 3+1=4 <= 0"),
    ],
)
def test_a_quorum_has_its_figures(up: bool, first: bool, words: str) -> None:
    threshold, weight = [int(number) for number in words.partition("=")[2].split(" <= ")]
    assert of_quorum(up, 3, 1, threshold, weight, first) == words


@pytest.mark.parametrize("kind", [*KINDS.values(), "HTTP_GET", "SSL_GET"])
def test_each_check_says_that_it_is_good_or_bad(kind: str) -> None:
    assert " succe" in of_check(kind, True) and "failed" in of_check(kind, False)


def test_the_words_are_keepaliveds() -> None:
    assert of_check("TCP_CHECK", False) == "TCP CHECK failed on service"
    assert of_check("PING_CHECK", True) == "ICMP CHECK succeed on service"
    assert of_check("SSL_GET", False) == "CHECK failed on service : HTTP/SSL request failed"
