# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tables of nftables_ipvs as they are in the kernel, changed by difference."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ..conf.parts.balancing import Balancing, VirtualServer
from ..kernel.errors import KernelError
from ..kernel.namespace import inside
from ..kernel.nft_marks import Marks, MarkTable
from ..kernel.nftables import NftSocket
from ..loop.log import Log
from .backend import ServiceKey
from .fwmarks import assign, marked, marks_of

OWNER_COMMENT = "vrrp-agent fwmarks, priority "
"""And the priority: another one needs another chain."""
_FAMILIES = (4, 6)


class FwmarkTables:
    """One table for each family, by the same name. Methods raise KernelError.

    ``namespace`` is that of IPVS (net_namespace_ipvs), ``priority`` nftables_ipvs_priority.
    """

    def __init__(
        self,
        name: str,
        priority: int,
        namespace: Optional[str] = None,
        kernel: Optional[NftSocket] = None,
    ) -> None:
        self.name, self.priority, self.namespace = name, priority, namespace
        if kernel is None:
            with inside(namespace):
                kernel = NftSocket("the firewall marks of virtual server groups")
        self._kernel = kernel
        self._made: Dict[int, str] = {}
        """The comments of the tables that are there."""
        self.marks: Marks = {}
        """What the tables hold."""
        self._read()

    def _read(self) -> None:
        """What a predecessor has left is adopted."""
        self._made, self.marks = {}, {}
        for family in _FAMILIES:
            table = MarkTable(family, self.name)
            owner = self._kernel.owner(table.family, self.name)
            if owner is None:
                continue
            if not owner.startswith(OWNER_COMMENT):
                raise KernelError(
                    f"the nftables table {self.name} belongs to somebody else",
                    "give nftables_ipvs another name, or delete the table (nft delete table ip "
                    f"{self.name}; nft delete table ip6 {self.name})",
                )
            self._made[family] = owner
            for question in table.list_marks():
                self.marks.update(table.read_marks(self._kernel.dump(question)))

    def reach(self, marks: Marks, look: bool = False) -> None:
        """Make the tables hold these marks; all or nothing. ``look``: somebody may have changed them."""
        if look:
            self._read()
        try:
            self._commit(marks)
        except KernelError:
            self._read()  # somebody has flushed the ruleset
            self._commit(marks)

    def _commit(self, marks: Marks) -> None:
        comment = f"{OWNER_COMMENT}{self.priority}"
        if marks == self.marks and all(made == comment for made in self._made.values()):
            return
        messages: List[bytes] = []
        made: Dict[int, str] = {}
        for family in _FAMILIES:
            table = MarkTable(family, self.name)
            old = {entry: mark for entry, mark in self.marks.items() if entry.family == family}
            new = {entry: mark for entry, mark in marks.items() if entry.family == family}
            there = self._made.get(family)
            if there is not None and (not new or there != comment):
                messages.append(table.remove())
                old = {}
            if not new:
                continue
            made[family] = comment
            if there != comment:
                messages += table.make_all(comment, self.priority)
            messages += table.take_away({one: old[one] for one in old if new.get(one) != old[one]})
            messages += table.add({one: new[one] for one in new if old.get(one) != new[one]})
        self._kernel.commit(messages)
        self._made, self.marks = made, dict(marks)

    def remove(self) -> None:
        """The agent ends, or groups need no marks any more."""
        if self._made:
            self._kernel.commit([MarkTable(family, self.name).remove() for family in sorted(self._made)])
        self._made, self.marks = {}, {}

    def close(self) -> None:
        """Give the socket back; the tables stay."""
        self._kernel.close()


Opener = Callable[[Balancing], FwmarkTables]


def open_tables(balancing: Balancing) -> FwmarkTables:
    """The tables that ``balancing`` names. Raises KernelError."""
    return FwmarkTables(balancing.fwmark_table, balancing.fwmark_priority, balancing.namespace)


class FwmarkKeeper:
    """Keeps nftables_ipvs: ``plan`` before IPVS is changed, ``settle`` after it, ``remove`` at the end.

    Where nftables refuses, groups have a service for each address, as without the word.
    """

    def __init__(self, log: Log, opener: Opener = open_tables) -> None:
        self.problem = ""
        self._log = log
        self._opener = opener
        self._tables: Optional[FwmarkTables] = None
        self._settings: Tuple[str, int, Optional[str]] = ("", 0, None)
        self._next: Marks = {}
        self.found: Tuple[ServiceKey, ...] = ()
        """The services of marks that a predecessor has left in the tables."""
        self._before: Marks = {}
        """The marks of tables that a predecessor has left by another name."""

    @property
    def table(self) -> str:
        """For a successor: the name of tables that may be there, or nothing."""
        return "" if self._tables is None else self._tables.name

    def recall(self, balancing: Balancing) -> None:
        """Take the tables away that ``balancing`` names: a predecessor has left them, and they are no longer
        wanted. Groups keep their marks."""
        try:
            tables = self._opener(balancing)
        except KernelError as error:
            self._log.error(f"{error}; the table {balancing.fwmark_table} is left")
            return
        try:
            self._before = dict(tables.marks)
            tables.remove()
        except KernelError as error:
            self._log.error(f"{error}; the table {balancing.fwmark_table} is left")
        else:
            if self._before:
                self._log.info(f"the nftables table {balancing.fwmark_table} that was left is taken away")
        finally:
            tables.close()

    def plan(self, balancing: Balancing, services: Sequence[VirtualServer]) -> Tuple[VirtualServer, ...]:
        """The services as IPVS is to see them."""
        self._next = {}
        if not balancing.fwmark_table:
            return tuple(services)
        settings = (balancing.fwmark_table, balancing.fwmark_priority, balancing.namespace)
        try:
            if self._tables is None or settings != self._settings:
                before = self._before if self._tables is None else self._tables.marks
                self.remove()
                self._tables, self._settings = self._opener(balancing), settings
                before = self._tables.marks or before
                left = dict.fromkeys((entry.family, mark) for entry, mark in before.items())
                self.found = tuple(ServiceKey(family, 0, b"", 0, mark) for family, mark in left)
            else:
                before = self._tables.marks
        except KernelError as error:
            self._fail(error)
            return tuple(services)
        assigned = assign(services, before, balancing.fwmark_first)
        self._next = marks_of(services, assigned)
        return tuple(marked(service, assigned) for service in services)

    def settle(self, look: bool = False) -> None:
        """The services are there, or gone: now packets get their marks. ``look``: read the tables first."""
        if self._tables is None:
            return
        try:
            if self._next:
                self._tables.reach(self._next, look)
            else:
                self.remove()
        except KernelError as error:
            self._fail(error)
        else:
            self.problem = ""

    def remove(self) -> None:
        """Nothing gets a mark any more."""
        if self._tables is None:
            return
        try:
            self._tables.remove()
        except KernelError as error:
            self._log.error(f"{error}; the table {self._tables.name} is left")
        self._tables.close()
        self._tables = None

    def _fail(self, error: KernelError) -> None:
        text = f"nftables_ipvs: {error}" + (f" ({error.hint})" if error.hint else "")
        if text != self.problem:
            self._log.error(text)
        self.problem = text
