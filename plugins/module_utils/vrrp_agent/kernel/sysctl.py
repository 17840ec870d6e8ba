# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel parameters below /proc/sys that are changed for a while and given back.

What they were is kept in a small file of the runtime directory, so that the process after a killed one
gives back the host's values and not those of its predecessor. Changes happen when a configuration is
applied, never on the way of an advert.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Dict, List, Tuple

from .errors import describe

_ROOT = "/proc/sys/"
Before = Dict[str, Tuple[str, str]]
"""By name: what it was, and what we made of it."""


def read(name: str) -> str:
    """The value of a parameter such as net/ipv4/conf/eth0/rp_filter; empty when there is none."""
    try:
        with open(_ROOT + name, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""


def write(name: str, value: str) -> str:
    """Set a parameter. Returns an empty text, or why it could not be done."""
    try:
        with open(_ROOT + name, "w", encoding="ascii") as file:
            file.write(value)
    except OSError as error:
        return f"cannot set {name.replace('/', '.')} to {value}: {describe(error.errno or 0)}"
    return ""


class Sysctls:
    """Parameters that are ours for now. ``path`` keeps what they were."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._before: Before = _recall(path)
        self._wanted: Dict[str, str] = {}

    def want(self, values: Dict[str, str]) -> List[str]:
        """Set these, and give back those that were wanted before and are not now. Returns what failed."""
        problems: List[str] = []
        for name in [name for name in self._before if name not in values]:
            self._give_back(name)
        for name, value in values.items():
            now = read(name)
            if not now:
                continue  # the interface is away
            if name not in self._before and now != value:
                self._before[name] = (now, value)
                self._keep()  # first, so that a kill in between loses nothing
            if now != value:
                problem = write(name, value)
                if problem and self._wanted.get(name) != value:
                    problems.append(problem)
        self._wanted = dict(values)
        self._keep()
        return problems

    def original(self, name: str) -> str:
        """What a parameter is, or was before we changed it; empty when there is none."""
        before = self._before.get(name)
        return before[0] if before is not None else read(name)

    def give_back(self) -> None:
        """The agent ends: everything is as it was, unless somebody else has changed it meanwhile."""
        self.want({})

    def _give_back(self, name: str) -> None:
        was, ours = self._before.pop(name)
        if read(name) == ours:
            write(name, was)

    def _keep(self) -> None:
        with contextlib.suppress(OSError):
            if not self._before:
                os.unlink(self._path)
                return
            with open(self._path + ".new", "w", encoding="utf-8") as file:
                json.dump(self._before, file)
            os.replace(self._path + ".new", self._path)


def _recall(path: str) -> Before:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        return {str(name): (str(was), str(ours)) for name, (was, ours) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
