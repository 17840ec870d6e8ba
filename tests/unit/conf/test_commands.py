# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines become arguments as keepalived makes them, without a shell."""

from __future__ import annotations

from typing import Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.parts.tracking import Command
from vrrp_agent.conf.values.commands import BadCommand, arguments, command


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/bin/true", ("/bin/true",)),
        ("  /bin/a  b\tc ", ("/bin/a", "b", "c")),
        ("/bin/a 'b c' d", ("/bin/a", "b c", "d")),
        ('/bin/a "b c"d', ("/bin/a", "b cd")),
        ("/bin/a ''", ("/bin/a", "")),
        (r"/bin/a b\ c", ("/bin/a", "b c")),
        (r"/bin/a \x41\x4g", ("/bin/a", "A\x04g")),
        (r"/bin/a \101\0601 '\n\t\E'", ("/bin/a", "A01", "\n\t\x1b")),
        (r"/bin/a \cA \"", ("/bin/a", "\x01", '"')),
        (r"/bin/a \xg", ("/bin/a", "xg")),
        ("/bin/a $HOME *.c ; rm", ("/bin/a", "$HOME", "*.c", ";", "rm")),
    ],
)
def test_a_command_line_is_split_without_a_shell(text: str, expected: Tuple[str, ...]) -> None:
    assert arguments(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no program"),
        ("   ", "no program"),
        ("/bin/a 'b", "not closed"),
        ('/bin/a "b', "not closed"),
        ("/bin/a \\", "escapes nothing"),
        (r"/bin/a \0", "NUL"),
    ],
)
def test_a_command_line_that_cannot_be_split_says_why(text: str, said: str) -> None:
    with pytest.raises(BadCommand, match=said):
        arguments(text)


WORD = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.lists(WORD, min_size=1).filter(lambda words: bool(words[0])))
def test_what_is_quoted_comes_back_as_it_was(words: list[str]) -> None:
    def quoted(word: str) -> str:
        return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"

    assert arguments(" ".join(quoted(word) for word in words)) == tuple(words)


@given(st.text())
def test_any_text_is_split_or_refused(text: str) -> None:
    try:
        assert arguments(text)
    except BadCommand as error:
        assert str(error)


def test_the_account_follows_the_command() -> None:
    assert command(["/bin/a b"]) == Command(("/bin/a", "b"))
    assert command(["/bin/a", "nobody"]) == Command(("/bin/a",), "nobody")
    assert command(["/bin/a", "nobody", "staff"]) == Command(("/bin/a",), "nobody", "staff")
