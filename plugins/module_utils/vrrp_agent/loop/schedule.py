# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many deadlines behind one wake-up.

A backup moves its deadline with every advert it hears, thousands of times a second, and almost none
of these deadlines is ever reached.  So moving one costs nothing here: the heap keeps the old entry
and looks at the real deadline only when the entry comes up.
"""

from __future__ import annotations

import heapq
from typing import List, Optional, Protocol, Tuple


class Timer(Protocol):
    """Something with a deadline."""

    queued_ns: Optional[int]
    """Kept by the schedule: the deadline of its entry in the heap. Start with None."""

    @property
    def deadline(self) -> Optional[int]:
        """When ``expire`` wants to be called, in nanoseconds of the monotonic clock; None is never."""

    @property
    def slack_ns(self) -> int:
        """How much too early ``expire`` may be called, to share a wake-up with another timer."""

    def expire(self, now: int) -> None:
        """The deadline has come."""


class Schedule:
    """A heap of timers, each in it at most once in earnest."""

    def __init__(self) -> None:
        self._heap: List[Tuple[int, int, Timer]] = []
        self._count = 0

    def __len__(self) -> int:
        """How many timers are set, with those that have moved since counted again."""
        return len(self._heap)

    def refresh(self, timer: Timer) -> None:
        """Take notice of a deadline that is new or has moved; needed only when it may be sooner."""
        deadline = timer.deadline
        queued_ns = timer.queued_ns
        if deadline is None or (queued_ns is not None and queued_ns <= deadline):
            return
        self._push(deadline, timer)

    def forget(self, timer: Timer) -> None:
        """Never call this timer again."""
        timer.queued_ns = None

    def next_deadline(self) -> Optional[int]:
        """The earliest real deadline, or None."""
        heap = self._heap
        while heap:
            when, _count, timer = heap[0]
            if timer.queued_ns != when:
                heapq.heappop(heap)
                continue
            deadline = timer.deadline
            if deadline is None:
                heapq.heappop(heap)
                timer.queued_ns = None
            elif deadline > when:
                heapq.heappop(heap)
                self._push(deadline, timer)
            else:
                return when
        return None

    def run_due(self, now: int) -> bool:
        """Call every timer that is due, and those so near that they need no wake-up of their own.

        Nothing is called early unless something is due: slack saves wake-ups, it makes none.
        """
        first = self.next_deadline()
        if first is None or first > now:
            return False
        due: List[Timer] = []
        while True:
            when = self.next_deadline()
            if when is None:
                break
            timer = self._heap[0][2]
            if when > now and when > now + timer.slack_ns:
                break
            heapq.heappop(self._heap)
            timer.queued_ns = None
            due.append(timer)
        for timer in due:
            timer.expire(now)
            self.refresh(timer)
        return True

    def _push(self, deadline: int, timer: Timer) -> None:
        self._count += 1
        timer.queued_ns = deadline
        heapq.heappush(self._heap, (deadline, self._count, timer))
