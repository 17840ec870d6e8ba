# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Statements to a tree, by the grammar table: which word may stand in which block, and where blocks end."""

from __future__ import annotations

from typing import List, Mapping, NamedTuple, Optional, Tuple

from ..match.lookup import block_names, nearest, sections_with
from ..problem import ERROR, WARNING, Problem
from ..tree import Node, Word
from ..words import Keyword, Section, Shape, Type
from .includes import read_checks
from .lexer import Line, command_words, words
from .preprocess import Options, Preprocessor, Statement, TooMuch
from .source import Reader

MAX_NESTING = 50


class ParseResult(NamedTuple):
    """The tree as far as it could be read, and what is wrong with the text."""

    tree: Node
    problems: Tuple[Problem, ...]
    ignored: Tuple[str, ...]
    """Unknown words passed over with a warning (lenient)."""


class _Block:
    """A block being read."""

    __slots__ = ("args", "children", "keyword", "line", "opened", "section", "waiting", "word")

    def __init__(
        self,
        section: Optional[Section],
        keyword: Optional[Keyword],
        word: Word,
        args: Tuple[Word, ...],
        line: Line,
    ) -> None:
        self.section = section
        """None for a block that is passed over."""
        self.keyword = keyword
        self.word = word
        self.args = args
        self.line = line
        self.children: List[Node] = []
        self.waiting = keyword is not None
        """Its opening brace is still to come."""

    @property
    def title(self) -> str:
        return " ".join((self.word, *self.args))


def parse_file(path: str, reader: Reader, options: Options, sections: Mapping[str, Section]) -> ParseResult:
    """Reads a configuration and all that it includes. Never raises for bad input: see ``problems``."""
    parser = _Parser(Preprocessor(path, reader, options), options, sections, path)
    return parser.run()


class _Parser:
    def __init__(
        self, source: Preprocessor, options: Options, sections: Mapping[str, Section], path: str
    ) -> None:
        self._source = source
        self._sections = sections
        self._lenient = options.lenient
        self._path = path
        start = Line("", path, 1)
        self._root = _Block(sections["root"], None, Word(""), (), start)
        self._stack: List[_Block] = [self._root]
        self._stray: Optional[Statement] = None
        """An unknown word: if a brace follows, it opens a block to pass over."""
        self._repaired = 0
        """Closing braces that the parser put in itself, so that it can pass over as many extra ones."""
        self._ignored: List[str] = []

    def run(self) -> ParseResult:
        try:
            for statement in self._source.statements():
                self._statement(statement)
            self._end_of_file()
        except TooMuch:
            pass
        while len(self._stack) > 1:
            self._close()
        tree = Node("", children=tuple(self._root.children), file=self._path)
        return ParseResult(tree, tuple(self._source.problems), tuple(self._ignored))

    def _note(
        self, severity: str, message: str, hint: str, line: Line, keyword: str = "", index: int = 0
    ) -> None:
        self._source.note(severity, message, hint, line, index, keyword)

    def _statement(self, statement: Statement) -> None:
        top = self._stack[-1]
        if statement.text == "{":
            self._opening(top, statement)
        elif statement.text == "}":
            self._closing(top, statement)
        else:
            self._stray = None
            if top.waiting:
                self._missing_brace(top)
            self._words(self._stack[-1], statement)

    def _opening(self, top: _Block, statement: Statement) -> None:
        if len(self._stack) > MAX_NESTING:
            line = statement.line
            message = f"blocks stand more than {MAX_NESTING} deep in one another"
            self._source.stop(message, "look for missing '}'", line.file, line.number)
        if top.waiting:
            top.waiting = False
        elif self._stray is not None:
            unknown = self._stray
            self._stray = None
            self._stack.append(_Block(None, None, Word(unknown.text), (), unknown.line))
        elif top.section is None:
            self._stack.append(_Block(None, None, Word("{"), (), statement.line))
        else:
            self._note(
                ERROR,
                "'{' opens no block here",
                f"{self._where(top)}; a keyword that opens a block comes first",
                statement.line,
            )
            self._stack.append(_Block(None, None, Word("{"), (), statement.line))

    def _closing(self, top: _Block, statement: Statement) -> None:
        self._stray = None
        if top.waiting:
            self._missing_brace(top)
            self._close()
            if len(self._stack) == 1:
                return
            self._repaired += 1  # the brace may have been meant for the inner block or for the one around it
        if len(self._stack) > 1:
            self._close()
        elif self._repaired:
            self._repaired -= 1
        else:
            self._note(
                ERROR,
                "'}' closes nothing",
                "take it out, or look for a '}' too many above",
                statement.line,
            )

    def _missing_brace(self, block: _Block) -> None:
        self._note(
            ERROR,
            f"'{{' is missing after {block.title}",
            f"write '{block.title} {{'",
            block.line,
            block.word,
        )
        block.waiting = False

    def _close(self) -> None:
        block = self._stack.pop()
        if block.section is not None:
            self._stack[-1].children.append(
                self._node(block.keyword, block.word, block.args, block.line, tuple(block.children))
            )

    @staticmethod
    def _node(
        keyword: Optional[Keyword],
        word: Word,
        args: Tuple[Word, ...],
        line: Line,
        children: Tuple[Node, ...] = (),
    ) -> Node:
        name = (keyword.alias_of or keyword.name) if keyword is not None else ""
        column = word.column
        return Node(
            str(word) if keyword is not None else "",
            args,
            children,
            name,
            line.file,
            line.number,
            column,
            line.via,
        )

    def _words(self, top: _Block, statement: Statement) -> None:
        line = statement.line
        found = words(statement.text, line)
        section = top.section
        if not found or section is None:
            if section is None:
                self._stray = statement
            return
        if section.shape is Shape.LINES:
            if self._ends_lines_block(top, section, found[0]):
                self._end_forgotten(top, found[0], line, statement)
                self._words(self._stack[-1], statement)
            else:
                top.children.append(self._node(None, found[0], tuple(found), line))
            return
        keyword = section.index.get(found[0])
        if keyword is None:
            self._unknown(top, section, found[0], statement)
            return
        args = tuple(found[1:])
        if keyword.args and any(arg.type is Type.COMMAND for arg in keyword.args):
            args = self._command(statement, found[0], line)
        if keyword.block:
            self._stack.append(_Block(self._sections[keyword.block], keyword, found[0], args, line))
            return
        if keyword.removed:
            self._stray = statement  # if it was a block, its body goes with it
        if section.id == "root" or section.id == "global_defs":
            self._tell_source(keyword.name, args)
        top.children.append(self._node(keyword, found[0], args, line))

    def _command(self, statement: Statement, word: Word, line: Line) -> Tuple[Word, ...]:
        start = statement.text.find(word) + len(word)
        args, flaw = command_words(statement.text[start:], line, start)
        if flaw:
            self._note(
                ERROR,
                flaw,
                "write the command in double quotes, and arguments with blanks in single ones: "
                "\"/path/to/script 'an argument'\"",
                line,
                word,
                start,
            )
        return tuple(args)

    def _tell_source(self, name: str, args: Tuple[Word, ...]) -> None:
        """Some words change how the lines after them are read."""
        if name == "instance" and args:
            self._source.instance_name = args[0]
        elif name == "include_check":
            self._source.include_checks = read_checks(tuple(args), self._source.include_checks)
        elif name == "random_seed" and args and args[0].isascii() and args[0].isdigit():
            self._source.random_seed = int(args[0][:20])

    def _ends_lines_block(self, top: _Block, section: Section, word: Word) -> bool:
        """True when a word in a block of lines can only be a keyword after a forgotten '}'."""
        if word in section.index or not section.item:
            return False
        named = section.item[0].type in (Type.NAME, Type.WORD, Type.INTERFACE)
        for block in reversed(self._stack[:-1]):
            keyword = block.section.index.get(word) if block.section is not None else None
            if keyword is not None:
                return bool(keyword.block) or not named
        return False

    def _end_forgotten(self, top: _Block, word: Word, line: Line, statement: Statement) -> None:
        """Closes blocks, as if their '}' stood there, down to the one that knows the word."""
        self._note(
            ERROR,
            f"'}}' is missing before '{word}': the block {top.title}, opened on line {top.line.number}, is "
            "still open",
            f"close it before line {line.number}",
            top.line,
            word,
        )
        while len(self._stack) > 1:
            self._close()
            self._repaired += 1
            section = self._stack[-1].section
            if section is not None and word in section.index:
                return

    def _unknown(self, top: _Block, section: Section, word: Word, statement: Statement) -> None:
        if len(self._stack) > 1 and self._root_block(word):
            self._end_forgotten(top, word, statement.line, statement)
            self._words(self._stack[-1], statement)
            return
        self._stray = statement
        severity = WARNING if self._lenient else ERROR
        if self._lenient:
            self._ignored.append(str(word))
        elsewhere = sections_with(word, self._sections)
        if elsewhere:
            message = f"'{word}' does not belong {self._place(top)}"
            hint = "it belongs in " + " or ".join(elsewhere[:3])
        else:
            message = f"unknown word '{word[:60]}' {self._place(top)}"
            near = nearest(word, list(section.index))
            hint = f"did you mean '{near}'?" if near else "'vrrp-agent keywords' lists all words"
        self._note(severity, message, hint, statement.line, word[:60])

    def _root_block(self, word: Word) -> bool:
        keyword = self._sections["root"].index.get(word)
        return keyword is not None and bool(keyword.block) and self._stack[-1].section is not None

    def _place(self, block: _Block) -> str:
        if block.section is None or block.section.id == "root":
            return "at the top level of the file"
        return "in " + block_names(self._sections).get(block.section.id, block.section.id)

    def _where(self, block: _Block) -> str:
        if block.section is None or block.section.id == "root":
            return "this is the top level of the file"
        return f"this is inside {block.title}, opened on line {block.line.number}"

    def _end_of_file(self) -> None:
        top = self._stack[-1]
        if top.waiting:
            self._missing_brace(top)
            self._close()
            top = self._stack[-1]
        if len(self._stack) > 1:
            self._note(
                ERROR,
                f"the block {top.title or '{'} is never closed: '}}' is missing",
                "write '}' where it ends",
                top.line,
                top.word,
            )
