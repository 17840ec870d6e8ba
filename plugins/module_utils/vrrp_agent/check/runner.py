# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One check at work: its timing, its probe, and what it has found."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import Callable, Optional

from ..loop.log import INFO, NOTICE, WARNING
from ..loop.results import CheckResult, CheckRun
from .kinds import make
from .matching import carried
from .messages import Order
from .pace import Pace, Phase
from .probe import Context, Lasting, Outcome, Probe

_TIMED_OUT = Outcome(False, "timed out")
_NOT_ASKED_NS = 60_000_000_000
"""So often it is said that this host cannot ask."""


class Runner:
    """Makes the tries of one check, and calls ``say`` with each result that is news. Timer of a schedule."""

    __slots__ = (
        *("_context", "_fraction", "_probe", "_say", "_started_ns", "_wall_s", "_why"),
        *("deadline", "failures", "order", "pace", "queued_ns", "result", "runs", "took_ns"),
    )

    def __init__(
        self,
        order: Order,
        context: Context,
        say: Callable[[CheckResult], None],
        known: Optional[CheckResult] = None,
        fraction: Callable[[], float] = random.random,
    ) -> None:
        """``known``: what is known of this check, or of the one whose place it takes."""
        self.order = order
        self.result = known._replace(key=order.key) if known is not None else CheckResult(order.key, None)
        self.runs = self.failures = self.took_ns = 0
        self.queued_ns: Optional[int] = None
        self.deadline: Optional[int] = None
        self._context = context
        self._say = say
        self._fraction = fraction
        self._started_ns = 0
        self._wall_s, self._why = 0.0, ""
        self._probe: Probe = make(order.check, context, self._done)
        self.pace = Pace(order.check.timing, self._probe.limit_ns, self.result.good)

    @property
    def slack_ns(self) -> int:
        """For the schedule."""
        return self.pace.slack_ns

    def begin(self) -> None:
        """Make the first try when its time has come."""
        if not self.order.suspended:
            now, fraction = self._context.loop.clock(), self._fraction()
            if self.result.good is None:
                self.pace.begin(now, fraction)
            else:
                self.pace.go_on(now, fraction)
            self._set()

    def use(self, order: Order) -> None:
        """The same question, with other words about when to ask, or another place among the checks."""
        before, self.order = self.order, order
        timing = order.check.timing
        if timing != before.check.timing:
            self._renew_probe()
            self.pace.change(timing, self._probe.limit_ns, self._context.loop.clock(), self._fraction())
            self._set()
        self.result = carried(self.result, before.weight, order)
        self.suspend(order.suspended)

    def use_context(self, context: Context) -> None:
        """Other settings that probes share; a try that runs is given up, and made again."""
        self._context = context
        self._renew_probe()

    def suspend(self, suspended: bool) -> None:
        """Make no tries (ha_suspend), or go on with them."""
        if suspended != self.order.suspended:
            self.order = replace(self.order, suspended=suspended)
        if suspended and self.pace.phase is not Phase.RESTING:
            if self.pace.rest():
                self._probe.stop()
            self.deadline = None
        elif not suspended and self.pace.phase is Phase.RESTING:
            self.pace.go_on(self._context.loop.clock(), self._fraction())
            self._set()

    def stop(self) -> None:
        """No more tries."""
        self.pace.rest()
        self.deadline = None
        self._context.loop.schedule.forget(self)
        self._probe.stop()

    def expire(self, now: int) -> None:
        """The schedule's call: a try is due, or the one that runs lasts too long."""
        if self.pace.phase is Phase.RESTING:
            return
        if self.pace.due(now):
            self._started_ns = now
            self.deadline = self.pace.deadline
            self._probe.start()
        else:
            self._probe.stop()
            self._done(_TIMED_OUT)

    def run(self) -> CheckRun:
        """How it has gone lately."""
        return CheckRun(self.order.key, self.took_ns, self._why, self._wall_s, self.runs, self.failures)

    def _done(self, outcome: Outcome) -> None:
        loop = self._context.loop
        now = loop.clock()
        self.took_ns = now - self._started_ns
        self._wall_s, self._why = time.time(), outcome.why
        known, failed = self.pace.good, self.pace.failures
        # keepalived: programs are run delay_loop after the last run began, other checks after it ended
        since = self._started_ns if self.order.check.kind == "MISC_CHECK" and outcome.asked else now
        changed = self.pace.ended(outcome, since)
        self.deadline = self.pace.deadline
        loop.schedule.refresh(self)
        if not outcome.asked:
            self._say_not_asked(now)
            return
        self.runs += 1
        if not outcome.good:
            self.failures += 1
        if changed or not outcome.good:
            self._log_outcome(known, changed, failed)
        added = self._added_weight(outcome)
        if changed or added != self.result.added_weight:
            good = self.pace.good
            self.result = CheckResult(self.order.key, good, added, outcome.why, self._wall_s)
            self._say(self.result)

    def _added_weight(self, outcome: Outcome) -> int:
        """misc_dynamic: the weight holds until another exit code, or until the check has failed."""
        if outcome.good:
            if not outcome.settled:
                return self.result.added_weight
            return 0 if outcome.weight is None else outcome.weight - self.order.weight
        return self.result.added_weight if self.pace.good else 0

    def _log_outcome(self, known: Optional[bool], changed: bool, failed: int) -> None:
        log, kind, title = self._context.log, self.order.check.kind, self.order.title
        if not changed:
            timing = self.order.check.timing
            if known and timing.log_all_failures:
                tries = f"try {failed + 1} of {timing.retry + 1}"
                log.info(f"{kind} of {title}: failed ({self._why}; {tries})")
        elif self.pace.good:
            log.write(INFO if known is None else NOTICE, f"{kind} of {title}: good ({self._why})")
        else:
            after = f" after {failed + 1} tries" if failed else ""
            log.write(WARNING, f"{kind} of {title}: bad{after} ({self._why})")

    def _say_not_asked(self, now: int) -> None:
        kind, title = self.order.check.kind, self.order.title
        text = f"{kind} of {title} cannot be made: {self._why}"
        self._context.log.limited(WARNING, f"{kind} {title}", "not asked", text, now, _NOT_ASKED_NS)

    def _renew_probe(self) -> None:
        again = self.pace.phase is Phase.TRYING
        self._probe.stop()
        if isinstance(self._probe, Lasting):
            self._probe.renew(self.order.check, self._context)
        else:
            self._probe = make(self.order.check, self._context, self._done)
        if again:
            self.pace.go_on(self._context.loop.clock(), self._fraction())
            self._set()

    def _set(self) -> None:
        self.deadline = self.pace.deadline
        self._context.loop.schedule.refresh(self)
