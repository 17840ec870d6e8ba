# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which words of a line nobody should read, and what stands in their place: the one rule for all who show it.

A secret is the last argument of a word that the grammar marks; what stands before it (the number of a key)
is none.  A key that only names where it is kept is none either.
"""

from __future__ import annotations

import re
from typing import List, Mapping, Sequence

from .tree import Word
from .words import Keyword, Section, Type

MASK = "********"
REFERENCES = ("file:", "credential:")
"""How an argument that may be a key says that it is kept elsewhere."""

BLANK = r"[ \t\f\v\r]"
"""Parts of regular expressions for text that nobody has parsed: a blank within a line,"""
WORD_BEGINS = r"(?:^|[^\w/.:$-])"
"""what stands before a word that may be one of the language,"""
REST = rf"(?P<secret>(?:[^\s{{}}]|[{{}}](?=\S)).*?)(?P<tail>(?:{BLANK}|\}})*)$"
"""and the rest of a line, without the braces that close a block."""
GAP = rf"(?:{BLANK}+|\"{BLANK}*)"
"""Between a word and its argument; a quote ends a word too."""


def masked(keyword: Keyword, args: Sequence[Word]) -> List[Word]:
    """The arguments as they may be shown."""
    if not keyword.secret:
        return list(args)
    before = len(keyword.args) - 1
    if before and len(args) == before + 1 and args[before].startswith(REFERENCES):
        return list(args)
    numbered = before and len(args) > before and args[0].isdecimal()
    return [*(args[:before] if numbered else ()), Word(MASK)]


def masked_value(keyword: Keyword, value: object) -> object:
    """The same for a value of YAML data."""
    if isinstance(value, (list, tuple)):
        return [masked_value(keyword, one) for one in value]
    if not is_numbered(keyword) or not isinstance(value, str):
        return MASK
    number, _blank, rest = value.strip().partition(" ")
    if not number.isdecimal() or "\n" in value:
        return MASK
    return value if rest.strip().startswith(REFERENCES) else f"{number} {MASK}"


def secret_line(sections: Mapping[str, Section]) -> str:
    """A regular expression for a line of text with a secret in it: groups head, secret and tail.

    It needs re.MULTILINE. It is made for text that nobody has parsed, so it would rather hide too much: a
    word in a comment or in a $DEFINITION counts, and what follows the secret on its line is hidden with it,
    as a brace within quotes is no end.
    """
    keywords = [keyword for section in sections.values() for keyword in section.keywords if keyword.secret]
    plain = sorted({keyword.name for keyword in keywords if not is_numbered(keyword)})
    numbered = sorted({keyword.name for keyword in keywords if is_numbered(keyword)})
    starts = []
    if plain:
        starts.append(rf"(?:{'|'.join(map(re.escape, plain))}){GAP}")
    if numbered:
        kept = "|".join(map(re.escape, REFERENCES))
        starts.append(
            rf"(?:{'|'.join(map(re.escape, numbered))}){GAP}"
            rf"(?![0-9]+{BLANK}+\"?(?:{kept}))(?:[0-9]+{BLANK}+(?=\S))?"
        )
    return rf"(?P<head>{WORD_BEGINS}(?:{'|'.join(starts)})){REST}"


def is_numbered(keyword: Keyword) -> bool:
    """True when a number stands before the secret."""
    return len(keyword.args) == 2 and keyword.args[0].type is Type.INTEGER
