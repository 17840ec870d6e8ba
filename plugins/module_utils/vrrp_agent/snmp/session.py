# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One AgentX session with the host's SNMP master: it is opened, kept, and opened again (RFC 2741 7.1).

Nothing here waits: a master that is absent, stopped or slow costs this process a timer. Notifications that
happen meanwhile are kept, as many as ``MOST_KEPT``, and sent when the session is there.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections import deque
from dataclasses import replace
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional, Set, Tuple

from ..conf.parts.endpoint import Endpoint
from ..loop.alarm import Alarm
from ..loop.log import WARNING, Log
from ..loop.loop import Loop
from . import agentx
from .agentx import AgentxError, Pdu, Stream
from .values import Binding, Oid, dotted

_SECOND_NS = 1_000_000_000
_LONGEST_PAUSE_NS = 15 * _SECOND_NS
_ANSWER_NS = 10 * _SECOND_NS
"""How long the master may take to open a session or to register a subtree."""
_PING_NS = 60 * _SECOND_NS
_MASTER_TIMEOUT_S = 5
"""How long the master waits for our answers."""
_PRIORITY = 127  # RFC 2741 6.2.3
_PIECE_BYTES = 1 << 16
_MOST_UNSENT_BYTES = 1 << 20
MOST_KEPT = 4096
_KEPT_NS = 60 * _SECOND_NS
"""An older notification is no news any more."""
_FAREWELL_S = 1.0
_LIMIT_WINDOW_NS = 10 * _SECOND_NS

AGENT_ID: Oid = (1, 3, 6, 1, 4, 1, 9586, 100, 5)
DESCRIPTION = "vrrp-agent"


class Subtree(NamedTuple):
    """Something that we serve."""

    root: Oid
    title: str
    """For sysORTable."""


class Session:
    """``on_request`` gets what the master asks of us; ``answer`` sends what we say to it.

    ``on_change`` hears whether there is a session, and what is wrong.
    """

    def __init__(
        self,
        loop: Loop,
        log: Log,
        endpoint: Endpoint,
        subtrees: Tuple[Subtree, ...],
        on_request: Callable[[Pdu], None],
        on_change: Callable[[bool, str], None],
    ) -> None:
        self.ready = False
        """True while the session is open and the master has been told what we serve."""
        self._loop = loop
        self._log = log
        self._endpoint = endpoint
        self._subtrees = subtrees
        self._on_request = on_request
        self._on_change = on_change
        self._socket: Optional[socket.socket] = None
        self._stream = Stream()
        self._unsent = bytearray()
        self._session = 0
        self._packet = 0
        self._pending: Dict[int, Callable[[Pdu], None]] = {}
        self._refused: Set[Oid] = set()
        self._kept: Deque[Tuple[int, Tuple[Binding, ...]]] = deque(maxlen=MOST_KEPT)
        """Notifications that wait for a session, and when each was made."""
        self._unanswered: Set[Oid] = set()
        """Subtrees whose registration the master has not answered."""
        self._pause_ns = _SECOND_NS
        self._complained = False
        self._alarm = Alarm(loop, self._ring)
        self._up: Optional[Tuple[int, int]] = None

    def start(self) -> None:
        """Try to reach the master, now and again."""
        self._connect()

    @property
    def up_s(self) -> float:
        """sysUpTime of the master, as far as it has told it."""
        if self._up is None:
            return 0.0
        centiseconds, heard_ns = self._up
        return centiseconds / 100 + (self._loop.clock() - heard_ns) / _SECOND_NS

    def answer(
        self, request: Pdu, bindings: Tuple[Binding, ...] = (), error: int = agentx.NO_ERROR, index: int = 0
    ) -> None:
        """Answer a request of the master (RFC 2741 7.2.6)."""
        self._send(
            Pdu(
                agentx.RESPONSE,
                request.session,
                request.transaction,
                request.packet,
                bindings=bindings,
                error=error,
                index=index,
            )
        )

    def notify(self, bindings: Tuple[Binding, ...]) -> None:
        """Send a notification, now or when there is a session."""
        self._kept.append((self._loop.clock(), bindings))
        self._send_kept()

    def close(self) -> None:
        """Say goodbye, after what is still to be said; waits a second at most."""
        self._alarm.cancel()
        sock = self._socket
        if sock is not None:
            if self._session:
                self._send(Pdu(agentx.CLOSE, reason=agentx.CLOSE_SHUTDOWN))
            with contextlib.suppress(OSError):
                sock.settimeout(_FAREWELL_S)
                sock.sendall(self._unsent)
            self._forget_socket()

    # The connection.

    def _connect(self) -> None:
        try:
            sock, done = self._open_socket()
        except OSError as error:
            self._lost(f"{error.strerror or error}")
            return
        self._socket = sock
        self._stream = Stream()
        self._alarm.set_in(_ANSWER_NS)
        if done:
            self._connected()
        else:
            self._loop.add_writer(sock.fileno(), self._connected)

    def _open_socket(self) -> Tuple[socket.socket, bool]:
        """A socket, and True when it is connected already. Raises OSError."""
        where = self._endpoint
        if where.path:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            target: Any = where.path
        else:
            # A name may take its time: this process has nothing better to do.
            found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)[0]
            sock, target = socket.socket(*found[:3]), found[4]
        sock.setblocking(False)
        try:
            sock.connect(target)
        except BlockingIOError:
            if where.path:
                sock.close()
                raise
            return sock, False
        except OSError:
            sock.close()
            raise
        return sock, True

    def _connected(self) -> None:
        sock = self._socket
        if sock is None:
            return
        self._loop.remove_writer(sock.fileno())
        problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            self._lost(os.strerror(problem))
            return
        self._loop.add_reader(sock.fileno(), self._read)
        about = Pdu(agentx.OPEN, timeout_s=_MASTER_TIMEOUT_S, subtree=AGENT_ID, description=DESCRIPTION)
        self._ask(about, self._opened)

    def _read(self) -> None:
        sock = self._socket
        if sock is None:
            return
        try:
            piece = sock.recv(_PIECE_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lost(error.strerror or str(error))
            return
        if not piece:
            self._lost("it has hung up")
            return
        self._stream.feed(piece)
        try:
            self._hear(sock)
        except AgentxError as error:
            self._lost(f"it does not speak AgentX: {error}")

    def _hear(self, sock: socket.socket) -> None:
        """All that has come. Raises AgentxError when the stream is lost."""
        while self._socket is sock:
            found = self._stream.take()
            if found is None:
                return
            header, payload = found
            try:
                pdu = agentx.decode(header, payload)
            except AgentxError as error:
                line = f"SNMP: a request that cannot be read: {error}"
                now = self._loop.clock()
                self._log.limited(WARNING, "SNMP", "unreadable", line, now, _LIMIT_WINDOW_NS)
                broken = Pdu(agentx.GET, header.session, header.transaction, header.packet)
                if header.kind != agentx.RESPONSE:
                    self.answer(broken, error=agentx.PARSE_ERROR)
                continue
            self._take(pdu)

    def _take(self, pdu: Pdu) -> None:
        if pdu.kind == agentx.RESPONSE:
            self._up = (pdu.up_time, self._loop.clock())
            on_answer = self._pending.pop(pdu.packet, None)
            if on_answer is not None:
                on_answer(pdu)
        elif pdu.kind == agentx.CLOSE:
            self._lost("it has closed the session")
        elif not self._session or pdu.session != self._session:
            self.answer(pdu, error=agentx.NOT_OPEN)
        elif pdu.context is not None:
            self.answer(pdu, error=agentx.UNSUPPORTED_CONTEXT)
        else:
            self._on_request(pdu)

    def _lost(self, why: str) -> None:
        """No session any more; the next attempt comes after a pause that grows."""
        if self.ready or not self._complained:
            self._log.warning(f"SNMP: no session with the master at {self._endpoint}: {why}; trying again")
            self._complained = True
        self._on_change(False, why)
        self._forget_socket()
        self._alarm.set_in(self._pause_ns)
        self._pause_ns = min(self._pause_ns * 2, _LONGEST_PAUSE_NS)

    def _forget_socket(self) -> None:
        sock, self._socket = self._socket, None
        self.ready = False
        self._session = 0
        self._pending = {}
        self._refused = set()
        self._unanswered = set()
        self._unsent = bytearray()
        if sock is not None:
            self._loop.remove_reader(sock.fileno())
            self._loop.remove_writer(sock.fileno())
            sock.close()

    def _ring(self) -> None:
        if self._socket is None:
            self._connect()
        elif not self.ready:
            self._lost("it does not answer")
        elif self._pending:
            self._lost("it does not answer any more")
        else:
            self._register([one for one in self._subtrees if one.root in self._refused])
            self._ask(Pdu(agentx.PING), lambda pdu: None)
            self._alarm.set_in(_PING_NS)

    # What is said.

    def _ask(self, pdu: Pdu, on_answer: Callable[[Pdu], None]) -> None:
        self._packet += 1
        self._pending[self._packet] = on_answer
        self._send(replace(pdu, packet=self._packet))

    def _send(self, pdu: Pdu) -> None:
        if self._socket is None:
            return
        if not pdu.session:
            pdu = replace(pdu, session=self._session)
        self._unsent += agentx.encode(pdu)
        self._write()

    def _write(self) -> None:
        sock = self._socket
        if sock is None:
            return
        try:
            sent = sock.send(self._unsent) if self._unsent else 0
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._lost(error.strerror or str(error))
            return
        del self._unsent[:sent]
        if len(self._unsent) > _MOST_UNSENT_BYTES:
            self._lost("it does not read what it asked for")
        elif self._unsent:
            self._loop.add_writer(sock.fileno(), self._writable)
        else:
            self._loop.remove_writer(sock.fileno())

    def _writable(self) -> None:
        self._write()
        self._send_kept()

    def _opened(self, pdu: Pdu) -> None:
        if pdu.error:
            self._lost(_reason(pdu.error))
            return
        self._session = pdu.session
        self._register(list(self._subtrees))

    def _register(self, subtrees: List[Subtree]) -> None:
        for one in subtrees:
            self._unanswered.add(one.root)
            register = Pdu(agentx.REGISTER, priority=_PRIORITY, subtree=one.root)
            self._ask(register, lambda pdu, one=one: self._registered(one, pdu))  # type: ignore[misc]

    def _registered(self, subtree: Subtree, pdu: Pdu) -> None:
        self._unanswered.discard(subtree.root)
        if pdu.error:
            if subtree.root not in self._refused:
                name, why = dotted(subtree.root), _reason(pdu.error)
                self._log.error(f"SNMP: the master does not take the subtree {name}: {why}; trying again")
            self._refused.add(subtree.root)
            self._say_what_is_refused()
        else:
            if subtree.root in self._refused:
                self._refused.discard(subtree.root)
                self._say_what_is_refused()
            caps = Pdu(agentx.ADD_CAPS, subtree=subtree.root, description=subtree.title)
            self._ask(caps, lambda pdu: None)
        if not self.ready and not self._unanswered:
            self._all_registered()

    def _all_registered(self) -> None:
        self.ready = True
        self._complained = False
        self._pause_ns = _SECOND_NS
        self._alarm.set_in(_PING_NS)
        self._log.info(f"SNMP: session with the master at {self._endpoint} is open")
        self._say_what_is_refused()
        self._send_kept()

    def _say_what_is_refused(self) -> None:
        names = ", ".join([dotted(root) for root in sorted(self._refused)])
        self._on_change(self.ready, f"not taken: {names}" if names else "")

    def _send_kept(self) -> None:
        oldest_ns = self._loop.clock() - _KEPT_NS
        while self.ready and self._kept and len(self._unsent) < _MOST_UNSENT_BYTES // 2:
            at_ns, bindings = self._kept.popleft()
            if at_ns >= oldest_ns:
                self._packet += 1
                self._send(Pdu(agentx.NOTIFY, packet=self._packet, bindings=bindings))


def _reason(error: int) -> str:
    return agentx.ERROR_NAMES.get(error, f"error {error}")
