# SPDX-License-Identifier: GPL-3.0-or-later
"""Small servers that answer checks, well or badly, and somebody who asks them as a check does."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import Callable, List, Optional

from vrrp_agent.check.kinds import make
from vrrp_agent.check.probe import Context, Outcome
from vrrp_agent.conf.parts.checks import Check, TlsFiles
from vrrp_agent.conf.parts.tracking import ScriptPolicy
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop

from .lan import Node
from .namespace import inside, open_socket
from .relay import Certificate

Talk = Callable[[socket.socket], None]


class Server:
    """A TCP server on a node: each connection is given to ``talk``, in a thread of its own.

    ``talk`` may block for ever: the end of the server closes all connections.
    """

    def __init__(self, node: Node, talk: Talk, certificate: Optional[Certificate] = None) -> None:
        self.address = node.ipv4
        self.talk = talk
        self.heard: List[bytes] = []
        """What ``hear`` has read."""
        self.names: List[Optional[str]] = []
        """The names that clients gave in TLS."""
        self._context: Optional[ssl.SSLContext] = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate.certificate, certificate.key)
            self._context.sni_callback = lambda _tls, name, _context: self.names.append(name)
        self._open: List[socket.socket] = []
        self._listener = open_socket(node.namespace, socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind((node.ipv4, 0))
        self._listener.listen(50)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_rest: object) -> None:
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    @property
    def context(self) -> ssl.SSLContext:
        """That of a server with a certificate."""
        assert self._context is not None
        return self._context

    def hear(self, connection: socket.socket, until: bytes = b"\r\n\r\n") -> bytes:
        """Read up to the end of a request, and remember it."""
        data = b""
        while until not in data:
            more = connection.recv(4096)
            if not more:
                break
            data += more
        self.heard.append(data)
        return data

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _client = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._speak, args=(connection,), daemon=True).start()

    def _speak(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            try:
                if self._context is not None:
                    connection = self._context.wrap_socket(
                        connection, server_side=True, suppress_ragged_eofs=False
                    )
                    self._open.append(connection)
                self.talk(connection)
            finally:
                connection.close()


class Asker:
    """Makes tries of one check on a node, one after the other, as the process that checks does."""

    def __init__(
        self, node: Node, check: Check, tls: Optional[TlsFiles] = None, policy: Optional[ScriptPolicy] = None
    ) -> None:
        self._node = node
        self.loop = Loop()
        self.found: List[Outcome] = []
        self.longest_turn_s = 0.0
        self.took_s = 0.0
        log = Log(level=7)
        context = Context(self.loop, log, policy or ScriptPolicy(), tls or TlsFiles())
        self.probe = make(check, context, self.found.append)

    def close(self) -> None:
        """Give the loop back."""
        self.probe.stop()
        self.loop.close()

    def ask(self, within_s: float = 30) -> Outcome:
        """One try."""
        return inside(self._node.namespace, lambda: self._ask(within_s))

    def _ask(self, within_s: float) -> Outcome:
        self.found.clear()
        start = time.monotonic()
        self.probe.start()
        while not self.found:
            if time.monotonic() > start + within_s:
                raise AssertionError(f"no outcome in {within_s} s: {self.loop.describe()}")
            self.loop.turn(0.05)
        self.took_s = time.monotonic() - start
        self.loop.turn(0.01)
        assert len(self.found) == 1, f"told twice: {self.found}"
        return self.found[0]

    @property
    def idle(self) -> bool:
        """True when nothing is left in the loop."""
        return self.loop.describe().startswith("0 readers, 0 writers, 0 jobs, ") and (
            self.loop.schedule.next_deadline() is None
        )


def ask_once(
    node: Node, check: Check, tls: Optional[TlsFiles] = None, policy: Optional[ScriptPolicy] = None
) -> Outcome:
    """One try of a new check, which leaves nothing behind."""
    asker = Asker(node, check, tls, policy)
    try:
        outcome = asker.ask()
        assert asker.idle, f"something is left after {outcome}: {asker.loop.describe()}"
        return outcome
    finally:
        asker.close()
