# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that hold a number: those that are there, replaced, taken away, or come later."""

from __future__ import annotations

import os
import stat
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Set, Tuple

from ..conf.model import WatchedFile
from ..conf.number import MOST_BYTES, number_in
from ..kernel.inotify import COMING_AND_GOING, IN_CLOSE_WRITE, IN_Q_OVERFLOW, Inotify
from ..kernel.way import Step, way
from .log import Log
from .loop import Loop


def read_number(path: str) -> Optional[int]:
    """What the file says now: 0 when there is no such file; None for a number beyond all bounds."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return number_in(os.read(descriptor, MOST_BYTES))
    except OSError:
        return 0
    finally:
        os.close(descriptor)


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


def initial_numbers(files: Tuple[WatchedFile, ...], log: Log) -> None:
    """At the start of the agent: init_file."""
    for file in files:
        try:
            write_initial(file)
        except OSError as error:
            log.error(f"file {file.name}: {file.path} gets no initial number: {error.strerror}")


class NumberFiles:
    """Files by name, each with its path. ``say`` is called with the name and the number whenever it is new.

    Raises KernelError when files cannot be watched.
    """

    def __init__(self, loop: Loop, log: Log, say: Callable[[str, int], None]) -> None:
        self._loop, self._log, self._say = loop, log, say
        self._inotify = Inotify()
        self._paths: Dict[str, str] = {}
        self._numbers: Dict[str, int] = {}
        self._ways: Dict[str, List[Step]] = {}
        self._watches: Dict[int, str] = {}
        """Number of the watch to its directory."""
        loop.add_reader(self._inotify.fileno(), self._hear)

    def close(self) -> None:
        """Follow nothing any more."""
        self._loop.remove_reader(self._inotify.fileno())
        self._inotify.close()

    def use(self, paths: Mapping[str, str], known: Mapping[str, int], again: Iterable[str] = ()) -> None:
        """Follow these from now on, and say the number of each now. ``known`` are numbers of earlier days.

        A known number holds while the file has one beyond all bounds; those of ``again`` are forgotten.
        """
        for name in [*self._paths, *again]:
            if paths.get(name) != self._paths.get(name) or name in again:
                self._numbers.pop(name, None)
        for name in paths:
            if name in known:
                self._numbers.setdefault(name, known[name])
        self._paths = dict(paths)
        self._ways = {name: [] for name in paths}
        self._follow(paths)
        for name in paths:
            self._read(name, always=True)

    def _follow(self, names: Iterable[str]) -> None:
        """Find the ways to these files again, and watch what is on them."""
        for name in names:
            self._ways[name] = way(self._paths[name])
        masks: Dict[str, int] = {}
        for steps in self._ways.values():
            for step in steps:
                masks[step.directory] = masks.get(step.directory, 0) | COMING_AND_GOING
            if steps:
                masks[steps[-1].directory] |= IN_CLOSE_WRITE
        watches: Dict[int, str] = {}
        for directory, mask in masks.items():
            try:
                watches[self._inotify.watch(directory, mask)] = directory
            except OSError as error:
                if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
                    self._log.error(f"{directory} cannot be watched: {error.strerror}")
        for watch in set(self._watches) - set(watches):
            self._inotify.forget(watch)
        self._watches = watches

    def _hear(self) -> None:
        touched: Set[str] = set()
        for event in self._inotify.read():
            if event.mask & IN_Q_OVERFLOW:
                touched.update(self._paths)
                continue
            directory = self._watches.get(event.watch)
            if directory is None:
                continue
            for name, steps in self._ways.items():
                if any(step.directory == directory and event.name in ("", step.name) for step in steps):
                    touched.add(name)
        if touched:
            self._follow(touched)
            for name in sorted(touched):
                self._read(name)

    def _read(self, name: str, always: bool = False) -> None:
        path = self._paths[name]
        number = read_number(path)
        if number is None:
            # keepalived: such a number is as if nobody had written it
            self._log.warning(f"file {name}: the number in {path} has no place in 32 bits: ignored")
            number = self._numbers.get(name, 0)
        if always or self._numbers.get(name) != number:
            self._numbers[name] = number
            self._say(name, number)
