# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the process that watches scripts, files and processes has found out, as the agent knows it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import AbstractSet, Any, Callable, Dict, FrozenSet, Iterator, Optional, Set, Tuple

from ...conf.model import Config, Instance
from ...loop.channel import Channel
from ...loop.log import ERROR, INFO, NOTICE, WARNING, Log
from ...loop.loop import Loop
from ...loop.notes import forget
from ...loop.side import Side, Worker
from ...track import notebook
from ...track.messages import FILE, LINK, PROCESS, SCRIPT, Key, Orders, Reading, Run
from ..host.interfaces import Interfaces

_NAME = "track"


def make_worker(loop: Loop, channel: Channel, log: Log) -> Worker:
    """The side's worker: imported in its own process only."""
    from ...track.worker import TrackWorker

    return TrackWorker(loop, channel, log)


class Trackers:
    """Keeps the process that watches, and its readings. They outlive that process.

    ``on_change`` is called with the keys of what is new.
    """

    def __init__(
        self,
        loop: Loop,
        log: Log,
        on_change: Callable[[AbstractSet[Key]], None],
        interfaces: Interfaces,
        notes: Tuple[str, str],
    ) -> None:
        """``notes``: where readings are kept for a successor, and which boot of the host this is."""
        self._path, self._boot = notes
        self._interfaces = interfaces
        self._identities: Dict[Key, str] = {}
        self.readings: Dict[Key, Reading] = {}
        self.since_wall_s: Dict[Key, float] = {}
        self.runs: Dict[str, Run] = {}
        self._log = log
        self._on_change = on_change
        self._orders: Optional[Orders] = None
        self._first = False
        self._side = Side(_NAME, make_worker, loop, log, self._hello, self._hear)

    @property
    def pid(self) -> int:
        """The process that watches, or 0."""
        return self._side.pid if self._side.running else 0

    def apply(self, config: Config, go_on: bool = False) -> None:
        """Watch what ``config`` wants; what has not changed goes on as it was.

        ``go_on``: a killed agent was active an instant ago, and what it knew still holds.
        """
        before = self._orders
        orders = replace(_orders(config), path=self._path, boot=self._boot)
        refused = any(reading.disabled for reading in self.readings.values())
        if before is not None and orders == before and not refused:
            return  # what could not be run is looked at again at each reload
        self._forget(orders)
        self._orders, self._identities = orders, orders.identities()
        if before is None and go_on:
            self.readings = notebook.read(orders.path, orders.boot, self._identities)
            self.since_wall_s = dict.fromkeys(self.readings, time.time())
        if not orders.identities():
            self._side.retire()
        elif self._side.running:
            self._side.send(orders)
        else:
            self._first = before is None
            self._side.start()

    def stop(self, patience_ns: int) -> None:
        """End scripts and the process. Blocks until it has ended, for so long at most (child_wait_time)."""
        self._side.stop(patience_ns)
        forget(self._path)

    def links_among(self, keys: AbstractSet[Key]) -> Set[str]:
        """The interfaces among ``keys``, whose links are known from now on."""
        names = {name for kind, name in keys if kind == LINK}
        for name in names:
            good = self.readings[(LINK, name)].good
            if good is not None:
                self._interfaces.polled[name] = good
        return names

    def _hello(self) -> Iterator[Orders]:
        """What a new process must know: also all that one before it has found out."""
        if self._orders is not None:
            first, self._first = self._first, False
            known = {key: reading for key, reading in self.readings.items() if reading.good is not None}
            yield replace(self._orders, first=first, known=known)

    def _forget(self, orders: Orders) -> None:
        """Drop readings of what is gone. What is another thing under an old name is taken for what it was
        until it is known: a reload alone moves no priority, and ends no FAULT."""
        staying = orders.identities()
        for key in list(self.readings):
            if key not in staying:
                del self.readings[key]
                self.since_wall_s.pop(key, None)
                if key[0] == SCRIPT:
                    self.runs.pop(key[1], None)
                elif key[0] == LINK:
                    self._interfaces.polled.pop(key[1], None)

    def _hear(self, value: Any) -> None:
        if isinstance(value, Reading):
            self._take(value)
        elif isinstance(value, list):
            for run in value:
                if isinstance(run, Run) and (SCRIPT, run.name) in self.readings:
                    self.runs[run.name] = run

    def _take(self, reading: Reading) -> None:
        if self._orders is None or reading.key not in self._identities:
            return  # it was sent before newer orders were read
        before = self.readings.get(reading.key)
        if before is not None and not reading.known:
            return
        self.readings[reading.key] = reading
        if before is None or _state(before) != _state(reading):
            self.since_wall_s[reading.key] = time.time()
            self._say(before, reading)
        elif _because_bad(before) == _because_bad(reading):
            return
        self._on_change({reading.key})

    def _say(self, before: Optional[Reading], reading: Reading) -> None:
        if not reading.known:
            return
        level = INFO
        if reading.disabled:
            level = ERROR
        elif before is not None and before.good is not None:
            level = NOTICE if reading.good else WARNING
        elif reading.good is False:
            level = WARNING
        self._log.write(level, f"{reading.kind} {reading.name}: {word(reading)}{_because(reading)}")


def word(reading: Optional[Reading]) -> str:
    """The state, for a person and for ``status``."""
    if reading is None or (reading.good is None and not reading.disabled):
        return "unknown"
    if reading.disabled:
        return "disabled"
    if reading.kind == FILE:
        return str(reading.value)
    if reading.kind == LINK:
        return "up" if reading.good else "down"
    return "good" if reading.good else "bad"


def _because(reading: Reading) -> str:
    why = reading.disabled or (reading.why if reading.kind != FILE else "")
    return f" ({why})" if why else ""


def keys_of(instance: Instance) -> FrozenSet[Key]:
    """All that an instance tracks, but for interfaces."""
    return frozenset(
        (kind, item.name)
        for kind, items in (
            (SCRIPT, instance.track_scripts),
            (FILE, instance.track_files),
            (PROCESS, instance.track_processes),
        )
        for item in items
    )


def _orders(config: Config) -> Orders:
    """What somebody tracks; keepalived leaves the rest alone too."""
    wanted: Set[Key] = set()
    for instance in config.instances:
        wanted |= keys_of(instance)
    return Orders(
        config.settings.scripts,
        tuple(one for one in config.scripts if (SCRIPT, one.name) in wanted),
        tuple(one for one in config.files if (FILE, one.name) in wanted),
        tuple(one for one in config.processes if (PROCESS, one.name) in wanted),
        config.linkbeats,
        config.process_events,
    )


def _state(reading: Reading) -> Tuple[Any, ...]:
    """What an instance can depend on."""
    return reading.good, reading.value if reading.kind == FILE else 0, reading.disabled


def _because_bad(reading: Reading) -> str:
    """What is part of the reason for FAULT."""
    return reading.why if reading.good is False else ""
