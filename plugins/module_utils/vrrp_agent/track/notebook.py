# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file with the readings, for an agent that goes on where a killed one was active.

Without it the priority of the new agent would lack its weights until every script has run, and a peer
could take over meanwhile. The process that watches writes it; nobody else has the time.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Iterable, List, Mapping

from ..loop import notes
from .messages import Key, Reading

NAME = "readings"
_MOST_VALUE = 1 << 32
"""No file, count or script says more."""


def write(path: str, boot: str, readings: Iterable[Reading], identities: Mapping[Key, str]) -> None:
    """Replace the file. Raises OSError."""
    rows: List[List[object]] = [
        [one.kind, one.name, one.good, one.value, one.why, identities[one.key]]
        for one in readings
        if one.good is not None and one.key in identities
    ]
    notes.write(path, json.dumps({"boot": boot, "readings": rows}))


def read(path: str, boot: str, identities: Mapping[Key, str]) -> Dict[Key, Reading]:
    """The readings of things that are still the same; none from another boot."""

    def understand(content: Dict[str, Any]) -> Dict[Key, Reading]:
        found: Dict[Key, Reading] = {}
        for kind, name, good, value, why, identity in content["readings"]:
            if identities.get((kind, name)) == identity:
                number = int(value)
                if abs(number) > _MOST_VALUE:
                    raise ValueError("nothing that is watched says that")
                found[(kind, name)] = Reading(kind, name, bool(good), number, str(why))
        return found

    return notes.read(path, boot, understand, {})
