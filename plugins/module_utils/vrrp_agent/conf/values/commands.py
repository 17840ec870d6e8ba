# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Command lines of scripts: split into arguments as keepalived splits them. No shell is involved."""

from __future__ import annotations

from typing import List, Sequence, Tuple

from ..parts.tracking import Command

_BLANKS = " \t\f\n\r\v"
_HEX, _OCTAL = "0123456789abcdefABCDEF", "01234567"
_CONTROL = {
    "a": "\a",
    "b": "\b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}


def command(words: Sequence[str]) -> Command:
    """CMD [USER [GROUP]] as a value. Raises ValueError with what is wrong with CMD."""
    user, group = (*words[1:3], "", "")[:2]
    return Command(split(words[0]), str(user), str(group))


def split(text: str) -> Tuple[str, ...]:
    """The arguments of a command line; quotes of either kind keep blanks, in both a backslash escapes.

    Raises ValueError with what is wrong.
    """
    found: List[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in _BLANKS:
            at += 1
        if at == len(text):
            break
        word, at = _word(text, at)
        found.append(word)
    if not found:
        raise ValueError("there is no command")
    if any("\0" in word for word in found):
        raise ValueError("a command cannot hold a NUL character")
    return tuple(found)


def _word(text: str, at: int) -> Tuple[str, int]:
    parts: List[str] = []
    quote = ""
    while at < len(text):
        character = text[at]
        if character == "\\":
            escaped, at = _escape(text, at + 1)
            parts.append(escaped)
            continue
        if quote:
            if character == quote:
                quote = ""
            else:
                parts.append(character)
        elif character in "\"'":
            quote = character
        elif character in _BLANKS:
            break
        else:
            parts.append(character)
        at += 1
    if quote:
        raise ValueError(f"the quote {quote} is not closed")
    return "".join(parts), at


def _escape(text: str, at: int) -> Tuple[str, int]:
    """What stands after a backslash: C's escapes, ``\\cX``, two hexadecimal or three octal digits."""
    if at == len(text):
        raise ValueError("a backslash at the end escapes nothing")
    character = text[at]
    if character == "x" and text[at + 1 : at + 2] in _HEX and at + 1 < len(text):
        return _number(text, at + 1, _HEX, 16, 2)
    if character == "c" and at + 1 < len(text):
        return chr(ord(text[at + 1]) & 0x1F), at + 2
    if character in _OCTAL:
        return _number(text, at, _OCTAL, 8, 3)
    return _CONTROL.get(character, character), at + 1


def _number(text: str, at: int, digits: str, base: int, most: int) -> Tuple[str, int]:
    end = at
    while end < min(len(text), at + most) and text[end] in digits:
        end += 1
    return chr(int(text[at:end], base) & 0xFF), end
