# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""TLS between bytes and bytes: no socket in it, so nothing that can wait.

As in keepalived the certificate of a server is not verified: the check asks whether a server works, at an
address, and the name in its certificate is that of the service. ``ca`` is loaded, so that a wrong file is
found, and no more.
"""

from __future__ import annotations

import functools
import ipaddress
import os
import ssl
from typing import List, Tuple

from ..conf.parts.checks import TlsFiles

_MOST_PLAIN_BYTES = 1 << 16


class TlsProblem(Exception):
    """TLS does not work. The text is for a person and holds no secret."""


def context_of(files: TlsFiles) -> ssl.SSLContext:
    """What every check shares that has these files, as they are now. Raises TlsProblem."""
    paths = tuple(path for path in (files.certificate, files.key, files.ca) if path)
    try:
        stamps = tuple((path, os.stat(path).st_mtime_ns, os.stat(path).st_ino) for path in paths)
    except OSError as error:
        raise TlsProblem(f"{error.filename} of the SSL block cannot be used: {error.strerror}") from None
    return _make(files, stamps)


@functools.lru_cache(maxsize=4)
def _make(files: TlsFiles, _stamps: Tuple[Tuple[str, int, int], ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # What OpenSSL allows, as keepalived does: Python's own choice leaves out what old servers speak.
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT")
    if files.certificate:
        password = files.password

        def secret() -> str:
            return password

        try:
            context.load_cert_chain(files.certificate, files.key or None, secret)
        except (OSError, ValueError) as error:
            names = " and ".join(path for path in (files.certificate, files.key) if path)
            raise TlsProblem(f"{names} of the SSL block cannot be used: {_reason(error)}") from None
    if files.ca:
        try:
            context.load_verify_locations(files.ca)
        except (OSError, ValueError) as error:
            raise TlsProblem(f"{files.ca} of the SSL block cannot be used: {_reason(error)}") from None
    return context


def name_for(host: str) -> str:
    """The name to give in TLS for a Host header: without a port; an address is no name (RFC 6066 3)."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.strip(".")
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name
    return ""


class Tls:
    """One connection: what the server sent goes in, plain text comes out, ``outgoing`` is to be sent."""

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        """Raises TlsProblem for a name that TLS cannot carry."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name or None)
        except ValueError as error:
            raise TlsProblem(f"{name!r} is no name for TLS: {error}") from None
        self.ready = False
        """True when the handshake is complete."""
        self.ended = False
        """True when the server has said that nothing more comes, or just closed."""

    def outgoing(self) -> bytes:
        """What must be sent now."""
        return self._outgoing.read()

    def send(self, data: bytes) -> None:
        """Send plain text. Raises TlsProblem."""
        try:
            self._object.write(data)
        except ssl.SSLError as error:
            raise TlsProblem(_reason(error)) from None

    def feed(self, data: bytes) -> List[bytes]:
        """Bytes from the server; none say that it has closed. Returns plain text. Raises TlsProblem."""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        return self._read() if self.shake() else []

    def shake(self) -> bool:
        """Go on with the handshake: True when it is complete. Raises TlsProblem."""
        if not self.ready:
            try:
                self._object.do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                raise TlsProblem("closed in the middle of the TLS handshake") from None
            except (ssl.SSLError, ValueError) as error:
                raise TlsProblem(f"TLS handshake: {_reason(error)}") from None
            self.ready = True
        return True

    def bye(self) -> None:
        """Say close_notify (tls_compliant); that of the server is not waited for."""
        try:
            self._object.unwrap()
        except (ssl.SSLError, ValueError, OSError):
            return  # it is said; there is nothing to hear

    def _read(self) -> List[bytes]:
        found: List[bytes] = []
        while not self.ended:
            try:
                data = self._object.read(_MOST_PLAIN_BYTES)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                data = b""  # many servers close without close_notify; keepalived takes it as the end too
            except ssl.SSLError as error:
                raise TlsProblem(f"TLS: {_reason(error)}") from None
            if data:
                found.append(data)
            else:
                self.ended = True
        return found


def _reason(error: Exception) -> str:
    """The reason that OpenSSL gives, in small letters."""
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return str(reason).replace("_", " ").lower()
