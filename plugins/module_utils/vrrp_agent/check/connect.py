# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sockets of checks: where they come from (bindto, bind_port, bind_if, fwmark), and how to connect.

What lies between this host and the server is the server's failure: it refuses, nobody answers, no route leads
to it. What lies on this host is not (``CannotAsk``): the address of ``bindto`` is missing, descriptors are
used up. Then nothing has been asked, and the server is left as it is, as keepalived leaves it.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import Any, Callable, Optional, Tuple

from ..conf.parts.checks import Connection
from ..loop.loop import Loop

_LINK_LOCAL_FIRST, _LINK_LOCAL_MASK = 0xFE80, 0xFFC0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER 0: the end of a connection is an RST, and its port is free at once."""

_AGAINST_SERVER = frozenset(
    {
        *(errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ETIMEDOUT),
        *(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EPROTO),
        *(errno.ENOPROTOOPT, errno.EACCES, errno.EPERM, errno.EMSGSIZE),
    }
)
"""Errors of the way and of the server. EACCES and EPERM: a firewall or a route forbids to go there."""

_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset by the server",
    errno.ECONNABORTED: "connection aborted",
    errno.EPIPE: "connection closed by the server",
    errno.ETIMEDOUT: "timed out",
    errno.ENETUNREACH: "network unreachable",
    errno.EHOSTUNREACH: "host unreachable",
    errno.EHOSTDOWN: "host is down",
    errno.ENETDOWN: "network is down",
    errno.ENOPROTOOPT: "protocol unreachable",
    errno.EACCES: "forbidden by a route or a firewall",
    errno.EPERM: "forbidden by a firewall",
}


class CannotAsk(Exception):
    """This host could not ask. It says nothing about the server. The text is for a person."""


def words(number: int) -> str:
    """An error number of a connection in plain words."""
    return _WORDS.get(number) or os.strerror(number).lower()


def against_server(number: int) -> bool:
    """True when the error speaks against the server or the way to it, False when it is this host's own."""
    return number in _AGAINST_SERVER


def target(to: Connection) -> Tuple[Any, ...]:
    """Where a check goes, as socket.connect wants it. Raises CannotAsk when bind_if is not there."""
    return _address(to.address, to.port, to.bind_interface)


def open_socket(to: Connection, kind: int = socket.SOCK_STREAM, protocol: int = 0) -> socket.socket:
    """A socket of the server's family that does not block, bound and marked as the check says; not connected.

    Raises CannotAsk.
    """
    family = socket.AF_INET6 if to.family == 6 else socket.AF_INET
    try:
        made = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    except OSError as error:
        raise CannotAsk(f"no socket: {_reason(error)}") from error
    try:
        _arrange(made, to, kind)
    except CannotAsk:
        made.close()
        raise
    return made


def begin(made: socket.socket, to: Connection) -> int:
    """Begin to connect, without waiting: 0 when connected, EINPROGRESS, or the error against the server.

    Raises CannotAsk for an error of this host's own.
    """
    number = made.connect_ex(target(to))
    if number in (0, errno.EINPROGRESS) or number in _AGAINST_SERVER:
        return number
    raise CannotAsk(f"no connection can be begun: {words(number)}")


def send(made: socket.socket, packet: bytes) -> int:
    """Send a datagram. Returns 0, or the errno that speaks against the server. Raises CannotAsk."""
    try:
        made.send(packet)
    except OSError as error:
        number = error.errno or 0
        if not against_server(number):
            raise CannotAsk(f"nothing can be sent: {words(number)}") from error
        return number
    return 0


class Opening:
    """One TCP connection that is being made.

    ``then`` is called once, with 0 when it stands and otherwise with the error against the server, unless
    ``close`` comes first; it may be called before ``start`` returns.
    """

    __slots__ = ("_loop", "_socket", "_then", "_to", "_waiting")

    def __init__(self, loop: Loop, to: Connection, then: Callable[[int], None]) -> None:
        self._loop, self._to, self._then = loop, to, then
        self._socket: Optional[socket.socket] = None
        self._waiting = False

    def start(self) -> None:
        """Begin. Raises CannotAsk; then there is nothing to close."""
        made = open_socket(self._to)
        try:
            number = begin(made, self._to)
        except CannotAsk:
            made.close()
            raise
        self._socket = made
        if number == errno.EINPROGRESS:
            self._waiting = True
            self._loop.add_writer(made.fileno(), self._writable)
        else:
            self._then(number)

    def take(self) -> socket.socket:
        """The connected socket; from now on it is the caller's. In ``then`` with 0, or later."""
        made, self._socket = self._socket, None
        if made is None:
            raise CannotAsk("there is no connection")
        return made

    def close(self) -> None:
        """Give up, and give the descriptor back. No harm at any time."""
        made = self._socket
        if made is not None:
            if self._waiting:
                self._waiting = False
                self._loop.remove_writer(made.fileno())
            self._socket = None
            made.close()

    def _writable(self) -> None:
        made = self._socket
        if made is None:
            return
        self._waiting = False
        self._loop.remove_writer(made.fileno())
        self._then(made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


def _arrange(made: socket.socket, to: Connection, kind: int) -> None:
    if to.fwmark:
        _set(made, socket.SO_MARK, to.fwmark, f"fwmark {to.fwmark}")
    if to.bind_interface:
        name = to.bind_interface.encode() + b"\0"
        _set(made, socket.SO_BINDTODEVICE, name, f"bind_if {to.bind_interface}")
    if not to.bind_address and not to.bind_port:
        return
    if to.bind_port and kind == socket.SOCK_STREAM:
        # The next try comes from the same port: the last connection may leave nothing behind (TIME_WAIT).
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    packed = to.bind_address or bytes(len(to.address))
    try:
        made.bind(_address(packed, to.bind_port, to.bind_interface))
    except OSError as error:
        where = f"bindto {socket.inet_ntop(made.family, packed)}" if to.bind_address else "bind_port"
        port = f" port {to.bind_port}" if to.bind_port else ""
        raise CannotAsk(f"{where}{port}: {_reason(error)}") from error


def _set(made: socket.socket, option: int, value: Any, what: str) -> None:
    try:
        made.setsockopt(socket.SOL_SOCKET, option, value)
    except OSError as error:
        raise CannotAsk(f"{what}: {_reason(error)}") from error


def _address(packed: bytes, port: int, interface: str) -> Tuple[Any, ...]:
    if len(packed) == 4:
        return (socket.inet_ntop(socket.AF_INET, packed), port)
    scope = 0
    if int.from_bytes(packed[:2], "big") & _LINK_LOCAL_MASK == _LINK_LOCAL_FIRST and interface:
        try:
            scope = socket.if_nametoindex(interface)
        except OSError as error:
            raise CannotAsk(f"bind_if {interface}: there is no such interface") from error
    return (socket.inet_ntop(socket.AF_INET6, packed), port, 0, scope)


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
