# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which check of new orders is which check of the orders before. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, Iterable, List, Tuple, Union

from ..conf.parts.checks import Check, FileCheck
from ..loop.results import CheckKey, CheckResult
from .messages import Order

_Server = Tuple[Tuple[Union[str, int], ...], Tuple[bytes, int]]


def same_question(one: Check, other: Check) -> bool:
    """True when both ask the same; only when and how often may differ.

    keepalived too asks no more than that before it hands on a state at a reload.
    """
    return one == other or (one.kind == other.kind and replace(one, timing=other.timing) == other)


def successors(before: Iterable[Order], after: Iterable[Order]) -> Dict[CheckKey, CheckKey]:
    """For each new check that follows an old one of the same server: its key, and that of the old one.

    A check that asks the same is the same one wherever it stands. One with other words takes the place of
    one that is gone, and its state until it has a result of its own: a reload alone moves no server.
    A service of a group is the same one by its protocol, whatever number it has there.
    """
    old_ones, new_ones = _by_server(before), _by_server(after)
    found: Dict[CheckKey, CheckKey] = {}
    for server, new in new_ones.items():
        old = old_ones.get(server)
        if old:
            _pair(old, new, found)
    return found


def carried(result: CheckResult, weight: int, order: Order) -> CheckResult:
    """What is known of a check, for the ``order`` that follows. ``weight``: of its server, as it was.

    With misc_dynamic the program says what the sum of both weights is to be; what a file adds stays.
    """
    added = result.added_weight
    if added and weight != order.weight and not isinstance(order.check, FileCheck):
        added += weight - order.weight
    return result._replace(key=order.key, added_weight=added)


def _pair(old: List[Order], new: List[Order], found: Dict[CheckKey, CheckKey]) -> None:
    for alike in _RULES:
        for order in [order for order in new if order.key not in found]:
            for candidate in old:
                if alike(candidate, order):
                    found[order.key] = candidate.key
                    old.remove(candidate)
                    break
        if not old:
            return


def _same_place(one: Order, other: Order) -> bool:
    return one.key.number == other.key.number


def _same(one: Order, other: Order) -> bool:
    return same_question(one.check, other.check)


def _same_kind(one: Order, other: Order) -> bool:
    return one.check.kind == other.check.kind and _asks(one, other)


def _asks(one: Order, other: Order) -> bool:
    """A file does not answer for a server, and no server for a file."""
    return not isinstance(one.check, FileCheck) and not isinstance(other.check, FileCheck)


_RULES: Tuple[Callable[[Order, Order], bool], ...] = (
    lambda one, other: _same_place(one, other) and _same(one, other),
    _same,
    lambda one, other: _same_place(one, other) and _same_kind(one, other),
    _same_kind,
    lambda one, other: _same_place(one, other) and _asks(one, other),
)


def _by_server(orders: Iterable[Order]) -> Dict[_Server, List[Order]]:
    found: Dict[_Server, List[Order]] = {}
    for order in orders:
        found.setdefault((order.service or order.key.service, order.key.server), []).append(order)
    return found
