# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From one table to another, in an order that drops no connection. Pure.

What is new comes first, what is gone goes last, and what is there already is changed in its place: a weight,
a method or a scheduler never costs a connection.
"""

from __future__ import annotations

from typing import Iterable, Iterator, List

from .backend import Change, Placed, ServiceKey, Table

ADD, SET, REMOVE = "add", "set", "remove"


def difference(old: Table, new: Table) -> List[Change]:
    """The steps that make ``new`` of ``old``. Equal tables need none, and equal entries are not touched."""
    steps: List[Change] = []
    for key, entry in new.items():
        before = old.get(key)
        if before is None:
            steps.append(Change(ADD, key, entry.words))
            before = Placed(entry.words, {})
        elif before.words != entry.words:
            steps.append(Change(SET, key, entry.words))
        steps.extend(_destinations(key, before, entry))
    steps.extend(Change(REMOVE, key) for key in old if key not in new)
    return steps


def _destinations(key: ServiceKey, old: Placed, new: Placed) -> Iterator[Change]:
    for destination, words in new.destinations.items():
        before = old.destinations.get(destination)
        if before is None:
            yield Change(ADD, key, destination=destination, destination_words=words)
        elif before != words:
            yield Change(SET, key, destination=destination, destination_words=words)
    for destination in old.destinations:
        if destination not in new.destinations:
            yield Change(REMOVE, key, destination=destination)


def apply(table: Table, changes: Iterable[Change]) -> None:
    """What the steps do to a table: the model of a back end that refuses nothing.

    Raises KeyError for a step that no table could take, such as a removal of what is not there.
    """
    for change in changes:
        if change.destination is None:
            _apply_service(table, change)
        else:
            destinations = table[change.service].destinations
            if change.what == REMOVE:
                del destinations[change.destination]
            elif change.destination_words is not None:
                if (change.what == ADD) is (change.destination in destinations):
                    raise KeyError(change)
                destinations[change.destination] = change.destination_words


def _apply_service(table: Table, change: Change) -> None:
    if change.what == REMOVE:
        del table[change.service]
    elif change.words is not None:
        if (change.what == ADD) is (change.service in table):
            raise KeyError(change)
        before = table.get(change.service)
        table[change.service] = Placed(change.words, {} if before is None else before.destinations)
