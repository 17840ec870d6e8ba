# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One end of a socket pair between two processes of the agent: whole values, sent without waiting.

The values are pickled: both ends are the same program, and nobody else holds a descriptor.
"""

from __future__ import annotations

import contextlib
import pickle
import socket
import struct
from collections import deque
from typing import Any, Callable, Deque

from .loop import Loop

_HEAD = struct.Struct("!I")
_PIECE_BYTES = 1 << 18
MOST_WAITING_BYTES = 1 << 25
"""What may wait for a peer that does not read; more is dropped and counted."""


class Channel:
    """Sends values and hands on those that come.

    ``on_value`` is called with each value, ``on_end`` once when the peer is gone.
    """

    def __init__(
        self, sock: socket.socket, loop: Loop, on_value: Callable[[Any], None], on_end: Callable[[], None]
    ) -> None:
        sock.setblocking(False)
        self.dropped = 0
        self._socket = sock
        self._loop = loop
        self._on_value = on_value
        self._on_end = on_end
        self._in = bytearray()
        self._out: Deque[memoryview] = deque()
        self._waiting = 0
        self._open = True
        self._finished = False
        loop.add_reader(sock.fileno(), self._read)

    def send(self, value: Any) -> bool:
        """Send now or as soon as the peer reads; False when the value was dropped."""
        if not self._open or self._finished or self._waiting > MOST_WAITING_BYTES:
            self.dropped += 1
            return False
        data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        self._out.append(memoryview(_HEAD.pack(len(data)) + data))
        self._waiting += _HEAD.size + len(data)
        if len(self._out) == 1:
            self._write()
        return self._open and not self._finished

    def close(self) -> None:
        """Give the descriptor back. ``on_end`` is not called."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._socket.fileno())
            self._loop.remove_writer(self._socket.fileno())
            self._socket.close()

    def finish(self) -> None:
        """Send no more: the peer finds the end after all that is under way. ``on_end`` is called as ever."""
        if self._open and not self._finished:
            self._finished = True
            self._write()

    @property
    def waiting(self) -> bool:
        """True while something is not sent yet."""
        return bool(self._out)

    def _write(self) -> None:
        while self._out:
            try:
                sent = self._socket.send(self._out[0])
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(self._socket.fileno(), self._write)
                return
            except OSError:
                self._give_up_writing()
                return
            self._waiting -= sent
            rest = self._out[0][sent:]
            if rest:
                self._out[0] = rest
            else:
                self._out.popleft()
        self._loop.remove_writer(self._socket.fileno())
        if self._finished:
            with contextlib.suppress(OSError):  # it is gone already
                self._socket.shutdown(socket.SHUT_WR)

    def _give_up_writing(self) -> None:
        """The peer reads no more. What it said before is still to be read: the end comes after that."""
        self._finished = True
        self._out.clear()
        self._waiting = 0
        self._loop.remove_writer(self._socket.fileno())

    def _read(self) -> None:
        try:
            data = self._socket.recv(_PIECE_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        self._in += data
        while self._open and len(self._in) >= _HEAD.size:
            end = _HEAD.size + _HEAD.unpack_from(self._in)[0]
            if len(self._in) < end:
                return
            value = pickle.loads(bytes(self._in[_HEAD.size : end]))
            del self._in[:end]
            self._on_value(value)

    def _end(self) -> None:
        if self._open:
            self.close()
            self._on_end()
