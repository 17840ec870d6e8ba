# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""static_ipaddress and static_routes: there while the agent runs, whatever the elections say."""

from __future__ import annotations

import os
from typing import AbstractSet, Dict, List

from ..conf.model import Address, Config, Route
from ..kernel import addresses as kernel_addresses
from ..kernel import routes as kernel_routes
from ..kernel.errors import KernelError
from ..kernel.netlink import RouteSocket
from ..loop.log import Log
from ..wire.address import text
from .interfaces import Interfaces

_ESRCH, _EADDRNOTAVAIL, _ENODEV = 3, 99, 19


class Statics:
    """Puts static items in place, and again when an interface comes late or returns."""

    def __init__(self, route: RouteSocket, interfaces: Interfaces, log: Log) -> None:
        self._route = route
        self._interfaces = interfaces
        self._log = log
        self._addresses: List[Address] = []
        self._routes: List[Route] = []
        self._refused: Dict[str, int] = {}
        """What did not work when it was last tried, and why; news of an interface try it again."""

    def apply(self, config: Config) -> None:
        """Take away what ``config`` has no longer, and put in place what it has."""
        for route in self._routes:
            if route not in config.static_routes:
                self._remove_route(route)
        for address in self._addresses:
            if address not in config.static_addresses:
                self._remove_address(address)
        new_addresses = [item for item in config.static_addresses if item not in self._addresses]
        new_routes = [item for item in config.static_routes if item not in self._routes]
        self._addresses = list(config.static_addresses)
        self._routes = list(config.static_routes)
        for address in new_addresses:
            self._add_address(address)
        for route in new_routes:
            self._add_route(route)

    def interfaces_changed(self, names: AbstractSet[str]) -> None:
        """Interfaces have come or come up: the kernel may have dropped our items with them."""
        up = {name for name in names if self._interfaces.up(name)}
        for address in self._addresses:
            device = address.device or ""
            if device in up and not self._interfaces.held(device, address.packed):
                self._add_address(address)
        for route in self._routes:
            if any(hop.device in up for hop in route.next_hops):
                self._add_route(route)

    def remove_all(self) -> None:
        """The agent ends: its static items go too, as with keepalived."""
        self.apply(Config())

    def _resolve(self, name: str) -> int:
        link = self._interfaces.get(name)
        if link is None:
            raise KernelError(f"interface {name} does not exist")
        return link.index

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

    def _add_route(self, route: Route) -> None:
        try:
            request = kernel_routes.add_request(route, self._resolve)
        except KernelError as error:
            self._log.warning(f"static route to {_name(route)} waits: {error}")
            return
        self._submit(request, f"add static route to {_name(route)}")

    def _remove_route(self, route: Route) -> None:
        try:
            request = kernel_routes.remove_request(route, self._resolve)
        except KernelError:
            return
        self._submit(request, f"remove static route to {_name(route)}")

    def _submit(self, request: bytes, what: str) -> None:
        refusals = self._route.submit([request])
        if not refusals:
            self._refused.pop(what, None)
        for refusal in refusals:
            if refusal.errno in (_ESRCH, _EADDRNOTAVAIL, _ENODEV) and what.startswith("remove"):
                continue
            if self._refused.get(what) != refusal.errno:
                self._log.error(f"cannot {what}: {os.strerror(refusal.errno)}")
            self._refused[what] = refusal.errno


def _name(route: Route) -> str:
    destination = text(route.destination) if route.destination is not None else "default"
    return f"{destination}/{route.prefix_length}" if route.destination is not None else destination
