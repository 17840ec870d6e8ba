# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``vrrp-agent check``: every problem of a configuration file, with its place and what to write instead."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from typing import Sequence

from ..conf.load import load
from ..conf.problem import ERROR, WARNING, Problem, has_errors
from ..daemon.process.keys import read_keys

CLEAN, WARNINGS, ERRORS = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the configuration file")
    parser.add_argument("--json", action="store_true", help="a JSON list of problems")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when there are warnings")
    parser.add_argument(
        "--lenient", action="store_true", help="words that are unknown or not supported yet are warnings"
    )
    parser.add_argument(
        "--for",
        dest="engine",
        choices=("agent", "keepalived"),
        default="agent",
        help="who is to run the file: for keepalived the agent's own words are errors, and no word is "
        "called not supported (%(default)s)",
    )
    parser.add_argument(
        "--config-id",
        metavar="ID",
        help="what @ID lines are compared with (default: the first label of the host name)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the problems. Exit status 2 for errors, 1 for warnings under --strict, otherwise 0."""
    config_id = args.config_id if args.config_id is not None else os.uname().nodename.partition(".")[0]
    foreign = args.engine == "keepalived"
    loaded = load(args.file, config_id=config_id, lenient=args.lenient, for_keepalived=foreign)
    problems = loaded.problems
    if loaded.config is not None:
        # Keys need not be where a file is only checked.
        problems = (*problems, *read_keys(loaded.config, unreadable=WARNING)[1])
    if args.json:
        json.dump([asdict(problem) for problem in problems], sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(as_text(problems, args.file))
    if has_errors(problems):
        return ERRORS
    return WARNINGS if problems and args.strict else CLEAN


def as_text(problems: Sequence[Problem], file: str) -> str:
    """The problems as compilers write them, each with its hint below, and a last line that counts."""
    lines = []
    for problem in problems:
        lines.append(str(problem))
        if problem.hint:
            lines.append(f"    {problem.hint}")
    errors = sum(problem.severity == ERROR for problem in problems)
    warnings = len(problems) - errors
    if problems:
        lines.append(f"{file}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    else:
        lines.append(f"{file}: no problems")
    return "\n".join(lines) + "\n"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
