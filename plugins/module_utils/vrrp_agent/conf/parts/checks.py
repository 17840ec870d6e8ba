# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The checks of a real server: what is asked, how often, and what a good answer is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Tuple

from .tracking import Command

SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Timing:
    """When a check is made, and when a failure counts."""

    delay_loop_ns: int = 60 * SECOND_NS
    warmup_ns: int = 60 * SECOND_NS
    """The first check comes after a random part of it."""
    retry: int = 1
    """Further tries after the first failure."""
    delay_before_retry_ns: int = SECOND_NS
    alpha: bool = False
    """The check begins as failed."""
    log_all_failures: bool = False


@dataclass(frozen=True)
class Connection:
    """Where a check goes, and from where."""

    address: bytes
    """connect_ip, or the address of the real server."""
    port: int
    """connect_port, or the port of the real server; 0 for PING_CHECK."""
    timeout_ns: int = 5 * SECOND_NS
    bind_address: bytes = b""
    bind_port: int = 0
    bind_interface: str = ""
    fwmark: int = 0

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if len(self.address) == 16 else 4


@dataclass(frozen=True)
class Check:
    """One check of a real server. ``timing`` holds for every kind but FILE_CHECK, which follows a file."""

    timing: Timing

    @property
    def kind(self) -> str:
        """keepalived's word, such as TCP_CHECK."""
        return KINDS[type(self)]


@dataclass(frozen=True)
class TcpCheck(Check):
    """TCP_CHECK: the server accepts a connection."""

    connection: Connection


@dataclass(frozen=True)
class PingCheck(Check):
    """PING_CHECK: the server answers an ICMP echo."""

    connection: Connection


@dataclass(frozen=True)
class UdpCheck(Check):
    """UDP_CHECK: nothing says that the port is closed, or an answer comes."""

    connection: Connection
    payload: bytes = b""
    """Empty: the checker's own choice, as in keepalived."""
    require_reply: bool = False
    reply: bytes = b""
    """What the answer must begin with, where ``reply_mask`` has bits."""
    reply_mask: bytes = b""
    min_length: int = 0
    max_length: int = 255


@dataclass(frozen=True)
class Pattern:
    """``regex`` of a url: what the body must hold, or must not."""

    text: str
    options: Tuple[str, ...] = ()
    """regex_options, PCRE2's names."""
    must_match: bool = True
    min_offset: int = 0
    max_offset: Optional[int] = None


@dataclass(frozen=True)
class Url:
    """One request and what is expected of the answer."""

    path: str = "/"
    digests: Tuple[str, ...] = ()
    """MD5 of the body in lower-case hexadecimal digits; any of them is good."""
    statuses: Tuple[Tuple[int, int], ...] = ((200, 299),)
    """First and last status code of each range that is good. Empty: any, because something else decides."""
    virtualhost: str = ""
    """Host header, with the defaults of checker, server and service applied; empty: the address."""
    pattern: Optional[Pattern] = None
    tls_compliant: bool = False


@dataclass(frozen=True)
class HttpCheck(Check):
    """HTTP_GET and SSL_GET: every url gives what is expected."""

    connection: Connection
    urls: Tuple[Url, ...]
    tls: bool = False
    """SSL_GET."""
    version: str = "1.0"
    """1.0, 1.0C (says Connection: close) or 1.1."""
    sni: bool = False
    """enable_sni: names the virtual host in TLS."""
    sni_name: Optional[str] = None
    """sni_name: this name in place of the virtual host."""
    fast_recovery: bool = False

    @property
    def kind(self) -> str:
        """HTTP_GET or SSL_GET."""
        return "SSL_GET" if self.tls else "HTTP_GET"


@dataclass(frozen=True)
class SmtpCheck(Check):
    """SMTP_CHECK: banner, HELO and QUIT go as they should. A check with several hosts is several checks."""

    connection: Connection
    helo: str = "smtpchecker.keepalived.org"


@dataclass(frozen=True)
class DnsCheck(Check):
    """DNS_CHECK: any answer without an error."""

    connection: Connection
    query_type: str = "SOA"
    query_name: str = "."


@dataclass(frozen=True)
class MiscCheck(Check):
    """MISC_CHECK: a program ends with 0."""

    command: Command
    timeout_ns: int = 0
    """0: as long as delay_loop."""
    dynamic: bool = False
    """misc_dynamic: exit 2..255 sets the weight of the server to code - 2."""


@dataclass(frozen=True)
class FileCheck(Check):
    """FILE_CHECK: the number in a file counts."""

    file: str
    """Name of a track_file."""
    path: str
    weight: int = 1
    """Number times weight is added to the weight of the server; 0: any number but 0 means down."""
    reverse: bool = False


@dataclass(frozen=True)
class TlsFiles:
    """The SSL block: what SSL_GET shows and trusts."""

    certificate: str = ""
    key: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""


KINDS = {
    TcpCheck: "TCP_CHECK",
    PingCheck: "PING_CHECK",
    UdpCheck: "UDP_CHECK",
    SmtpCheck: "SMTP_CHECK",
    DnsCheck: "DNS_CHECK",
    MiscCheck: "MISC_CHECK",
    FileCheck: "FILE_CHECK",
}
