# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that speaks VRRP by hand: right adverts at a steady pace, or any frame at all."""

from __future__ import annotations

import threading
import time
from typing import Any, Dict, Optional, Type

from . import frames
from .config import virtual_addresses
from .lan import Node


class Tester:
    """Adverts from ``node`` to the group (or to one peer), with every field open to a test."""

    def __init__(
        self, node: Node, *, family: int = 4, version: int = 3, interval_s: float = 0.1, **fields: Any
    ) -> None:
        self.node, self.family, self.version = node, family, version
        unit_s = 1.0 if version == 2 else 0.01
        addresses = [line.split("/")[0] for line in virtual_addresses(family)]
        self.fields = {
            "interval": round(interval_s / unit_s),
            "version": version,
            "addresses": addresses,
            **fields,
        }

    def frame(
        self,
        *,
        source: Optional[str] = None,
        destination: Optional[str] = None,
        message: Optional[bytes] = None,
        source_mac: Optional[str] = None,
        destination_mac: Optional[str] = None,
        padded: bool = True,
        packet_options: Optional[Dict[str, Any]] = None,
        **fields: Any,
    ) -> bytes:
        """A whole frame. ``fields`` go to frames.vrrp_message, ``packet_options`` to ip_packet."""
        source = source or self.node.address(self.family)
        destination = destination or (frames.GROUP4 if self.family == 4 else frames.GROUP6)
        if message is None:
            message = frames.vrrp_message(source, destination, **{**self.fields, **fields})
        packet = frames.ip_packet(source, destination, message, **(packet_options or {}))
        to = destination_mac or frames.multicast_mac(destination)
        return frames.ethernet(source_mac or self.node.mac, to, packet, padded=padded)

    def send(self, **words: Any) -> int:
        """Send one advert; return the time in nanoseconds. The words are those of ``frame``."""
        return self.node.inject(self.frame(**words))

    def speaking(self, every_s: float = 0.1, **words: Any) -> Speech:
        """Send the same advert again and again while a ``with`` block runs."""
        return Speech(self.node, self.frame(**words), every_s)


class Speech:
    """Adverts sent at a steady pace by a thread; ``last_ns`` is when the last one left."""

    def __init__(self, node: Node, frame: bytes, every_s: float) -> None:
        self.node, self.frame, self.every_s = node, frame, every_s
        self.last_ns = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="speech", daemon=True)

    def __enter__(self) -> Speech:
        self.last_ns = self.node.inject(self.frame)
        self._thread.start()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *rest: object) -> None:
        self.stop()

    def _work(self) -> None:
        due = time.perf_counter() + self.every_s
        while not self._stop.wait(max(0.0, due - time.perf_counter())):
            self.last_ns = self.node.inject(self.frame)
            due += self.every_s

    def stop(self) -> int:
        """Fall silent; return when the last advert left, in nanoseconds."""
        self._stop.set()
        self._thread.join(2)
        return self.last_ns
