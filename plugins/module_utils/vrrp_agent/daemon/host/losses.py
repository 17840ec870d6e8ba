# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What another program takes away from us, and what becomes of it.

keepalived's rule: an active router that loses a virtual address, route or rule steps down, unless the
line says ``no_track``. Ours, with ``agent_restore``: it is put back at once. Static items are put back
in any case, and those with a ``track_group`` make its instances step down.

The kernel's news say who asked for a removal. Our own are passed over; what the kernel removes with an
interface, or beside something that we remove, is put back.
"""

from __future__ import annotations

import contextlib
from typing import Any, Collection, Dict, Iterable, List, Sequence, Set, Tuple

from ...conf.model import Config, Rule
from ...kernel.addresses import AddressEvent
from ...kernel.errors import KernelError
from ...kernel.monitor import ROUTES4, ROUTES6, RULES4, RULES6
from ...kernel.netlink import RouteSocket
from ...kernel.routes import RouteEvent
from ...kernel.rules import RuleEvent
from ...loop.log import WARNING, Log
from ..hands import LIMIT_WINDOW_NS
from ..live import Live
from ..ways import Key, Way, key_on, ways_of
from .interfaces import Interfaces
from .statics import Statics

_NOBODY: Sequence[Live] = ()


class Losses:
    """Collects removals until the picture of the host is whole, and then judges them."""

    def __init__(self, interfaces: Interfaces, route: RouteSocket, statics: Statics, log: Log) -> None:
        self._interfaces, self._port, self._statics, self._log = interfaces, route.port, statics, log
        self._holders: Dict[Key, List[Live]] = {}
        self._groups: Dict[str, Tuple[str, ...]] = {}
        self._addresses: Set[Tuple[str, bytes]] = set()
        self._touched: Set[str] = set()
        """Instances to look at, by name."""
        self._all = False

    def arrange(self, config: Config, lives: Iterable[Live]) -> None:
        """These are the virtual routers now."""
        self._groups = dict(config.track_groups)
        self._holders = {}
        for live in lives:
            for way in ways_of(live.instance):
                with contextlib.suppress(KernelError):  # its VRF is away, and so is the route
                    self._holders.setdefault(key_on(way, self._interfaces), []).append(live)

    def hear(self, events: Sequence[Any], virtual_lost: bool) -> None:
        """News of the kernel, after ``interfaces`` took them in. ``virtual_lost``: a virtual address went."""
        self._all = self._all or virtual_lost
        for event in events:
            if isinstance(event, AddressEvent):
                if event.removed and self._is_anothers(event):
                    self._addresses.add((self._interfaces.name_of(event.held.index), event.held.packed))
            elif isinstance(event, (RouteEvent, RuleEvent)):
                holders = self._holders.get(event.key, _NOBODY)
                if event.port != self._port:
                    self._statics.hear(event)
                elif len(holders) < 2:
                    continue  # what two routers share may go with one of them; else it is our own doing
                for live in holders:
                    live.hands.ways.hear(event)
                    self._touched.add(live.instance.name)

    def _is_anothers(self, event: AddressEvent) -> bool:
        """As ``ways.by_another_program``: without a port it was the kernel (IPv6) or an old ioctl (IPv4)."""
        return event.port != self._port and (event.port != 0 or len(event.held.packed) == 4)

    def look_at(self, live: Live) -> None:
        """One of its interfaces has changed: what went with it may have to come back."""
        self._touched.add(live.instance.name)

    @property
    def pending(self) -> bool:
        """There is something to judge."""
        return bool(self._all or self._touched or self._addresses or self._statics.pending)

    def settle(self, lives: Collection[Live], now: int) -> None:
        """The picture is whole: step down, or put back."""
        every, touched, addresses = self._all, self._touched, self._addresses
        self._all, self._touched, self._addresses = False, set(), set()
        tagged = self._statics.settle(addresses)
        if every or touched:
            for live in lives:
                if every or live.instance.name in touched:
                    self._judge(live, addresses, now)
        for what, group in tagged:
            members = self._groups.get(group, ())
            for live in lives:
                if live.instance.name in members:
                    live.step_down(f"another program removed {what} of track_group {group}", now)

    def _judge(self, live: Live, addresses: Set[Tuple[str, bytes]], now: int) -> None:
        gone = live.hands.taken_away(addresses)
        if gone and not live.instance.restore:
            live.step_down(f"another program removed {_some(gone)}", now)
            return
        back = live.hands.restore(now)
        if not back:
            return
        if gone:
            line = f"{live.instance.name}: another program removed {_some(gone)}; put back"
        else:
            line = f"{live.instance.name}: {_some(back)} had gone; put back"
        self._log.limited(WARNING, live.instance.name, "restored", line, now, LIMIT_WINDOW_NS)

    def unknown(self, lives: Collection[Live], now: int) -> None:
        """News were lost: nobody knows who removed what, so everything is put back."""
        self._all, self._touched, self._addresses = False, set(), set()
        self._statics.again()
        for live in lives:
            live.hands.ways.again()
            self._judge(live, set(), now)


def _some(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def groups_to_follow(config: Config) -> Set[int]:
    """The news that matter: of routes and rules that we have, and that somebody may not remove."""
    groups: Set[int] = set()
    ways: List[Way] = [*config.static_routes, *config.static_rules]
    for instance in config.instances:
        ways.extend(ways_of(instance))
    for way in ways:
        if way.no_track:
            continue
        if isinstance(way, Rule):
            groups.add(RULES4 if way.family == 4 else RULES6)
        else:
            groups.add(ROUTES4 if way.family == 4 else ROUTES6)
    return groups
