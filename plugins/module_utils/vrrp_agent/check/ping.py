# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PING_CHECK: the server answers an ICMP echo."""

from __future__ import annotations

import errno
import os
import socket
import struct
from dataclasses import replace
from typing import NamedTuple, Optional, Tuple

from ..conf.parts.checks import Check, Connection, PingCheck
from ..wire.checksum import internet_checksum
from .connect import CannotAsk, begin, open_socket, send, words
from .probe import Context, Done, Outcome, not_asked

_HEAD = struct.Struct("!BBHHH")
_TOKEN_BYTES = 8
_TEXT = b"a check by linuxha.vrrp, no more than this one ".ljust(48, b".")
"""With the token as much as ping(8) sends."""
_MOST_BYTES = 2048
_READS = 16
"""In one turn of the loop: a flood of answers to nobody must not starve the other checks."""


class _Protocol(NamedTuple):
    number: int
    request: int
    reply: int
    errors: Tuple[int, int]
    """Level and name of IP_RECVERR."""
    filter: Tuple[int, int, bytes]
    """Of a raw socket: nothing but echo replies (ICMP_FILTER, ICMP6_FILTER: a bit set is a type left out)."""


_ICMP = _Protocol(
    *(socket.IPPROTO_ICMP, 8, 0, (socket.IPPROTO_IP, 11)), (255, 1, struct.pack("=I", 0xFFFFFFFE))
)
_ICMP6 = _Protocol(
    *(socket.IPPROTO_ICMPV6, 128, 129, (socket.IPPROTO_IPV6, 25)),
    (socket.IPPROTO_ICMPV6, 1, struct.pack("=8I", *(0xFFFFFFFD if i == 4 else 0xFFFFFFFF for i in range(8)))),
)


class PingProbe:
    """Sends an echo request and waits for its answer.

    The socket stays open from one good try to the next, so that the host's tables of connections see one
    ping and not thousands. A ping socket needs no privilege, but a place in net.ipv4.ping_group_range;
    without one a raw socket does it.
    """

    def __init__(self, check: Check, context: Context, done: Done) -> None:
        if not isinstance(check, PingCheck):
            raise TypeError(f"{check.kind} is not PING_CHECK")
        self.limit_ns = check.connection.timeout_ns
        self._to: Connection = replace(check.connection, port=0, bind_port=0)
        self._protocol = _ICMP6 if check.connection.family == 6 else _ICMP
        self._loop = context.loop
        self._done = done
        self._socket: Optional[socket.socket] = None
        self._raw = False
        self._identity = 0
        self._sequence = 0
        self._token = b""

    def start(self) -> None:
        """Begin a try."""
        try:
            error = self._open() if self._socket is None else 0
            if not error:
                error = self._send()
        except CannotAsk as problem:
            self.stop()
            self._done(not_asked(str(problem)))
            return
        if error:
            self._end(Outcome(False, words(error)))
        elif self._socket is not None:
            self._loop.add_reader(self._socket.fileno(), self._readable)

    def stop(self) -> None:
        """Give it up."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _open(self) -> int:
        protocol = self._protocol
        self._raw = False
        try:
            made = open_socket(self._to, socket.SOCK_DGRAM, protocol.number)
        except CannotAsk as problem:
            cause = problem.__cause__
            if not isinstance(cause, OSError) or cause.errno not in (errno.EACCES, errno.EPERM):
                raise
            made = self._open_raw(problem)
        self._socket = made
        made.setsockopt(*protocol.errors, 1)
        return begin(made, self._to)

    def _open_raw(self, refused: CannotAsk) -> socket.socket:
        try:
            made = open_socket(self._to, socket.SOCK_RAW, self._protocol.number)
        except CannotAsk as problem:
            hint = "give the agent CAP_NET_RAW, or its group a place in net.ipv4.ping_group_range"
            raise CannotAsk(f"{refused}; {hint}") from problem
        level, name, types = self._protocol.filter
        made.setsockopt(level, name, types)
        self._raw = True
        self._identity = int.from_bytes(os.urandom(2), "big")
        return made

    def _send(self) -> int:
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._token = os.urandom(_TOKEN_BYTES)
        return errno.ENOTCONN if self._socket is None else send(self._socket, self._packet())

    def _packet(self) -> bytes:
        """The kernel puts in the identity for a ping socket, and the checksum for all but raw IPv4."""
        body = self._token + _TEXT
        kind, identity = self._protocol.request, self._identity
        packet = _HEAD.pack(kind, 0, 0, identity, self._sequence) + body
        return _HEAD.pack(kind, 0, internet_checksum(packet), identity, self._sequence) + body

    def _readable(self) -> None:
        for _turn in range(_READS):
            if self._socket is None:
                return
            try:
                packet = self._socket.recv(_MOST_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._end(Outcome(False, words(error.errno or 0)))
                return
            if self._raw and self._protocol is _ICMP:
                packet = packet[(packet[0] & 0x0F) * 4 :] if packet else b""
            if self._is_answer(packet):
                self._end(Outcome(True, "answered"))
                return

    def _is_answer(self, packet: bytes) -> bool:
        """False for what answers an earlier try, or another program."""
        if len(packet) < _HEAD.size + _TOKEN_BYTES:
            return False
        kind, _code, _sum, identity, sequence = _HEAD.unpack_from(packet)
        if kind != self._protocol.reply or sequence != self._sequence:
            return False
        if self._raw and identity != self._identity:
            return False
        return bool(packet[_HEAD.size : _HEAD.size + _TOKEN_BYTES] == self._token)

    def _end(self, outcome: Outcome) -> None:
        if outcome.good and self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
        else:
            self.stop()
        self._done(outcome)
