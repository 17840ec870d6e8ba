# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a takeover needs, made before it is needed: adverts, announcements, netlink requests, as bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Sequence, Tuple

from ..conf.model import Address, Instance
from ..kernel import addresses as kernel_addresses
from ..wire import advert, arp, ip, nd
from .host.interfaces import Interfaces

Packet = Tuple[bytes, bytes]
"""A whole datagram and its packed destination."""
Place = Tuple[Address, str]
"""A virtual address and the interface that it goes to."""


@dataclass(frozen=True)
class Frame:
    """One announcement and the interface that it leaves by."""

    interface: str
    data: bytes
    arp: bool


class Moves:
    """Addresses that come and go together: requests for the kernel and announcements for the network.

    A request's sequence number is its index in ``places``.
    """

    def __init__(self, places: Sequence[Place], interfaces: Interfaces) -> None:
        self.places: List[Place] = []
        self.add: List[bytes] = []
        self.remove: List[bytes] = []
        self.frames: List[Frame] = []
        for address, device in places:
            link = interfaces.get(device)
            if link is None:
                continue
            sequence = len(self.places)
            self.places.append((address, device))
            self.add.append(kernel_addresses.add_request(address, link.index, sequence=sequence))
            self.remove.append(kernel_addresses.remove_request(address, link.index, sequence=sequence))
            if link.has_arp:
                self.frames.append(_announcement(address, device, link.mac))


class Prepared:
    """The bytes of one instance on one interface with one source address.

    Adverts are kept by priority, since trackers and resignations change nothing else in them.
    """

    protocol = advert.PROTOCOL

    def __init__(
        self, instance: Instance, source: bytes, interfaces: Interfaces, checksum_group: bytes = b""
    ) -> None:
        """``checksum_group`` stands in the checksum instead of the destination (old_unicast_checksum)."""
        self._instance = instance
        self._checksum_group = checksum_group
        self._source = source
        self._interfaces = interfaces
        self._adverts: Dict[int, Tuple[Packet, ...]] = {}
        self._moves: Optional[Moves] = None

    def adverts(self, priority: int) -> Tuple[Packet, ...]:
        """The datagrams of one advert: one for a group, one for each unicast peer."""
        packets = self._adverts.get(priority)
        if packets is None:
            self._adverts[priority] = packets = self._build_adverts(priority)
        return packets

    @property
    def moves(self) -> Moves:
        """All the virtual addresses."""
        return self._moves if self._moves is not None else self._make_moves()

    def complete(self) -> None:
        """Make everything now."""
        if self._source:
            Prepared.adverts(self, self._instance.priority)
            Prepared.adverts(self, 0)
        if self._moves is None:
            self._make_moves()

    def _make_moves(self) -> Moves:
        self._moves = made = Moves(placed(self._instance), self._interfaces)
        return made

    def payload(self, message: bytes) -> bytes:
        """What stands behind the IP header."""
        return message

    def _build_adverts(self, priority: int) -> Tuple[Packet, ...]:
        instance = self._instance
        value = advert.Advert(
            version=instance.version,
            vrid=instance.vrid,
            priority=priority,
            interval_ns=instance.advert_int_ns,
            addresses=tuple(address.packed for address in instance.addresses),
            auth_type=instance.auth_type,
            auth_data=b"" if instance.auth_header else instance.auth_password,
        )
        build = ip.build_ipv4 if instance.family == 4 else ip.build_ipv6
        ttl = instance.unicast_ttl if instance.unicast else ip.TTL
        packets: List[Packet] = []
        for destination in destinations(instance):
            message = advert.encode(
                value,
                self._source,
                self._checksum_group or destination,
                checksum_as_v2=instance.checksum_as_v2,
                allow_empty=not value.addresses,
            )
            payload = self.payload(message)
            datagram = build(self._source, destination, payload, ttl, protocol=self.protocol)
            packets.append((datagram, destination))
        return tuple(packets)


def destinations(instance: Instance) -> List[bytes]:
    """Where the adverts of ``instance`` go: its unicast peers, or its multicast group."""
    if instance.unicast:
        return [peer.packed for peer in instance.unicast_peers]
    return [instance.multicast_group]


def placed(instance: Instance) -> List[Place]:
    """All the virtual addresses of an instance, excluded ones too, and where each goes."""
    every = instance.addresses + instance.excluded_addresses
    if instance.virtual_link is None and not instance.address_links:
        return [(address, address.device or instance.interface) for address in every]
    return [(address, _device_of(instance, address)) for address in every]


def _device_of(instance: Instance, address: Address) -> str:
    """Its own virtual link, the one of the instance, or the interface itself (keepalived's rule)."""
    base, link = address.device or instance.interface, instance.virtual_link
    if address.use_vmac:
        for one in instance.address_links:
            if (one.base, one.family) == (base, address.family):
                return one.name
    if link is not None and base == instance.interface and address.family == instance.family:
        return link.name
    return base


def essence(place: Place) -> Place:
    """What the kernel sees of a place: equal for two that differ only in how the agent tracks them."""
    address, device = place
    return (replace(address, device=None, no_track=False), device)


def _announcement(address: Address, device: str, mac: bytes) -> Frame:
    if address.family == 4:
        return Frame(device, arp.gratuitous_arp(mac, address.packed), arp=True)
    return Frame(device, nd.unsolicited_na(mac, address.packed), arp=False)
