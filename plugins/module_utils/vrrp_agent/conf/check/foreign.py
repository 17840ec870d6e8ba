# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What keepalived would not understand in a file that is right for the agent: the agent's own words."""

from __future__ import annotations

from typing import Iterator, Mapping, Optional

from ..match.fit import fit_keyword, fit_line
from ..problem import ERROR, Problem
from ..tree import Node, Word
from ..words import Section, Shape

_CREDENTIAL = "credential:"


def check_for_keepalived(tree: Node, sections: Mapping[str, Section]) -> Iterator[Problem]:
    """An error for each word of the agent's own. keepalived would call it unknown and go on without it."""
    yield from _block(tree, sections["root"], sections)


def _block(block: Node, section: Section, sections: Mapping[str, Section]) -> Iterator[Problem]:
    for node in block.children:
        if section.shape is Shape.LINES:
            for option in fit_line(section, node.args, sections).options:
                if option.keyword.own:
                    yield _own(node, option.keyword.name, option.word)
            continue
        keyword = section.index.get(node.keyword)
        if keyword is None:
            continue
        if keyword.own:
            yield _own(node, keyword.name)
            continue
        for option in fit_keyword(keyword, node.args, sections).options:
            if option.keyword.own:
                yield _own(node, option.keyword.name, option.word)
        if keyword.secret and any(word.startswith(_CREDENTIAL) for word in node.args):
            yield node.problem(
                ERROR,
                f"{keyword.name}: {_CREDENTIAL} is the agent's own: keepalived would take it for the key",
                "write file: and a path, or let the agent run it",
            )
        if keyword.block:
            yield from _block(node, sections[keyword.block], sections)


def _own(node: Node, name: str, word: Optional[Word] = None) -> Problem:
    message = f"'{name}' is a word of the agent's own: keepalived does not know it"
    return node.problem(ERROR, message, "take it out, or let the agent run the file", word)
