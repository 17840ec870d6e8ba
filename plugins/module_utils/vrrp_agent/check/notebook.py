# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file with the results of checks, for an agent that follows a killed one.

Without it the new agent would put dead servers back into service, until their first check has failed again.
The process that checks writes it; the agent reads it once, at its start.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import replace
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional, Sequence

from ..conf.parts.checks import Timing
from ..loop.results import CheckKey, CheckResult
from .matching import carried
from .messages import Order

NAME = "checks"
_MOST_BYTES = 1 << 26
_TIMING = Timing()
_MOST_WEIGHT = 1 << 31
"""No check adds or takes more."""
_LAST_TIME_S = 253_402_300_799.0
"""The end of the year 9999."""
_DAMAGED = (ValueError, LookupError, TypeError, ArithmeticError, RecursionError, AttributeError)
"""What a file with anything in it can lead to: no such file may keep an agent from starting."""


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
        text = f'{{"boot": {json.dumps(boot)}, "checks": [\n{rows}\n]}}\n'
        temporary = path + ".new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(temporary, flags, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)


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
    """The results of checks that still ask the same; none from another boot.

    A damaged file is removed, and nothing in it is believed.
    """
    found: Dict[CheckKey, CheckResult] = {}
    try:
        with open(path, encoding="utf-8") as file:
            content = json.loads(file.read(_MOST_BYTES))
        if content["boot"] != boot or not boot:
            return {}
        rows = {(row[0], row[1]): row[2:] for row in content["checks"]}
        for order in orders:
            row = rows.get((_spelled(order), identity(order)))
            if row is not None:
                found[order.key] = _result(order, row)
    except OSError:
        return {}
    except _DAMAGED:
        forget(path)
        return {}
    return found


def _result(order: Order, row: Sequence[Any]) -> CheckResult:
    """Raises any of _DAMAGED."""
    good, added, why, wall_s, weight = row
    added, wall_s, weight = int(added), float(wall_s), int(weight)
    if max(abs(added), abs(weight)) > _MOST_WEIGHT or not 0 <= wall_s <= _LAST_TIME_S:
        raise ValueError("no check says that")
    return carried(CheckResult(order.key, bool(good), added, str(why), wall_s), weight, order)


def forget(path: str) -> None:
    """After an orderly end there is nothing to go on with."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def identity(order: Order) -> str:
    """What makes a check another one, although it stands in the same place."""
    return hashlib.sha256(repr(replace(order.check, timing=_TIMING)).encode()).hexdigest()[:24]


def _spelled(order: Order) -> str:
    """Where the check stands. A service of a group may have another number in another file."""
    address, port = order.key.server
    service = order.service or order.key.service
    return " ".join(str(part) for part in (*service, address.hex(), port, order.key.number))
