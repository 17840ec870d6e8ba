# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""max_auto_priority: more real-time priority for an agent that wakes up late."""

from __future__ import annotations

from typing import Callable

from ...conf.parts.operations import Promptness
from ...loop.alarm import Alarm
from ...loop.log import Log
from ...loop.loop import Loop

_LOOKS = 8
"""A delay is seen when it is at least 1/8 longer than asked: the alarm rings so often in that time."""
_SHORTEST_PERIOD_NS = 20_000_000

SetPriority = Callable[[int], str]
"""Sets a real-time priority; returns an empty text, or why it could not be done."""


class Watchdog:
    """An alarm that looks how late it is. It exists only where max_auto_priority asks for it."""

    def __init__(self, loop: Loop, log: Log, set_priority: SetPriority) -> None:
        self.priority = 0
        """The present real-time priority; 0 is none."""
        self._loop = loop
        self._log = log
        self._set_priority = set_priority
        self._settings = Promptness()
        self._due_ns = 0
        self._alarm = Alarm(loop, self._look)

    def apply(self, settings: Promptness, priority: int) -> None:
        """Watch as ``settings`` say, beginning with this priority; most 0 ends it."""
        self._settings = settings
        self.priority = priority
        if settings.most:
            self._set()
        else:
            self._alarm.cancel()

    def _set(self) -> None:
        period_ns = max(self._settings.late_ns // _LOOKS, _SHORTEST_PERIOD_NS)
        self._due_ns = self._loop.clock() + period_ns
        self._alarm.set_at(self._due_ns)

    def _look(self) -> None:
        late_ns = self._loop.clock() - self._due_ns
        if late_ns > self._settings.late_ns and self.priority < self._settings.most:
            self._raise(late_ns)
        self._set()

    def _raise(self, late_ns: int) -> None:
        wanted = self.priority + 1
        problem = self._set_priority(wanted)
        late = f"the agent woke up {late_ns / 1e9:.3f} s late"
        if problem:
            self._log.warning(f"{late}, and real-time priority {wanted} was refused: {problem}")
            self._settings = self._settings.__class__()  # it will be refused the next time too
            self._alarm.cancel()
            return
        self.priority = wanted
        self._log.notice(f"{late}: real-time priority is now {wanted}")
