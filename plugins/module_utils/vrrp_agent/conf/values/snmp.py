# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What global_defs says about SNMP."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from ..model import Snmp
from ..tree import Node
from .defaults import Defaults
from .tracking import weights_of

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


def snmp(tree: Node, defaults: Defaults) -> Snmp:
    """The switches, and what SNMP shows of words that mean nothing else to the agent."""
    words = defaults.words
    both = "enable_snmp_rfc" in words
    return Snmp(
        keepalived="enable_snmp_vrrp" in words,
        rfc2787=both or "enable_snmp_rfcv2" in words,
        rfc6527=both or "enable_snmp_rfcv3" in words,
        traps="enable_traps" in words,
        socket=_socket(tree),
        smtp_alert=_alert(defaults, "smtp_alert"),
        smtp_alert_vrrp=_alert(defaults, "smtp_alert_vrrp"),
        smtp_alert_checker=_alert(defaults, "smtp_alert_checker"),
        weights=tuple([(*key, *value) for key, value in sorted(weights_of(tree).items())]),
        checksum_as_v2=defaults.flag("v3_checksum_as_v2"),
    )


def _alert(defaults: Defaults, name: str) -> Optional[bool]:
    return defaults.flag(name) if name in defaults.words else None


def _socket(tree: Node) -> str:
    """keepalived takes the first snmp_socket; the others mean nothing."""
    for block in tree.all("global_defs"):
        for node in block.all("snmp_socket"):
            if node.args:
                return str(node.args[0])
    return ""


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
