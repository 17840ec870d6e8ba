# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets out of what is shown, while a change of one still shows as a change.

Private to the collection. Pure.
"""

from __future__ import annotations

import re
from typing import Any, Collection, Dict, FrozenSet, List, Sequence, Set, Tuple

from ..vrrp_agent.conf.grammar.index import SECTIONS
from ..vrrp_agent.conf.masking import BLANK, GAP, MASK, REST, WORD_BEGINS, masked_value, secret_line
from ..vrrp_agent.conf.words import Keyword

NEW_MASK = f"{MASK} (new)"

_KEYWORDS: Dict[str, Keyword] = {
    keyword.name: keyword for section in SECTIONS.values() for keyword in section.keywords if keyword.secret
}
SECRET_WORDS: FrozenSet[str] = frozenset(_KEYWORDS)
"""The words of the language whose arguments nobody should read: auth_pass and its kind."""

_LINE = re.compile(secret_line(SECTIONS), re.MULTILINE)
_WORD = re.compile(rf"{WORD_BEGINS}(?:{'|'.join(map(re.escape, sorted(SECRET_WORDS)))})\b")
_COMMENT = r"(?:[#!].*)?"
_DEFINITION = re.compile(
    rf"^{BLANK}*(?:@\S+{BLANK}+)?\$(?P<name>[A-Za-z_]\w*)="
    # Lines that end in a backslash go on; those of blanks or of a comment between them do not count.
    rf"(?P<secret>(?:.*\\{BLANK}*{_COMMENT}\n(?:{BLANK}*[#!].*\n|{BLANK}+\n)*)*.*)$",
    re.MULTILINE,
)
_LOOP = re.compile(r"~LST[ \t]*\((?P<secret>[^)\n]*)")
_REFERENCE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_FIRST = re.compile(r'"([^"]+)|[^\s"\\]+')
_Span = Tuple[int, int]


def secrets_of(text: str) -> Tuple[str, ...]:
    """Every secret in a keepalived.conf, also one that stands in a $DEFINITION."""
    found = (text[start:end].strip() for start, end in _spans(text))
    return tuple(dict.fromkeys(secret for secret in found if secret))


def words_of(text: str) -> Tuple[str, ...]:
    """The secrets as they may stand in a message about the text: whole, and the first word of each line."""
    found: Dict[str, None] = {}
    for secret in secrets_of(text):
        found[secret] = None
        for line in secret.split("\n"):
            first = _FIRST.match(line.strip())
            if first is not None:
                found[first.group(1) or first.group()] = None
    return tuple(found)


def mask_text(text: str, known: Collection[str] = ()) -> str:
    """A keepalived.conf without its secrets. With ``known``, one that is not among them is marked as new."""
    shown: List[str] = []
    position = 0
    for start, end in _spans(text):
        secret = text[start:end].strip()
        shown += (text[position:start], NEW_MASK if known and secret not in known else MASK)
        position = end
    return "".join(shown) + text[position:]


def _spans(text: str) -> List[_Span]:
    """Where the secrets of a text stand, in order and apart from each other."""
    found = [match.span("secret") for match in _LINE.finditer(text)]
    definitions = list(_DEFINITION.finditer(text))
    bringing = _closure(
        {match.group("name") for match in definitions if _WORD.search(match.group("secret"))},
        [(match.group("name"), set(_REFERENCE.findall(match.group("secret")))) for match in definitions],
    )
    if bringing:  # $WORD SECRET, where $WORD is auth_pass
        names = "|".join(sorted(bringing))
        use = re.compile(rf"\$(?:(?:{names})|\{{(?:{names})\}}){GAP}{REST}", re.MULTILINE)
        found.extend(match.span("secret") for match in use.finditer(text))
    hidden: Set[str] = set()
    fresh = _references(text, found)
    while fresh:  # what a secret is made of is secret, and what that is made of
        hidden |= fresh
        spans = [match.span("secret") for match in definitions if match.group("name") in fresh]
        for loop in _LOOP.finditer(text):
            if fresh.intersection(re.findall(r"\w+", loop.group("secret"))):
                spans.append(loop.span("secret"))
        found.extend(spans)
        fresh = _references(text, spans) - hidden
    return _merged(found)


def _references(text: str, spans: Sequence[_Span]) -> Set[str]:
    return {name for start, end in spans for name in _REFERENCE.findall(text[start:end])}


def _closure(names: Set[str], uses: Sequence[Tuple[str, Set[str]]]) -> Set[str]:
    """The names, and those that use one of them, directly or by way of others."""
    size = -1
    while size != len(names):
        size = len(names)
        names = names | {name for name, used in uses if used & names}
    return names


def _merged(spans: Sequence[_Span]) -> List[_Span]:
    merged: List[_Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


def mask_pair(before: str, after: str) -> Tuple[str, str]:
    """Two texts for a diff: both masked, and a secret that is not in the first is marked in the second."""
    return mask_text(before), mask_text(after, secrets_of(before))


def mask_data(data: Any) -> Any:
    """YAML data with the values of secret words masked, at any depth; text is masked as keepalived.conf."""
    if isinstance(data, dict):
        masked: Dict[Any, Any] = {
            key: masked_value(_KEYWORDS[key], value) if key in SECRET_WORDS else mask_data(value)
            for key, value in data.items()
        }
        return masked
    if isinstance(data, (list, tuple)):
        return [mask_data(item) for item in data]
    return mask_text(data) if isinstance(data, str) and "\n" in data else data
