# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The checks of a real_server: from words to values, with what they take from server and service.

keepalived's order everywhere: the word of the check, of the real_server, of the virtual_server, and then the
default of the kind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ..parts.checks import (
    SECOND_NS,
    Check,
    Connection,
    DnsCheck,
    FileCheck,
    HttpCheck,
    MiscCheck,
    Pattern,
    PingCheck,
    SmtpCheck,
    TcpCheck,
    Timing,
    UdpCheck,
    Url,
)
from ..tree import Node
from .block import address, flag, nearest_text, nearest_time_ns, number, text
from .commands import command, unescaped

DELAY_LOOP_NS = 60 * SECOND_NS
CONNECT_TIMEOUT_NS = 5 * SECOND_NS
GOOD_STATUSES = ((200, 299),)
CONNECTION_WORDS = frozenset(
    ("connect_ip", "connect_port", "bindto", "bind_port", "bind_if", "connect_timeout", "fwmark")
)
"""With one of them an SMTP_CHECK that has hosts has a place of its own too."""
ROOT_NAME = "."


@dataclass(frozen=True)
class Surroundings:
    """What a check knows of its place."""

    server: Node
    service: Node
    address: bytes
    port: int
    """Of the real server; its service's when the file names none."""
    log_all_failures: bool
    files: Mapping[str, Tuple[str, int, bool]]
    """track_file: path, weight, reverse."""


@dataclass(frozen=True)
class _Usual:
    """The defaults of one kind that the kinds do not share."""

    retry: int = 1
    pause_ns: Optional[int] = SECOND_NS
    """delay_before_retry; None is as long as delay_loop."""


_PLAIN = _Usual()
_USUAL: Dict[str, _Usual] = {
    "HTTP_GET": _Usual(pause_ns=3 * SECOND_NS),
    "SSL_GET": _Usual(pause_ns=3 * SECOND_NS),
    "DNS_CHECK": _Usual(3, None),
    "MISC_CHECK": _Usual(0),
}


def checks(around: Surroundings) -> Tuple[Check, ...]:
    """All checks of one real_server, in their order."""
    return tuple(check for _node, check in placed_checks(around))


def placed_checks(around: Surroundings) -> List[Tuple[Node, Check]]:
    """The same, each with the block that it is made from."""
    found: List[Tuple[Node, Check]] = []
    for node in around.server.children:
        if node.name == "SMTP_CHECK":
            found.extend((place, check) for place, check in _smtp(node, around))
        elif node.name in _MAKERS:
            found.append((node, _MAKERS[node.name](node, around)))
    return found


def _timing(node: Node, around: Surroundings) -> Timing:
    usual = _USUAL.get(node.name, _PLAIN)
    blocks = (node, around.server, around.service)
    delay_ns = nearest_time_ns("delay_loop", *blocks)
    delay_ns = DELAY_LOOP_NS if delay_ns is None else delay_ns
    warmup_ns = nearest_time_ns("warmup", *blocks)
    pause_ns = nearest_time_ns("delay_before_retry", *blocks)
    if pause_ns is None:
        pause_ns = delay_ns if usual.pause_ns is None else usual.pause_ns
    retry = nearest_text("retry", *blocks)
    return Timing(
        delay_loop_ns=delay_ns,
        warmup_ns=delay_ns if warmup_ns is None else warmup_ns,
        retry=int(retry) if retry else usual.retry,
        delay_before_retry_ns=pause_ns,
        alpha=_alpha(node, around),
        log_all_failures=around.log_all_failures or bool(flag(node, "log_all_failures")),
    )


def _alpha(node: Node, around: Surroundings) -> bool:
    for block in (node, around.server, around.service):
        own = flag(block, "alpha")
        if own is not None:
            return own
    return False


def _connection(node: Node, around: Surroundings, *outer: Node) -> Connection:
    timeout_ns = nearest_time_ns("connect_timeout", node, *outer, around.server, around.service)
    port = number(node, "connect_port")
    return Connection(
        address=address(node, "connect_ip") or around.address,
        port=around.port if port is None else port,
        timeout_ns=CONNECT_TIMEOUT_NS if timeout_ns is None else timeout_ns,
        bind_address=address(node, "bindto"),
        bind_port=number(node, "bind_port") or 0,
        bind_interface=text(node, "bind_if") or "",
        fwmark=number(node, "fwmark") or 0,
    )


def _tcp(node: Node, around: Surroundings) -> Check:
    return TcpCheck(_timing(node, around), _connection(node, around))


def _ping(node: Node, around: Surroundings) -> Check:
    return PingCheck(_timing(node, around), replace(_connection(node, around), port=0))


def _dns(node: Node, around: Surroundings) -> Check:
    return DnsCheck(
        _timing(node, around),
        _connection(node, around),
        text(node, "type") or "SOA",
        text(node, "name") or ROOT_NAME,
    )


def _smtp(node: Node, around: Surroundings) -> List[Tuple[Node, Check]]:
    """A place of its own, and one for each ``host``; without words for the first there are hosts only."""
    timing = _timing(node, around)
    helo = text(node, "helo_name") or "smtpchecker.keepalived.org"
    hosts = list(node.all("host"))
    places = [(host, _connection(host, around, node)) for host in hosts]
    if not hosts or any(child.name in CONNECTION_WORDS for child in node.children):
        places.insert(0, (node, _connection(node, around)))
    return [(place, SmtpCheck(timing, connection, helo)) for place, connection in places]


def _misc(node: Node, around: Surroundings) -> Check:
    words, user = node.last("misc_path"), node.last("user")
    if words is None:
        raise ValueError(f"{node.keyword} has no misc_path: build needs a checked tree")
    account = user.args if user is not None else ()
    return MiscCheck(
        _timing(node, around),
        command((words.args[0], *account)),
        (number(node, "misc_timeout") or 0) * SECOND_NS,
        node.last("misc_dynamic") is not None,
    )


def _udp(node: Node, around: Surroundings) -> Check:
    payload, wanted = node.last("payload"), node.last("require_reply")
    reply, mask = octets(wanted.args if wanted is not None else ())
    longest = number(node, "max_reply_length")
    return UdpCheck(
        _timing(node, around),
        _connection(node, around),
        octets(payload.args if payload is not None else ())[0],
        wanted is not None,
        reply,
        mask,
        number(node, "min_reply_length") or 0,
        255 if longest is None else longest,
    )


def octets(words: Sequence[str]) -> Tuple[bytes, bytes]:
    """Bytes in hexadecimal, and a mask with the bits that count: ``x`` stands for any digit.

    As in keepalived, a digit that stands alone is a byte. Raises ValueError.
    """
    values, masks = bytearray(), bytearray()
    for word in words:
        for start in range(0, len(word), 2):
            value = mask = 0
            for digit in word[start : start + 2]:
                any_digit = digit in "xX"
                value = value << 4 | (0 if any_digit else int(digit, 16))
                mask = mask << 4 | (0 if any_digit else 0xF)
            if len(word[start : start + 2]) == 1:
                mask |= 0xF0
            values.append(value)
            masks.append(mask)
    return bytes(values), bytes(masks)


def _file(node: Node, around: Surroundings) -> Check:
    name = text(node, "track_file") or ""
    path, weight, reverse = around.files.get(name, ("", 1, False))
    own = node.last("weight")
    if own is not None:
        weight, reverse = int(own.args[0]), "reverse" in own.args[1:]
    return FileCheck(Timing(alpha=False), name, path, weight, reverse)


# HTTP_GET and SSL_GET.


def _http(node: Node, around: Surroundings) -> Check:
    sni, name = _sni(node)
    version = (text(node, "http_protocol") or "1.0").upper()
    return HttpCheck(
        _timing(node, around),
        _connection(node, around),
        tuple(_url(url, node, around) for url in node.all("url")),
        tls=node.name == "SSL_GET",
        version=version,
        sni=sni,
        sni_name=name,
        fast_recovery=bool(flag(node, "fast_recovery")),
    )


def _sni(node: Node) -> Tuple[bool, Optional[str]]:
    """enable_sni and sni_name: the last of both says whether; any sni_name with a name says which."""
    wanted, name = False, None
    for child in node.children:
        if child.name == "enable_sni":
            wanted = bool(flag(Node("", children=(child,)), "enable_sni"))
        elif child.name == "sni_name":
            wanted = True
            name = str(child.args[0]) if child.args else name
    return wanted, name


def _url(url: Node, node: Node, around: Surroundings) -> Url:
    digest = text(url, "digest")
    return Url(
        path=text(url, "path") or "/",
        digests=(digest.lower(),) if digest else (),
        statuses=_statuses(url) or GOOD_STATUSES,
        virtualhost=nearest_text("virtualhost", url, node, around.server, around.service),
        pattern=_pattern(url),
        tls_compliant=bool(flag(url, "tls_compliant")) or bool(flag(node, "tls_compliant")),
    )


def _statuses(url: Node) -> Tuple[Tuple[int, int], ...]:
    """Ranges in order, those that touch as one."""
    found: List[Tuple[int, int]] = []
    for first, last in sorted(_status(word) for line in url.all("status_code") for word in line.args):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def _status(word: str) -> Tuple[int, int]:
    first, _dash, last = word.partition("-")
    return int(first), int(last or first)


def _pattern(url: Node) -> Optional[Pattern]:
    words = url.last("regex")
    if words is None or not words.args:
        return None
    return Pattern(
        text=unescaped(words.args[0]),
        options=regex_options(url),
        must_match=url.last("regex_no_match") is None,
        min_offset=number(url, "regex_min_offset") or 0,
        max_offset=number(url, "regex_max_offset"),
    )


def regex_options(url: Node) -> Tuple[str, ...]:
    """All of them, each once: keepalived adds them up over several lines."""
    return tuple(dict.fromkeys(str(word) for line in url.all("regex_options") for word in line.args))


_MAKERS: Dict[str, Callable[[Node, Surroundings], Check]] = {
    "TCP_CHECK": _tcp,
    "PING_CHECK": _ping,
    "DNS_CHECK": _dns,
    "MISC_CHECK": _misc,
    "UDP_CHECK": _udp,
    "FILE_CHECK": _file,
    "HTTP_GET": _http,
    "SSL_GET": _http,
}
