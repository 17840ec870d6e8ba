# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sending gratuitous ARPs and unsolicited NAs, at once or with the pauses that an interface asks for."""

from __future__ import annotations

from collections import deque
from typing import Callable, Deque, Dict, List, Optional, Sequence, Tuple, Union

from ..conf.model import GarpGroup, GarpPolicy, Instance
from ..kernel.frame_socket import FrameSocket
from ..loop.log import WARNING, Log
from ..loop.loop import Loop
from ..wire import arp, nd
from .prepared import Frame

_WINDOW_NS = 10_000_000_000


class Pacer:
    """The queue of one interface or garp_group: one frame, then a pause (vrrp_garp_interval, ...)."""

    slack_ns = 0

    def __init__(self, send: Callable[[Frame], None], pause_ns: int) -> None:
        self.queued_ns: Optional[int] = None
        self.deadline: Optional[int] = None
        self.pause_ns = pause_ns
        self._send = send
        self._waiting: Deque[Frame] = deque()
        self._copies: Dict[Frame, int] = {}
        """How often each frame waits."""

    def put(self, frame: Frame, most: int, now: int) -> None:
        """Send now if the last one is long enough ago, or queue, unless so many copies of it wait already.

        With long pauses and frequent repetitions (vrrp_garp_interval, vrrp_garp_master_refresh) there is
        more to say than there is time for; what waits says it all.
        """
        copies = self._copies.get(frame, 0)
        if copies >= most:
            return
        self._copies[frame] = copies + 1
        self._waiting.append(frame)
        if self.deadline is None:
            self.deadline = now

    def drop(self, frames: Sequence[Frame]) -> None:
        """Forget frames that wait: their addresses are gone."""
        gone = set(frames)
        self._waiting = deque(frame for frame in self._waiting if frame not in gone)
        for frame in gone:
            self._copies.pop(frame, None)

    def expire(self, now: int) -> None:
        """The pause is over."""
        if self._waiting:
            frame = self._waiting.popleft()
            left = self._copies.pop(frame) - 1
            if left:
                self._copies[frame] = left
            self._send(frame)
            self.deadline = now + self.pause_ns
        else:
            self.deadline = None


class Announcer:
    """All the announcements of this host."""

    def __init__(self, loop: Loop, frames: FrameSocket, log: Log) -> None:
        self._loop = loop
        self._frames = frames
        self._log = log
        self._pacers: Dict[Tuple[str, bool], Pacer] = {}
        self._groups: Dict[str, GarpGroup] = {}
        self.sent = 0

    def use_groups(self, groups: Sequence[GarpGroup]) -> None:
        """Interfaces that share their pauses (garp_group), instead of those of an instance's policy."""
        self._groups = {name: group for group in groups for name in group.interfaces}

    def announce(self, frames: Sequence[Frame], repeat: int, policy: GarpPolicy, now: int) -> None:
        """Each frame ``repeat`` times, round by round as keepalived does.

        Where there are pauses no frame waits more than ``repeat`` times.
        """
        for _turn in range(repeat):
            for frame in frames:
                source: Union[GarpPolicy, GarpGroup] = self._groups.get(frame.interface, policy)
                pause_ns = source.arp_interval_ns if frame.arp else source.na_interval_ns
                if pause_ns:
                    self._pace(frame, pause_ns, repeat, now)
                else:
                    self._send(frame)

    def send_now(self, frame: Frame) -> None:
        """Once, whatever pause there should be."""
        self._send(frame)

    def drop(self, frames: Sequence[Frame]) -> None:
        """An address that has been given up must not be announced any more."""
        for pacer in self._pacers.values():
            pacer.drop(frames)

    def _pace(self, frame: Frame, pause_ns: int, most: int, now: int) -> None:
        group = self._groups.get(frame.interface)
        key = (group.interfaces[0] if group is not None else frame.interface, frame.arp)
        pacer = self._pacers.get(key)
        if pacer is None:
            self._pacers[key] = pacer = Pacer(self._send, pause_ns)
        pacer.pause_ns = pause_ns
        pacer.put(frame, most, now)
        self._loop.schedule.refresh(pacer)

    def _send(self, frame: Frame) -> None:
        try:
            self._frames.send(frame.interface, frame.data)
            self.sent += 1
        except OSError as error:
            line = f"announcement on {frame.interface} not sent: {error.strerror}"
            now = self._loop.clock()
            self._log.limited(WARNING, frame.interface, "announcement", line, now, _WINDOW_NS)


def announcement(packed: bytes, interface: str, mac: bytes) -> Frame:
    """A gratuitous ARP or unsolicited NA for one address."""
    if len(packed) == 4:
        return Frame(interface, arp.gratuitous_arp(mac, packed), arp=True)
    return Frame(interface, nd.unsolicited_na(mac, packed), arp=False)


def elsewhere(instance: Instance, frames: Sequence[Frame]) -> List[Frame]:
    """Of the announcements of an instance, the first on each interface that garp_extra_if is for."""
    link = instance.virtual_link
    ours = {one.name for one in (link, *instance.address_links) if one is not None}
    own = link.name if link is not None else instance.interface
    found: Dict[str, Frame] = {}
    for frame in frames:
        name = frame.interface
        if name == own and not (link is not None and link.transmit_on_base):
            continue  # its adverts keep the switches informed
        if name in ours or instance.garp.extra_all:
            found.setdefault(name, frame)
    return list(found.values())
