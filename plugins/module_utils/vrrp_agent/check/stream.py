# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A conversation with a server over TCP, with TLS or without: it never waits, and reads little at a time."""

from __future__ import annotations

import socket
from typing import List, Optional, Protocol

from ..conf.parts.checks import Connection
from ..loop.alarm import Alarm
from ..loop.loop import Loop
from .connect import Opening, words
from .tls import Tls, TlsProblem

FEW_BYTES = 2048
"""Handed on in one turn of the loop while each byte may be work: frames of chunks of one byte, lines."""
_READ_BYTES = 1 << 16
_READS = 4
"""In one turn of the loop: a server that sends without end must not starve the other checks."""


class Partner(Protocol):
    """Who speaks with the server."""

    def connected(self) -> None:
        """The connection stands, with TLS when that was wanted."""

    def received(self, data: bytes) -> None:
        """The server has sent something."""

    def ended(self) -> None:
        """The server sends nothing more."""

    def broken(self, why: str) -> None:
        """The conversation cannot go on."""


class Stream:
    """One conversation. After ``close`` the partner hears nothing more; it may be called from its methods."""

    def __init__(self, loop: Loop, to: Connection, partner: Partner, tls: Optional[Tls] = None) -> None:
        self._loop, self._partner, self._tls = loop, partner, tls
        self._opening: Optional[Opening] = Opening(loop, to, self._opened)
        self.plain_ahead = 0
        """So many of the next bytes are no work for the partner, who says so; others come slowly."""
        self._socket: Optional[socket.socket] = None
        self._held: List[bytes] = []
        """What TLS has given and a later turn hands on; nothing is read meanwhile."""
        self._later = Alarm(loop, self._hand_on)
        self._paused = self._over = False
        self._waiting = b""
        self._writing = False

    def start(self) -> None:
        """Connect. Raises CannotAsk."""
        if self._opening is not None:
            self._opening.start()

    def send(self, data: bytes) -> None:
        """Send all of it; what the kernel does not take now is sent later."""
        if self._tls is not None:
            try:
                self._tls.send(data)
            except TlsProblem as problem:
                self._break(str(problem))
                return
            data = self._tls.outgoing()
        self._send(data)

    def close(self, politely: bool = False) -> None:
        """End it. ``politely``: with close_notify. No harm at any time."""
        if self._opening is not None:
            self._opening.close()
            self._opening = None
        self._held.clear()
        self._later.cancel()
        self._loop.schedule.forget(self._later)
        made = self._socket
        if made is None:
            return
        if politely and self._tls is not None and self._tls.ready and not self._waiting:
            self._tls.bye()
            self._send(self._tls.outgoing())
        made, self._socket = self._socket, None
        if made is not None:
            self._loop.remove_reader(made.fileno())
            if self._writing:
                self._loop.remove_writer(made.fileno())
            made.close()

    def _opened(self, number: int) -> None:
        opening = self._opening
        if opening is None:
            return
        if number:
            self._break(words(number))
            return
        self._opening = None
        self._socket = opening.take()
        self._loop.add_reader(self._socket.fileno(), self._readable)
        if self._tls is None:
            self._partner.connected()
        else:
            self._feed_tls(self._tls, None)

    def _readable(self) -> None:
        for _turn in range(_READS):
            if self._socket is None:
                return
            most = self._most if self._tls is None else _READ_BYTES
            try:
                data = self._socket.recv(most)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._break(words(error.errno or 0))
                return
            if self._tls is not None:
                self._feed_tls(self._tls, data)
            elif data:
                self._partner.received(data)
            else:
                self._end()
            if len(data) < _READ_BYTES or self._held:
                return

    @property
    def _most(self) -> int:
        """How much the partner may be given now."""
        return min(max(self.plain_ahead, FEW_BYTES), _READ_BYTES)

    def _feed_tls(self, tls: Tls, data: Optional[bytes]) -> None:
        was_ready = tls.ready
        plain: List[bytes] = []
        try:
            if data is None:
                tls.shake()
            else:
                plain = tls.feed(data)
        except TlsProblem as problem:
            self._send(tls.outgoing())  # the alert, so that the server knows
            self._break(str(problem))
            return
        self._send(tls.outgoing())
        if tls.ready and not was_ready and self._socket is not None:
            self._partner.connected()
        self._over = tls.ended or data == b""
        self._held = plain
        self._hand_on()

    def _hand_on(self) -> None:
        """Give the partner what TLS has given; what would be much work waits for later turns."""
        while self._held and self._socket is not None:
            most = self._most
            piece, rest = self._held[0][:most], self._held[0][most:]
            self._held[:1] = [rest] if rest else []
            self._partner.received(piece)
            if self._held and most < _READ_BYTES:
                self._pause()
                return
        if self._socket is None:
            return
        if self._over:
            self._end()
        elif self._paused:
            self._paused = False
            self._loop.add_reader(self._socket.fileno(), self._readable)

    def _pause(self) -> None:
        if self._socket is None:
            return
        if not self._paused:
            self._paused = True
            self._loop.remove_reader(self._socket.fileno())
        self._later.set_in(0)

    def _send(self, data: bytes) -> None:
        made = self._socket
        if made is None or not (data or self._waiting):
            return
        self._waiting += data
        try:
            sent = made.send(self._waiting, socket.MSG_NOSIGNAL)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self._waiting = b""  # what the server said before is worth more; reading tells the rest
            sent = 0
        self._waiting = self._waiting[sent:]
        if bool(self._waiting) != self._writing:
            self._writing = not self._writing
            if self._writing:
                self._loop.add_writer(made.fileno(), self._writable)
            else:
                self._loop.remove_writer(made.fileno())

    def _writable(self) -> None:
        self._send(b"")

    def _end(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())  # a closed end is readable for ever
        self._partner.ended()

    def _break(self, why: str) -> None:
        self.close()
        self._partner.broken(why)
