# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A timer that calls a function once."""

from __future__ import annotations

from typing import Callable, Optional

from .loop import Loop


class Alarm:
    """Calls ``action`` when its moment has come. It may be set again, also by the action itself."""

    slack_ns = 0

    def __init__(self, loop: Loop, action: Callable[[], None]) -> None:
        self.queued_ns: Optional[int] = None
        self.deadline: Optional[int] = None
        self._loop = loop
        self._action = action

    def set_in(self, delay_ns: int) -> None:
        """Ring that long from now; an earlier setting is forgotten."""
        self.set_at(self._loop.clock() + delay_ns)

    def set_at(self, moment_ns: int) -> None:
        """Ring at this moment of the monotonic clock."""
        self.deadline = moment_ns
        self._loop.schedule.refresh(self)

    def cancel(self) -> None:
        """Do not ring."""
        self.deadline = None

    def expire(self, now: int) -> None:
        """The schedule's call."""
        self.deadline = None
        self._action()
