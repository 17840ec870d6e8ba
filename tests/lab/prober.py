# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that pings an address every few milliseconds and tells when nobody answered."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import Dict, List, Optional, Type

from .frames import internet_sum
from .lan import Node
from .namespace import open_socket

_IDENTIFIER = 0x5EED


@dataclass(frozen=True)
class Gap:
    """A time without answers: from the last answered probe before it to the first after it, as sent."""

    start_ns: int
    end_ns: int
    lost: int

    @property
    def seconds(self) -> float:
        """Its length, never shorter than the outage, and longer by at most two probe intervals."""
        return (self.end_ns - self.start_ns) / 1e9


class Prober:
    """Probes while the ``with`` block runs. The address may be of either family (no link-local one)."""

    def __init__(self, node: Node, address: str, interval_s: float = 0.005) -> None:
        self.node, self.address, self.interval_s = node, address, interval_s
        self._six = ":" in address
        self._sent: Dict[int, int] = {}
        self._answered: Dict[int, int] = {}
        self._stop = threading.Event()
        if self._six:
            self._socket = open_socket(
                node.namespace, socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6
            )
        else:
            self._socket = open_socket(node.namespace, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._socket.setblocking(False)
        self._thread = threading.Thread(target=self._work, name=f"probe-{address}", daemon=True)

    def __enter__(self) -> Prober:
        self._thread.start()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *rest: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop probing. Further calls do nothing."""
        self._stop.set()
        self._thread.join(2)
        self._socket.close()

    def _work(self) -> None:
        number, due = 0, time.perf_counter()
        while not self._stop.is_set():
            now = time.perf_counter()
            if now >= due:
                self._send(number)
                number += 1
                due = max(due + self.interval_s, now)
            readable, _, _ = select.select([self._socket], [], [], max(0.0, due - time.perf_counter()))
            if readable:
                self._receive()

    def _send(self, number: int) -> None:
        kind = 128 if self._six else 8
        body = struct.pack("!BBHHHI", kind, 0, 0, _IDENTIFIER, number & 0xFFFF, number)
        if not self._six:
            body = body[:2] + struct.pack("!H", internet_sum(body)) + body[4:]
        self._sent[number] = time.time_ns()
        try:
            self._socket.sendto(body, (self.address, 0))
        except OSError:
            return  # no route or no neighbour is an unanswered probe as well

    def _receive(self) -> None:
        while True:
            try:
                data = self._socket.recv(2048)
            except (BlockingIOError, ConnectionError, OSError):
                return
            message = data if self._six else data[4 * (data[0] & 15) :]
            if len(message) >= 12 and message[0] == (129 if self._six else 0):
                _kind, _, _, identifier, _, number = struct.unpack_from("!BBHHHI", message)
                if identifier == _IDENTIFIER:
                    self._answered.setdefault(number, time.time_ns())

    @property
    def answered(self) -> int:
        """How many probes have been answered."""
        return len(self._answered)

    def answered_since(self, since_ns: int) -> int:
        """How many probes that were sent since ``since_ns`` have been answered."""
        return sum(self._sent[number] >= since_ns for number in list(self._answered))

    def __repr__(self) -> str:
        last_ms = (time.time_ns() - max(self._answered.values(), default=0)) / 1e6
        return (
            f"<{self.answered} of {len(self._sent)} probes answered, last {last_ms:.0f} ms ago, "
            f"running {self._thread.is_alive()}, gaps {[round(gap.seconds, 4) for gap in self.gaps()]}>"
        )

    def gaps(self, since_ns: int = 0) -> List[Gap]:
        """Every gap between two answered probes sent since ``since_ns``."""
        found: List[Gap] = []
        last: Optional[int] = None
        for number in sorted(number for number in list(self._answered) if self._sent[number] >= since_ns):
            if last is not None and number - last > 1:
                found.append(Gap(self._sent[last], self._sent[number], number - last - 1))
            last = number
        return found

    def outage_s(self, since_ns: int = 0) -> float:
        """The longest gap in seconds; 0 when nothing was lost."""
        return max((gap.seconds for gap in self.gaps(since_ns)), default=0.0)
