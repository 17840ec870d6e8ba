# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Watches files that hold a number, and gives them their first one."""

from __future__ import annotations

import os
import stat
from typing import Callable, Dict, Iterable, Mapping, Tuple

from ..conf.model import WatchedFile
from ..loop.log import Log
from ..loop.loop import Loop
from ..loop.number_files import NumberFiles
from .messages import FILE, Key, Reading


def write_initial(file: WatchedFile) -> None:
    """Give a file its initial number, if it wants one and has none. Raises OSError."""
    if file.initial is None:
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    if os.path.lexists(file.path):
        if not file.overwrite:
            return
        if not stat.S_ISREG(os.lstat(file.path).st_mode):
            raise OSError(0, "it is not a regular file")
        flags |= os.O_TRUNC
    descriptor = os.open(file.path, flags, 0o644)
    try:
        os.write(descriptor, b"%d\n" % file.initial)
    finally:
        os.close(descriptor)


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


def initial_numbers(files: Tuple[WatchedFile, ...], log: Log) -> None:
    """At the start of the agent: init_file."""
    for file in files:
        try:
            write_initial(file)
        except OSError as error:
            log.error(f"file {file.name}: {file.path} gets no initial number: {error.strerror}")
