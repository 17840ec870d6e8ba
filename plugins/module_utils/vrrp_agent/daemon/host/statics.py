# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""static_ipaddress, static_routes and static_rules: there while the agent runs, whatever elections say."""

from __future__ import annotations

import contextlib
import os
from typing import AbstractSet, Container, Dict, List, Tuple

from ...conf.model import Address, Config, Rule
from ...kernel import addresses as kernel_addresses
from ...kernel.errors import KernelError
from ...kernel.netlink import RouteSocket
from ...kernel.routes import devices_of
from ...loop.log import Log
from ...wire.address import text
from ..ways import (
    EEXIST,
    GONE_ALREADY,
    Key,
    Way,
    WayEvent,
    by_another_program,
    describe,
    key_on,
    make,
)
from .interfaces import Interfaces

Tagged = Tuple[str, str]
"""What was removed, and the track_group that watches it."""


class Statics:
    """Puts static items in place, and again when an interface comes late or returns."""

    def __init__(self, route: RouteSocket, interfaces: Interfaces, log: Log) -> None:
        self._route = route
        self._interfaces = interfaces
        self._log = log
        self._addresses: List[Address] = []
        self._ways: List[Way] = []
        self._by_key: Dict[Key, List[Way]] = {}
        self._removed: List[Way] = []
        """What another program removed and did not put back."""
        self._refused: Dict[str, int] = {}
        """What did not work when it was last tried, and why; news of an interface try it again."""

    def apply(self, config: Config) -> None:
        """Take away what ``config`` has no longer, and put in place what it has."""
        ways: List[Way] = [*config.static_routes, *config.static_rules]
        for way in reversed(self._ways):
            if way not in ways:
                self._remove_way(way)
        for address in self._addresses:
            if address not in config.static_addresses:
                self._remove_address(address)
        new_addresses = [item for item in config.static_addresses if item not in self._addresses]
        new_ways = [item for item in ways if item not in self._ways]
        self._addresses = list(config.static_addresses)
        self._ways = ways
        self._by_key = {}
        self._removed = []
        for address in new_addresses:
            self._add_address(address)
        for way in new_ways:
            self._add_way(way)

    def interfaces_changed(self, names: AbstractSet[str]) -> None:
        """Interfaces have come or come up: the kernel may have dropped our items with them."""
        up = {name for name in names if self._interfaces.up_now(name)}
        for address in self._addresses:
            device = address.device or ""
            if device in up and not address.no_track and not self._interfaces.held(device, address.packed):
                self._add_address(address)
        for way in self._ways:
            if isinstance(way, Rule):
                continue  # the kernel keeps rules without their interface
            if way.vrf in names:
                self._by_key = {}  # its table may be another one
            if way.vrf in up or any(device in up for device in devices_of(way)):
                self._add_way(way)

    def hear(self, event: WayEvent) -> None:
        """News of a route or rule that we did not ask for."""
        if not self._by_key:
            self._index()
        for way in self._by_key.get(event.key, ()):
            if event.removed and by_another_program(event, self._route.port):
                self._removed.append(way)
            elif not event.removed and way in self._removed:
                self._removed.remove(way)

    @property
    def pending(self) -> bool:
        """There is something for ``settle``."""
        return bool(self._removed)

    def settle(self, addresses: Container[Tuple[str, bytes]]) -> List[Tagged]:
        """Put back what another program removed, and say which of it is watched by a track_group.

        ``addresses``: interface and address of what others have removed. ``no_track`` opts out (keepalived).
        """
        gone: List[Tagged] = []
        for address in self._addresses:
            if (address.device or "", address.packed) in addresses and not address.no_track:
                self._say(f"static address {text(address.packed)}")
                self._add_address(address)
                gone.append((f"static address {text(address.packed)}", address.track_group or ""))
        removed, self._removed = self._removed, []
        for way in removed:
            if not way.no_track:
                self._say(f"static {describe(way)}")
                self._add_way(way)
                gone.append((f"static {describe(way)}", way.track_group or ""))
        return [one for one in gone if one[1]]

    def again(self) -> None:
        """News were lost: ask for everything once more."""
        self._removed = []
        for address in self._addresses:
            if not address.no_track and not self._interfaces.held(address.device or "", address.packed):
                self._add_address(address)
        for way in self._ways:
            self._add_way(way)

    def remove_all(self) -> None:
        """The agent ends: its static items go too, as with keepalived."""
        self.apply(Config())

    def _index(self) -> None:
        for way in self._ways:
            with contextlib.suppress(KernelError):  # its VRF is away, and so is the route
                self._by_key.setdefault(key_on(way, self._interfaces), []).append(way)

    def _say(self, what: str) -> None:
        self._log.warning(f"another program removed {what}; put back")

    def _add_address(self, address: Address) -> None:
        link = self._interfaces.get(address.device or "")
        if link is None:
            self._log.warning(f"static address {text(address.packed)} waits for interface {address.device}")
            return
        request = kernel_addresses.add_request(address, link.index, moves=False)
        self._submit(request, f"add static address {text(address.packed)} on {link.name}")

    def _remove_address(self, address: Address) -> None:
        link = self._interfaces.get(address.device or "")
        if link is not None:
            request = kernel_addresses.remove_request(address, link.index)
            self._submit(request, f"remove static address {text(address.packed)} from {link.name}")

    def _add_way(self, way: Way) -> None:
        try:
            request = make(way, self._interfaces).add
        except KernelError as error:
            self._log.warning(f"static {describe(way)} waits: {error}")
            return
        self._submit(request, f"add static {describe(way)}")

    def _remove_way(self, way: Way) -> None:
        try:
            request = make(way, self._interfaces).remove
        except KernelError:
            return
        self._submit(request, f"remove static {describe(way)}")

    def _submit(self, request: bytes, what: str) -> None:
        refusals = self._route.submit([request])
        harmless = GONE_ALREADY if what.startswith("remove") else (EEXIST,)
        refusals = [refusal for refusal in refusals if refusal.errno not in harmless]
        if not refusals:
            self._refused.pop(what, None)
        for refusal in refusals:
            if self._refused.get(what) != refusal.errno:
                self._log.error(f"cannot {what}: {os.strerror(refusal.errno)}")
            self._refused[what] = refusal.errno
