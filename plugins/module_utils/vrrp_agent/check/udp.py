# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""UDP_CHECK: a datagram is sent, and nothing says that nobody wants it; or an answer comes."""

from __future__ import annotations

import socket
from typing import Optional

from ..conf.parts.checks import Check, UdpCheck
from ..loop.alarm import Alarm
from .connect import CannotAsk, begin, open_socket, send, words
from .probe import Context, Done, Outcome, not_asked

OWN_PAYLOAD = b"a check by linuxha.vrrp, no more"
"""What is sent where no ``payload`` is given; as long as keepalived's."""
_LEVEL = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}
"""IP_RECVERR and IPV6_RECVERR (linux/in.h, linux/in6.h): all ICMP errors, not only a closed port."""
_KEEPALIVEDS_MOST = 255


class UdpProbe:
    """Sends one datagram and listens until ``connect_timeout``."""

    limit_ns = 0
    """Silence is an outcome of its own, so the probe keeps the time."""

    def __init__(self, check: Check, context: Context, done: Done) -> None:
        if not isinstance(check, UdpCheck):
            raise TypeError(f"{check.kind} is not UDP_CHECK")
        self._check = check
        self._loop = context.loop
        self._done = done
        self._socket: Optional[socket.socket] = None
        self._silence = Alarm(context.loop, self._silent)

    def start(self) -> None:
        """Begin a try."""
        to = self._check.connection
        try:
            made = open_socket(to, socket.SOCK_DGRAM)
            self._socket = made
            made.setsockopt(*_LEVEL[to.family], 1)
            error = begin(made, to) or send(made, self._check.payload or OWN_PAYLOAD)
        except CannotAsk as problem:
            self._end(not_asked(str(problem)))
            return
        if error:
            self._end(Outcome(False, words(error)))
            return
        self._loop.add_reader(made.fileno(), self._readable)
        self._silence.set_in(to.timeout_ns)

    def stop(self) -> None:
        """Give it up."""
        self._silence.cancel()
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _readable(self) -> None:
        if self._socket is None:
            return
        most = max(self._check.max_length, _KEEPALIVEDS_MOST) + 1
        try:
            answer = self._socket.recv(most)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(Outcome(False, words(error.errno or 0)))
            return
        problem = judge(self._check, answer) if self._check.require_reply else ""
        self._end(Outcome(not problem, problem or "answered"))

    def _silent(self) -> None:
        seconds = self._check.connection.timeout_ns / 1e9
        if self._check.require_reply:
            self._end(Outcome(False, f"no answer within {seconds:g} s"))
        else:
            self._end(Outcome(True, f"no error within {seconds:g} s"))

    def _end(self, outcome: Outcome) -> None:
        self.stop()
        self._done(outcome)


def judge(check: UdpCheck, answer: bytes) -> str:
    """What is wrong with an answer (require_reply, min_reply_length, max_reply_length), or nothing.

    As in keepalived a short answer needs to agree only as far as it goes, and an answer of any length is
    good where neither a text nor another max_reply_length is given.
    """
    if len(answer) < check.min_length:
        return f"an answer of {len(answer)} bytes, and min_reply_length is {check.min_length}"
    limited = bool(check.reply) or check.max_length != _KEEPALIVEDS_MOST
    if limited and len(answer) > check.max_length:
        return f"an answer of more than {check.max_length} bytes (max_reply_length)"
    for place, (seen, wanted) in enumerate(zip(answer, check.reply)):
        mask = check.reply_mask[place] if place < len(check.reply_mask) else 0xFF
        if (seen ^ wanted) & mask:
            return f"byte {place + 1} of the answer is {seen:02x} and not {wanted:02x} (require_reply)"
    return ""
