# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The local socket that answers questions. One line of JSON in; lines of JSON out, then the end.

An answer is made and sent a little at a time, between adverts: asking costs the election nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from typing import Any, Callable, Dict, Iterator, Optional

from ..loop.loop import Loop

SOCKET_NAME = "control.sock"
_MOST_CLIENTS = 16
_LONGEST_REQUEST = 4096
_PER_TURN = 4
_HIGH_WATER = 256 * 1024

Answer = Iterator[Dict[str, Any]]
Handler = Callable[[Dict[str, Any]], Answer]
"""A request to the lines of its answer. Raises ValueError with a text for the client."""


class Control:
    """Listens in the runtime directory. Root and the group of the directory may connect (mode 0660)."""

    def __init__(self, loop: Loop, path: str, handler: Handler) -> None:
        self.path = path
        self._loop = loop
        self._handler = handler
        self._clients: Dict[_Client, None] = {}  # in the order of their coming
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        mask = os.umask(0o117)
        try:
            self._socket.bind(path)
        finally:
            os.umask(mask)
        self._socket.listen(_MOST_CLIENTS)
        loop.add_reader(self._socket.fileno(), self._accept)

    def close(self) -> None:
        """Hang up on everybody and remove the socket."""
        for client in list(self._clients):
            client.close()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def _accept(self) -> None:
        try:
            connection, _address = self._socket.accept()
        except OSError:
            return
        if len(self._clients) >= _MOST_CLIENTS:
            next(iter(self._clients)).close()  # the oldest: who asks gets an answer, who sits there does not
        connection.setblocking(False)
        client = _Client(self._loop, connection, self._handler, self._gone)
        self._clients[client] = None

    def _gone(self, client: _Client) -> None:
        self._clients.pop(client, None)


class _Client:
    """One connection: a request, an answer, the end."""

    def __init__(
        self,
        loop: Loop,
        connection: socket.socket,
        handler: Handler,
        gone: Callable[[_Client], None],
    ) -> None:
        self._loop = loop
        self._connection = connection
        self._handler = handler
        self._gone = gone
        self._request = b""
        self._answer: Optional[Answer] = None
        self._output = bytearray()
        self._open = True
        loop.add_reader(connection.fileno(), self._read)

    def close(self) -> None:
        """Hang up."""
        if not self._open:
            return
        self._open = False
        descriptor = self._connection.fileno()
        self._loop.remove_reader(descriptor)
        self._loop.remove_writer(descriptor)
        self._connection.close()
        self._gone(self)

    def _read(self) -> None:
        try:
            piece = self._connection.recv(_LONGEST_REQUEST)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece and self._answer is not None:
            self._loop.remove_reader(self._connection.fileno())  # it has said all, and listens still
            return
        self._request += piece
        if not piece or self._answer is not None or len(self._request) > _LONGEST_REQUEST:
            self.close()
            return
        if b"\n" in self._request:
            self._answer = self._begin(self._request.split(b"\n", 1)[0])
            self._loop.add_job(self._work)

    def _begin(self, line: bytes) -> Answer:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ValueError("a request is a JSON object")
            return self._handler(request)
        except RecursionError:
            return iter([{"error": "the request is nested too deeply"}])
        except ValueError as error:
            return iter([{"error": str(error)}])

    def _work(self) -> bool:
        """A turn of the loop: the next few lines, unless the client is slow to read."""
        if not self._open or self._answer is None:
            return False
        finished = False
        if len(self._output) < _HIGH_WATER:
            for _turn in range(_PER_TURN):
                line = next(self._answer, None)
                if line is None:
                    finished = True
                    break
                self._output += json.dumps(line).encode() + b"\n"
        if not self._flush():
            return False
        if not finished and len(self._output) < _HIGH_WATER:
            return True
        if finished and not self._output:
            self.close()
        elif self._output:
            self._loop.add_writer(self._connection.fileno(), self._writable)
        return False

    def _writable(self) -> None:
        self._loop.remove_writer(self._connection.fileno())
        self._loop.add_job(self._work)

    def _flush(self) -> bool:
        try:
            sent = self._connection.send(self._output) if self._output else 0
        except BlockingIOError:
            return True
        except OSError:
            self.close()
            return False
        del self._output[:sent]
        return True
