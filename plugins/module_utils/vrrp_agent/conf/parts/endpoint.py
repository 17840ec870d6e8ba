# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the SNMP master listens: what a snmp_socket stands for."""

from __future__ import annotations

from typing import NamedTuple, Tuple

DEFAULT_SOCKET = "unix:/var/agentx/master"
DEFAULT_PORT = 705  # RFC 2741 8.1.1


class Endpoint(NamedTuple):
    """Where the SNMP master listens for AgentX: a path, or a host with a port."""

    path: str
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else f"tcp:{self.host}:{self.port}"


class BadEndpoint(ValueError):
    """A snmp_socket that cannot be used; ``hint`` says what to write."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.hint = hint


def endpoint(text: str) -> Endpoint:
    """What a snmp_socket stands for; empty is keepalived's default. Raises BadEndpoint."""
    text = text or DEFAULT_SOCKET
    kind, colon, rest = text.partition(":")
    if text.startswith("/"):
        kind, rest = "unix", text
    elif not colon or kind.lower() not in ("unix", "tcp", "tcp6", "udp", "udp6"):
        kind, rest = "udp", text  # net-snmp's own default for an address without a prefix
    kind = kind.lower()
    if kind == "unix":
        if not rest.startswith("/"):
            raise BadEndpoint(f"'{rest}' is no absolute path", "write it as unix:/var/agentx/master")
        return Endpoint(rest)
    if kind.startswith("udp"):
        raise BadEndpoint(
            f"'{text}' means UDP, and AgentX is not spoken over UDP (RFC 2741 8)",
            f"write tcp:{rest or '127.0.0.1:705'} or unix:/var/agentx/master, as agentXSocket of snmpd.conf",
        )
    host, port = _host_and_port(rest)
    if not host:
        raise BadEndpoint(f"'{text}' names no host", "write tcp:127.0.0.1:705")
    return Endpoint("", host, port)


def _host_and_port(text: str) -> Tuple[str, int]:
    """A name or an address, in brackets for IPv6, and a port of 1..65535."""
    if text.startswith("["):
        host, _bracket, rest = text[1:].partition("]")
        word = rest[1:] if rest.startswith(":") else ""
    elif text.count(":") == 1:
        host, _colon, word = text.partition(":")
    else:
        host, word = text, ""
    if not word:
        return host, DEFAULT_PORT
    if not (word.isascii() and word.isdigit() and 0 < int(word) < 65536):
        raise BadEndpoint(f"'{word}' is no port", "write a number of 1..65535, such as tcp:127.0.0.1:705")
    return host, int(word)
