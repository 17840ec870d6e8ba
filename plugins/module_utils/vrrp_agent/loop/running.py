# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A program that an event loop waits for, with a time limit."""

from __future__ import annotations

import signal
from typing import Callable, Optional

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
    whatever it has started is killed with it. 0 is no limit. ``on_refused`` hears each time that it may not
    be signalled, and why.
    """

    def __init__(
        self,
        program: Program,
        loop: Loop,
        limit_ns: int,
        on_end: Callable[[Ended, bool], None],
        on_refused: Optional[Callable[[str], None]] = None,
    ) -> None:
        self.program = program
        self.started_ns = loop.clock()
        self.told_to_end = False
        self._loop = loop
        self._on_end, self._on_refused = on_end, on_refused
        self._killed_ns: Optional[int] = None
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
        self.told_to_end = True
        if self._killed_ns is None:
            self._killed_ns = self._loop.clock()
        self._send(signal.SIGKILL)

    @property
    def undying(self) -> bool:
        """True when it was to be killed, and a second later it has still not ended."""
        return self._killed_ns is not None and self._loop.clock() - self._killed_ns >= SECOND_NS

    def _urge(self) -> None:
        if not self.told_to_end:
            self.told_to_end = True
            self._alarm.set_in(KILL_AFTER_NS)
            self._send(signal.SIGTERM)
        else:
            self._alarm.set_in(_KILL_AGAIN_NS)
            self.kill()

    def _send(self, number: int) -> None:
        refused = self.program.send(number)
        if refused and self._on_refused is not None:
            self._on_refused(refused)

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
