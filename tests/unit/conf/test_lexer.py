# SPDX-License-Identifier: GPL-3.0-or-later
"""Comments, quotes and braces, and the column of every word."""

from __future__ import annotations

from typing import List

import pytest
from vrrp_agent.conf.text.lexer import clean, command_words, statements, words


def lex(raw: str) -> List[List[str]]:
    """The statements of a line, each as its words."""
    line, _open = clean(raw, "f", 1)
    return [list(words(text, line, index)) for text, index in statements(line)]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("priority 100", [["priority", "100"]]),
        ("\t priority\t100  ", [["priority", "100"]]),
        ("priority 100 # the best", [["priority", "100"]]),
        ("priority 100 ! the best", [["priority", "100"]]),
        ("# nothing", []),
        ("   ", []),
        ('router_id "a # b ! c"', [["router_id", "a # b ! c"]]),
        (r"router_id a\#b\!c", [["router_id", "a#b!c"]]),
        (r'router_id "a\#b"', [["router_id", r"a\#b"]]),
        ('router_id ab"cd ef"gh', [["router_id", "ab", "cd ef", "gh"]]),
        ('router_id ""', [["router_id", ""]]),
        ("virtual_ipaddress {", [["virtual_ipaddress"], ["{"]]),
        ("virtual_ipaddress{ 10.0.0.1 }", [["virtual_ipaddress"], ["{"], ["10.0.0.1"], ["}"]]),
        ("a {b{c}}", [["a"], ["{"], ["b"], ["{"], ["c"], ["}"], ["}"]]),
        ('script "echo { }" {', [["script", "echo { }"], ["{"]]),
        ("}}", [["}"], ["}"]]),
        ("a ${UNKNOWN} {", [["a", "${UNKNOWN}"], ["{"]]),
    ],
)
def test_a_line_becomes_statements_and_words(raw: str, expected: List[List[str]]) -> None:
    assert lex(raw) == expected


def test_every_word_knows_its_column() -> None:
    raw = r'  a\#b "c d"  e { f'
    line, _open = clean(raw, "f", 1)
    for text, index in statements(line):
        for word in words(text, line, index):
            start = raw[word.column - 1 :]
            assert start.startswith((word, '"' + word, r"a\#b")), (word, word.column)


def test_an_open_quote_is_noticed() -> None:
    assert clean('router_id "abc', "f", 1)[1]
    assert not clean('router_id "abc"', "f", 1)[1]
    assert not clean("router_id abc # it's \"open", "f", 1)[1], "a comment may hold any quote"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/bin/true", ["/bin/true"]),
        ('"/bin/x a b" user group', ["/bin/x a b", "user", "group"]),
        ("\"/bin/x 'a b'\"", ["/bin/x 'a b'"]),
        ("'/bin/x \"a b\"'", ['/bin/x "a b"']),
        (r'"/bin/x \"a\""', [r"/bin/x \"a\""]),
        ("/bin/a'b c'd", ["/bin/ab cd"]),
    ],
)
def test_a_command_is_split_as_a_shell_splits_quotes(text: str, expected: List[str]) -> None:
    line, _open = clean(text, "f", 1)
    found, flaw = command_words(text, line, 0)
    assert (list(found), flaw) == (expected, "")


@pytest.mark.parametrize("text", ["'open", '"open', "x \\"])
def test_a_command_with_broken_quotes_is_refused(text: str) -> None:
    line, _open = clean(text, "f", 1)
    assert command_words(text, line, 0)[1]
