# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Counts processes: a look at all of them, and then the kernel's events."""

from __future__ import annotations

import os
from typing import Callable, Dict, Iterable, Iterator, Mapping, Optional, Set, Tuple

from ..conf.model import ProcessEvents as EventSettings
from ..conf.model import WatchedProcess
from ..kernel import proc_events
from ..kernel.errors import KernelError
from ..kernel.proc_events import ProcessEvents
from ..loop.alarm import Alarm
from ..loop.log import Log
from ..loop.loop import Loop
from .messages import PROCESS, Key, Reading
from .processes import Look, ProcessTable, look_of
from .quorum import Cause, Quorum

_MS_NS = 1_000_000
_ANSWER_NS = 1000 * _MS_NS
"""The kernel says at once that it will report; where it will not, it says nothing."""
_SETTLE_NS = 200 * _MS_NS
"""After lost events: how long to wait for the storm to pass before all processes are looked at again."""
_LOOK_NS = 1000 * _MS_NS
_COUNTS_NS = 1000 * _MS_NS
"""How often a new count is told while the result stays; a busy server forks hundreds of times a second."""
"""How often to look where there are no events."""


def look_at(pid: int, command: bool) -> Optional[Look]:
    """What /proc says of a process; None when it is gone or a zombie. ``command``: the command line too."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            status = file.read()
        line = None
        if command:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read()
    except OSError:
        return None
    return look_of(status, line)


def everyone(command: bool) -> Iterator[Tuple[int, Look]]:
    """All processes."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            look = look_at(int(name), command)
            if look is not None:
                yield int(name), look


class ProcessWatch:
    """All the kinds of processes. ``say`` is called with a Reading whenever a count or a result is new."""

    def __init__(self, loop: Loop, log: Log, say: Callable[[Reading], None], settings: EventSettings) -> None:
        self._loop, self._log, self._say = loop, log, say
        self._settings = settings
        self._table = ProcessTable((), self._counted)
        self._wanted: Dict[str, WatchedProcess] = {}
        self._quorums: Dict[str, Quorum] = {}
        self._alarms: Dict[str, Alarm] = {}
        self._events: Optional[ProcessEvents] = None
        self._look_again = Alarm(loop, self._recount)
        self._answer = Alarm(loop, self._no_answer)
        self._polling = False
        self._told: Dict[str, bool] = {}
        self._uncounted: Set[str] = set()
        self._tell_counts = Alarm(loop, self._tell_all)
        self._listen()

    def close(self) -> None:
        """Count no more."""
        for alarm in (*self._alarms.values(), self._look_again, self._answer, self._tell_counts):
            alarm.cancel()
            self._loop.schedule.forget(alarm)
        self._deaf()

    def use(self, wanted: Iterable[WatchedProcess], known: Mapping[Key, Reading]) -> None:
        """Count these from now on; what has not changed stays as it is."""
        before, self._wanted = self._wanted, {one.name: one for one in wanted}
        self._table = ProcessTable(self._wanted.values(), self._counted)
        self._table.fill(everyone(self._table.needs_command))
        old, self._quorums = self._quorums, {}
        for name, alarm in self._alarms.items():
            if name not in self._wanted:
                alarm.cancel()
        now = self._loop.clock()
        for name, one in self._wanted.items():
            count = self._table.count(name)
            if before.get(name) == one:
                quorum = old[name]
                quorum.recount(count, now)
            else:
                memory = known.get((PROCESS, name))
                quorum = Quorum(one, count)
                if memory is not None and memory.good is not None:
                    quorum = Quorum(one, count, memory.good)
                    quorum.recount(count, now)
            self._quorums[name] = quorum
            self._wake(name)
            self._tell(name)

    def _listen(self) -> None:
        try:
            self._events = ProcessEvents(self._settings.buffer_bytes, self._settings.force)
        except KernelError as error:
            self._poll(f"{error}; {error.hint}")
            return
        self._loop.add_reader(self._events.fileno(), self._hear)
        self._answer.set_in(_ANSWER_NS)

    def _no_answer(self) -> None:
        self._deaf()
        self._poll("the kernel reports no processes here; run the agent outside of containers")

    def _deaf(self) -> None:
        if self._events is not None:
            self._loop.remove_reader(self._events.fileno())
            self._events.close()
            self._events = None

    def _poll(self, why: str) -> None:
        self._polling = True
        self._log.warning(
            f"track_process: {why}. All processes are looked at once a second instead: a short life or "
            "death between two looks is not seen"
        )
        self._look_again.set_in(_LOOK_NS)

    def _hear(self) -> None:
        if self._events is None:
            return
        events = self._events.read()
        if events is None:
            if self._look_again.deadline is None:
                size = self._events.double_buffer()
                self._log.warning(
                    "processes came and went faster than could be read: all are looked at again; the receive "
                    f"buffer is {size} bytes now (process_monitor_rcv_bufs)"
                )
            self._look_again.set_in(_SETTLE_NS)
            return
        for event in events:
            if event.kind == proc_events.FORK:
                self._table.forked(event.parent, event.pid)
            elif event.kind == proc_events.EXIT:
                self._table.ended(event.pid)
            elif event.kind == proc_events.RENAME:
                self._table.renamed(event.pid, event.name)
            elif event.kind == proc_events.EXEC:
                look = look_at(event.pid, self._table.needs_command)
                if look is not None:  # otherwise its end is on its way
                    self._table.executed(event.pid, look)
            else:
                self._answer.cancel()

    def _recount(self) -> None:
        self._table.fill(everyone(self._table.needs_command))
        now = self._loop.clock()
        for name, quorum in self._quorums.items():
            before = quorum.count
            changed = (
                quorum.recount(self._table.count(name), now) if self._table.count(name) != before else False
            )
            self._wake(name)
            if changed or quorum.count != before:
                self._tell(name)
        if self._polling:
            self._look_again.set_in(_LOOK_NS)

    def _counted(self, name: str, count: int, cause: Cause) -> None:
        quorum = self._quorums[name]
        quorum.change(count, cause, self._loop.clock())
        self._wake(name)
        if quorum.good != self._told.get(name):
            self._tell(name)
        else:
            self._uncounted.add(name)
            if self._tell_counts.deadline is None:
                self._tell_counts.set_in(_COUNTS_NS)

    def _tell_all(self) -> None:
        names, self._uncounted = self._uncounted, set()
        for name in names & set(self._quorums):
            self._tell(name)

    def _wake(self, name: str) -> None:
        alarm = self._alarms.get(name)
        if alarm is None:
            alarm = self._alarms[name] = Alarm(self._loop, lambda: self._over(name))
        deadline = self._quorums[name].deadline
        if deadline is None:
            alarm.cancel()
        else:
            alarm.set_at(deadline)

    def _over(self, name: str) -> None:
        quorum = self._quorums.get(name)
        if quorum is not None:
            quorum.expire()
            self._tell(name)

    def _tell(self, name: str) -> None:
        quorum = self._quorums[name]
        self._told[name] = quorum.good
        pending = "" if quorum.deadline is None else ", a change is being waited out"
        self._say(Reading(PROCESS, name, quorum.good, quorum.count, f"{quorum.count} running{pending}"))
