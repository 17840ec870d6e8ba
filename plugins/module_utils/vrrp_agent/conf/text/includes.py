# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``include`` and its variants: which files a line brings in, and which of them it is an error to miss."""

from __future__ import annotations

import posixpath
import re
from typing import FrozenSet, List, NamedTuple, Optional, Tuple

from ..problem import ERROR, WARNING
from .source import DIRECTORY, FILE, MISSING, Reader

READ, MATCH, WILDCARD_MATCH, BRACE_MATCH = "read", "match", "wildcard_match", "brace_match"
ALL_CHECKS: FrozenSet[str] = frozenset((READ, MATCH, WILDCARD_MATCH, BRACE_MATCH))
MAX_ALTERNATIVES = 1000

_VARIANTS = {
    "": frozenset(),
    "r": frozenset((READ,)),
    "m": frozenset((READ, MATCH)),
    "w": frozenset((READ, MATCH, WILDCARD_MATCH)),
    "b": frozenset((READ, BRACE_MATCH)),
    "a": ALL_CHECKS,
}
_INCLUDE = re.compile(r"include([rmwba]?)(?:[ \t\f\v]+(.*))?$")
_WILDCARD = re.compile(r"[*?\[]")


class Include(NamedTuple):
    """An include line: the pattern, where it starts in the line, and what the variant insists on."""

    pattern: str
    column: int
    """Its index in the line."""
    checks: FrozenSet[str]


class Found(NamedTuple):
    """What an include line brings: paths in order, and findings as (severity, message, hint)."""

    paths: Tuple[str, ...]
    findings: Tuple[Tuple[str, str, str], ...]


def read_include(text: str) -> Optional[Include]:
    """The include that a line is, or None."""
    if not text.startswith("include"):
        return None
    match = _INCLUDE.match(text)
    if match is None:
        return None
    pattern = (match.group(2) or "").strip()
    index = match.start(2) if match.group(2) is not None else len(text)
    if len(pattern) > 1 and pattern[0] == pattern[-1] == '"':
        pattern, index = pattern[1:-1], index + 1
    return Include(pattern, index, _VARIANTS[match.group(1)])


def read_checks(words: Tuple[str, ...], now: FrozenSet[str]) -> FrozenSet[str]:
    """The checks that hold after ``include_check WORDS``; no word means all of them."""
    if not words:
        return ALL_CHECKS
    if not words[0].startswith(("+", "-")):
        now = frozenset()
    checks = set(now)
    for word in words:
        name = word.lstrip("+-")
        if name == "readable":  # the manual's name for it
            name = READ
        if word.startswith("-"):
            checks.discard(name)
        elif name in ALL_CHECKS:
            checks.add(name)
    return frozenset(checks)


def alternatives(pattern: str) -> List[str]:
    """``a{b,c{d,}}`` as ab, acd, ac: the brace expressions of csh."""
    done: List[str] = []
    todo = [pattern]
    while todo:
        text = todo.pop(0)
        parts = _first_group(text)
        if parts is None:
            done.append(text)
        else:
            before, choices, after = parts
            todo = [before + choice + after for choice in choices] + todo
        if len(done) + len(todo) > MAX_ALTERNATIVES:
            return done
    return done


def _first_group(text: str) -> Optional[Tuple[str, List[str], str]]:
    start = text.find("{")
    if start < 0:
        return None
    depth, choices, begin = 0, [], start + 1
    for index in range(start, len(text)):
        character = text[index]
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                choices.append(text[begin:index])
                return text[:start], choices, text[index + 1 :]
        elif character == "," and depth == 1:
            choices.append(text[begin:index])
            begin = index + 1
    return None


def find_files(include: Include, including_file: str, checks: FrozenSet[str], reader: Reader) -> Found:
    """The files to read, sorted within each brace alternative, relative to the including file.

    A plain name that is not there is an error here, unlike in keepalived, which goes on without it. A pattern
    may match nothing unless the checks say otherwise. Directories and executable files are passed over as
    keepalived does, with a warning.
    """
    if not include.pattern:
        return Found((), ((ERROR, "include without a file name", "write 'include FILE'"),))
    checks = checks | include.checks
    paths: List[str] = []
    findings: List[Tuple[str, str, str]] = []
    several = alternatives(include.pattern)
    for pattern in several:
        path = posixpath.join(posixpath.dirname(including_file), pattern)
        if not _WILDCARD.search(pattern):
            if reader.kind(path) != MISSING:
                paths.append(path)
            elif len(several) > 1:
                findings.append(
                    (
                        ERROR if BRACE_MATCH in checks else WARNING,
                        f"{path}: no such file",
                        "leave this alternative out, or create the file",
                    )
                )
            else:
                findings.append(
                    (
                        ERROR,
                        f"include: {path}: no such file",
                        f"create it, or write 'include {pattern}*' when it may be absent",
                    )
                )
            continue
        matches = sorted(reader.glob(path))
        if not matches and WILDCARD_MATCH in checks:
            findings.append(
                (ERROR, f"include: no file matches {path}", "plain 'include' lets a pattern match nothing")
            )
        paths.extend(matches)
    good = []
    for path in paths:
        finding = _unreadable(path, READ in checks, reader)
        if finding is None:
            good.append(path)
        else:
            findings.append(finding)
    return Found(tuple(good), tuple(findings))


def _unreadable(path: str, strict: bool, reader: Reader) -> Optional[Tuple[str, str, str]]:
    """Why keepalived passes over an included file, or None when it reads it."""
    severity = ERROR if strict else WARNING
    kind = reader.kind(path)
    if kind == DIRECTORY:
        return severity, f"include: {path} is a directory and is not read", f"write 'include {path}/*.conf'"
    if kind != FILE:
        return (
            severity,
            f"include: {path} is not a regular file and is not read",
            "include ordinary files only",
        )
    if reader.is_executable(path):
        return (
            severity,
            f"include: {path} is executable and is not read, as in keepalived",
            f"chmod a-x {path}, if it is a configuration",
        )
    return None
