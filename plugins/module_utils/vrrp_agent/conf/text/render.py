# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A tree as keepalived.conf text, in one canonical layout."""

from __future__ import annotations

import re
from typing import List, Mapping, Sequence

from ..masking import masked
from ..tree import Node, Word
from ..words import Keyword, Section, Shape, Type
from .lexer import clean, command_words, statements, words

INDENT = "    "

_NEEDS_QUOTES = re.compile(r"[\s#!{}$]|^$", re.ASCII)
_STARTS_LINE = re.compile(r"[@~]|include[rmwba]?$")
_COMMAND_NEEDS_QUOTES = re.compile(r"[\s#!{}$'\"\\]|^$", re.ASCII)
_BARE_DOUBLE_QUOTE = re.compile(r'(?:\\.|[^"\\])*"')


def render(tree: Node, sections: Mapping[str, Section], *, mask: bool = False) -> str:
    """The text of a tree. With ``mask``, secrets are not in it."""
    lines: List[str] = []
    block = False
    for child in tree.children:
        keyword = sections["root"].index.get(child.keyword)
        was_block, block = block, keyword is not None and bool(keyword.block)
        if lines and (block or was_block):
            lines.append("")
        _node(child, sections["root"], sections, 0, mask, lines)
    return "\n".join(lines) + "\n" if lines else ""


def _node(
    node: Node, section: Section, sections: Mapping[str, Section], depth: int, mask: bool, lines: List[str]
) -> None:
    indent = INDENT * depth
    if section.shape is Shape.LINES:
        lines.append(indent + render_line(node.args))
        return
    keyword = section.index.get(node.keyword)
    if keyword is None:
        raise ValueError(f"{node.keyword!r} is not a word of {section.id}")
    text = indent + render_keyword(keyword, node.keyword, masked(keyword, node.args) if mask else node.args)
    if not keyword.block:
        lines.append(text)
        return
    lines.append(text + " {")
    for child in node.children:
        _node(child, sections[keyword.block], sections, depth + 1, mask, lines)
    lines.append(indent + "}")


def render_keyword(keyword: Keyword, written: str, args: Sequence[Word]) -> str:
    """A keyword and its arguments on one line."""
    if takes_command(keyword):
        return " ".join((written, *(_command(word) for word in args)))
    return " ".join((written, *(quote(word) for word in args)))


def render_line(args: Sequence[Word]) -> str:
    """A line of addresses, routes or names."""
    first, *rest = args
    start = f'"{first}"' if _STARTS_LINE.match(first) else quote(first)
    return " ".join((start, *(quote(word) for word in rest)))


def takes_command(keyword: Keyword) -> bool:
    """True for words whose line is split as a shell splits quotes."""
    return any(arg.type is Type.COMMAND for arg in keyword.args)


def quote(word: str) -> str:
    """A word as it must be written: in double quotes if anything in it would end it or begin a comment."""
    return f'"{word}"' if _NEEDS_QUOTES.search(word) else str(word)


def _command(word: Word) -> str:
    if word.raw:
        return word.raw
    if not _COMMAND_NEEDS_QUOTES.search(word):
        return str(word)
    if _BARE_DOUBLE_QUOTE.match(word):
        return f"'{word}'"
    return f'"{word}"'


def can_be_written(keyword: Keyword, args: Sequence[Word]) -> bool:
    """True when the words come back as they are: some, such as a double quote, cannot be written."""
    return _comes_back(
        render_keyword(keyword, keyword.name, args), (keyword.name, *args), takes_command(keyword)
    )


def line_can_be_written(args: Sequence[Word]) -> bool:
    """The same for a line of a block of lines."""
    return _comes_back(render_line(args), args, False)


def _comes_back(text: str, wanted: Sequence[str], command: bool) -> bool:
    if "\n" in text or "\r" in text or "\0" in text:
        return False
    line, open_quote = clean(text, "", 1)
    parts = list(statements(line))
    if open_quote or len(parts) != 1 or line.text.startswith(("@", "~")):
        return False
    if command:
        found, flaw = command_words(parts[0][0], line, 0)
        return not flaw and list(found) == list(wanted)
    return list(words(parts[0][0], line)) == list(wanted)
