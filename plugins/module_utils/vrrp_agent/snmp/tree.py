# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A tree of management objects: what has a name, what is the next one after it. Pure.

A table keeps its rows and works a cell out when it is asked for, so that a tree of a thousand virtual
routers is made in milliseconds, and a walk pays for what it reads.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

from . import values
from .values import Binding, Oid, Value

Cell = Callable[[Any], Optional[Value]]
"""From a row to the value of one column; None where the row has no such object."""


class Column(NamedTuple):
    """One column of a table."""

    number: int
    cell: Cell


class Table:
    """A conceptual table.

    ``entry`` is the name of the rows' type; an object is ``entry.column.index``. ``rows`` are pairs of
    index and row; of two with one index the first counts.
    """

    def __init__(self, entry: Oid, columns: Sequence[Column], rows: Sequence[Tuple[Oid, Any]]) -> None:
        self.entry = entry
        self._cells = sorted(columns, key=lambda column: column.number)
        self._numbers = [column.number for column in self._cells]
        first = dict(reversed(rows))
        self._indexes = sorted(first)
        self._rows = [first[index] for index in self._indexes]

    def get(self, name: Oid) -> Optional[Value]:
        """The object of exactly this name, which begins with ``entry``; else why there is none."""
        rest = name[len(self.entry) :]
        at = bisect_left(self._numbers, rest[0]) if rest else len(self._numbers)
        if at == len(self._numbers) or self._numbers[at] != rest[0]:
            return Value(values.NO_SUCH_OBJECT, None)
        row = bisect_left(self._indexes, rest[1:])
        if row < len(self._indexes) and self._indexes[row] == rest[1:]:
            value = self._cells[at].cell(self._rows[row])
            if value is not None:
                return value
        return Value(values.NO_SUCH_INSTANCE, None)

    def next(self, name: Oid, include: bool) -> Optional[Binding]:
        """The first object after ``name`` (or at it, with ``include``); None when there is none here."""
        rest: Oid = ()
        if name > self.entry:
            if name[: len(self.entry)] != self.entry:
                return None  # behind the whole table
            rest = name[len(self.entry) :]
        at = bisect_left(self._numbers, rest[0]) if rest else 0
        begin = 0
        if rest and at < len(self._numbers) and self._numbers[at] == rest[0]:
            find = bisect_left if include else bisect_right
            begin = find(self._indexes, rest[1:])
        for column in self._cells[at:]:
            for row in range(begin, len(self._rows)):
                value = column.cell(self._rows[row])
                if value is not None:
                    return Binding((*self.entry, column.number, *self._indexes[row]), value)
            begin = 0
        return None


class Tree:
    """Tables side by side, none inside another."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = sorted(tables, key=lambda table: table.entry)
        self._entries: List[Oid] = [table.entry for table in self._tables]

    def get(self, name: Oid) -> Value:
        """RFC 2741 7.2.3.1: the object, or noSuchObject or noSuchInstance."""
        at = bisect_right(self._entries, name) - 1
        if at >= 0 and name[: len(self._entries[at])] == self._entries[at]:
            value = self._tables[at].get(name)
            if value is not None:
                return value
        return Value(values.NO_SUCH_OBJECT, None)

    def next(self, start: Oid, include: bool = False, end: Oid = ()) -> Binding:
        """RFC 2741 7.2.3.2: the first object from ``start`` on and before ``end``, or endOfMibView."""
        at = max(bisect_right(self._entries, start) - 1, 0)
        for table in self._tables[at:]:
            if end and table.entry >= end:
                break
            found = table.next(start, include)
            if found is not None:
                if end and found.name >= end:
                    break
                return found
        return Binding(start, Value(values.END_OF_VIEW, None))


def scalars(group: Oid, *objects: Tuple[int, Optional[Value]]) -> List[Table]:
    """Objects with the names ``group.number.0``; one without a value does not exist.

    Each is a table of its own: tables may stand between two scalars of a group.
    """
    return [
        Table((*group, number), [Column(0, constant(value))], [((), None)])
        for number, value in objects
        if value is not None
    ]


def constant(value: Optional[Value]) -> Cell:
    """A cell that is the same in every row."""
    return lambda row: value
