# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DNS_CHECK: a question by UDP, and any answer to it without an error."""

from __future__ import annotations

import secrets
import socket
from typing import Optional

from ..conf.parts.checks import Check, DnsCheck
from ..wire.dns import NoName, answer, question
from .connect import CannotAsk, against_server, begin, open_socket, words
from .probe import Context, Done, Outcome, not_asked

_MOST_BYTES = 4096
_READS = 16
"""In one turn of the loop: whoever sends us datagrams without end must not starve the other checks."""


class DnsProbe:
    """The tries of one check. One lasts connect_timeout at most, whatever else is received meanwhile."""

    def __init__(self, check: Check, context: Context, done: Done) -> None:
        if not isinstance(check, DnsCheck):
            raise TypeError(f"{check.kind} is no DNS_CHECK")
        self._check, self._context, self._done = check, context, done
        self.limit_ns = check.connection.timeout_ns
        self._socket: Optional[socket.socket] = None
        self._number = 0

    def start(self) -> None:
        """Ask."""
        check = self._check
        try:
            self._number = secrets.randbits(16)
            data = question(self._number, check.query_type, check.query_name)
            self._socket = open_socket(check.connection, socket.SOCK_DGRAM)
            problem = begin(self._socket, check.connection)
        except (CannotAsk, NoName) as error:
            self.stop()
            self._done(not_asked(str(error)))
            return
        if problem:
            self._finish(False, words(problem))
            return
        try:
            self._socket.send(data)
        except OSError as error:
            self._failed(error.errno or 0)
            return
        self._context.loop.add_reader(self._socket.fileno(), self._readable)

    def stop(self) -> None:
        """Give the try up."""
        made, self._socket = self._socket, None
        if made is not None:
            self._context.loop.remove_reader(made.fileno())
            made.close()

    def _readable(self) -> None:
        for _turn in range(_READS):
            if self._socket is None:
                return
            try:
                data = self._socket.recv(_MOST_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._failed(error.errno or 0)
                return
            found = answer(data)
            if found is None or found.number != self._number:
                continue  # as keepalived does: not for us, the answer may still come
            if found.code:
                self._finish(False, f"{self._asked} {found.error}")
            else:
                self._finish(True, f"{self._asked} answered" + (", truncated" if found.truncated else ""))

    @property
    def _asked(self) -> str:
        return f"{self._check.query_type} {self._check.query_name}:"

    def _failed(self, number: int) -> None:
        if against_server(number):
            self._finish(False, words(number))
        else:
            self.stop()
            self._done(not_asked(words(number)))

    def _finish(self, good: bool, why: str) -> None:
        self.stop()
        self._done(Outcome(good, why))
