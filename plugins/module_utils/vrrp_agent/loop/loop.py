# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The event loop: descriptors and one deadline, with a wait that is exact to the microsecond.

epoll alone rounds a timeout up to a whole millisecond, a tenth of the shortest advert interval.
``select`` does not, so it waits for the one epoll descriptor.
"""

from __future__ import annotations

import select
import time
from collections import deque
from typing import Callable, Deque, Dict

from .schedule import Schedule

Handler = Callable[[], None]
Job = Callable[[], bool]
"""A piece of unhurried work; True asks for another turn."""

_LONGEST_WAIT_S = 60.0
_MOST_BEHIND = 16
"""Turns in a row that readers may be behind. They read 1024 packets a turn, and no receive buffer holds
16 times as many, so whatever came before a deadline has been read by then, however much comes after it."""


class Loop:
    """Runs handlers of readable descriptors, then timers that are due, then one piece of unhurried work.

    Descriptors come first: an advert that has already arrived is heard before a timer can declare
    its sender dead, however long this process was kept from the CPU.
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.clock = clock
        self.schedule = Schedule()
        self._epoll = select.epoll()
        self._readers: Dict[int, Handler] = {}
        self._writers: Dict[int, Handler] = {}
        self._jobs: Deque[Job] = deque()
        self._running = False
        self.behind = False
        """True while packets that came before this turn may still be unread."""
        self._unread = False
        self._behind_turns = 0

    def close(self) -> None:
        """Give the epoll descriptor back."""
        self._epoll.close()

    def add_reader(self, descriptor: int, handler: Handler) -> None:
        """Call ``handler`` whenever the descriptor can be read."""
        self._readers[descriptor] = handler
        self._register(descriptor)

    def remove_reader(self, descriptor: int) -> None:
        """Stop reading; before the descriptor is closed."""
        if self._readers.pop(descriptor, None) is not None:
            self._register(descriptor)

    def add_writer(self, descriptor: int, handler: Handler) -> None:
        """Call ``handler`` whenever the descriptor can be written."""
        self._writers[descriptor] = handler
        self._register(descriptor)

    def remove_writer(self, descriptor: int) -> None:
        """Stop writing."""
        if self._writers.pop(descriptor, None) is not None:
            self._register(descriptor)

    def add_job(self, job: Job) -> None:
        """Do ``job`` when nothing is due, one turn at a time."""
        self._jobs.append(job)

    def leave_unread(self) -> None:
        """A reader says that it stopped before it had read everything; it will be called again."""
        self._unread = True

    def describe(self) -> str:
        """What it waits for, in words."""
        deadline = self.schedule.next_deadline()
        next_one = "none" if deadline is None else f"the next in {(deadline - self.clock()) / 1e9:.3f} s"
        counts = f"{len(self._readers)} readers, {len(self._writers)} writers, {len(self._jobs)} jobs"
        return f"{counts}, {len(self.schedule)} timers ({next_one})"

    def stop(self) -> None:
        """Leave ``run`` after this turn."""
        self._running = False

    def run(self) -> None:
        """Turn until ``stop``."""
        self._running = True
        while self._running:
            self.turn()

    def turn(self, longest_wait_s: float = _LONGEST_WAIT_S) -> None:
        """Wait for the next thing to happen, but no longer than that, and do it."""
        self._wait(longest_wait_s)
        self._unread = False
        for descriptor, event in self._epoll.poll(0):
            if event & ~select.EPOLLOUT:
                handler = self._readers.get(descriptor)
                if handler is not None:
                    handler()
            if event & select.EPOLLOUT:
                handler = self._writers.get(descriptor)
                if handler is not None:
                    handler()
        self._behind_turns = self._behind_turns + 1 if self._unread else 0
        self.behind = 0 < self._behind_turns <= _MOST_BEHIND
        now = self.clock()
        if not self.schedule.run_due(now) and self._jobs:
            job = self._jobs.popleft()
            if job():
                self._jobs.append(job)

    def _wait(self, longest_s: float) -> None:
        deadline = self.schedule.next_deadline()
        if self._jobs:
            timeout_s = 0.0
        elif deadline is None:
            timeout_s = longest_s
        else:
            timeout_s = min(max(deadline - self.clock(), 0) / 1e9, longest_s)
        select.select([self._epoll], [], [], timeout_s)

    def _register(self, descriptor: int) -> None:
        mask = (select.EPOLLIN if descriptor in self._readers else 0) | (
            select.EPOLLOUT if descriptor in self._writers else 0
        )
        try:
            if mask:
                self._epoll.modify(descriptor, mask)
            else:
                self._epoll.unregister(descriptor)
        except FileNotFoundError:
            if mask:
                self._epoll.register(descriptor, mask)
