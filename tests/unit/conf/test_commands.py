# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines become arguments as keepalived makes them, without a shell."""

from __future__ import annotations

from typing import Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.parts.tracking import Command
from vrrp_agent.conf.values.commands import command, split


@pytest.mark.parametrize(
    ("text", "arguments"),
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
def test_a_command_line_is_split_without_a_shell(text: str, arguments: Tuple[str, ...]) -> None:
    assert split(text) == arguments


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no command"),
        ("   ", "no command"),
        ("/bin/a 'b", "not closed"),
        ('/bin/a "b', "not closed"),
        ("/bin/a \\", "escapes nothing"),
        (r"/bin/a \0", "NUL"),
    ],
)
def test_a_command_line_that_cannot_be_split_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        split(text)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_what_is_quoted_comes_back_as_it_was(arguments: list[str]) -> None:
    def quoted(word: str) -> str:
        return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"

    assert split(" ".join(quoted(word) for word in arguments)) == tuple(arguments)


@given(st.text())
def test_any_text_is_split_or_refused(text: str) -> None:
    try:
        assert split(text)
    except ValueError as error:
        assert str(error)


def test_the_account_follows_the_command() -> None:
    assert command(["/bin/a b"]) == Command(("/bin/a", "b"))
    assert command(["/bin/a", "nobody"]) == Command(("/bin/a",), "nobody")
    assert command(["/bin/a", "nobody", "staff"]) == Command(("/bin/a",), "nobody", "staff")
