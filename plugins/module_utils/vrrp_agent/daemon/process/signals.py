# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Signals as events of the loop, under keepalived's numbers and names."""

from __future__ import annotations

import signal
import socket
from typing import Callable, Dict, Iterable, Mapping, Optional

from ...loop.loop import Loop

STOP, RELOAD, DATA, STATS = signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2
JSON = signal.SIGRTMIN + 2
STATS_CLEAR = signal.SIGRTMAX - 1
THREADS = signal.SIGRTMAX

NUMBERS: Mapping[str, int] = {
    "STOP": int(STOP),
    "RELOAD": int(RELOAD),
    "DATA": int(DATA),
    "STATS": int(STATS),
    "STATS_CLEAR": STATS_CLEAR,
    "JSON": JSON,
    "TDUMP": int(THREADS),
    "TDATA": int(THREADS),
}
"""The names of ``keepalived --signum``. Its manual writes TDATA where its code has TDUMP."""

Action = Callable[[], None]


class Signals:
    """Calls an action for each signal that came, in the loop and not in the middle of something else.

    From its making on no signal with an action is lost, and those in ``ignored`` do nothing.
    """

    def __init__(self, loop: Loop, ignored: Iterable[int] = ()) -> None:
        self._loop = loop
        self._actions: Dict[int, Action] = {}
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        loop.add_reader(self._reader.fileno(), self._read)

    def on(self, number: int, action: Action, at_once: Optional[Action] = None) -> None:
        """From now on ``action`` is called for it; ``at_once`` too, in the middle of whatever is done."""
        self._actions[number] = action

        def noted(_number: int, _frame: object) -> None:
            """The wake-up descriptor has the number; this keeps the default action away."""
            if at_once is not None:
                at_once()

        signal.signal(number, noted)

    def close(self) -> None:
        """Give the descriptors back. What comes now is forgotten."""
        signal.set_wakeup_fd(-1)
        self._loop.remove_reader(self._reader.fileno())
        self._reader.close()
        self._writer.close()

    def _read(self) -> None:
        try:
            numbers = self._reader.recv(64)
        except BlockingIOError:
            return
        for number in numbers:
            action = self._actions.get(number)
            if action is not None:
                action()
