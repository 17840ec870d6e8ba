# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns of PCRE2: what Python makes of them, and what is refused."""

from __future__ import annotations

import re
from typing import Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.parts.checks import Pattern
from vrrp_agent.conf.pcre import PatternRefused, expression, found

BODY = b"<html>\n<body>Server 42 is OK.\r\nbye</body>\n</html>\n"

MATCHES = [
    # pattern, options, body, found
    ("is OK", "", BODY, True),
    ("is ok", "", BODY, False),
    ("is ok", "caseless", BODY, True),
    ("^<body>", "", BODY, False),
    ("^<body>", "multiline", BODY, True),
    ("42.*bye", "", BODY, False),
    ("42.*bye", "dotall", BODY, True),
    ("is \\s OK", "extended", BODY, True),
    ("is OK # fine", "extended", b"isOK", True),
    ("</html>$", "", BODY, True),
    ("</html>$", "dollar_endonly", BODY, False),
    ("</html>\\z", "", BODY, False),
    ("</html>\\Z", "", BODY, True),
    ("OK", "firstline", BODY, False),
    ("html", "firstline", BODY, True),
    ("(\\d)\\d", "no_auto_capture", BODY, True),
    (".+?O", "ungreedy", BODY, True),  # how much is matched is never asked
    ("\\Q.\\E\\R", "", BODY, True),
    ("\\QOK.", "", BODY, True),
    ("[[:digit:]]{2}\\h", "", BODY, True),
    ("[^[:alnum:]\\n<>]body", "", BODY, True),
    ("(?<n>4)(?'m'2)", "", BODY, True),
    ("(?<q>.)\\k{q}", "", b"abb", True),
    ("(?<q>.)\\g{q}", "", b"ab", False),
    ("(.)\\1", "", b"abb", True),
    ("(.)\\g{1}", "", b"abb", True),
    ("(?i)SERVER", "", BODY, True),
    ("(?i:SERVER) 42", "", BODY, True),
    ("(?#what)42", "", BODY, True),
    ("\\x34\\x{32}", "", BODY, True),
    ("\\e\\a", "", b"\x1b\x07", True),
    ("\\cA", "", b"\x01", True),
    ("\\o{101}\\0", "", b"A\0", True),
    ("[]x]", "", b"]", True),
    ("[a\\]b]", "", b"]", True),
    ("[\\Qa-b\\E]", "", b"-", True),
    ("[\\h]", "", b"\t", True),
    ("a{2}", "", b"aa", True),
    ("a{,x", "", b"a{,x", True),
    ("\\N+", "", b"\n", False),
    ("\\H", "", b" \t", False),
    ("\\N{", "", b"", None),
    ("(?>a+)b", "", b"aab", True),
    ("a++a", "", b"aaa", False),
    ("a*+", "", b"", True),
    ("^.$", "", "ä".encode(), False),
    ("^.$", "utf", "ä".encode(), True),
    ("\\x{e4}", "utf", "ä".encode(), True),
    ("ä", "", "ä".encode(), True),
    ("\\w", "utf", "ä".encode(), False),
    ("\\w", "utf ucp", "ä".encode(), True),
]


@pytest.mark.parametrize(("text", "options", "body", "expected"), MATCHES)
def test_a_pattern_of_pcre2_means_the_same(text: str, options: str, body: bytes, expected: object) -> None:
    pattern = Pattern(text, tuple(options.split()))
    if expected is None:
        with pytest.raises(PatternRefused):
            expression(pattern)
        return
    assert found(expression(pattern), pattern, body) is expected


REFUSED = [
    ("\\Kx", "", "\\K at offset 0"),
    ("a(?R)", "", "(?R) at offset 1"),
    ("(?|a|b)", "", "(?|a at offset 0"),
    ("a(?i)b", "", "(?i) at offset 1"),
    ("(*UTF)x", "", "a verb such as (*UTF) at offset 0"),
    ("a(*SKIP)", "", "a verb at offset 1"),
    ("\\p{L}", "", "\\p at offset 0"),
    ("[\\p{L}]", "", "\\p in a class"),
    ("[a", "", "a class of the regex has no ]"),
    ("[]", "allow_empty_class", "an empty class"),
    ("(", "", "regex cannot be read"),
    ("a**", "", "regex cannot be read"),
    ("(?<=a+)b", "", "regex cannot be read"),
    ("(?<a>x)(?<a>y)", "dupnames", "regex cannot be read"),
    ("x\\", "", "ends with a backslash"),
    ("(.)\\11", "", "a reference of two digits"),
    ("(.)\\1", "match_unset_backref", "a reference, with match_unset_backref,"),
    ("\\x41", "alt_bsux", "\\x with alt_bsux"),
    ("\\x{100}", "", "a character above \\xff"),
    ("\\w", "ucp", "regex_options ucp is not possible here without utf"),
    ("(?#", "", "a comment of the regex has no end"),
]


@pytest.mark.parametrize(("text", "options", "problem"), REFUSED)
def test_what_python_cannot_say_is_refused_by_name(text: str, options: str, problem: str) -> None:
    with pytest.raises(PatternRefused, match=re.escape(problem)) as caught:
        expression(Pattern(text, tuple(options.split())))
    assert caught.value.hint


OFFSETS = [
    # least, most, found: "OK" stands at 2 and 7
    (0, None, True),
    (7, None, True),
    (8, None, False),
    (0, 2, True),
    (0, 1, False),
    (3, 6, False),
    (3, 7, True),
    (100, None, False),
]


@pytest.mark.parametrize("text", ["OK", "O[K]"])
@pytest.mark.parametrize(("least", "most", "expected"), OFFSETS)
def test_offsets_bound_where_a_match_begins(text: str, least: int, most: int, expected: bool) -> None:
    pattern = Pattern(text, min_offset=least, max_offset=most)
    assert found(expression(pattern), pattern, b"a OK b OK c") is expected


def test_offsets_are_bytes_with_utf_too() -> None:
    body = "ää OK".encode()
    for least, expected in ((5, True), (6, False)):
        pattern = Pattern("O.", ("utf",), min_offset=least)
        assert found(expression(pattern), pattern, body) is expected


def test_text_without_meaning_needs_no_machine() -> None:
    assert expression(Pattern("is it OK?")).literal is None
    assert expression(Pattern("it is OK, really")).literal == b"it is OK, really"
    assert expression(Pattern("OK", ("caseless",))).literal is None


@given(st.text(max_size=20), st.binary(max_size=20))
def test_plain_text_is_found_as_it_is(text: str, around: bytes) -> None:
    quoted = "".join("\\" + one if one.isascii() and not one.isalnum() else one for one in text)
    pattern = Pattern(quoted)
    body = around + text.encode("utf-8", "surrogateescape") + around
    assert found(expression(pattern), pattern, body)


@given(st.text(alphabet="ab\\[](){}?*+.|^$<>:=!#-,0123xQEhzZkgnpPiR'", max_size=12))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    pattern = Pattern(text)
    ready: Tuple[object, ...]
    try:
        ready = expression(pattern)
    except PatternRefused:
        return
    assert ready[0] is not None
