# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one call that turns YAML data into values and into text."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Optional, Tuple

from .build import build
from .check import check, prune
from .grammar.index import SECTIONS
from .model import Config
from .names import Names
from .problem import ERROR, Problem, has_errors, in_order
from .render import render
from .source import FileReader, Reader
from .tree import Node
from .words import Section
from .yamlform import from_yaml


class LoadedYaml(NamedTuple):
    """What YAML data says. ``config`` and ``text`` are empty when there is an error among the problems."""

    config: Optional[Config]
    problems: Tuple[Problem, ...]
    """Each with the ``path`` of the key that it comes from."""
    tree: Node
    text: str
    """The same as keepalived.conf."""


def load_yaml(
    data: Any,
    *,
    prefix: str = "",
    unsupported: str = ERROR,
    reader: Optional[Reader] = None,
    sections: Mapping[str, Section] = SECTIONS,
) -> LoadedYaml:
    """Reads and checks YAML data, as ``load`` does a file. ``prefix`` stands before the path in problems."""
    made = from_yaml(data, sections, prefix)
    names = Names(reader if reader is not None else FileReader())
    ordered = tuple(in_order(made.problems, check(made.tree, sections, names, unsupported)))
    if has_errors(ordered):
        return LoadedYaml(None, ordered, made.tree, "")
    tree, ignored = prune(made.tree, sections)
    config = build(tree, sections, names, ignored)
    return LoadedYaml(config, ordered, made.tree, render(made.tree, sections))
