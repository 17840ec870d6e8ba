# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree of management objects: what GetNext finds, held against a plain sorted list."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Dict, List, Optional, Tuple

from hypothesis import given
from hypothesis import strategies as some
from vrrp_agent.snmp import values
from vrrp_agent.snmp.tree import Column, Table, Tree, scalars
from vrrp_agent.snmp.values import Oid, Value, integer

ROOT: Oid = (1, 3, 9)
GONE = values.END_OF_VIEW


def table(entry: Oid, cells: Dict[Tuple[int, Oid], int]) -> Table:
    """A table with holes: ``cells`` by column and index."""

    def column(number: int) -> Column:
        def cell(index: Oid) -> Optional[Value]:
            found = cells.get((number, index))
            return None if found is None else integer(found)

        return Column(number, cell)

    indexes = sorted({index for _number, index in cells})
    return Table(entry, [column(number) for number in {n for n, _i in cells}], [(i, i) for i in indexes])


def walk(tree: Tree, start: Oid = ()) -> List[Oid]:
    """All names that GetNext finds from ``start`` on."""
    found: List[Oid] = []
    binding = tree.next(start)
    while binding.value.kind != GONE:
        assert not found or binding.name > found[-1], "GetNext must go on"
        found.append(binding.name)
        binding = tree.next(binding.name)
    return found


def test_a_walk_goes_column_by_column_and_leaves_out_what_is_not_there() -> None:
    tree = Tree([table(ROOT, {(2, (1,)): 1, (2, (2,)): 2, (5, (1,)): 3, (4, (2,)): 4})])
    assert walk(tree) == [(*ROOT, 2, 1), (*ROOT, 2, 2), (*ROOT, 4, 2), (*ROOT, 5, 1)]


def test_a_table_may_stand_between_two_scalars_of_a_group() -> None:
    inner = table((*ROOT, 2, 1), {(2, (7,)): 1})
    tree = Tree([*scalars(ROOT, (1, integer(1)), (3, integer(3)), (4, None)), inner])
    assert walk(tree) == [(*ROOT, 1, 0), (*ROOT, 2, 1, 2, 7), (*ROOT, 3, 0)]
    assert tree.get((*ROOT, 3, 0)) == integer(3)
    assert tree.get((*ROOT, 4, 0)).kind == values.NO_SUCH_OBJECT


def test_get_tells_a_missing_row_from_a_missing_column() -> None:
    tree = Tree([table(ROOT, {(2, (1,)): 1, (2, (3,)): 3, (4, (3,)): 4})])
    assert tree.get((*ROOT, 2, 1)) == integer(1)
    assert tree.get((*ROOT, 2, 2)).kind == values.NO_SUCH_INSTANCE
    assert tree.get((*ROOT, 4, 1)).kind == values.NO_SUCH_INSTANCE
    assert tree.get((*ROOT, 3, 1)).kind == values.NO_SUCH_OBJECT
    assert tree.get(ROOT).kind == values.NO_SUCH_OBJECT
    assert tree.get((1,)).kind == values.NO_SUCH_OBJECT
    assert Tree([]).get(ROOT).kind == values.NO_SUCH_OBJECT
    assert Tree([]).next(ROOT).value.kind == GONE


def test_of_two_rows_with_one_index_the_first_counts() -> None:
    """Two virtual routers may have one ifIndex and VRID for a moment while interfaces change."""
    tree = Tree([Table(ROOT, [Column(1, lambda row: integer(row))], [((1,), 10), ((1,), 20)])])
    assert tree.get((*ROOT, 1, 1)) == integer(10)
    assert walk(tree) == [(*ROOT, 1, 1)]


part = some.integers(0, 4)
indexes = some.lists(part, min_size=1, max_size=3).map(tuple)
cells_of = some.dictionaries(some.tuples(part, indexes), some.integers(0, 99), min_size=1, max_size=12)
names = some.lists(part, max_size=7).map(tuple)


@given(some.dictionaries(part, cells_of, max_size=3), names, some.booleans(), names)
def test_next_finds_what_a_sorted_list_would(
    tables: Dict[int, Dict[Tuple[int, Oid], int]], start: Oid, include: bool, end: Oid
) -> None:
    tree = Tree([table((1, number), cells) for number, cells in tables.items()])
    objects = sorted(
        ((1, number, column, *index), value)
        for number, cells in tables.items()
        for (column, index), value in cells.items()
    )
    every = [name for name, _value in objects]
    at = bisect_left(every, start) if include else bisect_right(every, start)
    found = tree.next(start, include, end)
    if at < len(every) and (not end or every[at] < end):
        assert (found.name, found.value) == (every[at], integer(objects[at][1]))
    else:
        assert (found.name, found.value.kind) == (start, GONE)
    assert walk(tree) == every
    for name, value in objects:
        assert tree.get(name) == integer(value)
