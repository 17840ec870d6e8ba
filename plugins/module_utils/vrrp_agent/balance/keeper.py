# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes the kernel's table what is wanted and keeps it so: adopts, applies, looks again, gives back.

``believed`` is what the kernel holds of ours as far as this process knows. What somebody else changes shows
when the table is read again. A step that the kernel refuses is said once, and tried at each later look.
"""

from __future__ import annotations

from typing import Collection, Dict, List, NamedTuple, Optional, Set, Tuple

from ..loop.log import Log
from .backend import (
    Backend,
    Change,
    DestinationKey,
    Placed,
    Refusal,
    ServiceKey,
    ServiceWords,
    Table,
)
from .describe import change_text
from .difference import ADD, REMOVE, SET, apply, difference

Spot = Tuple[ServiceKey, Optional[DestinationKey]]
_NFTABLES = "nftables"


class Refused(NamedTuple):
    """A step that the kernel does not take."""

    change: Change
    why: str

    @property
    def text(self) -> str:
        """For a person."""
        return f"{change_text(self.change)}: {self.why}"


class TableKeeper:
    """One back end and the table in it. Methods raise KernelError when the back end itself fails."""

    def __init__(self, backend: Backend, log: Log) -> None:
        self.backend = backend
        self.believed: Table = {}
        self.refused: Dict[Spot, Refused] = {}
        self._log = log
        self._stubborn: Set[Change] = set()
        """Steps that the kernel takes without a change to show for it."""

    @property
    def name(self) -> str:
        """``ipvs`` or ``nftables``."""
        return self.backend.name

    @property
    def problem(self) -> str:
        """What keeps the back end from working well though it takes all steps; only nftables knows such."""
        return str(getattr(self.backend, "problem", ""))

    def fitted(self, words: ServiceWords) -> ServiceWords:
        """The nearest that the back end can do."""
        return self.backend.fitted(words)

    def adopt(self, own: Collection[ServiceKey]) -> int:
        """Take over what is there of ``own`` already; returns how many services that were."""
        self.believed = self._own_part(self.backend.read(), own)
        return len(self.believed)

    def reach(self, part: Table, keys: Collection[ServiceKey]) -> None:
        """Make the table at ``keys`` be ``part``; what is not in it goes. The rest is not touched."""
        before = {key: self.believed[key] for key in keys if key in self.believed}
        self._take_steps(difference(before, part))
        for spot in [spot for spot in self.refused if spot[0] in keys]:
            entry = part.get(spot[0])
            wanted = entry is not None and (spot[1] is None or spot[1] in entry.destinations)
            if not wanted and self.refused[spot].change.what != REMOVE:
                del self.refused[spot]

    def look(self, wanted: Table) -> None:
        """Read the table, and put back what somebody else has changed. Tries what was refused again."""
        own = {**wanted, **self.believed}
        found = self._own_part(self.backend.read(), own)
        steps = [step for step in difference(found, wanted) if step not in self._stubborn]
        if found != self.believed:
            foreign = [step for step in difference(found, self.believed) if step not in self._stubborn]
            if foreign:
                some = ", ".join(change_text(step) for step in foreign[:3])
                more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
                self._log.warning(f"somebody else has changed the {self.name} table; put back: {some}{more}")
        self.believed = found
        for spot in [spot for spot, one in self.refused.items() if one.change.what == REMOVE]:
            entry = found.get(spot[0])
            if entry is None or (spot[1] is not None and spot[1] not in entry.destinations):
                del self.refused[spot]  # it is gone
        if not steps:
            return
        self._take_steps(steps)
        left = difference(self._own_part(self.backend.read(), own), wanted)
        self._stubborn = {step for step in left if (step.service, step.destination) not in self.refused}
        for step in self._stubborn.intersection(steps):
            self._log.warning(f"{change_text(step)}: the kernel does not keep it")

    def clear(self) -> None:
        """Take all that is ours away."""
        self.reach({}, list(self.believed))

    def flush(self) -> None:
        """Take all away, whoever made it."""
        self.backend.flush()
        self.believed, self.refused = {}, {}

    def _own_part(self, table: Table, own: Collection[ServiceKey]) -> Table:
        every = self.name == _NFTABLES  # nobody else has anything there
        return {
            key: Placed(entry.words, dict(entry.destinations))
            for key, entry in table.items()
            if every or key in own
        }

    def _take_steps(self, steps: List[Change]) -> None:
        if not steps:
            return
        refusals = {refusal.change: refusal for refusal in self.backend.apply(steps)}
        for step in steps:
            refusal = refusals.get(step)
            spot = (step.service, step.destination)
            if refusal is None:
                self.refused.pop(spot, None)
                self._believe(step)
            else:
                self._refuse(spot, refusal)

    def _believe(self, step: Change) -> None:
        there = step.service in self.believed
        if step.destination is not None and not there:
            return  # its service was refused; the kernel cannot have taken it
        entry = self.believed.get(step.service)
        if step.destination is None:
            what = SET if there and step.what == ADD else step.what
        else:
            held = entry is not None and step.destination in entry.destinations
            what = SET if held and step.what == ADD else step.what
        apply(self.believed, [step._replace(what=what)])

    def _refuse(self, spot: Spot, refusal: Refusal) -> None:
        refused = Refused(refusal.change, refusal.why)
        before = self.refused.get(spot)
        self.refused[spot] = refused
        if before != refused:
            self._log.error(f"{self.name} refuses: {refused.text}")


def refused_of(keeper: Optional[TableKeeper], keys: Collection[ServiceKey]) -> List[str]:
    """What the kernel does not take of a service, for ``status``."""
    if keeper is None:
        return []
    return [refused.text for spot, refused in keeper.refused.items() if spot[0] in keys]
