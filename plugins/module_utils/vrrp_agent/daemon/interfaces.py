# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's picture of the host's interfaces and their addresses, kept true by the monitor."""

from __future__ import annotations

from typing import Container, Dict, List, Optional, Set

from ..kernel.addresses import IFA_F_TENTATIVE, AddressEvent, HeldAddress
from ..kernel.links import Link, LinkEvent
from ..kernel.monitor import Event

_SCOPE_LINK = 253


class Interfaces:
    """Links by name and by index, and the addresses each holds, in the kernel's order."""

    def __init__(self) -> None:
        self._by_index: Dict[int, Link] = {}
        self._by_name: Dict[str, Link] = {}
        self._held: Dict[int, Dict[bytes, HeldAddress]] = {}

    def replace(self, links: List[Link], addresses: List[HeldAddress]) -> None:
        """Begin afresh from full lists."""
        self._by_index = {link.index: link for link in links}
        self._by_name = {link.name: link for link in links}
        self._held = {}
        for held in addresses:
            self._held.setdefault(held.index, {})[held.packed] = held

    def get(self, name: str) -> Optional[Link]:
        """The link of that name, or None."""
        return self._by_name.get(name)

    def name_of(self, index: int) -> str:
        """The name of a link, or an empty text."""
        link = self._by_index.get(index)
        return link.name if link is not None else ""

    def up(self, name: str) -> bool:
        """True when the link exists, is up and has a carrier."""
        link = self._by_name.get(name)
        return link is not None and link.up

    def held(self, name: str, packed: bytes) -> Optional[HeldAddress]:
        """The address as that interface holds it, or None."""
        link = self._by_name.get(name)
        return self._held.get(link.index, {}).get(packed) if link is not None else None

    def primary(self, name: str, family: int, virtual: Container[bytes]) -> Optional[bytes]:
        """The address that adverts come from: RFC 9568 5.1.1.1 and 5.1.2.1.

        IPv4: the first one that is not secondary, or else the first. IPv6: the first link-local one.
        Virtual addresses are never it.
        """
        link = self._by_name.get(name)
        if link is None:
            return None
        width = 4 if family == 4 else 16
        second: Optional[bytes] = None
        for packed, held in self._held.get(link.index, {}).items():
            if len(packed) != width or packed in virtual:
                continue
            if family == 6:
                if held.scope == _SCOPE_LINK and not held.flags & IFA_F_TENTATIVE:
                    return packed
            elif not held.secondary:
                return packed
            elif second is None:
                second = packed
        return second

    def apply(self, events: List[Event], virtual: Container[bytes]) -> Set[str]:
        """Take in what the monitor heard; the names of the interfaces that have changed for us.

        The coming and going of ``virtual`` addresses is noted, but it is our own doing.
        """
        touched: Set[str] = set()
        for event in events:
            if isinstance(event, LinkEvent):
                touched |= self._apply_link(event)
            else:
                name = self._apply_address(event)
                if event.held.packed not in virtual:
                    touched.add(name)
        touched.discard("")
        return touched

    def _apply_link(self, event: LinkEvent) -> Set[str]:
        link = event.link
        before = self._by_index.get(link.index)
        if event.removed:
            self._by_index.pop(link.index, None)
            self._held.pop(link.index, None)
            if before is not None and self._by_name.get(before.name) is before:
                del self._by_name[before.name]
            return {link.name}
        if before == link:
            return set()
        if before is not None and before.name != link.name and self._by_name.get(before.name) is before:
            del self._by_name[before.name]
        self._by_index[link.index] = link
        self._by_name[link.name] = link
        return {link.name} | ({before.name} if before is not None else set())

    def _apply_address(self, event: AddressEvent) -> str:
        held = self._held.setdefault(event.held.index, {})
        before = held.get(event.held.packed)
        if event.removed:
            held.pop(event.held.packed, None)
        else:
            held[event.held.packed] = event.held
            if before == event.held:
                return ""
        return self.name_of(event.held.index)
