# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with a configuration, where, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Set, Tuple

ERROR = "error"
WARNING = "warning"


@dataclass(frozen=True)
class Problem:
    """One finding. ``file``/``line``/``column`` say where in a file, ``path`` where in YAML data."""

    severity: str
    """``error`` or ``warning``."""
    message: str
    hint: str = ""
    """What to write instead."""
    file: str = ""
    line: int = 0
    """From 1; 0 when the problem is about the whole file."""
    column: int = 0
    """From 1, counted in characters; 0 when the problem is about the whole line."""
    keyword: str = ""
    path: str = ""
    """YAML path such as ``vrrp_instance.VI_1.priority``; empty for text."""

    @property
    def position(self) -> str:
        """``file:line:column``, as compilers write it, or the YAML path."""
        if self.path:
            return self.path
        place = self.file
        if self.line:
            place += f":{self.line}"
            if self.column:
                place += f":{self.column}"
        return place

    def __str__(self) -> str:
        place = self.position
        text = f"{place}: {self.severity}: {self.message}" if place else f"{self.severity}: {self.message}"
        if text.isprintable():
            return text
        return "".join(character if character.isprintable() else "?" for character in text)


def has_errors(problems: Iterable[Problem]) -> bool:
    """True when at least one problem is an error."""
    return any(problem.severity == ERROR for problem in problems)


def in_order(problems: Iterable[Problem], consequences: Iterable[Problem] = ()) -> List[Problem]:
    """Each problem once, sorted by position.

    ``consequences`` are what later steps found: about a word that was an error before, they say nothing new.
    For YAML data that holds within ``problems`` too, as a key has but one value.
    """
    kept: Dict[Problem, None] = {}  # a dict keeps the order
    spoiled: Set[Tuple[str, int, int, str]] = set()
    for problem in problems:
        place = (problem.file, problem.line, problem.column, problem.path)
        if problem.path and place in spoiled:
            continue
        kept[problem] = None
        if problem.severity == ERROR and (problem.column or problem.path):
            spoiled.add(place)
    for problem in consequences:
        if (problem.file, problem.line, problem.column, problem.path) not in spoiled:
            kept[problem] = None
    files: Dict[str, int] = {}  # the order in which files were met: the main file first
    for problem in kept:
        files.setdefault(problem.file, len(files))
    return sorted(kept, key=lambda problem: (files[problem.file], problem.line, problem.column))
