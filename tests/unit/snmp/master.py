# SPDX-License-Identifier: GPL-3.0-or-later
"""An SNMP master that does as it is told, a clock that stands still, and a loop that turns for both."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import Any, Callable, List, Optional, Tuple

from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop
from vrrp_agent.snmp import agentx
from vrrp_agent.snmp.agentx import Pdu, Range, Stream
from vrrp_agent.snmp.values import Binding, Oid

SESSION = 77
SECOND_NS = 1_000_000_000


class Notes(Log):
    """A log that is read by the test."""

    def __init__(self) -> None:
        super().__init__(0)
        self.lines: List[str] = []

    def write(self, level: int, text: str) -> None:
        self.lines.append(text)


class World:
    """A loop whose clock moves when the test says so, and everything that turns on it."""

    def __init__(self, directory: Path) -> None:
        self.now_ns = 1000 * SECOND_NS
        self.loop = Loop(clock=lambda: self.now_ns)
        self.log = Notes()
        self.path = str(directory / "master")
        self.master: Optional[Master] = None

    def listen(self) -> Master:
        """The master is there from now on."""
        self.master = Master(self.path)
        return self.master

    def wait(self, seconds: float) -> None:
        """Time passes, in steps that no timer can be missed in."""
        end_ns = self.now_ns + round(seconds * SECOND_NS)
        while self.now_ns < end_ns:
            self.now_ns = min(end_ns, self.now_ns + SECOND_NS // 10)
            self.turn(1)

    def turn(self, times: int = 8) -> None:
        """Everything that can happen at this moment happens."""
        for _turn in range(times):
            if self.master is not None:
                self.master.work()
            self.loop.turn(0.0)

    def until(self, condition: Callable[[], Any]) -> None:
        """Turn until it is so."""
        for _turn in range(200):
            if condition():
                return
            self.turn(1)
        raise AssertionError("did not happen")

    def close(self) -> None:
        if self.master is not None:
            self.master.close()
        self.loop.close()


class Master:
    """Listens, answers Open and Register unless it is told otherwise, and keeps all that it hears."""

    def __init__(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)
        self.heard: List[Pdu] = []
        self.connections = 0
        self.refuse: List[Oid] = []
        self.silent = False
        self.up_time = 5000
        self._packet = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._listener.setblocking(False)
        self._socket: Optional[socket.socket] = None
        self._stream = Stream()

    def work(self) -> None:
        """Take what has come."""
        with contextlib.suppress(BlockingIOError):
            self._socket, _address = self._listener.accept()
            self._socket.setblocking(False)
            self._stream = Stream()
            self.connections += 1
        if self._socket is None or self.silent:
            return
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self._stream.feed(self._socket.recv(1 << 16))
        found = self._stream.take()
        while found is not None:
            self._hear(agentx.decode(*found))
            found = self._stream.take()

    def _hear(self, pdu: Pdu) -> None:
        self.heard.append(pdu)
        if pdu.kind in (agentx.OPEN, agentx.REGISTER, agentx.NOTIFY, agentx.PING, agentx.ADD_CAPS):
            refused = pdu.kind == agentx.REGISTER and pdu.subtree in self.refuse
            error = agentx.DUPLICATE_REGISTRATION if refused else 0
            words = {"up_time": self.up_time, "error": error}
            self.send(Pdu(agentx.RESPONSE, SESSION, pdu.transaction, pdu.packet, **words))  # type: ignore[arg-type]

    def send(self, pdu: Pdu) -> None:
        self.send_bytes(agentx.encode(pdu))

    def send_bytes(self, data: bytes) -> None:
        assert self._socket is not None
        with contextlib.suppress(ConnectionError):
            self._socket.sendall(data)

    def ask(self, kind: int, **words: Any) -> int:
        """Send a request; returns its packet number, by which ``answer_to`` finds the answer."""
        self._packet += 1
        words = {"session": SESSION, "transaction": 1, **words}
        self.send(Pdu(kind, packet=self._packet, **words))
        return self._packet

    def get_next(self, *names: Oid) -> int:
        return self.ask(agentx.GET_NEXT, ranges=tuple(Range(name, False, ()) for name in names))

    def get(self, *names: Oid) -> int:
        return self.ask(agentx.GET, ranges=tuple(Range(name, True, ()) for name in names))

    def answer_to(self, packet: int) -> Optional[Pdu]:
        for pdu in self.of(agentx.RESPONSE):
            if pdu.packet == packet:
                return pdu
        return None

    def of(self, kind: int) -> List[Pdu]:
        """All PDUs of one kind that have come."""
        return [pdu for pdu in self.heard if pdu.kind == kind]

    def notifications(self) -> List[Tuple[Binding, ...]]:
        return [pdu.bindings for pdu in self.of(agentx.NOTIFY)]

    def hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        self.hang_up()
        self._listener.close()
