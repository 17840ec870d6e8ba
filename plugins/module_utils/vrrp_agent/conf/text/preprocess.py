# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From files to statements: includes, conditions, definitions and loops are carried out here, line by line.

Work is lazy: a statement is read when the parser asks for it, so that what one statement says (``instance``,
``include_check``) holds for the lines after it, as in keepalived.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import Callable, FrozenSet, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ..problem import ERROR, WARNING, Problem
from .includes import find_files, read_include
from .lexer import BLANKS, Line, clean, first_piece
from .macros import Definition, Definitions, LanguageError, add_line, read_loop
from .source import Reader, read_lines

MAX_DEPTH = 100
"""Files, macros and loops inside one another."""
MAX_LINES = 1_200_000
"""Lines after all expansion: the largest example of keepalived's manual makes just over a million."""
MAX_PROBLEMS = 100
STARTS = "@$~i"
"""What a condition, a definition, a loop or an include may start with."""


@dataclass(frozen=True)
class Options:
    """What the caller decides about reading."""

    config_id: Optional[str] = None
    """What ``@ID`` lines are compared with: keepalived's -i, else the first label of the host name."""
    lenient: bool = False
    """Unknown words, words not done yet and missing includes are warnings."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """For ``${_ENV NAME}``."""
    random_seed: Optional[int] = None
    max_lines: int = MAX_LINES


class Statement(NamedTuple):
    """``{``, ``}`` or the words between them."""

    text: str
    line: Line
    """It begins with ``text``."""


class _Frame:
    """A source of lines: a file, the rest of a multi-line definition, or a loop."""

    def __init__(
        self, lines: Iterator[Line], file: str = "", definitions: Tuple[Definition, ...] = ()
    ) -> None:
        self.lines = lines
        self.file = file
        self.definitions = definitions
        """The definitions that these lines come from, so that none of them comes back to itself."""


class TooMuch(Exception):
    """Reading stops here; the problem that says so is already noted."""


class Preprocessor:
    """Reads one configuration. Iterate over ``statements``; ``problems`` grows meanwhile."""

    def __init__(self, path: str, reader: Reader, options: Options) -> None:
        self.problems: List[Problem] = []
        self.include_checks: FrozenSet[str] = frozenset()
        self.instance_name = ""
        self.random_seed = options.random_seed
        self._reader = reader
        self._options = options
        self._frames: List[_Frame] = []
        self._random: Optional[Callable[[int, int], int]] = None
        self._definitions = Definitions(
            options.environment,
            lambda: posixpath.dirname(reader.absolute(self._file())),
            lambda: self.instance_name,
            self._random_between,
        )
        self._main = path

    def _file(self) -> str:
        return next((frame.file for frame in reversed(self._frames) if frame.file), self._main)

    def _random_between(self, low: int, high: int) -> int:
        if self._random is None:
            import random  # rarely used, and not quick to import

            self._random = random.Random(self.random_seed).randint
        return self._random(low, high)

    def note(
        self,
        severity: str,
        message: str,
        hint: str,
        line: Line,
        index: int = 0,
        keyword: str = "",
        *,
        column: int = 0,
    ) -> None:
        """Notes a problem at one character of a line. Raises TooMuch when there are too many."""
        if line.via:
            message = f"{message} ({line.via})"
        self.problems.append(
            Problem(
                severity,
                message,
                hint,
                file=line.file,
                line=line.number,
                column=column or line.column(index),
                keyword=str(keyword),
            )
        )
        if len(self.problems) >= MAX_PROBLEMS:
            self.stop(
                f"more than {MAX_PROBLEMS} problems: the rest of the configuration is not looked at",
                "correct the first ones, and check again",
                line.file,
                line.number,
            )

    def stop(self, message: str, hint: str, file: str, number: int) -> None:
        """Notes a problem after which reading on makes no sense. Raises TooMuch."""
        self.problems.append(Problem(ERROR, message, hint, file=file, line=number))
        raise TooMuch

    def statements(self) -> Iterator[Statement]:
        """Every statement of the configuration. Raises TooMuch when it is hopeless."""
        self._open(self._main)
        count = 0
        while self._frames:
            line = next(self._frames[-1].lines, None)
            if line is None:
                self._frames.pop()
                continue
            count += 1
            if count > self._options.max_lines:
                self.stop(
                    f"the configuration grows to more than {self._options.max_lines} lines",
                    "check the limits of ~SEQ and ~LST",
                    line.file,
                    line.number,
                )
            rest = self._carry_out(line)
            while rest is not None and rest.text:
                piece = first_piece(rest)
                yield Statement(piece.text, rest)
                rest = piece.rest
                if rest is not None and rest.text[0] in STARTS:  # what follows a brace is a new line
                    rest = self._carry_out(rest)

    def _carry_out(self, line: Line) -> Optional[Line]:
        """The line as the grammar sees it; None if that was all (a definition, a loop, an include ...)."""
        through: Tuple[Definition, ...] = ()
        try:
            while line.text:
                first = line.text[0]
                if first == "@":
                    chosen = self._choose(line)
                    if chosen is None:
                        return None
                    line = chosen
                    continue
                if first == "$":
                    definition = self._definitions.begin(line)
                    if definition is not None:
                        if definition.multiline:
                            self._collect(definition)
                        return None
                if first == "~":
                    loop = read_loop(line, self._definitions)
                    if loop is not None:
                        rounds = self._rounds(loop.rounds, loop.line)
                        self._push(_Frame(rounds, definitions=through), line)
                        return None
                    break
                if "$" not in line.text:
                    break
                expanded, within = self._expand(line)
                through += within
                if expanded.text == line.text:
                    break
                line = expanded
        except LanguageError as error:
            self.note(ERROR, error.message, error.hint, line, column=error.column)
            return None
        include = read_include(line.text)
        if include is None:
            if line.text.endswith("\\"):
                message = "the backslash at the end of the line is part of its last word"
                hint = "only a $NAME= definition goes on over several lines"
                self.note(WARNING, message, hint, line, len(line.text) - 1)
            return line
        found = find_files(include, self._file(), self.include_checks, self._reader)
        for severity, message, hint in found.findings:
            lenient = self._options.lenient and severity == ERROR
            self.note(WARNING if lenient else severity, message, hint, line, include.column, "include")
        for path in reversed(found.paths):
            self._open(path, line, include.column)
        return None

    def _choose(self, line: Line) -> Optional[Line]:
        """What follows ``@ID`` or ``@^ID``, or None when it is not for this host."""
        inverted = line.text.startswith("@^")
        start = 2 if inverted else 1
        end = start
        while end < len(line.text) and line.text[end] not in BLANKS:
            end += 1
        if end == len(line.text):
            self.note(WARNING, f"nothing follows {line.text}", "write '@ID KEYWORD ...' on one line", line)
            return None
        if (line.text[start:end] == self._options.config_id) == inverted:
            return None
        while line.text[end] in BLANKS:
            end += 1
        return line.cut(end)

    def _expand(self, line: Line) -> Tuple[Line, Tuple[Definition, ...]]:
        active = [definition for frame in self._frames for definition in frame.definitions]
        expanded = self._definitions.expand(line, active)
        for message, hint, index in expanded.left_alone:
            self.note(WARNING, message, hint, expanded.line, index)
        if expanded.body is None:
            return expanded.line, expanded.within
        definition, rest = expanded.body
        where = f"in ${definition.name}, used at {line.file}:{line.number}"
        via = line.via or where
        self._push(_Frame(_with_via(rest, via), definitions=(definition,)), line)
        if definition.lines and expanded.line.text == definition.lines[0].text:
            first = definition.lines[
                0
            ]  # nothing stood before the name: the error is in the definition, not here
            return Line(first.text, first.file, first.number, first.base, first.columns, via), expanded.within
        return expanded.line, expanded.within

    def _rounds(self, rounds: Iterator[Tuple[Tuple[str, str], ...]], line: Line) -> Iterator[Line]:
        for values in rounds:
            for name, value in values:
                self._definitions.set(Definition(name, [Line(value, line.file, line.number)]))
            yield line

    def _collect(self, definition: Definition) -> None:
        """Reads the further lines of a multi-line definition."""
        frame = self._frames[-1]
        for line in frame.lines:
            if not line.text:
                if line.base < 0:  # an empty line, not one of blanks or comments
                    self.note(
                        WARNING,
                        f"an empty line ends ${definition.name}, although the line before asks for more",
                        "end the empty line in a backslash too",
                        line,
                        column=1,
                    )
                    break
                continue
            if not add_line(definition, line):
                break
        definition.multiline = bool(definition.lines)

    def _open(self, path: str, line: Optional[Line] = None, index: int = 0) -> None:
        absolute = self._reader.absolute
        if line is not None and any(
            absolute(frame.file) == absolute(path) for frame in self._frames if frame.file
        ):
            self.note(ERROR, f"{path} includes itself", "take the include out", line, index, "include")
            return
        self._push(_Frame(self._clean_lines(path), file=path), line)

    def _clean_lines(self, path: str) -> Iterator[Line]:
        """The lines of a file, which is read when the first of them is asked for."""
        lines, problems = read_lines(path, self._reader)
        self.problems.extend(problems)
        for number, raw in enumerate(lines, 1):
            if not raw:
                yield Line("", path, number, -1)
                continue
            line, open_quote = clean(raw, path, number)
            if open_quote:
                self.note(
                    ERROR,
                    'the quote " is not closed on this line',
                    'write the closing "; a word cannot go over two lines',
                    line,
                    line.text.rfind('"') if '"' in line.text else 0,
                )
                line.text += '"'
                if line.columns is not None:
                    line.columns.append(line.columns[-1])
            yield line

    def _push(self, frame: _Frame, line: Optional[Line]) -> None:
        if len(self._frames) >= MAX_DEPTH and line is not None:
            self.stop(
                f"includes, macros and loops go deeper than {MAX_DEPTH}",
                "check for a file or macro that comes back to itself",
                line.file,
                line.number,
            )
        self._frames.append(frame)


def _with_via(lines: List[Line], via: str) -> Iterator[Line]:
    for line in lines:
        yield Line(line.text, line.file, line.number, line.base, line.columns, via)
