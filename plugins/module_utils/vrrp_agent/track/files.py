# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Watches files that hold a number."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Mapping

from ..conf.model import WatchedFile
from ..loop.log import Log
from ..loop.loop import Loop
from ..loop.number_files import NumberFiles
from .messages import FILE, Key, Reading


class FileWatch:
    """All the files. ``say`` is called with a Reading whenever a number is new. Raises KernelError."""

    def __init__(self, loop: Loop, log: Log, say: Callable[[Reading], None]) -> None:
        self._say = say
        self._files: Dict[str, WatchedFile] = {}
        self._numbers = NumberFiles(loop, log, self._tell)

    def close(self) -> None:
        """Watch nothing any more."""
        self._numbers.close()

    def use(self, files: Iterable[WatchedFile], known: Mapping[Key, Reading]) -> None:
        """Watch these from now on."""
        before, self._files = self._files, {file.name: file for file in files}
        numbers: Dict[str, int] = {}
        for name in self._files:
            reading = known.get((FILE, name))
            if reading is not None and reading.good is not None:
                numbers[name] = reading.value
        changed = [name for name, file in self._files.items() if name in before and before[name] != file]
        paths = {name: file.path for name, file in self._files.items()}
        self._numbers.use(paths, numbers, changed)

    def _tell(self, name: str, number: int) -> None:
        self._say(Reading(FILE, name, True, number, f"holds {number}"))
