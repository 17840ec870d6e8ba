# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Command lines that cannot be split into arguments."""

from __future__ import annotations

from typing import Collection, Iterator

from ..problem import ERROR, Problem
from ..tree import Node
from ..values.commands import BadCommand, arguments


def check_commands(block: Node, wanted: Collection[str]) -> Iterator[Problem]:
    """Those among the words ``wanted`` of a block."""
    for node in block.children:
        if node.name not in wanted or not node.args:
            continue
        try:
            arguments(node.args[0])
        except BadCommand as error:
            hint = "write the command in double quotes, and an argument with blanks in single ones"
            yield node.problem(ERROR, f"{node.keyword}: {error}", hint, node.args[0])
