# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The reference page of the keywords, in Markdown."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence

from ..words import Section, Shape
from .rows import Row, rows

_INTRODUCTION = """\
# Keywords

Every word of keepalived.conf that is known, block by block. This page is made from the grammar
table by `vrrp-agent keywords --markdown`; it is not edited by hand.

The last column says whether the agent does what the word says. A word that it does not do yet is
named by `vrrp-agent check`, and keeps the agent from starting unless `--lenient` is given: then it
is named and left out. No word is passed over in silence.

Words that begin with `agent_` are the agent's own. keepalived does not know them: a plan that lets keepalived
run the file refuses them, and so does `vrrp-agent check --for keepalived`.
"""


def headings(sections: Mapping[str, Section], others: Sequence[Section] = ()) -> Dict[str, str]:
    """Section id -> what it is, for the headings of the reference page."""
    shown: Dict[str, str] = {}
    for section in (*others, *sections.values()):
        opens = _opened_by(section, sections)
        suffix = f" Used by {', '.join(opens)}." if opens and opens != [section.id] else ""
        shown[section.id] = section.meaning + suffix
    return shown


def _opened_by(section: Section, sections: Mapping[str, Section]) -> List[str]:
    found: List[str] = []
    for parent in sections.values():
        for keyword in parent.keywords:
            if section.id in (keyword.block, keyword.options):
                name = (
                    keyword.name
                    if parent.id == "root" or parent.shape is Shape.LINES
                    else f"{parent.id}/{keyword.name}"
                )
                if name not in found:
                    found.append(name)
    return found


def markdown(sections: Mapping[str, Section], others: Sequence[Section] = ()) -> str:
    """The reference page."""
    table = rows(sections, others)
    ready = sum(row.supported for row in table)
    lines = [_INTRODUCTION, f"Of {len(table)} rows the agent does {ready}."]
    titles = headings(sections, others)
    for id_, title in titles.items():
        inside = [row for row in table if row.section == id_]
        lines += ["", f"## {_escape(id_)}", "", title, ""]
        lines += ["| Keyword | Arguments | Default | Meaning | Done |", "|---|---|---|---|---|"]
        lines += [_markdown_row(row) for row in inside]
    return "\n".join(lines) + "\n"


def _markdown_row(row: Row) -> str:
    notes = f"The agent's own word. {row.meaning}" if row.own else row.meaning
    if row.required:
        notes += " Required."
    if row.deprecated and not row.removed:
        notes += f" Deprecated: write {row.deprecated}."
    cells = (_code(row.keyword), _code(row.arguments), _code(row.default or ""), _escape(notes), row.status)
    return "| " + " | ".join(cells) + " |"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def _escape(text: str) -> str:
    for mark in "\\|*<>":
        text = text.replace(mark, "\\" + mark)
    return text
