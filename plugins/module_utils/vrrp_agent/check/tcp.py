# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""TCP_CHECK: the server accepts a connection, and that is all."""

from __future__ import annotations

from typing import Optional

from ..conf.parts.checks import Check, TcpCheck
from .connect import CannotAsk, Opening, words
from .probe import Context, Done, Outcome, not_asked

_CONNECTED = Outcome(True, "connected")


class TcpProbe:
    """Connects and lets go again, as keepalived does: the server sees an ordinary end of the connection."""

    def __init__(self, check: Check, context: Context, done: Done) -> None:
        if not isinstance(check, TcpCheck):
            raise TypeError(f"{check.kind} is not TCP_CHECK")
        self.limit_ns = check.connection.timeout_ns
        self._to = check.connection
        self._loop = context.loop
        self._done = done
        self._opening: Optional[Opening] = None

    def start(self) -> None:
        """Begin a try."""
        self._opening = Opening(self._loop, self._to, self._opened)
        try:
            self._opening.start()
        except CannotAsk as error:
            self._opening = None
            self._done(not_asked(str(error)))

    def stop(self) -> None:
        """Give it up."""
        if self._opening is not None:
            self._opening.close()
            self._opening = None

    def _opened(self, error: int) -> None:
        self.stop()
        self._done(Outcome(False, words(error)) if error else _CONNECTED)
