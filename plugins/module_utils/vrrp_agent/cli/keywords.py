# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``vrrp-agent keywords``: every word of keepalived.conf, and whether the agent does it."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Dict, List, Sequence

from ..conf.grammar.index import SECTIONS
from ..conf.grammar.preprocessor import PREPROCESSOR
from ..conf.page.markdown import markdown
from ..conf.page.rows import Row, rows, select

_WIDEST = 46
"""Words and arguments wider than this push the rest of their line to the right."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="SECTION|WORD", help="only these blocks or keywords")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a JSON list of objects")
    form.add_argument("--markdown", action="store_true", help="the reference page, always whole")


def run(args: argparse.Namespace) -> int:
    """Print the table. Exit status 2 when nothing in it has the name asked for."""
    if args.markdown:
        sys.stdout.write(markdown(SECTIONS, PREPROCESSOR))
        return 0
    table = rows(SECTIONS, PREPROCESSOR)
    for word in args.words:
        if not select(table, [word]):
            sys.stderr.write(_unknown(word, table) + "\n")
            return 2
    chosen = select(table, args.words)
    if args.json:
        json.dump([as_data(row) for row in chosen], sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(as_text(chosen))
    return 0


def as_data(row: Row) -> Dict[str, object]:
    """One row as JSON has it: every field, and ``status`` in words."""
    return {**asdict(row), "status": row.status}


def as_text(table: Sequence[Row]) -> str:
    """Rows under the names of their sections."""
    lines: List[str] = []
    width = min(_WIDEST, max((len(_left(row)) for row in table), default=0))
    section = None
    for row in table:
        if row.section != section:
            lines += [""] if lines else []
            lines.append(row.section)
            section = row.section
        default = f" Default: {row.default}." if row.default is not None else ""
        own = " The agent's own word." if row.own else ""
        lines.append(f"  {row.status:<8} {_left(row):<{width}}  {row.meaning}{own}{default}")
    return "\n".join(lines) + "\n" if lines else ""


def _left(row: Row) -> str:
    return f"{row.keyword} {row.arguments}".rstrip()


def _unknown(word: str, table: Sequence[Row]) -> str:
    from ..conf.match.lookup import nearest  # only when something is wrong

    near = nearest(word, [row.keyword for row in table] + [row.section for row in table])
    hint = f"; did you mean '{near}'?" if near else ""
    return f"vrrp-agent keywords: no section or keyword is named '{word}'{hint}"
