# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The grammar table as rows to read: for ``vrrp-agent keywords`` and the reference page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from ..words import Arg, Keyword, Number, Section, Type

_UNBOUNDED = 2**31 - 1
"""Upper limits from here on are those of the number's storage and say nothing to a reader."""


@dataclass(frozen=True)
class Row:
    """One keyword of one section."""

    section: str
    keyword: str
    """The word to write; for the items of a line-shaped block, what a line begins with."""
    arguments: str
    default: Optional[str]
    """As one would write it; None when there is none."""
    meaning: str
    supported: bool
    """The agent does it, here: the blocks around it are supported too."""
    since: str = ""
    build_option: str = ""
    alias_of: str = ""
    deprecated: str = ""
    own: bool = False
    """A word of the agent, which keepalived does not know."""
    removed: bool = False
    required: bool = False
    repeatable: bool = False
    opens: str = ""
    """The section of the block, or of the words on the same line, that may follow."""

    @property
    def status(self) -> str:
        """``yes``, ``not yet`` or ``removed``."""
        if self.removed:
            return "removed"
        return "yes" if self.supported else "not yet"


def rows(sections: Mapping[str, Section], others: Sequence[Section] = ()) -> Tuple[Row, ...]:
    """All rows, in the order of the table. ``others`` come first: the rules that hold before parsing."""
    reached = supported_sections(sections)
    found: List[Row] = []
    for section in others:
        found.extend(_rows_of(section, sections, True))
    for section in sections.values():
        found.extend(_rows_of(section, sections, section.id in reached))
    return tuple(found)


def supported_sections(sections: Mapping[str, Section]) -> FrozenSet[str]:
    """The sections that a supported word opens, and so on down from the root."""
    reached: Set[str] = set()
    todo = ["root"]
    while todo:
        id_ = todo.pop()
        if id_ in reached or id_ not in sections:
            continue
        reached.add(id_)
        for keyword in sections[id_].keywords:
            if keyword.supported:
                todo.extend(name for name in (keyword.block, keyword.options) if name)
    return frozenset(reached)


def select(table: Sequence[Row], words: Sequence[str]) -> Tuple[Row, ...]:
    """The rows that any of the words asks for.

    A section brings all inside it, and a keyword what stands in its block. A word that is neither is
    taken as part of a name.
    """
    if not words:
        return tuple(table)
    wanted: Set[Row] = set()
    for word in words:
        opened = {row.opens for row in table if row.keyword == word and row.opens}
        exact = [row for row in table if _names(word, row) or row.section in opened]
        wanted.update(exact or [row for row in table if word in row.keyword or word in row.section])
    return tuple(row for row in table if row in wanted)


def arguments_text(keyword: Keyword, sections: Mapping[str, Section]) -> str:
    """The arguments as a reader sees them, such as ``VRID 1..255`` or ``NAME { ... }``."""
    forms = [" ".join(_arg_text(arg) for arg in args) for args in (keyword.args, *keyword.forms)]
    text = " | ".join(form for form in forms if form)
    if keyword.options:
        names = "|".join(option.name for option in sections[keyword.options].keywords)
        text += f" [{names} ...]"
    if keyword.block:
        text += " { ... }"
    return text.strip()


def _names(word: str, row: Row) -> bool:
    return word == row.keyword or row.section == word or row.section.startswith(word + "/")


def _rows_of(section: Section, sections: Mapping[str, Section], reached: bool) -> List[Row]:
    found: List[Row] = []
    if section.item:
        first, rest = section.item[0], section.item[1:]
        found.append(
            Row(
                section.id,
                first.name + ("..." if first.many else ""),
                " ".join(_arg_text(arg) for arg in rest),
                None,
                section.meaning,
                reached,
            )
        )
    found.extend(_row(section.id, keyword, sections, reached) for keyword in section.keywords)
    return found


def _row(section_id: str, keyword: Keyword, sections: Mapping[str, Section], reached: bool) -> Row:
    return Row(
        section=section_id,
        keyword=keyword.name,
        arguments=arguments_text(keyword, sections),
        default=keyword.default,
        meaning=_meaning(keyword),
        supported=keyword.supported and reached,
        since=keyword.since,
        build_option=keyword.build_option,
        alias_of=keyword.alias_of,
        deprecated=keyword.deprecated,
        own=keyword.own,
        removed=keyword.removed,
        required=keyword.required,
        repeatable=keyword.repeatable,
        opens=keyword.block or keyword.options,
    )


def _meaning(keyword: Keyword) -> str:
    later = [word for arg in keyword.args for word in arg.not_yet]
    return f"{keyword.meaning} Not yet: {', '.join(later)}." if later else keyword.meaning


def _arg_text(arg: Arg) -> str:
    text = arg.name
    if arg.type is Type.CHOICE:
        text = "|".join(arg.choices)
    elif not arg.literal:
        text += _limits(arg)
        if arg.choices:
            text = "|".join((text, *arg.choices))
    if arg.many:
        text += "..."
    return f"[{text}]" if arg.optional else text


def _limits(arg: Arg) -> str:
    if arg.type not in (Type.INTEGER, Type.DECIMAL, Type.INTEGER_RANGE):
        return f" of {arg.max_length} bytes at most" if arg.max_length else ""
    if arg.maximum is not None and arg.maximum < _UNBOUNDED:
        return f" {_plain(arg.minimum or 0)}..{_plain(arg.maximum)}"
    if arg.minimum is not None and -_UNBOUNDED < arg.minimum != 0:
        return f" >= {_plain(arg.minimum)}"
    return ""


def _plain(number: Number) -> str:
    """Without an exponent: 0.000001, not 1e-06."""
    return str(number) if isinstance(number, int) else f"{number:f}".rstrip("0").rstrip(".")
