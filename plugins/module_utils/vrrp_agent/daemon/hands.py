# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The hands of one virtual router: they send its adverts, move its addresses and announce them."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Callable, Container, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..conf.model import Instance
from ..conf.parts.link_names import links_of
from ..kernel.addresses import HeldAddress, prefix_length, remove_held_request
from ..kernel.advert_socket import AdvertSocket
from ..kernel.netlink import RouteSocket
from ..loop import log as logging
from ..loop.events import Happening
from ..loop.log import Log
from ..loop.loop import Loop
from ..wire.address import text
from .announcer import Announcer, announcement, elsewhere
from .counters import Counters
from .hearing.guard import Guard, guard_for
from .host.firewall import FirewallTables, describe_link
from .host.interfaces import Interfaces
from .memory import Memory
from .prepared import Moves, Place, Prepared, essence, placed
from .sealed import prepare
from .ways import Ways, way_devices, ways_of

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
    firewall: FirewallTables
    tell: Callable[[Happening], None]
    """Whoever wants to know hears of it: scripts, pipes, mail, SNMP, other members of a sync group."""


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
        self.guard: Optional[Guard] = None
        """What signs and verifies adverts; None without AH and auth_hmac."""
        self.old_checksum = instance.old_unicast_checksum == "always"
        """A unicast peer of version 3 sums as keepalived 1.3.6 did, and so do we."""
        self._prepared = Prepared(instance, b"", services.interfaces)
        self.ways = Ways(instance.name, services.interfaces, services.route, services.log)
        self._links = self._present_links()
        self._own: Set[Place] = set()
        """Addresses that the interface had before the agent: an owner's own. They are left where they are."""
        self._spared: Container[Place] = ()
        """Addresses that another virtual router of this host goes on with."""

    def equip(self, instance: Instance, sock: Optional[AdvertSocket], source: bytes) -> None:
        """Work for these settings, through this socket (None: the interface is away), from this address."""
        if instance is not self._instance:
            self.old_checksum = instance.old_unicast_checksum == "always"
        self._instance = instance
        self._socket = sock
        self._source = source
        self._destinations = {}
        self._links = self._present_links()
        self.guard = guard_for(instance, self.guard)
        self._prepared = prepared = self._prepare()
        self.ways.equip(instance)

        def in_a_quiet_moment() -> bool:
            if prepared is self._prepared:
                prepared.complete()
                self.ways.complete()
            return False

        self._services.loop.add_job(in_a_quiet_moment)

    def _prepare(self) -> Prepared:
        group = self._instance.multicast_group if self.old_checksum else b""
        return prepare(self._instance, self._source, self._services.interfaces, self.guard, group)

    def use_old_checksum(self) -> None:
        """A peer has been heard that sums as keepalived 1.3.6 did: speak as it does."""
        self.old_checksum = True
        self._prepared = self._prepare()

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

    def announce_source(self) -> None:
        """The address of our adverts: unicast peers may have forgotten our MAC (keepalived)."""
        link = self._services.interfaces.get(self._instance.interface)
        if link is not None and link.has_arp and self._source:
            frame = announcement(self._source, link.name, link.mac)
            self._services.announcer.send_now(frame)

    def announce_elsewhere(self, now: int) -> None:
        """Once on each interface that carries no adverts (garp_extra_if): a VMAC, or any with ``all``."""
        frames = elsewhere(self._instance, self._prepared.moves.frames)
        self._services.announcer.announce(frames, 1, self._instance.garp, now)

    def add_addresses(self) -> None:
        """Take every virtual address, then the virtual routes and rules."""
        self.holds_addresses = True
        self.refused = {}
        self._services.firewall.activate(self._instance)
        moves = self._prepared.moves
        self._submit(moves.add, moves.places, "add")
        self.ways.take()

    def remove_addresses(self) -> None:
        """Give the virtual rules and routes back, then every virtual address."""
        self.holds_addresses = False
        self.refused = {}
        moves = self._prepared.moves
        self._services.announcer.drop(moves.frames)
        self.ways.give_back()
        self._remove(moves)
        self._services.firewall.stand_by(self._instance)
        self._services.memory.note(self._memory_offset, 0)

    def spare(self, places: Container[Place]) -> None:
        """The last ``remove_addresses`` leaves these (``essence``) alone: others hold them from now on."""
        self._spared = places

    def release(self, staying: Container[Place]) -> None:
        """While active: give back what is not among ``staying`` (``essence``), the places of the future."""
        if self.holds_addresses:
            gone = [place for place in placed(self._instance) if essence(place) not in staying]
            moves = Moves(gone, self._services.interfaces)
            self._services.announcer.drop(moves.frames)
            self._remove(moves)

    def take_new(self, before: Sequence[Place], now: int) -> None:
        """While active: take and announce what the settings have now and ``before`` had not."""
        places = placed(self._instance)
        texts = {text(address.packed) for address, _device in places}
        self.refused = {name: reason for name, reason in self.refused.items() if name in texts}
        if self.holds_addresses:
            known = {essence(place) for place in before}
            self._take([place for place in places if essence(place) not in known], now)
            self.ways.change()

    def taken_away(self, removed: Container[Tuple[str, bytes]]) -> List[str]:
        """While active: which tracked addresses, routes and rules another program has removed, as texts.

        ``removed``: interface and address of what others have removed. What an interface that is down has
        lost went with it, and an address that the kernel refused was never there.
        """
        if not self.holds_addresses:
            return []
        lost = [place for place in self._away() if (place[1], place[0].packed) in removed]
        return [text(address.packed) for address, _device in lost] + self.ways.taken_away()

    def restore(self, now: int) -> List[str]:
        """While active: take again what has gone, whoever removed it; the texts of these."""
        if not self.holds_addresses:
            return []
        lost = self._away()
        if lost:
            self._take(lost, now)
        return [text(address.packed) for address, _device in lost] + self.ways.restore()

    def _away(self) -> List[Place]:
        """Tracked addresses that should be there, and are not although their interface is up."""
        held, up = self._services.interfaces.held, self._services.interfaces.up
        return [
            (address, device)
            for address, device in placed(self._instance)
            if not address.no_track
            and up(device)
            and not held(device, address.packed)
            and text(address.packed) not in self.refused
        ]

    def refresh_links(self) -> bool:
        """Prepare anew when an interface of ours is another one, or has another MAC; True when so."""
        if self._links == self._present_links():
            return False
        self.equip(self._instance, self._socket, self._source)
        return True

    def after_link_change(self, now: int) -> None:
        """While active: the new interface gets the addresses, and the network hears of the new MAC."""
        if self.holds_addresses:
            self._take(placed(self._instance), now)
            self.ways.again()

    def keep_own(self) -> None:
        """What is on its interface now was there before us, and will be left there."""
        held = self._services.interfaces.held
        self._own = {
            essence((one, device)) for one, device in placed(self._instance) if held(device, one.packed)
        }
        if self._own:
            self._services.memory.note_own(self._memory_offset)

    def clear_leftovers(self) -> List[str]:
        """Remove virtual addresses that a predecessor left behind, whatever their prefix; their texts."""
        found: List[HeldAddress] = []
        places: List[Place] = []
        here = placed(self._instance)
        if links_of(self._instance):  # a predecessor may have worked without virtual links
            here += placed(replace(self._instance, virtual_link=None, address_links=()))
        for address, device in here:
            for one in self._services.interfaces.held(device, address.packed):
                found.append(one)
                places.append((address, device))
        self.ways.clear_leftovers()
        requests = [remove_held_request(one, sequence=number) for number, one in enumerate(found)]
        self._submit(requests, places, "remove")
        return [f"{text(one.packed)}/{one.prefix_length}" for one in found]

    def virtual_links(self) -> List[Dict[str, object]]:
        """The virtual links of the instance, for ``status``."""
        return [describe_link(link, self._services.interfaces) for link in links_of(self._instance)]

    @property
    def firewall_problem(self) -> str:
        """Why packets to the addresses come in although they should not; empty when all is well."""
        instance = self._instance
        concerned = links_of(instance) or not instance.accept
        return self._services.firewall.problem if concerned else ""

    def held(self) -> List[HeldAddress]:
        """The virtual addresses that are on their interfaces now, as the kernel has them."""
        held = self._services.interfaces.held
        return [one for address, device in placed(self._instance) for one in held(device, address.packed)]

    def all_held(self) -> bool:
        """True when every virtual address is on its interface."""
        held = self._services.interfaces.held
        return all(
            any(one.prefix_length == prefix_length(address) for one in held(device, address.packed))
            for address, device in placed(self._instance)
        )

    def _take(self, places: List[Place], now: int) -> None:
        moves = Moves(places, self._services.interfaces)
        self._submit(moves.add, moves.places, "add")
        garp = self._instance.garp
        self._services.announcer.announce(moves.frames, garp.master_repeat, garp, now)

    def _remove(self, moves: Moves) -> None:
        requests = moves.remove
        if self._own or self._spared:
            requests = [
                request
                for request, place in zip(moves.remove, moves.places)
                if essence(place) not in self._own and essence(place) not in self._spared
            ]
        self._submit(requests, moves.places, "remove")

    def _present_links(self) -> FrozenSet[Tuple[int, bytes]]:
        devices = {self._instance.interface, *(device for _address, device in placed(self._instance))}
        devices.update(link.name for link in links_of(self._instance))
        devices.update(way_devices(ways_of(self._instance)))
        links = [self._services.interfaces.get(device) for device in devices]
        return frozenset((link.index, link.mac) for link in links if link is not None)

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
