# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one call that turns a file into values: parse, check, build."""

from __future__ import annotations

import os
from typing import List, Mapping, NamedTuple, Optional, Tuple

from .check.foreign import check_for_keepalived
from .check.whole import check, prune
from .grammar.index import SECTIONS
from .model import Config
from .problem import ERROR, WARNING, Problem, has_errors, in_order
from .text.parse import ParseResult, parse_file
from .text.preprocess import Options
from .text.source import FileReader, Reader
from .values.names import Names
from .values.whole import build
from .words import Section

MAX_PROBLEMS = 200


class Loaded(NamedTuple):
    """What a file says. ``config`` is None when there is an error among the problems."""

    config: Optional[Config]
    problems: Tuple[Problem, ...]
    parsed: ParseResult


def load(
    path: str,
    *,
    config_id: Optional[str] = None,
    lenient: bool = False,
    reader: Optional[Reader] = None,
    environment: Optional[Mapping[str, str]] = None,
    unsupported: Optional[str] = None,
    sections: Optional[Mapping[str, Section]] = None,
    options: Optional[Options] = None,
    for_keepalived: bool = False,
) -> Loaded:
    """Reads and checks a configuration. Never raises for bad input.

    ``config_id`` is what ``@ID`` lines are compared with. With ``lenient``, words that are unknown or not
    supported yet are warnings and have no effect. ``unsupported`` is the severity of words that are not
    supported yet, if it is to differ from that: empty leaves them unmentioned, for another program's file.
    ``for_keepalived`` judges the file as one that keepalived is to read: the agent's own words are errors.
    """
    door = reader if reader is not None else FileReader()
    sections = SECTIONS if sections is None else sections
    if options is None:
        known = os.environ if environment is None else environment
        options = Options(config_id=config_id, lenient=lenient, environment=known)
    parsed = parse_file(path, door, options, sections)
    names = Names(door)
    if unsupported is None:
        unsupported = WARNING if options.lenient else ERROR
    first = [*parsed.problems, *_whole_file(path, parsed, door)]
    if for_keepalived:
        unsupported = ""
        first.extend(check_for_keepalived(parsed.tree, sections))
    ordered = _at_most(MAX_PROBLEMS, in_order(first, check(parsed.tree, sections, names, unsupported)))
    if has_errors(ordered):
        return Loaded(None, ordered, parsed)
    tree, ignored = prune(parsed.tree, sections)
    ignored = tuple(dict.fromkeys((*parsed.ignored, *ignored)))
    return Loaded(build(tree, sections, names, ignored), ordered, parsed)


def _at_most(limit: int, problems: List[Problem]) -> Tuple[Problem, ...]:
    """The first problems, and how many more there are."""
    if len(problems) <= limit:
        return tuple(problems)
    left = problems[limit:]
    severity = ERROR if has_errors(left) else WARNING
    more = Problem(severity, f"and {len(left)} more problems", "correct the first ones", file=left[0].file)
    return (*problems[:limit], more)


def _whole_file(path: str, parsed: ParseResult, reader: Reader) -> Tuple[Problem, ...]:
    """Findings about the file as such."""
    if has_errors(parsed.problems):
        return ()
    if not parsed.tree.children:
        return (
            Problem(
                ERROR, "holds no configuration", "write at least one block, such as vrrp_instance", file=path
            ),
        )
    if reader.is_executable(path):
        return (
            Problem(WARNING, "is executable: keepalived would not read it", f"chmod a-x {path}", file=path),
        )
    return ()
