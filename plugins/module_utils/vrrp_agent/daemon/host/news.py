# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""News of the kernel: what changes on the host, and which virtual routers have to do with it."""

from __future__ import annotations

from typing import AbstractSet, Callable, ContextManager, Mapping, NamedTuple, Set, Tuple

from ...kernel.addresses import AddressEvent, list_addresses
from ...kernel.errors import KernelError
from ...kernel.links import list_links
from ...kernel.monitor import Monitor
from ...kernel.netlink import RouteSocket
from ...loop.log import Log
from ...loop.loop import Loop
from ..hearing.receivers import Receivers, places_of
from ..live import Live
from .damping import Damper
from .interfaces import Interfaces
from .losses import Losses
from .promotion import Promotion
from .statics import Statics
from .virtual_links import VirtualLinks

Key = Tuple[str, int, int]


class Concerned(NamedTuple):
    """Whom news may concern, besides the virtual routers."""

    interfaces: Interfaces
    receivers: Receivers
    links: VirtualLinks
    losses: Losses
    statics: Statics
    promotion: Promotion


class Consequences(NamedTuple):
    """What the agent does when news ask for it."""

    take_verdict: Callable[[Live, int], None]
    make_links: Callable[[], None]
    serve: Callable[[], None]
    together: Callable[[int], ContextManager[None]]
    """What is done within is done to all members of a sync group before the group moves."""
    begin_postponed: Callable[[int], None]
    """Whoever has waited for a virtual link can begin when it is there."""
    addresses_changed: Callable[[], None]
    """Addresses of the host have come or gone, ours too."""


class News:
    """Reads the monitor and passes on what it says. Raises KernelError when the host cannot be listed."""

    def __init__(
        self,
        loop: Loop,
        log: Log,
        route: RouteSocket,
        monitor: Monitor,
        lives: Mapping[Key, Live],
        concerned: Concerned,
        then: Consequences,
    ) -> None:
        self.damper = Damper(loop, log, concerned.interfaces, lambda names: self.changed(names, set()))
        self._loop = loop
        self._log = log
        self._route = route
        self._monitor = monitor
        self._lives = lives
        self._of = concerned
        self._then = then
        self._virtual: AbstractSet[bytes] = set()
        self.list_everything()
        loop.add_reader(monitor.fileno(), self.hear)

    def watch_for(self, virtual: AbstractSet[bytes]) -> None:
        """These are the virtual addresses of the host; the loss of one is news of its own."""
        self._virtual = virtual

    def close(self) -> None:
        """Hear no more."""
        self._loop.remove_reader(self._monitor.fileno())
        self._monitor.close()

    def list_everything(self) -> Set[str]:
        """A new picture of links and addresses; the names that stand for nothing or for another link now."""
        return self._of.interfaces.replace(list_links(self._route), list_addresses(self._route))

    def hear(self) -> None:
        """Something has come from the kernel."""
        events = self._monitor.read()
        if events is None:
            self._list_again()
            return
        changes = self._of.interfaces.apply(events, self._virtual)
        self.damper.look(changes.names)
        self._of.losses.hear(events, changes.virtual_lost)
        if changes.names:
            self.changed(changes.names, changes.gone)
        if self._of.losses.pending and not self._monitor.more:  # the picture is whole again
            self._of.losses.settle(self._lives.values(), self._loop.clock())
        if any(isinstance(event, AddressEvent) for event in events):
            self._then.addresses_changed()

    def changed(self, names: AbstractSet[str], gone: AbstractSet[str]) -> None:
        """These interfaces have changed; a name of ``gone`` stood for none or another one meanwhile."""
        now = self._loop.clock()
        self._of.receivers.interfaces_gone(gone)
        names = names | self._of.links.interfaces_changed(names, self._then.make_links)
        with self._then.together(now):
            renewed = self._look_at_lives(names, now)
        if renewed:
            self._then.serve()
        self._then.begin_postponed(now)
        self._of.statics.interfaces_changed(names)
        self._of.promotion.interfaces_changed(names)

    def _look_at_lives(self, names: AbstractSet[str], now: int) -> bool:
        """Every virtual router that has to do with them; whether receivers must be given out anew."""
        renewed = False
        for live in self._lives.values():
            live.hands.ways.links_changed(names)
            if live.devices.isdisjoint(names):
                continue
            self._of.losses.look_at(live)
            other_links = live.hands.refresh_links()
            if not names.isdisjoint(name for name, _family in places_of(live.instance)):
                renewed = self._renew_socket(live) or live.instance.virtual_link is not None or renewed
            self._then.take_verdict(live, now)
            if other_links:
                live.hands.after_link_change(now)
        return renewed

    def _list_again(self) -> None:
        self._log.warning("the kernel reported more changes than could be read; listing everything again")
        try:
            gone = self.list_everything()
        except KernelError as error:
            self._log.error(f"{error}; the next change of an interface tries again")
            return
        names = {name for live in self._lives.values() for name in live.devices}
        self.damper.look(names)
        self.changed(names, gone)
        self._of.losses.unknown(self._lives.values(), self._loop.clock())
        self._then.addresses_changed()

    def _renew_socket(self, live: Live) -> bool:
        """The interface may have come, gone, or come back as another one under the same name."""
        socket = self._of.receivers.renew(live.instance)
        if socket is live.socket:
            return False
        live.use_socket(socket)
        return True
