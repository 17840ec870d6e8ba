# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The hands of one virtual router: they send its adverts, move its addresses and announce them."""

from __future__ import annotations

import os
import socket
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from ..conf.model import Instance
from ..kernel.advert_socket import AdvertSocket
from ..kernel.netlink import RouteSocket
from . import log as logging
from .announcer import Announcer
from .counters import Counters
from .interfaces import Interfaces
from .log import Log
from .loop import Loop
from .memory import Memory
from .prepared import Moves, Place, Prepared, placed

LIMIT_WINDOW_NS = 10_000_000_000
_EEXIST, _EADDRNOTAVAIL, _ENODEV = 17, 99, 19
_HARMLESS = {"add": (_EEXIST,), "remove": (_EADDRNOTAVAIL, _ENODEV)}


class Services(NamedTuple):
    """What all virtual routers of this host share."""

    loop: Loop
    log: Log
    interfaces: Interfaces
    route: RouteSocket
    announcer: Announcer
    memory: Memory


class Hands:
    """Does what an election decides, with bytes that were prepared in a quiet moment."""

    def __init__(self, instance: Instance, services: Services, counters: Counters) -> None:
        self.counters = counters
        self.holds_addresses = False
        self.refused: Dict[str, str] = {}
        """Addresses that the kernel would not take, and its reason."""
        self._instance = instance
        self._services = services
        self._socket: Optional[AdvertSocket] = None
        self._source = b""
        self._destinations: Dict[bytes, Tuple[object, ...]] = {}
        self._memory_offset = -1
        self._prepared = Prepared(instance, b"", services.interfaces)

    def equip(self, instance: Instance, sock: Optional[AdvertSocket], source: bytes) -> None:
        """Work for these settings, through this socket (None: the interface is away), from this address."""
        self._instance = instance
        self._socket = sock
        self._source = source
        self._destinations = {}
        self._prepared = prepared = Prepared(instance, source, self._services.interfaces)

        def in_a_quiet_moment() -> bool:
            if prepared is self._prepared:
                prepared.complete()
            return False

        self._services.loop.add_job(in_a_quiet_moment)

    def use_memory(self) -> None:
        """The memory file was laid out anew."""
        self._memory_offset = self._services.memory.offset(self._instance.key)

    def send_advert(self, priority: int, now: int) -> None:
        """One advert to the group, or to every peer."""
        sock = self._socket
        if sock is None or not self._source:
            return
        counters = self.counters
        for datagram, packed in self._prepared.adverts(priority):
            destination = self._destinations.get(packed)
            if destination is None:
                self._destinations[packed] = destination = sock.destination(packed)
            try:
                sock.send(datagram, destination)
                counters.adverts_sent += 1
            except OSError as error:
                counters.send_errors += 1
                text = f"{self._instance.name}: advert not sent: {error.strerror}"
                self._limited(logging.WARNING, "send", text, now)
        if priority:
            self._services.memory.note(self._memory_offset, now)
        else:
            counters.priority_zero_sent += 1

    def announce(self, repeat: int, now: int) -> None:
        """Gratuitous ARP or unsolicited NA for every address."""
        garp = self._instance.garp
        self._services.announcer.announce(self._prepared.moves.frames, repeat, garp, now)

    def add_addresses(self) -> None:
        """Take every virtual address."""
        self.holds_addresses = True
        self.refused = {}
        moves = self._prepared.moves
        self._submit(moves.add, moves.places, "add")

    def remove_addresses(self) -> None:
        """Give every virtual address back."""
        self.holds_addresses = False
        self.refused = {}
        moves = self._prepared.moves
        self._services.announcer.drop(moves.frames)
        self._submit(moves.remove, moves.places, "remove")
        self._services.memory.note(self._memory_offset, 0)

    def release(self, future: Instance) -> None:
        """While active: give back what ``future``, the next settings, has no longer."""
        if self.holds_addresses:
            after = set(placed(future))
            gone = [place for place in placed(self._instance) if place not in after]
            moves = Moves(gone, self._services.interfaces)
            self._services.announcer.drop(moves.frames)
            self._submit(moves.remove, moves.places, "remove")

    def take_new(self, before: Sequence[Place], now: int) -> None:
        """While active: take and announce what the settings have now and ``before`` had not."""
        if self.holds_addresses:
            known = set(before)
            fresh = [place for place in placed(self._instance) if place not in known]
            moves = Moves(fresh, self._services.interfaces)
            self._submit(moves.add, moves.places, "add")
            garp = self._instance.garp
            self._services.announcer.announce(moves.frames, garp.master_repeat, garp, now)

    def clear_leftovers(self) -> List[str]:
        """Remove virtual addresses that a predecessor left behind; their texts."""
        held = self._services.interfaces.held
        found = [
            (address, device)
            for address, device in placed(self._instance)
            if held(device, address.packed) is not None
        ]
        moves = Moves(found, self._services.interfaces)
        self._submit(moves.remove, moves.places, "remove")
        return [text(address.packed) for address, _device in found]

    def all_held(self) -> bool:
        """True when every virtual address is on its interface."""
        held = self._services.interfaces.held
        return all(held(device, address.packed) is not None for address, device in placed(self._instance))

    def _submit(self, requests: List[bytes], places: Sequence[Place], verb: str) -> None:
        if not requests:
            return
        name = self._instance.name
        for refusal in self._services.route.submit(requests):
            if refusal.errno in _HARMLESS[verb]:
                continue
            address, device = places[refusal.sequence]
            reason = os.strerror(refusal.errno)
            if verb == "add":
                self.refused[text(address.packed)] = reason
            self._services.log.error(f"{name}: cannot {verb} {text(address.packed)} on {device}: {reason}")

    def _limited(self, level: int, reason: str, line: str, now: int) -> None:
        self._services.log.limited(level, self._instance.name, reason, line, now, LIMIT_WINDOW_NS)


def text(packed: bytes) -> str:
    """An address as people write it."""
    if not packed:
        return ""
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
