# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Are there enough processes of a kind, and not too many: with the delays that forgive. Pure."""

from __future__ import annotations

from enum import Enum
from typing import Optional

from ..conf.model import WatchedProcess


class Cause(Enum):
    """Why a number of processes has changed."""

    FORK = "fork"
    EXIT = "exit"
    EXEC = "exec"
    RENAME = "rename"


class Quorum:
    """``good`` follows the count, at once or after a delay.

    keepalived: fork_delay holds back what a fork brings about, terminate_delay what an exit brings about; a
    change back within the delay is as if nothing had been. What exec or a new name brings about counts at
    once. ``now`` is in nanoseconds; call ``expire`` at ``deadline``.
    """

    def __init__(self, wanted: WatchedProcess, count: int, good: Optional[bool] = None) -> None:
        """``good``: what it was for another process that watched before, if that is known."""
        self._wanted = wanted
        self.count = count
        self.deadline: Optional[int] = None
        self._pending: Optional[Cause] = None
        self.good = self._fits() if good is None else good

    def _fits(self) -> bool:
        most = self._wanted.quorum_max
        return self._wanted.quorum <= self.count and (most is None or self.count <= most)

    def change(self, count: int, cause: Cause, now: int) -> bool:
        """There are so many now. True when ``good`` has changed."""
        before = self._fits()
        self.count = count
        fits = self._fits()
        if fits == before:
            return False
        delay_ns = 0
        if cause is Cause.FORK:
            delay_ns = self._wanted.start_delay_ns
            back = self._pending is Cause.EXIT
        elif cause is Cause.EXIT:
            delay_ns = self._wanted.end_delay_ns
            back = self._pending is Cause.FORK
        else:
            back = False
        if back or not delay_ns:
            self._pending = self.deadline = None
            return self._be(fits)
        self._pending, self.deadline = cause, now + delay_ns
        return False

    def recount(self, count: int, now: int) -> bool:
        """News were lost, and this is the count now. True when ``good`` has changed.

        keepalived: the change counts after the delay of its direction.
        """
        self.count = count
        self._pending = self.deadline = None
        fits = self._fits()
        if fits == self.good:
            return False
        delay_ns = self._wanted.start_delay_ns if fits else self._wanted.end_delay_ns
        if not delay_ns:
            return self._be(fits)
        self._pending, self.deadline = Cause.FORK if fits else Cause.EXIT, now + delay_ns
        return False

    def expire(self) -> bool:
        """The delay is over. True when ``good`` has changed."""
        self._pending = self.deadline = None
        return self._be(self._fits())

    def _be(self, good: bool) -> bool:
        changed, self.good = good != self.good, good
        return changed
