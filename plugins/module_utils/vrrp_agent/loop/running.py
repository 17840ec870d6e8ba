# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A program that an event loop waits for, with a time limit."""

from __future__ import annotations

import signal
from typing import Callable

from ..kernel.program import Ended, Program
from .alarm import Alarm
from .loop import Loop

SECOND_NS = 1_000_000_000
KILL_AFTER_NS = 2 * SECOND_NS
"""keepalived: a script that does not end after SIGTERM is killed 2 s later."""
_KILL_AGAIN_NS = 10 * SECOND_NS


class Running:
    """Calls ``on_end`` once, with how the program ended and whether it was told to.

    A program that takes longer than ``limit_ns`` is told to end, and killed when it does not; then
    whatever it has started is killed with it. 0 is no limit.
    """

    def __init__(
        self, program: Program, loop: Loop, limit_ns: int, on_end: Callable[[Ended, bool], None]
    ) -> None:
        self.program = program
        self.started_ns = loop.clock()
        self.told_to_end = False
        self._loop = loop
        self._on_end = on_end
        self._killed = False
        self._alarm = Alarm(loop, self._urge)
        loop.add_reader(program.fileno(), self._ended)
        if limit_ns:
            self._alarm.set_in(limit_ns)

    def end(self) -> None:
        """Tell it to end; it is killed when it has not ended 2 s later."""
        if not self.told_to_end:
            self._urge()

    def kill(self) -> None:
        """End it at once."""
        self.told_to_end = self._killed = True
        self.program.send(signal.SIGKILL)

    def _urge(self) -> None:
        if not self.told_to_end:
            self.told_to_end = True
            self.program.send(signal.SIGTERM)
            self._alarm.set_in(KILL_AFTER_NS)
        else:
            self.kill()
            self._alarm.set_in(_KILL_AGAIN_NS)

    def _ended(self) -> None:
        # Its descriptor is closed by reap: the loop must let go of it first.
        self._loop.remove_reader(self.program.fileno())
        ended = self.program.reap(others_too=self.told_to_end)
        if ended is None:
            self._loop.add_reader(self.program.fileno(), self._ended)
            return
        self._alarm.cancel()
        self._loop.schedule.forget(self._alarm)
        self._on_end(ended, self.told_to_end)
