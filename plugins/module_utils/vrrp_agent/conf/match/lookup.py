# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words that are not known where they stand: which one was meant, and where a word belongs."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence

from ..words import Section


def nearest(word: str, known: Sequence[str]) -> str:
    """The most similar known word, or an empty string."""
    import difflib  # not quick to import, and only met when something is wrong

    lowered = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower()[:64], list(lowered), 1, 0.7)
    if found:
        return lowered[found[0]]
    swapped = word.lower().replace("-", "_")
    return lowered.get(swapped, "")


def sections_with(word: str, sections: Mapping[str, Section]) -> List[str]:
    """The blocks that know a word as a keyword, named as one would write them."""
    blocks = block_names(sections)
    found: List[str] = []
    for section in sections.values():
        if section.shape.value == "keywords" and word in section.index:
            name = blocks.get(section.id, section.id)
            if name not in found:
                found.append(name)
    return found


def block_names(sections: Mapping[str, Section]) -> Dict[str, str]:
    """Section id -> the path of keywords that leads to it, such as ``vrrp_instance / authentication``."""
    names = {"root": "the top level of the file"}
    todo = ["root"]
    while todo:
        parent = todo.pop(0)
        for keyword in sections[parent].keywords if parent in sections else ():
            if keyword.block and keyword.block not in names:
                prefix = "" if parent == "root" else names[parent] + " / "
                names[keyword.block] = prefix + keyword.name
                todo.append(keyword.block)
    return names
