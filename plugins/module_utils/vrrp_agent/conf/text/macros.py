# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Definitions: ``$NAME=VALUE`` in one or several lines, built-in names, and the loops ``~SEQ`` and ``~LST``.

A definition is plain text. It is put in its place where it is used, not where it is made, and what it
brings may hold other definitions in turn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from .lexer import BLANKS, Line

MAX_EXPANDED = 64 * 1024
"""Characters that one line may grow to."""
MAX_USES_A_LINE = 10_000
MAX_USES = 3_000_000
"""Uses of definitions on one line, and in the whole configuration."""
MAX_LOOP = 1_000_000
"""Rounds that one ~SEQ may take."""

_DEFINITION = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)=")
_SPACED_DEFINITION = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)[ \t]+=")
_USE = re.compile(
    r"\$(?:([A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|$)"
    r"|\{([A-Za-z_][A-Za-z0-9_]*)((?:[ \t]+[A-Za-z0-9_]+)*)\})"
)
_BARE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_LOOP = re.compile(r"~(SEQx?|LST)[ \t]*\(")
_NUMBER = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)$")


class LanguageError(Exception):
    """A macro or loop that cannot be carried out. ``column`` is 0 when it is about the whole line."""

    def __init__(self, message: str, hint: str = "", column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.column = column


@dataclass(eq=False)
class Definition:
    """One ``$NAME=``. Several lines make a macro that brings whole statements."""

    name: str
    lines: List[Line]
    multiline: bool = False
    compute: Optional[Callable[[Tuple[str, ...]], str]] = None
    """Built-in names are worked out at each use, from their parameters."""
    parameters: Tuple[int, int] = (0, 0)
    """How many parameters, at least and at most."""


class Expanded(NamedTuple):
    """A line with its definitions put in, and the rest of a multi-line one that follows it."""

    line: Line
    body: Optional[Tuple[Definition, List[Line]]]
    left_alone: Tuple[Tuple[str, str, int], ...]
    """Uses outside quotes that stay as they are: message, hint, index in ``line``."""
    within: Tuple[Definition, ...] = ()
    """The definitions that brought the loop with which ``line`` starts."""


class Definitions:
    """All names known so far."""

    def __init__(
        self,
        environment: Mapping[str, str],
        directory: Callable[[], str],
        instance: Callable[[], str],
        random_between: Callable[[int, int], int],
    ) -> None:
        self._known: Dict[str, Definition] = {}
        self._environment = environment
        self._uses = 0
        self._random = random_between
        self._builtin("_PWD", lambda _parameters: directory())
        self._builtin("_INSTANCE", lambda _parameters: instance())
        self._builtin("_HASH", lambda _parameters: "#")
        self._builtin("_BANG", lambda _parameters: "!")
        self._builtin("_RANDOM", self._random_text, (0, 2))
        self._builtin("_ENV", self._environment_text, (1, 1))

    def _builtin(
        self, name: str, compute: Callable[[Tuple[str, ...]], str], parameters: Tuple[int, int] = (0, 0)
    ) -> None:
        self._known[name] = Definition(name, [], compute=compute, parameters=parameters)

    def _random_text(self, parameters: Tuple[str, ...]) -> str:
        if not all(parameter.isdigit() for parameter in parameters):
            problem, hint = "${_RANDOM} takes numbers only", "write ${_RANDOM MIN MAX}"
            raise LanguageError(problem, hint)
        low = int(parameters[0]) if parameters else 0
        high = int(parameters[1]) if len(parameters) > 1 else 32767
        if low > high:
            raise LanguageError(
                f"${{_RANDOM}}: the smallest value {low} is above the largest, {high}",
                "write the smaller number first",
            )
        return str(self._random(low, high))

    def _environment_text(self, parameters: Tuple[str, ...]) -> str:
        if parameters[0] not in self._environment:
            raise LanguageError(
                f"the environment has no variable {parameters[0]}",
                "set it for the service, or define a $NAME in the file",
            )
        return self._environment[parameters[0]]

    def set(self, definition: Definition) -> None:
        """Makes or replaces a definition."""
        self._known[definition.name] = definition

    def begin(self, line: Line) -> Optional[Definition]:
        """The definition that the line makes, or None. If ``multiline`` is set more lines are to follow."""
        match = _DEFINITION.match(line.text)
        if match is None:
            if _SPACED_DEFINITION.match(line.text):
                raise LanguageError("a definition has no blank before '='", "write $NAME=VALUE")
            return None
        start = match.end()
        while start < len(line.text) and line.text[start] in BLANKS:
            start += 1
        value = line.cut(start)
        definition = Definition(match.group(1), [])
        definition.multiline = add_line(definition, value)
        if not definition.multiline and not definition.lines:
            definition.lines.append(value)
        self.set(definition)
        return definition

    def expand(self, line: Line, active: List[Definition]) -> Expanded:
        """Puts definitions in their places, again and again until none is left.

        ``active`` are the multi-line definitions that the line itself comes from. Raises LanguageError.
        """
        text = line.text
        index = text.find("$")
        if index < 0:
            return Expanded(line, None, ())
        columns = line.columns_list()
        within: List[Tuple[int, Definition]] = []  # (where its text ends, definition)
        left_alone: List[Tuple[str, str, int]] = []
        body: Optional[Tuple[Definition, List[Line]]] = None
        limit = min(self._uses + MAX_USES_A_LINE, MAX_USES)
        while index >= 0:
            within = [(end, definition) for end, definition in within if end > index]
            match = _USE.match(text, index)
            found = self._known.get(match.group(1) or match.group(2)) if match else None
            if match is None or found is None:
                if not _inside_quotes(text, index):
                    left_alone.extend(self._left_alone(text, match, index))
                index = text.find("$", index + 1)
                continue
            if found.multiline and match.end() != len(text):
                raise LanguageError(
                    f"${found.name} has several lines: nothing may follow it on the line",
                    "put what follows on a line of its own",
                    columns[index],
                )
            if found in active or any(found is other for _end, other in within):
                raise LanguageError(
                    f"${found.name} calls itself",
                    "a definition cannot use itself, not even by way of others",
                    columns[index],
                )
            self._uses += 1
            if self._uses > limit:
                raise LanguageError(
                    f"${found.name}: definitions are used too often", "check what they bring", columns[index]
                )
            value = self._value(found, match.group(3) or "", columns[index])
            grown = len(value) - (match.end() - index)
            if len(text) + grown > MAX_EXPANDED:
                raise LanguageError(
                    f"${found.name} makes the line too long",
                    "check what the definition brings",
                    columns[index],
                )
            columns = columns[:index] + [columns[index]] * len(value) + columns[match.end() :]
            text = text[:index] + value + text[match.end() :]
            within = [(end + grown, definition) for end, definition in within]
            within.append((index + len(value), found))
            if found.multiline:
                body = (found, found.lines[1:])
                active = [*active, found]
            if index == 0 and value.startswith("~"):
                break  # a loop: its own variables get their values round by round
            index = text.find("$", index)
        else:
            within = []
        expanded = Line(text, line.file, line.number, line.base, columns, line.via)
        return Expanded(expanded, body, tuple(left_alone), tuple(definition for _end, definition in within))

    def _left_alone(
        self, text: str, match: Optional[re.Match[str]], index: int
    ) -> Iterator[Tuple[str, str, int]]:
        if match is not None:
            hint = "define it earlier in the file, or put the text in double quotes"
            yield f"{match.group()} is not defined, and stays as it is", hint, index
            return
        bare = _BARE.match(text, index)
        if bare is not None and bare.group(1) in self._known:
            name = bare.group(1)
            message = f"${name} stays as it is, as '{text[bare.end()]}' follows it"
            yield message, f"write ${{{name}}}", index

    def _value(self, definition: Definition, parameters: str, column: int) -> str:
        given = tuple(parameters.split())
        low, high = definition.parameters
        if not low <= len(given) <= high:
            wanted = str(low) if low == high else f"{low} to {high}"
            raise LanguageError(
                f"${{{definition.name}}} takes {wanted} parameters, not {len(given)}",
                "write the name alone, or with them",
                column,
            )
        if definition.compute is not None:
            try:
                return definition.compute(given)
            except LanguageError as error:
                raise LanguageError(error.message, error.hint, column) from None
        return definition.lines[0].text if definition.lines else ""


def add_line(definition: Definition, line: Line) -> bool:
    """Adds one line to a definition in the making; True when more are to follow: it ends in a backslash."""
    continued = line.text.endswith("\\")
    text = line.text[:-1].rstrip(BLANKS) if continued else line.text
    if text:
        columns = line.columns[: len(text)] if line.columns is not None else None
        definition.lines.append(Line(text, line.file, line.number, line.base, columns, line.via))
    return continued


def _inside_quotes(text: str, index: int) -> bool:
    return text.count('"', 0, index) % 2 == 1 or text.count("'", 0, index) % 2 == 1


class Loop(NamedTuple):
    """A ``~SEQ`` or ``~LST``: the values of its variables, round by round, and the text to repeat."""

    rounds: Iterator[Tuple[Tuple[str, str], ...]]
    line: Line


def read_loop(line: Line, definitions: Definitions) -> Optional[Loop]:
    """The loop that a line starts, or None. Raises LanguageError."""
    match = _LOOP.match(line.text)
    if match is None:
        if line.text.startswith(("~SEQ", "~LST")):
            raise LanguageError(
                f"{line.text[:4]} needs its values in parentheses",
                "write ~SEQ(NAME, FIRST, LAST) TEXT or ~LST(NAME, VALUE, VALUE) TEXT",
            )
        return None
    close = line.text.find(")", match.end())
    if close < 0:
        raise LanguageError(f"~{match.group(1)} has no closing ')'", "write ~SEQ(NAME, FIRST, LAST) TEXT")
    inside = line.text[match.end() : close]
    rest = close + 1
    while rest < len(line.text) and line.text[rest] in BLANKS:
        rest += 1
    if match.group(1) == "LST":
        return Loop(_list_rounds(inside), line.cut(rest))
    return Loop(_sequence_rounds(inside, match.group(1) == "SEQx", definitions), line.cut(rest))


def _sequence_rounds(
    inside: str, hexadecimal: bool, definitions: Definitions
) -> Iterator[Tuple[Tuple[str, str], ...]]:
    form = "write ~SEQ(NAME, [FIRST, [STEP,]] LAST) TEXT"
    name, comma, values = inside.partition(",")
    name = name.strip(BLANKS)
    if not comma or not name:
        raise LanguageError("~SEQ needs a name and a last value", form)
    expanded = definitions.expand(Line(values, "", 0), [])
    if expanded.body is not None:
        raise LanguageError("a definition of several lines cannot stand in ~SEQ", form)
    numbers = []
    for part in expanded.line.text.split(","):
        part = part.strip(BLANKS)
        if not _NUMBER.match(part):
            raise LanguageError(f"'{part}' in ~SEQ is not a whole number", form)
        numbers.append(_integer(part))
    if len(numbers) == 1:
        last = numbers[0]
        first, step = (1, 1) if last >= 1 else (-1 if last < 0 else 1, -1)
    elif len(numbers) == 2:
        first, last = numbers
        step = 1 if first <= last else -1
    elif len(numbers) == 3:
        first, step, last = numbers
    else:
        raise LanguageError("~SEQ has too many values", form)
    if step == 0 or (last - first) * step < 0:
        raise LanguageError(f"~SEQ never reaches {last} from {first} by steps of {step}", form)
    if hexadecimal and min(first, last) < 0:
        raise LanguageError("~SEQx counts from 0 upwards only", "use ~SEQ for negative numbers")
    if (last - first) // step >= MAX_LOOP:
        raise LanguageError(
            f"~SEQ would go round {(last - first) // step + 1} times", f"the limit is {MAX_LOOP}"
        )
    stop = last + (1 if step > 0 else -1)
    return (((name, f"{value:x}" if hexadecimal else str(value)),) for value in range(first, stop, step))


def _integer(text: str) -> int:
    """As C reads it: 0x is hexadecimal, a leading 0 octal."""
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    if digits.lower().startswith("0x"):
        return sign * int(digits, 16)
    if len(digits) > 1 and digits.startswith("0"):
        if not set(digits) <= set("01234567"):
            raise LanguageError(f"'{text}' in ~SEQ starts with 0 and so is octal", "leave the leading 0 out")
        return sign * int(digits, 8)
    return sign * int(digits)


def _list_rounds(inside: str) -> Iterator[Tuple[Tuple[str, str], ...]]:
    form = "write ~LST(NAME, VALUE, VALUE) TEXT or ~LST({NAME, NAME}, {VALUE, VALUE}) TEXT"
    sets = _list_sets(inside, form)
    if len(sets) < 2:
        raise LanguageError("~LST needs a name and at least one value", form)
    names = sets[0]
    if not all(re.match(r"[A-Za-z_][A-Za-z0-9_]*$", name) for name in names):
        raise LanguageError(f"~LST: '{', '.join(names)}' is not a name", form)
    for values in sets[1:]:
        if len(values) > len(names):
            raise LanguageError(f"~LST has {len(values)} values for {len(names)} names", form)
    return (tuple(zip(names, values + [""] * (len(names) - len(values)))) for values in sets[1:])


def _list_sets(inside: str, form: str) -> List[List[str]]:
    """``{a, b}, {1, 2}, 3`` as [[a, b], [1, 2], [3]]."""
    sets = []
    rest = inside.strip(BLANKS)
    while True:
        if rest.startswith("{"):
            close = rest.find("}")
            if close < 0:
                raise LanguageError("~LST has no closing '}'", form)
            sets.append([part.strip(BLANKS) for part in rest[1:close].split(",")])
            rest = rest[close + 1 :].lstrip(BLANKS)
        else:
            comma = rest.find(",")
            end = len(rest) if comma < 0 else comma
            sets.append([rest[:end].strip(BLANKS)])
            rest = rest[end:]
        if not rest:
            return sets
        if not rest.startswith(","):
            raise LanguageError(f"~LST: a comma is missing before '{rest}'", form)
        rest = rest[1:].lstrip(BLANKS)
