# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When a check is made, and what its outcomes come to. Pure: (event, now) -> what to do, and the deadline.

The rules are keepalived's. A check begins after a random part of ``warmup``. The next try comes
``delay_loop`` after the last one. While nothing is known the first try decides. After that one good try is
enough to be good, and it takes ``retry`` failures more than one, ``delay_before_retry`` apart, to be bad.

Each check keeps its place in the round. A busy process is late with many checks at once, and longer with
those that are many; were that carried into the next round, they would crowd together in the end.
"""

from __future__ import annotations

from enum import Enum
from typing import Optional

from ..conf.parts.checks import Timing
from .probe import Outcome

_MOST_EARLY_NS = 5_000_000
_STEPS = 16
"""What a try took lengthens its round by whole sixteenths of ``delay_loop``; most took nothing then."""


class Phase(Enum):
    """What a check is doing."""

    RESTING = "resting"
    """Not begun yet, or suspended (ha_suspend)."""
    WAITING = "waiting"
    TRYING = "trying"


class Pace:
    """The timing of one check. Moments are nanoseconds of the monotonic clock, ``fraction`` is from 0 to 1.

    ``deadline`` is when to call ``due``; None while there is nothing to wait for.
    """

    __slots__ = ("_began_ns", "_late_ns", "deadline", "failures", "good", "limit_ns", "phase", "timing")

    def __init__(self, timing: Timing, limit_ns: int, good: Optional[bool] = None) -> None:
        """``limit_ns``: how long a try may last, 0 for ever; ``good``: what is known already."""
        self.timing = timing
        self.limit_ns = limit_ns
        self.good = good
        self.failures = 0
        """In a row, while they do not count yet."""
        self.phase = Phase.RESTING
        self.deadline: Optional[int] = None
        self._began_ns = self._late_ns = 0

    @property
    def slack_ns(self) -> int:
        """How much too early a try may begin, to share a wake-up; a try that runs is never cut short."""
        if self.phase is Phase.WAITING:
            return min(self.timing.delay_loop_ns // 64, _MOST_EARLY_NS)
        return 0

    def begin(self, now: int, fraction: float) -> None:
        """A check that nobody has made before: its first try comes after this part of ``warmup``."""
        self._wait_until(now + int(self.timing.warmup_ns * fraction))

    def go_on(self, now: int, fraction: float) -> None:
        """A check that is known, or was suspended: soon, but not together with all the others."""
        self.failures = 0
        within_ns = min(self.timing.warmup_ns, self.timing.delay_loop_ns)
        self._wait_until(now + int(within_ns * fraction))

    def rest(self) -> bool:
        """Make no tries until ``go_on``; what is known stays. True when a try must be given up."""
        trying = self.phase is Phase.TRYING
        self.phase, self.deadline = Phase.RESTING, None
        return trying

    def due(self, now: int) -> bool:
        """The deadline has come: True to begin a try, False when the one that runs has lasted too long.

        In the second case it must be stopped, and its end is yet to be told with ``ended``.
        """
        if self.phase is not Phase.WAITING or self.deadline is None:
            return False
        self._began_ns, self._late_ns = now, now - self.deadline
        self.phase = Phase.TRYING
        self.deadline = now + self.limit_ns if self.limit_ns else None
        return True

    def ended(self, outcome: Outcome, now: int) -> bool:
        """A try has ended. True when ``good`` has changed, or is known from now on."""
        before, timing = self.good, self.timing
        if not outcome.asked:
            pass  # keepalived: the next try is made as if this one had not been due
        elif outcome.good:
            self.failures = 0
            if outcome.settled:
                self.good = True
            elif outcome.at_once and not before:
                self._wait_until(now)
                return False
        elif before and self.failures < timing.retry:
            self.failures += 1
            self._wait_until(now + timing.delay_before_retry_ns)
            return False
        else:
            self.good, self.failures = False, 0
        self._wait_until(self._next_round(now))
        return self.good is not before

    def change(self, timing: Timing, limit_ns: int, now: int, fraction: float) -> None:
        """Other words of timing; what is known stays, and a try that runs goes on under its own limit."""
        self.timing, self.limit_ns = timing, limit_ns
        self.failures = min(self.failures, timing.retry)
        if self.phase is Phase.WAITING and self.deadline is not None:
            self.deadline = min(self.deadline, now + int(timing.delay_loop_ns * fraction))

    def _wait_until(self, moment_ns: int) -> None:
        self.phase, self.deadline = Phase.WAITING, moment_ns

    def _next_round(self, now: int) -> int:
        """A round after the try should have begun, and as much later as it took in whole steps."""
        round_ns, late_ns = self.timing.delay_loop_ns, self._late_ns
        if late_ns > 0:
            late_ns %= round_ns
        took_ns = now - self._began_ns
        moment_ns = self._began_ns + took_ns - took_ns % max(round_ns // _STEPS, 1) + round_ns - late_ns
        return moment_ns if moment_ns > now else moment_ns + round_ns
