# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All the receivers of this host: which are open, and whom each serves."""

from __future__ import annotations

import functools
from typing import AbstractSet, Dict, Iterable, Iterator, List, Optional, Protocol, Tuple

from ...conf.model import Instance
from ...kernel.advert_socket import IPPROTO_VRRP, AdvertSocket
from ...kernel.errors import KernelError
from ...kernel.link_socket import LinkSocket
from ...loop.log import Log
from ...loop.loop import Loop
from ...wire import ah
from ..host.interfaces import Interfaces
from ..live import Live
from .buffers import receive_buffer
from .receiver import OnRefused, Receiver

Place = Tuple[str, int]
"""Interface and family."""


class OpenSocket(Protocol):
    """Makes a socket for adverts of ``protocol`` 112, or 51 for headers of AH. Raises KernelError."""

    def __call__(
        self, family: int, interface: str, index: int, protocol: int = IPPROTO_VRRP, /
    ) -> AdvertSocket:
        """A socket of its own."""


class OpenLink(Protocol):
    """Makes a socket for adverts on a virtual link, as ``OpenSocket`` does. Raises KernelError."""

    def __call__(
        self,
        family: int,
        interface: str,
        index: int,
        protocol: int = IPPROTO_VRRP,
        /,
        *,
        mac: bytes,
        hears_mac: bytes,
    ) -> AdvertSocket:
        """A socket of its own."""


class Receivers:
    """One receiver for each interface and family that an instance uses, and one for each virtual link."""

    def __init__(
        self,
        loop: Loop,
        log: Log,
        interfaces: Interfaces,
        open_socket: OpenSocket,
        open_link: OpenLink = LinkSocket,
    ) -> None:
        self._loop = loop
        self._log = log
        self._interfaces = interfaces
        self._open_socket = open_socket
        self._open_link = open_link
        self._open: Dict[Place, Receiver] = {}
        self._problems: Dict[Place, str] = {}
        self._on_refused: Optional[OnRefused] = None

    def __iter__(self) -> Iterator[Tuple[Place, Receiver]]:
        """In the order of interface and family."""
        for place in sorted(self._open):
            yield place, self._open[place]

    def watch(self, on_refused: Optional[OnRefused]) -> None:
        """``on_refused`` hears of every discarded packet from now on; None: nobody does."""
        self._on_refused = on_refused
        for receiver in self._open.values():
            receiver.on_refused = on_refused

    def open_for(self, instances: Iterable[Instance]) -> None:
        """Open whatever these instances need and their interfaces allow.

        Raises KernelError when one cannot be opened; those opened before it are closed again.
        """
        opened: List[Place] = []
        try:
            for instance in instances:
                for place in places_of(instance):
                    is_new = place not in self._open
                    self._ensure(instance, place)
                    if is_new and place in self._open:
                        opened.append(place)
        except KernelError:
            for place in opened:
                self._close(place)
            raise

    def socket(self, instance: Instance) -> Optional[AdvertSocket]:
        """The socket that an instance sends by; None while its interface is away, or when it could not be
        opened."""
        receiver = self._open.get(place_of(instance))
        return receiver.socket if receiver is not None else None

    def renew(self, instance: Instance) -> Optional[AdvertSocket]:
        """The socket after news of the interface: the same one, a new one, or None with a ``problem``."""
        for place in places_of(instance):
            self._problems.pop(place, None)
            try:
                self._ensure(instance, place)
            except KernelError as error:
                self._close(place)
                self._problems[place] = str(error)
        return self.socket(instance)

    def problem(self, instance: Instance) -> str:
        """Why there is no socket although there is an interface; empty when there is nothing to say."""
        return next((self._problems[place] for place in places_of(instance) if place in self._problems), "")

    def interfaces_gone(self, names: AbstractSet[str]) -> None:
        """What was bound to these is deaf now, even where there is a new interface of the same name."""
        for place in [place for place in self._open if place[0] in names]:
            self._close(place)

    def serve(self, lives: Iterable[Live], log_unknown_vrids: bool) -> None:
        """Tell every receiver whom it serves, and close what nobody uses."""
        by_place: Dict[Place, List[Live]] = {}
        for live in lives:
            for place in places_of(live.instance):
                by_place.setdefault(place, []).append(live)
        for place in [place for place in self._open if place not in by_place]:
            self._close(place)
        for place, receiver in self._open.items():
            receiver.serve(by_place[place], log_unknown_vrids)
            link = self._interfaces.get(place[0])
            mtu = link.mtu if link is not None else 0
            receiver.size_buffers(receive_buffer([live.instance for live in by_place[place]], mtu))

    def forget_known(self, instance: Instance) -> None:
        """What the checks of an instance depend on has changed."""
        for place in places_of(instance):
            receiver = self._open.get(place)
            if receiver is not None:
                receiver.forget_known()

    def close(self) -> None:
        """Give every socket back."""
        for place in list(self._open):
            self._close(place)

    def _ensure(self, instance: Instance, place: Place) -> None:
        link = self._interfaces.get(place[0])
        receiver = self._open.get(place)
        if receiver is not None and (link is None or receiver.socket.index != link.index):
            self._close(place)
            receiver = None
        if link is None:
            return
        if receiver is None:
            opened = self._opener(instance, place)(instance.family, place[0], link.index)
            receiver = self._open[place] = Receiver(opened, self._loop, self._log)
            receiver.on_refused = self._on_refused
        if not instance.unicast:
            receiver.join(instance.multicast_group)
        if instance.auth_header:
            place4 = (instance.family, place[0], link.index)
            receiver.hear_headers(lambda: self._opener(instance, place)(*place4, ah.PROTOCOL))

    def _opener(self, instance: Instance, place: Place) -> OpenSocket:
        virtual = instance.virtual_link
        link = self._interfaces.get(place[0])
        if virtual is None or link is None or place[0] != virtual.name:
            return self._open_socket
        return functools.partial(self._open_link, mac=link.mac, hears_mac=virtual.mac)

    def _close(self, place: Place) -> None:
        receiver = self._open.pop(place, None)
        if receiver is not None:
            receiver.close()


def place_of(instance: Instance) -> Place:
    """Where an instance sends."""
    link = instance.virtual_link
    if link is None or link.transmit_on_base:
        return (instance.interface, instance.family)
    return (link.name, instance.family)


def places_of(instance: Instance) -> List[Place]:
    """Where an instance listens: its interface, and its virtual link, which alone hears the virtual MAC."""
    places = [(instance.interface, instance.family)]
    if instance.virtual_link is not None:
        places.append((instance.virtual_link.name, instance.family))
    return places
