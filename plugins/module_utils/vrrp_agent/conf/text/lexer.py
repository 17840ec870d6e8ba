# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines and words: comments, quotes and braces, each with its column."""

from __future__ import annotations

import re
from typing import Iterator, List, NamedTuple, Optional, Tuple

from ..tree import Word

BLANKS = " \t\f\v\r"
_SPECIAL = re.compile(r'[!#"\\]')
_WORD = re.compile(r'"([^"]*)"?|[^\s"]+', re.ASCII)
_BRACE_OR_QUOTE = re.compile(r'[{}"]')
_REFERENCE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_ \t]*\}")


class Line:
    """One line on its way through the language: its text, and where each character of it was written."""

    __slots__ = ("base", "columns", "file", "number", "text", "via")

    def __init__(
        self,
        text: str,
        file: str,
        number: int,
        base: int = 1,
        columns: Optional[List[int]] = None,
        via: str = "",
    ) -> None:
        self.text = text
        self.file = file
        self.number = number
        self.base = base
        """Column of the first character, when ``columns`` is None and the rest follows on."""
        self.columns = columns
        self.via = via

    def column(self, index: int) -> int:
        """The column of one character of ``text``."""
        if self.columns is None:
            return self.base + index
        if index < len(self.columns):
            return self.columns[index]
        return self.columns[-1] if self.columns else self.base

    def columns_list(self) -> List[int]:
        """The columns of all characters."""
        if self.columns is not None:
            return self.columns
        return list(range(self.base, self.base + len(self.text)))

    def cut(self, start: int) -> Line:
        """The line from one character on."""
        columns = self.columns[start:] if self.columns is not None else None
        return Line(self.text[start:], self.file, self.number, self.base + start, columns, self.via)


def clean(raw: str, file: str, number: int) -> Tuple[Line, bool]:
    """Takes comments, outer blanks and the backslashes of ``\\#`` and ``\\!`` off a line.

    Returns the line, and whether a double quote was left open. A backslash at the very end stays: it
    continues a definition.
    """
    start = len(raw) - len(raw.lstrip(BLANKS))
    text = raw[start:]
    if not _SPECIAL.search(text):
        return Line(text.rstrip(BLANKS), file, number, start + 1), False
    quoted = False
    continued = False
    dropped: List[int] = []
    end = len(text)
    index = 0
    while True:
        match = _SPECIAL.search(text, index)
        if match is None:
            break
        index = match.start()
        character = text[index]
        if character == '"':
            quoted = not quoted
            index += 1
        elif character == "\\":
            if index + 1 == len(text):
                end, continued = index, True
                break
            if not quoted and text[index + 1] in "#!":
                dropped.append(index)
            index += 2
        elif quoted:
            index += 1
        else:
            end = index
            break
    columns: Optional[List[int]] = None
    body = text[:end]
    if dropped:
        gone = set(dropped)
        keep = [index for index in range(end) if index not in gone]
        body = "".join(text[index] for index in keep)
        columns = [start + 1 + index for index in keep]
    body = body.rstrip(BLANKS)
    if continued:
        if columns is None:
            columns = list(range(start + 1, start + 1 + len(body)))
        columns = [*columns[: len(body)], start + 1 + end]
        body += "\\"
    return Line(body, file, number, start + 1, columns), quoted


class Piece(NamedTuple):
    """What a line says up to its first brace, and what it says after that."""

    text: str
    """``{``, ``}`` or words without unquoted braces."""
    rest: Optional[Line]


def first_piece(line: Line) -> Piece:
    """Splits a line at its first brace, as a brace outside quotes ends a statement wherever it stands.

    The text must not be empty, nor start with a blank.
    """
    text = line.text
    if "{" not in text and "}" not in text:
        return Piece(text, None)
    end = 1 if text[0] in "{}" else _next_brace(text, 0)
    start = end
    while start < len(text) and text[start] in BLANKS:
        start += 1
    return Piece(text[:end].rstrip(BLANKS), line.cut(start) if start < len(text) else None)


def statements(line: Line) -> Iterator[Tuple[str, int]]:
    """All pieces of a line, each with the index of its first character."""
    rest: Optional[Line] = line if line.text else None
    while rest is not None:
        index = len(line.text) - len(rest.text)
        piece = first_piece(rest)
        yield piece.text, index
        rest = piece.rest


def _next_brace(text: str, index: int) -> int:
    while True:
        match = _BRACE_OR_QUOTE.search(text, index)
        if match is None:
            return len(text)
        index = match.start()
        if text[index] == '"':
            close = text.find('"', index + 1)
            if close < 0:
                return len(text)
            index = close + 1
        elif text[index] == "{" and index and text[index - 1] == "$" and _REFERENCE.match(text, index):
            index = (
                text.index("}", index) + 1
            )  # ${NAME} of an unknown name is reported as such, not as a block
        else:
            return index


def words(text: str, line: Line, offset: int = 0) -> List[Word]:
    """The words of a statement. A double-quoted word keeps its blanks and knows no escapes."""
    found = []
    for match in _WORD.finditer(text):
        content = match.group(1)
        found.append(Word(match.group() if content is None else content, line.column(offset + match.start())))
    return found


def command_words(text: str, line: Line, offset: int) -> Tuple[List[Word], str]:
    """The words of a command line, split as a shell splits quotes, and what is wrong with the quotes.

    Quotes are taken off; a backslash stays with the character that follows it, for the program that
    splits the command into its arguments later.
    """
    found: List[Word] = []
    index = 0
    while True:
        while index < len(text) and text[index] in BLANKS:
            index += 1
        if index >= len(text):
            return found, ""
        start, quote, parts = index, "", []
        while index < len(text):
            character = text[index]
            if character == "\\":
                if index + 1 == len(text):
                    return found, "a backslash at the end of a command escapes nothing"
                parts.append(text[index : index + 2])
                index += 2
                continue
            if quote:
                if character == quote:
                    quote = ""
                else:
                    parts.append(character)
            elif character in "\"'":
                quote = character
            elif character in BLANKS:
                break
            else:
                parts.append(character)
            index += 1
        if quote:
            return found, f"the quote {quote} is not closed"
        found.append(Word("".join(parts), line.column(offset + start), raw=text[start:index]))
