# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file with the readings, for an agent that goes on where a killed one was active.

Without it the priority of the new agent would lack its weights until every script has run, and a peer
could take over meanwhile. The process that watches writes it; nobody else has the time.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Dict, Iterable, List, Mapping

from .messages import Key, Reading

NAME = "readings"
_MOST_BYTES = 1 << 22
_MOST_VALUE = 1 << 32
"""No file, count or script says more."""
_DAMAGED = (ValueError, LookupError, TypeError, ArithmeticError, RecursionError, AttributeError)
"""What a file with anything in it can lead to: no such file may keep an agent from starting."""


def write(path: str, boot: str, readings: Iterable[Reading], identities: Mapping[Key, str]) -> None:
    """Replace the file. Raises OSError."""
    rows: List[List[object]] = [
        [one.kind, one.name, one.good, one.value, one.why, identities[one.key]]
        for one in readings
        if one.good is not None and one.key in identities
    ]
    temporary = path + ".new"
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump({"boot": boot, "readings": rows}, file)
    os.replace(temporary, path)


def read(path: str, boot: str, identities: Mapping[Key, str]) -> Dict[Key, Reading]:
    """The readings of things that are still the same; none from another boot.

    A damaged file is removed, and nothing in it is believed.
    """
    found: Dict[Key, Reading] = {}
    try:
        with open(path, encoding="utf-8") as file:
            content = json.loads(file.read(_MOST_BYTES))
        if content["boot"] != boot or not boot:
            return {}
        for kind, name, good, value, why, identity in content["readings"]:
            if identities.get((kind, name)) == identity:
                number = int(value)
                if abs(number) > _MOST_VALUE:
                    raise ValueError("nothing that is watched says that")
                found[(kind, name)] = Reading(kind, name, bool(good), number, str(why))
    except OSError:
        return {}
    except _DAMAGED:
        forget(path)
        return {}
    return found


def forget(path: str) -> None:
    """After an orderly end there is nothing to go on with."""
    with contextlib.suppress(OSError):
        os.unlink(path)
