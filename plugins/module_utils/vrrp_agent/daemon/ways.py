# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""virtual_routes and virtual_rules of one instance: there while it is active, and only then.

Requests are prepared in a quiet moment. What the kernel says of routes and rules is compared with ours:
what another program removes is its doing, what goes with an interface is the kernel's.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import AbstractSet, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

from ..conf.model import Instance, Route, Rule
from ..kernel import routes as kernel_routes
from ..kernel import rules as kernel_rules
from ..kernel.errors import KernelError
from ..kernel.netlink import RouteSocket
from ..kernel.routes import RouteEvent, RouteKey
from ..kernel.rules import RuleEvent, RuleKey
from ..loop.log import Log
from ..wire.address import text
from .host.interfaces import Interfaces

Way = Union[Route, Rule]
WayEvent = Union[RouteEvent, RuleEvent]
Key = Union[RouteKey, RuleKey]
MAIN_TABLE = 254
EEXIST = 17
GONE_ALREADY = (2, 3, 6, 19, 97, 99)
"""ENOENT, ESRCH, ENXIO, ENODEV, EAFNOSUPPORT, EADDRNOTAVAIL: what was to be removed is not there."""


class Made(NamedTuple):
    """One route or rule, ready to be put in place."""

    way: Way
    add: bytes
    remove: bytes
    key: Key
    devices: FrozenSet[int]
    """The interfaces that it leads to, as far as it names them."""


def make(way: Way, interfaces: Interfaces, sequence: int = 0) -> Made:
    """The requests for one route or rule. Raises KernelError when an interface that it names is away."""

    def resolve(name: str) -> int:
        link = interfaces.get(name)
        if link is None:
            raise KernelError(f"interface {name} does not exist")
        return link.index

    if isinstance(way, Rule):
        add, remove = kernel_rules.add_request(way, sequence), kernel_rules.remove_request(way, sequence)
        return Made(way, add, remove, key_of(way), frozenset())
    route = with_table(way, interfaces)
    indexes = frozenset(resolve(name) for name in kernel_routes.devices_of(route))
    add = kernel_routes.add_request(route, resolve, sequence)
    remove = kernel_routes.remove_request(route, resolve, sequence)
    return Made(way, add, remove, key_of(route), indexes)


def with_table(route: Route, interfaces: Interfaces) -> Route:
    """The route in the table of its VRF. Raises KernelError when there is no such VRF."""
    if not route.vrf:
        return route
    link = interfaces.get(route.vrf)
    if link is None or link.kind != "vrf":
        raise KernelError(f"there is no VRF {route.vrf}")
    return replace(route, table=link.mode, vrf="")


def key_on(way: Way, interfaces: Interfaces) -> Key:
    """By what the kernel's news are recognised on this host. Raises KernelError without the route's VRF."""
    return key_of(way if isinstance(way, Rule) else with_table(way, interfaces))


def key_of(way: Way) -> Key:
    """By what the kernel's news are recognised. A route of a VRF must have its table."""
    return kernel_rules.key_of(way) if isinstance(way, Rule) else kernel_routes.key_of(way)


def describe(way: Way) -> str:
    """A route or rule in a few words, for people."""
    if isinstance(way, Rule):
        words = [f"rule {way.priority}"]
        for word, selector in (("from", way.source), ("to", way.destination)):
            if selector is not None:
                words.append(f"{word} {text(selector[0])}/{selector[1]}")
        for word, name in (("iif", way.input_interface), ("oif", way.output_interface)):
            if name:
                words.append(f"{word} {name}")
        words.append(f"table {way.table}" if way.action == "table" and not way.l3mdev else way.action)
        return " ".join(words)
    if way.destination is not None:
        where = f"{text(way.destination)}/{way.prefix_length}"
    else:
        where = "default" if way.family == 4 else "default (IPv6)"
    if way.metric:
        where += f" metric {way.metric}"
    if way.vrf:
        return f"route to {where} vrf {way.vrf}"
    return f"route to {where}" + (f" table {way.table}" if way.table != MAIN_TABLE else "")


def ways_of(instance: Instance) -> Tuple[Way, ...]:
    """Routes and then rules, in the order of the file: the order in which keepalived adds them."""
    return (*instance.routes, *instance.rules)


def way_devices(ways: Sequence[Way]) -> List[str]:
    """Every interface that a route or rule names."""
    names: Dict[str, None] = {}
    for way in ways:
        if isinstance(way, Rule):
            names.update(dict.fromkeys(filter(None, (way.input_interface, way.output_interface))))
        else:
            names.update(dict.fromkeys(kernel_routes.devices_of(way)))
            if way.vrf:
                names[way.vrf] = None
    return list(names)


def tracked_devices(ways: Sequence[Way]) -> List[str]:
    """The interfaces that must be up for them (keepalived): not those of the legs of a multipath route."""
    names: Dict[str, None] = {}
    for way in ways:
        if way.no_track:
            continue
        if isinstance(way, Rule):
            names.update(dict.fromkeys(way_devices([way])))
        elif len(way.next_hops) == 1:
            names.update(dict.fromkeys(kernel_routes.devices_of(way)))
    return list(names)


def by_another_program(event: WayEvent, ours: int) -> bool:
    """True when neither we (by our netlink port) nor the kernel itself removed it.

    The kernel gives no port when it acts by itself, which it does with news for IPv6 only; with IPv4 an
    event without port comes from an old ioctl, that is from a program such as route(8).
    """
    return event.port != ours and (event.port != 0 or event.key.family == 4)


def _essence(way: Way) -> Way:
    return replace(way, no_track=False, track_group=None)


class Ways:
    """The routes and rules of one instance. ``port`` of ``route`` tells our own changes from others'."""

    def __init__(self, name: str, interfaces: Interfaces, route: RouteSocket, log: Log) -> None:
        self.refused: Dict[str, str] = {}
        """What the kernel would not take, or what waits for an interface, and why."""
        self._name = name
        self._interfaces, self._route, self._log = interfaces, route, log
        self._wanted: Tuple[Way, ...] = ()
        self._made: Optional[List[Made]] = None
        self._index: Dict[Key, List[int]] = {}
        self._in_place: Tuple[Way, ...] = ()
        """What was put in place and not taken away: empty while the instance is not active."""
        self._missing: Set[int] = set()
        self._taken: Set[int] = set()
        """Those of ``_missing`` that another program removed."""
        self._down: Set[str] = set()

    @property
    def wanted(self) -> Tuple[Way, ...]:
        """What the configuration has."""
        return self._wanted

    @property
    def held(self) -> List[str]:
        """What is in place now, as far as the kernel has told."""
        if not self._in_place:
            return []
        made = enumerate(self.complete())
        names = [describe(one.way) for number, one in made if number not in self._missing]
        return [name for name in names if name not in self.refused]

    def equip(self, instance: Instance) -> None:
        """Other settings, or other interfaces: requests are made anew when they are needed next."""
        self._name = instance.name
        self._wanted = ways_of(instance)
        self._made = None

    def complete(self) -> List[Made]:
        """Make all requests now."""
        if self._made is not None:
            return self._made
        made: List[Made] = []
        self._index = {}
        self._missing, self._taken = set(), set()
        for way in self._wanted:
            try:
                one = make(way, self._interfaces, len(made))
            except KernelError as error:
                self._refuse(way, str(error))
                continue
            self._index.setdefault(one.key, []).append(len(made))
            made.append(one)
        self._made = made
        return made

    def take(self) -> None:
        """The instance becomes active: routes first, then rules (keepalived)."""
        self._missing, self._taken = set(), set()
        if self._wanted:
            self.refused = {}
            if self._made is not None and len(self._made) < len(self._wanted):
                self._made = None  # an interface that was away may be there now
            self._in_place = self._wanted
            self._add(range(len(self.complete())))

    def give_back(self) -> None:
        """It is active no longer: rules first, then routes, the last one first."""
        if self._in_place:
            self._in_place = ()
            self._remove(self.complete())
        self.refused = {}

    def clear_leftovers(self) -> None:
        """Remove what a killed predecessor may have left behind."""
        self._remove(self.complete())

    def change(self) -> None:
        """While active, after ``equip``: take away what is gone, and put in place all that is there now.

        What is there already is asked for again: the kernel drops a route in silence when an address
        that it needs goes.
        """
        if not self._in_place and not self._wanted:
            return
        stays = {_essence(way) for way in self._wanted}
        gone: List[Made] = []
        for way in self._in_place:
            if _essence(way) not in stays:
                try:
                    gone.append(make(way, self._interfaces, len(gone)))
                except KernelError:
                    continue  # its interface is gone, and it went with it
        self._remove(gone)
        self._in_place = ()
        self.take()

    def again(self) -> None:
        """While active: ask for everything once more; what is there stays as it is."""
        if self._in_place:
            made = self.complete()
            away = {number for number in self._taken if made[number].way.no_track}
            self._add([number for number in range(len(made)) if number not in away])

    def links_changed(self, names: AbstractSet[str]) -> None:
        """Interfaces have come, gone or changed: the kernel drops routes with their interface, in silence."""
        returned = False
        for name in names:
            if not self._is_up(name):
                self._down.add(name)
            elif name in self._down:
                self._down.discard(name)
                returned = True
        if returned or self.refused:
            self.again()

    def _is_up(self, name: str) -> bool:
        """As the kernel sees it: a delay of interface_up_down_delays does not keep routes."""
        link = self._interfaces.get(name)
        return link is not None and link.up

    def hear(self, event: WayEvent) -> None:
        """News of a route or rule that may be ours."""
        if not self._in_place:
            return
        made = self.complete()
        for number in self._index.get(event.key, ()):
            devices = made[number].devices
            of_event = event.devices if isinstance(event, RouteEvent) else ()
            if devices and of_event and devices.isdisjoint(of_event):
                continue
            if not event.removed:
                self._missing.discard(number)
                self._taken.discard(number)
            else:
                self._missing.add(number)
                with_link = any(not self._is_up(self._interfaces.name_of(index)) for index in of_event)
                if by_another_program(event, self._route.port) and not with_link:
                    self._taken.add(number)

    def taken_away(self) -> List[str]:
        """What another program has removed and is still away; those with ``no_track`` do not count."""
        made = self._made
        if not self._taken or made is None:
            return []
        tracked = [number for number in sorted(self._taken) if not made[number].way.no_track]
        return [describe(made[number].way) for number in tracked]

    def restore(self) -> List[str]:
        """While active: put back what is away, whoever removed it; what that was.

        Not routes that expire: the kernel removes them when their time is over.
        """
        made = self._made
        if not self._missing or made is None or not self._in_place:
            return []
        back: List[int] = []
        for number in sorted(self._missing):
            way = made[number].way
            if not way.no_track and (isinstance(way, Rule) or way.expires_s is None):
                back.append(number)
        self._add(back)
        return [describe(made[number].way) for number in back]

    def _add(self, numbers: Sequence[int]) -> None:
        made = self.complete()
        refusals = self._route.submit([made[number].add for number in numbers])
        reasons = {refusal.sequence: refusal.errno for refusal in refusals if refusal.errno != EEXIST}
        for number in numbers:
            if number in reasons:
                self._refuse(made[number].way, os.strerror(reasons[number]))
                continue
            self._missing.discard(number)
            self._taken.discard(number)
            if self.refused:
                self.refused.pop(describe(made[number].way), None)

    def _refuse(self, way: Way, reason: str) -> None:
        name = describe(way)
        if self.refused.get(name) != reason:
            self._log.error(f"{self._name}: cannot add {name}: {reason}")
        self.refused[name] = reason

    def _remove(self, made: Sequence[Made]) -> None:
        by_sequence = dict(enumerate(made))
        for refusal in self._route.submit([one.remove for one in reversed(made)]):
            if refusal.errno not in GONE_ALREADY:
                name = describe(by_sequence[refusal.sequence].way)
                self._log.error(f"{self._name}: cannot remove {name}: {os.strerror(refusal.errno)}")
