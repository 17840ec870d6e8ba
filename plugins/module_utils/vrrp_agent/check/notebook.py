# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file with the results of checks, for an agent that follows a killed one.

Without it the new agent would put dead servers back into service, until their first check has failed again.
The process that checks writes it; the agent reads it once, at its start.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional, Sequence

from ..conf.parts.checks import Timing
from ..loop import notes
from ..loop.results import CheckKey, CheckResult
from .matching import carried
from .messages import Order

NAME = "checks"
_TIMING = Timing()
_MOST_WEIGHT = 1 << 31
"""No check adds or takes more."""
_LAST_TIME_S = 253_402_300_799.0
"""The end of the year 9999."""


class Notebook:
    """The file, for the one who writes it: often, and with few rows that are other ones than before."""

    def __init__(self) -> None:
        self._rows: Dict[CheckKey, _Row] = {}

    def write(
        self, path: str, boot: str, orders: Iterable[Order], results: Mapping[CheckKey, CheckResult]
    ) -> None:
        """Replace the file. Raises OSError."""
        before, self._rows = self._rows, {}
        for order in orders:
            found = results.get(order.key)
            if found is not None and found.good is not None:
                self._rows[order.key] = _row(order, found, before.get(order.key))
        rows = ",\n".join([row.text for row in self._rows.values()])
        notes.write(path, f'{{"boot": {json.dumps(boot)}, "checks": [\n{rows}\n]}}\n')


class _Row(NamedTuple):
    """A row as it was written, and what it was made of."""

    order: Order
    result: CheckResult
    which: str
    text: str


def _row(order: Order, result: CheckResult, before: Optional[_Row]) -> _Row:
    known = before is not None and (before.order is order or before.order == order)
    if before is not None and known and before.result == result:
        return before
    which = before.which if before is not None and known else identity(order)
    values = [_spelled(order), which, result.good, result.added_weight, result.why, result.wall_time_s]
    return _Row(order, result, which, json.dumps([*values, order.weight]))


def read(path: str, boot: str, orders: Iterable[Order]) -> Dict[CheckKey, CheckResult]:
    """The results of checks that still ask the same; none from another boot."""

    def understand(content: Dict[str, Any]) -> Dict[CheckKey, CheckResult]:
        rows = {(row[0], row[1]): row[2:] for row in content["checks"]}
        found: Dict[CheckKey, CheckResult] = {}
        for order in orders:
            row = rows.get((_spelled(order), identity(order)))
            if row is not None:
                found[order.key] = _result(order, row)
        return found

    return notes.read(path, boot, understand, {})


def _result(order: Order, row: Sequence[Any]) -> CheckResult:
    """Raises ValueError, TypeError or OverflowError for what no check has said."""
    good, added, why, wall_s, weight = row
    added, wall_s, weight = int(added), float(wall_s), int(weight)
    if max(abs(added), abs(weight)) > _MOST_WEIGHT or not 0 <= wall_s <= _LAST_TIME_S:
        raise ValueError("no check says that")
    return carried(CheckResult(order.key, bool(good), added, str(why), wall_s), weight, order)


def identity(order: Order) -> str:
    """What makes a check another one, although it stands in the same place."""
    return hashlib.sha256(repr(replace(order.check, timing=_TIMING)).encode()).hexdigest()[:24]


def _spelled(order: Order) -> str:
    """Where the check stands. A service of a group may have another number in another file."""
    address, port = order.key.server
    service = order.service or order.key.service
    return " ".join(str(part) for part in (*service, address.hex(), port, order.key.number))
