# SPDX-License-Identifier: GPL-3.0-or-later
"""A real mail server (aiosmtpd) in a node of the LAN: it takes mail, refuses it or is slow as a test says."""

from __future__ import annotations

import asyncio
import email
import email.message
import email.policy
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Type

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from .lan import Node
from .namespace import inside
from .shell import run

PORT = 25


class Mail(NamedTuple):
    """One mail as the relay got it."""

    sender: str
    recipients: List[str]
    message: email.message.EmailMessage
    helo: str
    tls: bool
    user: str
    at_s: float

    @property
    def subject(self) -> str:
        """Its Subject."""
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """Its body."""
        return str(self.message.get_content()).replace("\r\n", "\n")


class Certificate(NamedTuple):
    """A certificate that signs itself, and its key."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, directory: Path, address: str) -> Certificate:
        """For a server at ``address``."""
        made = cls(directory / "relay.pem", directory / "relay.key")
        names = f"subjectAltName=IP:{address}"
        run(
            *("openssl", "req", "-x509", "-nodes", "-days", "2"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-subj", "/CN=relay", "-addext", names),
            *("-keyout", str(made.key), "-out", str(made.certificate)),
        )
        return made


class Relay:
    """Listens on port 25 of a node. What it does may be changed at any time.

    ``refused`` are recipients that it never takes, ``later`` those that it puts off with 451. ``password``
    asks for a login. ``silent``: it accepts connections and says nothing.
    """

    def __init__(
        self,
        node: Node,
        *,
        certificate: Optional[Certificate] = None,
        password: str = "",
        silent: bool = False,
    ) -> None:
        self.node = node
        self.mails: List[Mail] = []
        self.refused: List[str] = []
        self.later: List[str] = []
        self.connections = 0
        self._certificate = certificate
        self._password = password
        self._silent = silent
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name="relay", daemon=True)
        self._socket = inside(node.namespace, self._listen)
        self._held: List[Any] = []

    def _listen(self) -> socket.socket:
        listening = socket.create_server((self.node.ipv4, PORT))
        listening.setblocking(False)
        return listening

    def __enter__(self) -> Relay:
        self.node.lan.witnesses.append(self)
        self._thread.start()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *rest: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._socket.close()
        self._loop.close()

    def subjects(self) -> List[str]:
        """Of all mails so far."""
        return [mail.subject for mail in self.mails]

    def evidence(self) -> str:
        """For the report of a failed test."""
        return f"=== relay on {self.node.name}, {self.connections} connections\n" + "\n".join(self.subjects())

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        if self._silent:
            self._loop.create_task(self._hold())
        else:
            self._loop.run_until_complete(self._loop.create_server(self._make, sock=self._socket))
        self._loop.run_forever()

    async def _hold(self) -> None:
        while True:
            connection, _peer = await self._loop.sock_accept(self._socket)
            self.connections += 1
            self._held.append(connection)

    def _make(self) -> SMTP:
        self.connections += 1
        words: dict[str, Any] = {"hostname": "relay.example.org", "loop": self._loop}
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate.certificate, self._certificate.key)
            words.update(tls_context=context, require_starttls=True)
        if self._password:
            words.update(authenticator=self._authenticate, auth_required=True)
        return SMTP(self, **words)

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == self._password.encode()
        if good:
            session.user = data.login.decode()  # type: ignore[attr-defined]
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: List[str]
    ) -> str:
        """aiosmtpd's hook."""
        if address in self.refused:
            return "550 5.1.1 no such mailbox"
        if address in self.later:
            return "451 4.2.1 mailbox busy, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """aiosmtpd's hook."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, email.message.EmailMessage)
        helo = str(session.host_name)
        user = str(getattr(session, "user", ""))
        tls = session.ssl is not None
        sender, recipients = str(envelope.mail_from), list(envelope.rcpt_tos)
        self.mails.append(Mail(sender, recipients, message, helo, tls, user, time.time()))
        return "250 OK"


def drop_connections(node: Node) -> subprocess.CompletedProcess[str]:
    """Make a node refuse nothing and answer nothing on port 25, as a dead host does."""
    rules = "add table ip dead; add chain ip dead in { type filter hook input priority 0; };"
    rules += f" add rule ip dead in tcp dport {PORT} drop"
    return subprocess.run(
        ["ip", "netns", "exec", node.namespace, "nft", rules], check=True, capture_output=True, text=True
    )
