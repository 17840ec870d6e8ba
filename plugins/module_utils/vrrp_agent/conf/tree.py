# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tree of a configuration: what was written, and where, before anyone asks what it means."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Iterator, Optional, Tuple

from .problem import Problem


class Word(str):
    """One word of a line. It is a ``str``; besides, it knows its column and how it was written."""

    __slots__ = ("column", "raw")

    column: int
    """From 1; 0 when it came from YAML."""
    raw: str
    """How a command line was quoted in the file; empty for ordinary words."""

    def __new__(cls, text: str, column: int = 0, raw: str = "") -> Word:
        word = super().__new__(cls, text)
        word.column = column
        word.raw = raw
        return word


@dataclass(frozen=True)
class Node:
    """A keyword with its arguments and, if it opens a block, what stands inside.

    A line of a LINES block (an address, a route, a name) is a node with an empty keyword.
    Positions do not count when nodes are compared.
    """

    keyword: str
    args: Tuple[Word, ...] = ()
    children: Tuple[Node, ...] = ()
    name: str = field(default="", compare=False)
    """The keyword it means: differs from ``keyword`` for other spellings of the same word."""
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)
    via: str = field(default="", compare=False)
    """Set when a macro wrote it: which one, and where it was used."""
    path: str = field(default="", compare=False)
    """YAML path, for a node made from YAML."""

    @property
    def label(self) -> str:
        """The arguments as one string: the name of a block."""
        return " ".join(self.args)

    def all(self, name: str) -> Iterator[Node]:
        """Children that mean the keyword ``name``, in order."""
        return (child for child in self.children if child.name == name)

    def last(self, name: str) -> Optional[Node]:
        """The child ``name`` that counts: the last one, as in keepalived."""
        found = None
        for child in self.children:
            if child.name == name:
                found = child
        return found

    def lines(self, name: str) -> Iterator[Node]:
        """The lines of every block ``name``."""
        for block in self.all(name):
            yield from block.children

    def problem(self, severity: str, message: str, hint: str = "", word: Optional[Word] = None) -> Problem:
        """A problem at this node, or at one of its words."""
        column = self.column if word is None or not word.column else word.column
        return Problem(
            severity=severity,
            message=f"{message} ({self.via})" if self.via else message,
            hint=hint,
            file=self.file,
            line=self.line,
            column=column,
            keyword=self.keyword,
            path=self.path,
        )

    def missing(self, name: str, message: str, hint: str) -> Problem:
        """An error about a keyword that should stand in this block."""
        path = f"{self.path}.{name}" if self.path else ""
        return replace(self.problem("error", message, hint), path=path)
