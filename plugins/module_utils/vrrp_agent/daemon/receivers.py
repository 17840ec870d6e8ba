# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All the receivers of this host: which are open, and whom each serves."""

from __future__ import annotations

from typing import AbstractSet, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from ..conf.model import Instance
from ..kernel.advert_socket import AdvertSocket
from ..kernel.errors import KernelError
from ..loop.log import Log
from ..loop.loop import Loop
from .interfaces import Interfaces
from .live import Live
from .receiver import Receiver

Place = Tuple[str, int]
"""Interface and family."""
OpenSocket = Callable[[int, str, int], AdvertSocket]
"""Family, interface name, interface index. Raises KernelError."""


class Receivers:
    """One receiver for each interface and family that an instance uses."""

    def __init__(self, loop: Loop, log: Log, interfaces: Interfaces, open_socket: OpenSocket) -> None:
        self._loop = loop
        self._log = log
        self._interfaces = interfaces
        self._open_socket = open_socket
        self._open: Dict[Place, Receiver] = {}
        self._problems: Dict[Place, str] = {}

    def __iter__(self) -> Iterator[Tuple[Place, Receiver]]:
        """In the order of interface and family."""
        for place in sorted(self._open):
            yield place, self._open[place]

    def open_for(self, instances: Iterable[Instance]) -> None:
        """Open whatever these instances need and their interfaces allow.

        Raises KernelError when one cannot be opened; those opened before it are closed again.
        """
        opened: List[Place] = []
        try:
            for instance in instances:
                place = place_of(instance)
                is_new = place not in self._open
                self._ensure(instance)
                if is_new and place in self._open:
                    opened.append(place)
        except KernelError:
            for place in opened:
                self._close(place)
            raise

    def socket(self, instance: Instance) -> Optional[AdvertSocket]:
        """The socket of an instance; None while its interface is away, or when it could not be opened."""
        receiver = self._open.get(place_of(instance))
        return receiver.socket if receiver is not None else None

    def renew(self, instance: Instance) -> Optional[AdvertSocket]:
        """The socket after news of the interface: the same one, a new one, or None with a ``problem``."""
        place = place_of(instance)
        self._problems.pop(place, None)
        try:
            self._ensure(instance)
        except KernelError as error:
            self._close(place)
            self._problems[place] = str(error)
        return self.socket(instance)

    def problem(self, instance: Instance) -> str:
        """Why there is no socket although there is an interface; empty when there is nothing to say."""
        return self._problems.get(place_of(instance), "")

    def interfaces_gone(self, names: AbstractSet[str]) -> None:
        """What was bound to these is deaf now, even where there is a new interface of the same name."""
        for place in [place for place in self._open if place[0] in names]:
            self._close(place)

    def serve(self, lives: Iterable[Live], log_unknown_vrids: bool) -> None:
        """Tell every receiver whom it serves, and close what nobody uses."""
        by_place: Dict[Place, List[Live]] = {}
        for live in lives:
            by_place.setdefault(place_of(live.instance), []).append(live)
        for place in [place for place in self._open if place not in by_place]:
            self._close(place)
        for place, receiver in self._open.items():
            receiver.serve(by_place[place], log_unknown_vrids)

    def forget_known(self, instance: Instance) -> None:
        """What the checks of an instance depend on has changed."""
        receiver = self._open.get(place_of(instance))
        if receiver is not None:
            receiver.forget_known()

    def close(self) -> None:
        """Give every socket back."""
        for place in list(self._open):
            self._close(place)

    def _ensure(self, instance: Instance) -> None:
        place = place_of(instance)
        link = self._interfaces.get(instance.interface)
        receiver = self._open.get(place)
        if receiver is not None and (link is None or receiver.socket.index != link.index):
            self._close(place)
            receiver = None
        if link is None:
            return
        if receiver is None:
            opened = self._open_socket(instance.family, instance.interface, link.index)
            receiver = self._open[place] = Receiver(opened, self._loop, self._log)
        if not instance.unicast:
            receiver.join(instance.multicast_group)

    def _close(self, place: Place) -> None:
        receiver = self._open.pop(place, None)
        if receiver is not None:
            receiver.close()


def place_of(instance: Instance) -> Place:
    """Where an instance sends and listens."""
    return (instance.interface, instance.family)
