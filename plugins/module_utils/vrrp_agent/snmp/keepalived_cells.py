# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the columns about virtual and real servers have in common. Pure."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, TypeVar

from ..conf.parts.balancing import TUNNEL, Forwarding, RealServer, VirtualServer
from ..conf.parts.checks import FileCheck, HttpCheck, Timing
from .tree import Cell, Column
from .values import Value, counter32, counter64, gauge, integer, text

_SECOND_NS, _MICROSECOND_NS = 1_000_000_000, 1000
_TUNNELS = ("ipip", "gue", "gre")
_CHECKSUMS = ("nocsum", "csum", "remcsum")
Status = Dict[str, Any]
"""What ``status`` shows of a service or server."""
T = TypeVar("T")


class Service(NamedTuple):
    """A virtual server, and how it is; empty while the agent has not told of it yet."""

    config: VirtualServer
    status: Status


class Server(NamedTuple):
    """A real server, and how it is."""

    config: RealServer
    status: Status
    sorry: bool


def configured(choose: Callable[[Any], Optional[Value]]) -> Cell:
    """A column that the configuration alone decides."""
    return lambda row: choose(row.config)


def regular(choose: Callable[[Server], Optional[Value]]) -> Cell:
    """A column that sorry servers do not have."""
    return lambda row: None if row.sorry else choose(row)


def counter(name: str, make: Callable[[int], Value]) -> Cell:
    """A number of the kernel; no object where it does not count such a thing."""

    def cell(row: Any) -> Optional[Value]:
        number = (row.status.get("connections") or {}).get(name)
        return None if number is None else make(number)

    return cell


def shared(values: Iterable[T]) -> Optional[T]:
    """The value that all have."""
    found = list(dict.fromkeys(values))
    return found[0] if len(found) == 1 else None


def place(words: Sequence[str], word: str) -> Value:
    return integer(words.index(word) + 1 if word in words else 0)


def address_type(packed: bytes) -> Value:
    return integer(2 if len(packed) == 16 else 1)


def is_up(status: Status) -> bool:
    return status.get("state") == "up"


def program(words: Any) -> Optional[Value]:
    """The program of a command."""
    return None if words is None else text(words.argv[0])


def _timings(servers: Iterable[RealServer]) -> List[Timing]:
    return [check.timing for one in servers for check in one.checks if not isinstance(check, FileCheck)]


def timing(
    choose: Callable[[Timing], int], divisor: int = 1
) -> Callable[[Iterable[RealServer]], Optional[Value]]:
    """A number that all checks of these servers share."""

    def find(servers: Iterable[RealServer]) -> Optional[Value]:
        number = shared(choose(timing) for timing in _timings(servers))
        return None if number is None else gauge(number // divisor)

    return find


def connect_timeout(servers: Iterable[RealServer]) -> Optional[Value]:
    checks = [check for one in servers for check in one.checks]
    found = [connection for connection in (getattr(one, "connection", None) for one in checks) if connection]
    timeout_ns = shared(connection.timeout_ns for connection in found)
    return None if timeout_ns is None else gauge(timeout_ns // _MICROSECOND_NS)


def virtual_host(servers: Iterable[RealServer]) -> Optional[Value]:
    checks = [check for one in servers for check in one.checks if isinstance(check, HttpCheck)]
    name = shared(url.virtualhost for check in checks for url in check.urls)
    return text(name) if name else None


RETRY = timing(lambda timing: timing.retry)
DELAY_BEFORE_RETRY_S = timing(lambda timing: timing.delay_before_retry_ns, _SECOND_NS)
DELAY_BEFORE_RETRY_US = timing(lambda timing: timing.delay_before_retry_ns, _MICROSECOND_NS)
WARMUP_S = timing(lambda timing: timing.warmup_ns, _SECOND_NS)
WARMUP_US = timing(lambda timing: timing.warmup_ns, _MICROSECOND_NS)
DELAY_LOOP_S = timing(lambda timing: timing.delay_loop_ns, _SECOND_NS)
DELAY_LOOP_US = timing(lambda timing: timing.delay_loop_ns, _MICROSECOND_NS)


def one_server(find: Callable[[Iterable[RealServer]], Optional[Value]]) -> Cell:
    """Of the checks of one server."""
    return lambda row: find((row.config,))


def all_servers(find: Callable[[Iterable[RealServer]], Optional[Value]]) -> Cell:
    """Of the checks of all servers of a service."""
    return lambda row: find(row.config.servers)


def tunnel_columns(first: int) -> List[Column]:
    """Type, port and checksum of a tunnel, under three numbers that follow each other."""

    def kind(way: Forwarding) -> Optional[Value]:
        return place(_TUNNELS, way.tunnel) if way.method == TUNNEL else None

    def port(way: Forwarding) -> Optional[Value]:
        return gauge(way.tunnel_port) if way.method == TUNNEL and way.tunnel == "gue" else None

    def checksum(way: Forwarding) -> Optional[Value]:
        return place(_CHECKSUMS, way.checksum) if way.method == TUNNEL and way.tunnel != "ipip" else None

    finders = (kind, port, checksum)
    return [Column(number, _forwarding(find)) for number, find in enumerate(finders, first)]


def _forwarding(find: Callable[[Forwarding], Optional[Value]]) -> Cell:
    return configured(lambda config: find(config.forwarding))


_COUNTED: Tuple[Tuple[str, Callable[[int], Value]], ...] = (
    ("packets_in", counter32),
    ("packets_out", counter32),
    ("bytes_in", counter64),
    ("bytes_out", counter64),
)
_COUNTED_64 = ("connections", "packets_in", "packets_out")


def counter_columns(first: int, first_64: int) -> List[Column]:
    """Packets and bytes, and then connections and packets once more as numbers of 64 bits."""
    return [
        *[Column(first + at, counter(*counted)) for at, counted in enumerate(_COUNTED)],
        *[Column(first_64 + at, counter(name, counter64)) for at, name in enumerate(_COUNTED_64)],
    ]
