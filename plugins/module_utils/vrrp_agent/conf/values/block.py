# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words of one block as values. Of a word that stands again the last one counts, as in keepalived."""

from __future__ import annotations

from typing import Optional

from ..match.addresses import pack
from ..match.judge import TRUE_WORDS
from ..tree import Node
from .defaults import nanoseconds


def text(node: Node, name: str) -> Optional[str]:
    """The first argument of a word, or None."""
    found = node.last(name)
    return str(found.args[0]) if found is not None and found.args else None


def number(node: Node, name: str) -> Optional[int]:
    """The first argument of a word as a whole number."""
    found = text(node, name)
    return int(found) if found is not None else None


def flag(node: Node, name: str) -> Optional[bool]:
    """A BOOL word: true without an argument, None when it is not there."""
    found = node.last(name)
    if found is None:
        return None
    return not found.args or found.args[0] in TRUE_WORDS


def address(node: Node, name: str) -> bytes:
    """The packed address that a word gives, or nothing."""
    found = text(node, name)
    return (pack(found) or b"") if found is not None else b""


def nearest_text(name: str, *nodes: Node) -> str:
    """What the first of the blocks that has the word says, or nothing."""
    for node in nodes:
        found = text(node, name)
        if found is not None:
            return found
    return ""


def nearest_time_ns(name: str, *nodes: Node) -> Optional[int]:
    """The same for a time."""
    found = nearest_text(name, *nodes)
    return nanoseconds(found) if found else None
