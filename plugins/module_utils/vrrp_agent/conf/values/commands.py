# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Command lines as programs get them: split into arguments, with quotes and escapes."""

from __future__ import annotations

from typing import List, Sequence, Tuple

from ..model import Command

_BLANKS = " \t\f\n\r\v"
_OCTAL = "01234567"
_HEX = "0123456789abcdefABCDEF"
_ESCAPES = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class BadCommand(ValueError):
    """A command line that cannot be split: the text says why."""


def command(words: Sequence[str]) -> Command:
    """The words that follow script, notify and the like: the command, a user, a group. Raises BadCommand."""
    user, group = (*words[1:3], "", "")[:2]
    return Command(arguments(words[0]), str(user), str(group))


def arguments(text: str) -> Tuple[str, ...]:
    """The arguments in a command line; the first one is the program.

    keepalived's rules: blanks separate, single and double quotes hold together, and a backslash escapes
    the next character everywhere: \\n and the like, \\ooo, \\xhh, \\cX. Raises BadCommand.
    """
    found: List[str] = []
    index = 0
    while True:
        while index < len(text) and text[index] in _BLANKS:
            index += 1
        if index == len(text):
            break
        argument, index = _argument(text, index)
        found.append(argument)
    if not found or not found[0]:
        raise BadCommand("the command names no program")
    if any("\0" in argument for argument in found):
        raise BadCommand("a command cannot hold a NUL character")
    return tuple(found)


def unescaped(text: str) -> str:
    """The text with what stands for its backslashes and what follows them; quotes and blanks stay.

    Raises BadCommand.
    """
    parts: List[str] = []
    index = 0
    while index < len(text):
        if text[index] == "\\":
            part, index = _escape(text, index + 1)
        else:
            part, index = text[index], index + 1
        parts.append(part)
    return "".join(parts)


def _argument(text: str, index: int) -> Tuple[str, int]:
    parts: List[str] = []
    quote = ""
    while index < len(text):
        character = text[index]
        if character == "\\":
            part, index = _escape(text, index + 1)
            parts.append(part)
            continue
        if quote:
            if character == quote:
                quote = ""
            else:
                parts.append(character)
        elif character in "'\"":
            quote = character
        elif character in _BLANKS:
            break
        else:
            parts.append(character)
        index += 1
    if quote:
        raise BadCommand(f"the quote {quote} is not closed")
    return "".join(parts), index


def _escape(text: str, index: int) -> Tuple[str, int]:
    """What stands for the characters after a backslash, and where it ends."""
    if index == len(text):
        raise BadCommand("a backslash at the end of a command escapes nothing")
    first = text[index]
    if first == "x" and text[index + 1 : index + 2] in tuple(_HEX):
        end = index + 2
        while end < len(text) and end < index + 3 and text[end] in _HEX:
            end += 1
        return chr(int(text[index + 1 : end], 16)), end
    if first == "c" and index + 1 < len(text):
        return chr(ord(text[index + 1]) & 0x1F), index + 2
    if first in _OCTAL:
        end = index + 1
        while end < len(text) and end < index + 3 and text[end] in _OCTAL:
            end += 1
        return chr(int(text[index:end], 8) & 0xFF), end
    return _ESCAPES.get(first, first), index + 1
