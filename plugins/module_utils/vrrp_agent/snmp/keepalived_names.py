# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the branches of KEEPALIVED-MIB are, and how its rows are counted. Pure."""

from __future__ import annotations

from typing import Any, Iterable, List, Tuple

from .values import Oid

ROOT: Oid = (1, 3, 6, 1, 4, 1, 9586, 100, 5)
GLOBAL: Oid = (*ROOT, 1)
VRRP: Oid = (*ROOT, 2)
CHECK: Oid = (*ROOT, 3)


def numbered(rows: Iterable[Any]) -> List[Tuple[Oid, Any]]:
    """Rows with the indexes 1, 2, 3 ..."""
    return [((number,), row) for number, row in enumerate(rows, 1)]


def nested(groups: Iterable[Iterable[Any]], first: int = 1) -> List[Tuple[Oid, Any]]:
    """Rows of rows: the outer ones are counted from ``first``, the inner ones from 1."""
    return [
        ((outer, inner), row) for outer, rows in enumerate(groups, first) for inner, row in enumerate(rows, 1)
    ]
