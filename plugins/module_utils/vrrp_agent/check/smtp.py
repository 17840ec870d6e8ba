# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SMTP_CHECK: a mail server greets with 220, takes HELO with 250, and answers QUIT."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from ..conf.parts.checks import Check, SmtpCheck
from ..loop.alarm import Alarm
from .connect import CannotAsk
from .probe import Context, Done, Outcome, not_asked
from .smtp_answer import BadReply, Replies
from .stream import Stream

_SPARE_NS = 1_000_000_000


class _Step(NamedTuple):
    """One answer that is waited for."""

    of: str
    code: Optional[int]
    """None takes any, as keepalived does after QUIT."""
    say: str
    """What follows a good answer; empty at the end."""


def _steps(helo: str) -> Tuple[_Step, ...]:
    return (_Step("banner", 220, f"HELO {helo}\r\n"), _Step("HELO", 250, "QUIT\r\n"), _Step("QUIT", None, ""))


class SmtpProbe:
    """The tries of one check. Connection and each answer may take connect_timeout."""

    def __init__(self, check: Check, context: Context, done: Done) -> None:
        if not isinstance(check, SmtpCheck):
            raise TypeError(f"{check.kind} is no SMTP_CHECK")
        self._check, self._context, self._done = check, context, done
        self._steps = _steps(check.helo)
        self._phase_ns = check.connection.timeout_ns
        self.limit_ns = (len(self._steps) + 1) * self._phase_ns + _SPARE_NS
        self._alarm = Alarm(context.loop, self._too_long)
        self._stream: Optional[Stream] = None
        self._replies = Replies()
        self._place = 0
        self._connected = False

    def start(self) -> None:
        """Connect, and speak."""
        self._replies, self._place, self._connected = Replies(), 0, False
        self._stream = Stream(self._context.loop, self._check.connection, self)
        self._alarm.set_in(self._phase_ns)
        try:
            self._stream.start()
        except CannotAsk as problem:
            self.stop()
            self._done(not_asked(str(problem)))

    def stop(self) -> None:
        """Give the try up."""
        self._alarm.cancel()
        self._context.loop.schedule.forget(self._alarm)
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def connected(self) -> None:
        """The banner is next."""
        self._connected = True
        self._alarm.set_in(self._phase_ns)

    def received(self, data: bytes) -> None:
        """A part of an answer, or several."""
        while self._stream is not None:
            try:
                code = self._replies.feed(data)
            except BadReply as problem:
                self._finish(False, f"{self._steps[self._place].of}: {problem}")
                return
            if code is None:
                return
            data = b""
            self._answered(code)

    def ended(self) -> None:
        """The server has closed the connection."""
        self._finish(False, f"{self._steps[self._place].of}: closed without an answer")

    def broken(self, why: str) -> None:
        """The conversation cannot go on."""
        self._finish(False, f"{self._steps[self._place].of}: {why}" if self._connected else why)

    def _answered(self, code: int) -> None:
        step = self._steps[self._place]
        if step.code is not None and code != step.code:
            self._finish(False, f"{step.of}: {self._replies.text}")
        elif not step.say:
            self._finish(True, "banner, HELO and QUIT answered")
        elif self._stream is not None:
            self._place += 1
            self._alarm.set_in(self._phase_ns)
            self._stream.send(step.say.encode("utf-8", "surrogateescape"))

    def _too_long(self) -> None:
        what = f"{self._steps[self._place].of}: no answer" if self._connected else "no connection"
        self._finish(False, f"timed out after {self._phase_ns / 1e9:g} s: {what}")

    def _finish(self, good: bool, why: str) -> None:
        self.stop()
        self._done(Outcome(good, why))
