# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets out of what is shown, while a change of one still shows as a change.

Private to the collection. Pure.
"""

from __future__ import annotations

import re
from typing import Any, Collection, Dict, FrozenSet, Match, Tuple

from ..vrrp_agent.conf.grammar.index import SECTIONS
from ..vrrp_agent.conf.masking import MASK, masked_value, secret_line
from ..vrrp_agent.conf.words import Keyword

NEW_MASK = f"{MASK} (new)"

_KEYWORDS: Dict[str, Keyword] = {
    keyword.name: keyword for section in SECTIONS.values() for keyword in section.keywords if keyword.secret
}
SECRET_WORDS: FrozenSet[str] = frozenset(_KEYWORDS)
"""The words of the language whose arguments nobody should read: auth_pass and its kind."""

_LINE = re.compile(secret_line(SECTIONS), re.MULTILINE)
_DEFINITION = re.compile(r"^(?P<head>[ \t]*\$(?P<name>[A-Za-z_][A-Za-z0-9_]*)=)(?P<secret>.*)$", re.MULTILINE)
_REFERENCE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


def secrets_of(text: str) -> Tuple[str, ...]:
    """Every secret in a keepalived.conf, also one that stands in a $DEFINITION."""
    found = [match.group("secret").strip() for match in _LINE.finditer(text)]
    named = {name for secret in found for name in _REFERENCE.findall(secret)}
    found.extend(
        match.group("secret").strip() for match in _DEFINITION.finditer(text) if match.group("name") in named
    )
    return tuple(dict.fromkeys(secret for secret in found if secret))


def mask_text(text: str, known: Collection[str] = ()) -> str:
    """A keepalived.conf without its secrets. With ``known``, one that is not among them is marked as new."""
    named = {name for secret in secrets_of(text) for name in _REFERENCE.findall(secret)}

    def cover(secret: str) -> str:
        return NEW_MASK if known and secret.strip() not in known else MASK

    def line(match: Match[str]) -> str:
        return match.group("head") + cover(match.group("secret")) + match.group("tail")

    def definition(match: Match[str]) -> str:
        return (
            match.group("head") + cover(match.group("secret"))
            if match.group("name") in named
            else match.group(0)
        )

    return _DEFINITION.sub(definition, _LINE.sub(line, text))


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
