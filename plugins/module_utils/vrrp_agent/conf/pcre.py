# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``regex`` of a url: a pattern of PCRE2 (pcre2pattern(3)) in the words of Python's re. Pure.

What has another spelling is spelled anew; what Python cannot say is refused, with its name. Nothing is
taken for something else in silence.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from .parts.checks import Pattern

_FLAGS = {
    "caseless": re.IGNORECASE,
    "dotall": re.DOTALL,
    "extended": re.VERBOSE,
    "multiline": re.MULTILINE,
}
_MEANINGFUL = frozenset("\\.^$*+?{}[]|()")
_POSSESSIVE_SINCE = (3, 11)
_SPACE = " \\t\\n\\r\\f\\v"
_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": _SPACE,
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_VERTICAL, _HORIZONTAL = "\\n\\x0b\\f\\r\\x85", " \\t\\xa0"
_CLASSES = {"h": _HORIZONTAL, "v": _VERTICAL}
_SAME = frozenset("dDsSwWbBA")
_SAME_IN_CLASS = frozenset("dDsSwWb")
_CHARACTERS = {"a": "\\x07", "e": "\\x1b", "f": "\\f", "n": "\\n", "r": "\\r", "t": "\\t"}
_INLINE = re.compile(r"\(\?([imsx]*)(?:-([imsx]+))?([:)])")
_POSIX_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")
_QUANTIFIER = re.compile(r"[*+?]|\{\d+(?:,\d*)?\}")
_NAME = r"([A-Za-z_][A-Za-z0-9_]{0,31})"
_NAMED = re.compile(rf"\(\?(?:P?<{_NAME}>|'{_NAME}')")
_NAMED_AGAIN = re.compile(rf"\\[kg](?:\{{{_NAME}\}}|<{_NAME}>|'{_NAME}')")
_NUMBER_AGAIN = re.compile(r"\\g(?:\{(\d+)\}|(\d+))")
_HEXADECIMAL = re.compile(r"\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{0,2}))")
_OCTAL = re.compile(r"\\o\{([0-7]+)\}|\\(0[0-7]{0,2})")
_CONDITION = re.compile(rf"\(\?\((?:(\d+)|<{_NAME}>|'{_NAME}')\)")


class PatternRefused(ValueError):
    """A pattern that cannot be used. The text says what is wrong, ``hint`` how to mend it."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint or "write it in another way, or ask MISC_CHECK to do it"


class Expression(NamedTuple):
    """A pattern that is ready to be used."""

    compiled: Any
    """re.Pattern of bytes; of str with ``utf``."""
    utf: bool
    first_line: bool
    """firstline: a match begins in the first line."""
    literal: Optional[bytes] = None
    """The bytes themselves, where nothing in the pattern has a meaning of its own."""


def expression(pattern: Pattern) -> Expression:
    """Make a pattern ready. Raises PatternRefused."""
    options = frozenset(pattern.options)
    utf = "utf" in options
    if "ucp" in options and not utf:
        raise PatternRefused("regex_options ucp is not possible here without utf", "write utf too, or none")
    text = _Translation(pattern.text, options).whole()
    flags = 0
    for name, flag in _FLAGS.items():
        if name in options:
            flags |= flag
    plain = not _MEANINGFUL & set(pattern.text) and not flags & (re.IGNORECASE | re.VERBOSE)
    source: Any = text if utf else text.encode("utf-8", "surrogateescape")
    try:
        compiled = re.compile(source, flags if not utf or "ucp" in options else flags | re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternRefused(f"regex cannot be read: {error}", "correct the pattern") from None
    literal = pattern.text.encode("utf-8", "surrogateescape") if plain and not utf else None
    return Expression(compiled, utf, "firstline" in options, literal)


def found(ready: Expression, pattern: Pattern, body: bytes) -> bool:
    """True when the pattern matches between its offsets. It may take for ever: not for an event loop."""
    text: Any = body
    low, high = pattern.min_offset, pattern.max_offset
    if ready.utf:
        text = body.decode("utf-8", "replace")
        low = len(body[:low].decode("utf-8", "replace"))
        high = None if high is None else len(body[:high].decode("utf-8", "replace"))
    if low > len(text):
        return False
    start = _first(ready, text, low)
    if start < 0 or (high is not None and start > high):
        return False
    if ready.first_line:
        end = text.find("\n" if ready.utf else b"\n")
        return bool(end < 0 or start <= end)
    return True


def _first(ready: Expression, text: Any, low: int) -> int:
    """Where the first match begins; -1 when there is none."""
    if ready.literal is not None:
        return int(text.find(ready.literal, low))
    match = ready.compiled.search(text, low)
    return -1 if match is None else int(match.start())


class _Translation:
    """One walk over a pattern."""

    def __init__(self, text: str, options: frozenset[str]) -> None:
        self._text, self._options = text, options
        self._at = 0
        self._out: List[str] = []
        self._atom = False
        """True when what was written last may be repeated."""

    def whole(self) -> str:
        """The pattern for Python. Raises PatternRefused."""
        steps: Dict[str, Callable[[], None]] = {
            "\\": self._escape,
            "[": self._class,
            "(": self._group,
            "$": self._dollar,
        }
        if self._text.startswith("(*"):
            raise self._no("a verb such as (*UTF)", "write regex_options")
        while self._at < len(self._text):
            letter = self._text[self._at]
            step = steps.get(letter)
            if step is not None:
                step()
            elif letter == "#" and "extended" in self._options:
                self._comment()
            elif not self._repeated():
                self._at += 1
                self._put(letter, atom=letter not in "|^")
        return "".join(self._out)

    def _no(self, what: str, hint: str = "") -> PatternRefused:
        return PatternRefused(f"the regex has {what} at offset {self._at}, which the agent cannot do", hint)

    def _put(self, text: str, atom: bool = True) -> None:
        self._out.append(text)
        self._atom = atom

    def _matched(self, wanted: re.Pattern[str]) -> Optional[re.Match[str]]:
        match = wanted.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return match

    def _comment(self) -> None:
        end = self._text.find("\n", self._at)
        end = len(self._text) if end < 0 else end
        self._put(self._text[self._at : end], atom=False)
        self._at = end

    def _repeated(self) -> bool:
        """A quantifier, lazy or possessive too."""
        if not self._atom:
            return False
        match = self._matched(_QUANTIFIER)
        if match is None:
            return False
        text = match.group()
        after = self._text[self._at : self._at + 1]
        if after == "+" and sys.version_info < _POSSESSIVE_SINCE:
            raise self._no("a possessive quantifier", "leave the + away, or use Python 3.11 or later")
        if after in ("?", "+") and after:
            self._at += 1
            text += after
        self._put(text, atom=False)
        return True

    def _dollar(self) -> None:
        self._at += 1
        only = "dollar_endonly" in self._options and "multiline" not in self._options
        self._put("\\Z" if only else "$", atom=False)

    # Escapes.

    def _escape(self) -> None:
        letter = self._text[self._at + 1 : self._at + 2]
        if not letter:
            raise PatternRefused("the regex ends with a backslash", "correct the pattern")
        if letter == "Q":
            self._quoted(in_class=False)
            return
        if letter == "E":
            self._at += 2
            return
        if self._back_reference(letter):
            return
        text = self._character()
        if text is None:
            text = self._special(letter)
            self._at += 2
        self._put(text, atom=letter not in "bBAzZ")

    def _special(self, letter: str) -> str:
        if letter in _SAME:
            return "\\" + letter
        if letter in _CLASSES:
            return f"[{_CLASSES[letter]}]"
        if letter in ("H", "V"):
            return f"[^{_CLASSES[letter.lower()]}]"
        if letter == "z":
            return "\\Z"
        if letter == "Z":
            return "(?=\\n?\\Z)"
        if letter == "R":
            return f"(?:\\r\\n|[{_VERTICAL}])"
        if letter == "N" and self._text[self._at + 2 : self._at + 3] != "{":
            return "[^\\n]"
        if letter.isalnum():
            raise self._no(f"\\{letter}")
        return re.escape(letter)

    def _character(self) -> Optional[str]:
        """An escape that stands for one character, here and in a class."""
        start = self._at
        letter = self._text[start + 1]
        if letter in _CHARACTERS:
            self._at += 2
            return _CHARACTERS[letter]
        match = self._matched(_HEXADECIMAL)
        if match is not None:
            if "alt_bsux" in self._options:
                self._at = start
                raise self._no("\\x with alt_bsux")
            return self._numbered(int(match.group(1) or match.group(2) or "0", 16))
        match = self._matched(_OCTAL)
        if match is not None:
            return self._numbered(int(match.group(1) or match.group(2), 8))
        if letter == "c" and start + 2 < len(self._text):
            self._at += 3
            return self._numbered(ord(self._text[start + 2].upper()) ^ 0x40)
        return None

    def _numbered(self, number: int) -> str:
        if number <= 0xFF:
            return f"\\x{number:02x}"
        if "utf" not in self._options or number > 0x10FFFF:
            raise self._no("a character above \\xff", "regex_options utf")
        return f"\\U{number:08x}"

    def _back_reference(self, letter: str) -> bool:
        match = self._matched(_NAMED_AGAIN)
        if match is not None:
            name = next((group for group in match.groups() if group), "")
            self._refer(f"(?P={name})")
            return True
        match = self._matched(_NUMBER_AGAIN)
        if match is not None:
            self._refer(f"(?:\\{match.group(1) or match.group(2)})")
            return True
        if letter.isdigit() and letter != "0":
            self._at += 2
            if self._text[self._at : self._at + 1].isdigit():
                raise self._no("a reference of two digits", "write \\g{N}")
            self._refer(f"(?:\\{letter})")
            return True
        return False

    def _refer(self, text: str) -> None:
        if "match_unset_backref" in self._options:
            raise self._no("a reference, with match_unset_backref,")
        self._put(text)

    def _quoted(self, in_class: bool) -> str:
        """\\Q...\\E: no character in it means anything."""
        end = self._text.find("\\E", self._at)
        inside = self._text[self._at + 2 : len(self._text) if end < 0 else end]
        self._at = len(self._text) if end < 0 else end + 2
        text = "".join("\\" + one if one.isascii() and not one.isalnum() else one for one in inside)
        if not in_class:
            for one in inside:
                self._put(re.escape(one))
        return text

    # Groups.

    def _group(self) -> None:
        rest = self._text[self._at :]
        if not rest.startswith("(?"):
            if rest.startswith("(*"):
                raise self._no("a verb")
            self._at += 1
            self._put("(?:" if "no_auto_capture" in self._options else "(", atom=False)
            return
        text = self._named() or self._inline() or self._plain(rest)
        if text is None:
            raise self._no(rest[:4])
        self._put(text, atom=False)

    def _named(self) -> Optional[str]:
        match = self._matched(_NAMED)
        if match is not None:
            return f"(?P<{match.group(1) or match.group(2)}>"
        match = self._matched(_CONDITION)
        if match is not None:
            return f"(?({next((group for group in match.groups() if group), '')})"
        return None

    def _inline(self) -> Optional[str]:
        start = self._at
        match = self._matched(_INLINE)
        if match is None:
            return None
        on, off, end = match.groups()
        if "x" in on + (off or ""):
            self._at = start
            raise self._no("(?x)", "regex_options extended")
        if end == ")" and (start or off):
            self._at = start
            raise self._no(match.group(), "write it as a group: (?i:...)")
        return match.group()

    def _plain(self, rest: str) -> Optional[str]:
        starts: Tuple[str, ...] = ("(?=", "(?!", "(?<=", "(?<!", "(?P=")
        if sys.version_info >= _POSSESSIVE_SINCE:
            starts += ("(?>",)
        for start in starts:
            if rest.startswith(start):
                self._at += len(start)
                return start
        if rest.startswith("(?#"):
            end = self._text.find(")", self._at)
            if end < 0:
                raise PatternRefused("a comment of the regex has no end", "correct the pattern")
            self._at = end + 1
            return " " if "extended" in self._options else "(?:)"
        return None

    # Classes.

    def _class(self) -> None:
        start = self._at
        self._at += 1
        parts = ["["]
        if self._text.startswith("^", self._at):
            parts.append("^")
            self._at += 1
        first = True
        while True:
            letter = self._text[self._at : self._at + 1]
            if not letter:
                self._at = start
                raise PatternRefused("a class of the regex has no ]", "correct the pattern")
            if letter == "]" and (not first or "allow_empty_class" in self._options):
                break
            parts.append(self._member(letter))
            first = False
        self._at += 1
        if len(parts) == 1 or parts == ["[", "^"]:
            self._at = start
            raise self._no("an empty class")
        self._put("".join(parts) + "]")

    def _member(self, letter: str) -> str:
        if letter == "[":
            match = self._matched(_POSIX_CLASS)
            if match is not None:
                if match.group(1) or match.group(2) not in _POSIX:
                    raise self._no(match.group())
                return _POSIX[match.group(2)]
        if letter == "\\":
            return self._class_escape()
        self._at += 1
        return "\\" + letter if letter in "[]&~|" else letter

    def _class_escape(self) -> str:
        letter = self._text[self._at + 1 : self._at + 2]
        if letter == "Q":
            return self._quoted(in_class=True)
        if letter == "E":
            self._at += 2
            return ""
        if letter and letter in "1234567":
            raise self._no("an octal number of this form", "write \\xHH")
        text = self._character() if letter else None
        if text is not None:
            return text
        self._at += 2
        if letter in _SAME_IN_CLASS and letter:
            return "\\" + letter
        if letter in _CLASSES:
            return _CLASSES[letter]
        if not letter or letter.isalnum():
            self._at -= 2
            raise self._no(f"\\{letter} in a class")
        return "\\" + letter
