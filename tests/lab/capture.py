# SPDX-License-Identifier: GPL-3.0-or-later
"""What each node sends, with the kernel's own time stamps.

One packet socket listens on all ports of the switch. A frame that comes in at a port was sent by the node
behind it, so the sender is known by its cable and not by what the frame claims.
Times are integer nanoseconds of the wall clock (``time.time_ns()``).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

from .frames import (
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    PROTOCOL_ICMP,
    PROTOCOL_ICMP6,
    Advert,
    Announcement,
    parse_advert,
    parse_announcement,
)
from .namespace import inside
from .shell import wait_until

ETH_P_ALL = 3
SO_TIMESTAMPNS = 35
SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 263, 6, 23
RECEIVE_BUFFER_BYTES = 8 << 20
_ECHO = {ETHERTYPE_IPV4: (23, PROTOCOL_ICMP), ETHERTYPE_IPV6: (20, PROTOCOL_ICMP6)}


@dataclass(frozen=True)
class Frame:
    """A frame that ``node`` sent at ``at_ns``."""

    at_ns: int
    node: str
    data: bytes


@dataclass(frozen=True)
class SeenAdvert:
    """A VRRP packet that ``node`` sent at ``at_ns``."""

    at_ns: int
    node: str
    advert: Advert


@dataclass(frozen=True)
class SeenAnnouncement:
    """A gratuitous ARP or unsolicited NA that ``node`` sent at ``at_ns``."""

    at_ns: int
    node: str
    announcement: Announcement


class Wire:
    """A running capture. Everything seen so far can be asked for at any time."""

    def __init__(self, switch: str) -> None:
        """Listen on every port of the namespace ``switch``; ports are named by ``watch``."""
        self.frames: List[Frame] = []
        self._adverts: List[SeenAdvert] = []
        self._announcements: List[SeenAnnouncement] = []
        self._nodes: Dict[str, str] = {}
        self._socket = inside(switch, self._open)
        self._stop = False
        self._thread = threading.Thread(target=self._listen, name=f"wire-{switch}", daemon=True)
        self._thread.start()

    @staticmethod
    def _open() -> socket.socket:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        sock.setsockopt(socket.SOL_SOCKET, 33, RECEIVE_BUFFER_BYTES)  # SO_RCVBUFFORCE
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        with contextlib.suppress(OSError):  # spares half of the work; kernels before 4.20 lack it
            sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        sock.settimeout(0.05)
        return sock

    def watch(self, port: str, node: str) -> None:
        """Frames that come in at ``port`` of the switch are those of ``node``."""
        self._nodes[port] = node

    def close(self) -> None:
        """Stop listening."""
        self._stop = True
        self._thread.join(2)
        self._socket.close()

    def _listen(self) -> None:
        while not self._stop:
            try:
                data, extra, _flags, address = self._socket.recvmsg(65536, 64)
            except TimeoutError:
                continue
            except OSError:
                return
            node = self._nodes.get(address[0])
            if node is None or address[2] == socket.PACKET_OUTGOING or _is_echo(data):
                continue
            self._keep(Frame(_stamp(extra), node, data))

    def _keep(self, frame: Frame) -> None:
        advert = parse_advert(frame.data)
        if advert is not None:
            self._adverts.append(SeenAdvert(frame.at_ns, frame.node, advert))
        else:
            announcement = parse_announcement(frame.data)
            if announcement is not None:
                self._announcements.append(SeenAnnouncement(frame.at_ns, frame.node, announcement))
        self.frames.append(frame)

    def adverts(
        self,
        node: Optional[str] = None,
        *,
        since_ns: int = 0,
        until_ns: Optional[int] = None,
        vrid: Optional[int] = None,
        priority: Optional[int] = None,
    ) -> List[SeenAdvert]:
        """The VRRP packets seen, in order; each keyword narrows the choice."""
        return [
            one
            for one in list(self._adverts)
            if one.at_ns >= since_ns
            and (node is None or one.node == node)
            and (until_ns is None or one.at_ns < until_ns)
            and (vrid is None or one.advert.vrid == vrid)
            and (priority is None or one.advert.priority == priority)
        ]

    def senders(self, *, since_ns: int = 0, vrid: Optional[int] = None) -> Tuple[str, ...]:
        """The nodes that sent adverts of a priority other than 0, sorted."""
        seen = self.adverts(since_ns=since_ns, vrid=vrid)
        return tuple(sorted({one.node for one in seen if one.advert.priority}))

    def announcements(
        self, node: Optional[str] = None, *, address: Optional[str] = None, since_ns: int = 0
    ) -> List[SeenAnnouncement]:
        """The gratuitous ARPs and unsolicited NAs seen, in order."""
        return [
            one
            for one in list(self._announcements)
            if one.at_ns >= since_ns
            and (node is None or one.node == node)
            and (address is None or one.announcement.address == address)
        ]

    def wait_for_adverts(
        self,
        node: str,
        number: int = 1,
        *,
        since_ns: int = 0,
        timeout_s: float = 10,
        vrid: Optional[int] = None,
        priority: Optional[int] = None,
    ) -> List[SeenAdvert]:
        """The first ``number`` adverts of ``node`` since ``since_ns``; AssertionError when none come."""

        def enough() -> List[SeenAdvert]:
            seen = self.adverts(node, since_ns=since_ns, vrid=vrid, priority=priority)
            return seen[:number] if len(seen) >= number else []

        what = f"{number} adverts from {node}" + (f" of priority {priority}" if priority is not None else "")
        return wait_until(what, enough, timeout_s, 0.005)

    def wait_for(
        self, what: str, choose: Callable[[Frame], bool], *, since_ns: int = 0, timeout_s: float = 10
    ) -> Frame:
        """The first frame that ``choose`` likes."""

        def found() -> Optional[Frame]:
            return next((one for one in list(self.frames) if one.at_ns >= since_ns and choose(one)), None)

        frame = wait_until(what, found, timeout_s, 0.005)
        assert frame is not None
        return frame

    def lost(self) -> int:
        """How many frames the kernel dropped because the capture was too slow."""
        statistics = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        return int(struct.unpack("II", statistics)[1])

    def table(self, last: int = 60) -> str:
        """The last adverts and announcements as lines, for a failed test."""
        start = self._adverts[0].at_ns if self._adverts else 0
        rows = []
        for one in self._adverts[-last:]:
            seen = one.advert
            rows.append(
                f"{(one.at_ns - start) / 1e9:9.4f} {one.node:8s} v{seen.version} vrid {seen.vrid} "
                f"prio {seen.priority:3d} every {seen.interval_s:g}s {seen.source} > {seen.destination} "
                f"ttl {seen.ttl} sum {seen.checksum_form} {' '.join(seen.addresses)}"
            )
        for note in self._announcements[-last:]:
            what = note.announcement
            rows.append(f"{(note.at_ns - start) / 1e9:9.4f} {note.node:8s} {what.kind} {what.address}")
        return "\n".join(sorted(rows)) or "(nothing)"


def write_pcap(path: Path, frames: List[Frame]) -> None:
    """Write frames as a classic pcap file with nanosecond times."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for one in frames:
            seconds, rest = divmod(one.at_ns, 1_000_000_000)
            out.write(struct.pack("<IIII", seconds, rest, len(one.data), len(one.data)) + one.data)


def _is_echo(data: bytes) -> bool:
    where = _ECHO.get(int.from_bytes(data[12:14], "big"))
    if where is None or len(data) < 58 or data[where[0]] != where[1]:
        return False
    return where[1] == PROTOCOL_ICMP or data[54] in (128, 129)


def _stamp(extra: List[Tuple[int, int, bytes]]) -> int:
    for level, kind, value in extra:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(value) >= 16:
            seconds, rest = struct.unpack("qq", value[:16])
            return int(seconds) * 1_000_000_000 + int(rest)
    return time.time_ns()
