# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's picture of the host's interfaces and their addresses, kept true by the monitor."""

from __future__ import annotations

from typing import Container, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

from ...kernel.addresses import IFA_F_TENTATIVE, AddressEvent, HeldAddress
from ...kernel.links import Link, LinkEvent
from ...kernel.monitor import Event

_SCOPE_LINK = 253


class Changes(NamedTuple):
    """What news from the kernel mean for us."""

    names: Set[str]
    """Interfaces that have changed."""
    gone: Set[str]
    """Names that stood for no interface, or for another one, at some moment; what was bound is lost."""
    virtual_lost: bool
    """A virtual address was removed, by us or by somebody else."""


class Interfaces:
    """Links by name and by index, and the addresses each holds, in the kernel's order."""

    def __init__(self) -> None:
        self._by_index: Dict[int, Link] = {}
        self._by_name: Dict[str, Link] = {}
        self._held: Dict[int, Dict[bytes, Tuple[HeldAddress, ...]]] = {}
        self.taken_for: Dict[str, bool] = {}
        """Of links whose changes are held back: whether they count as up."""
        self.polled: Dict[str, bool] = {}
        """Of links whose drivers say nothing: whether they are up (linkbeat)."""
        self._leaving: Dict[int, Link] = {}

    @property
    def leaving(self) -> List[Link]:
        """Links that the kernel has been asked to remove and, as far as is known, still has."""
        return list(self._leaving.values())

    def let_go(self, link: Link) -> None:
        """We are removing this link: it counts as gone from now on, and only its end is news."""
        self._leaving[link.index] = link
        self._by_index.pop(link.index, None)
        self._held.pop(link.index, None)
        if self._by_name.get(link.name, link).index == link.index:
            self._by_name.pop(link.name, None)

    def replace(self, links: List[Link], addresses: List[HeldAddress]) -> Set[str]:
        """Begin afresh from full lists. Returns the names that stand for nothing or another link now."""
        before = self._by_name
        listed = {link.index for link in links}
        self._leaving = {index: link for index, link in self._leaving.items() if index in listed}
        links = [link for link in links if link.index not in self._leaving]
        self._by_index = {link.index: link for link in links}
        self._by_name = {link.name: link for link in links}
        self._held = {}
        for held in addresses:
            self._add(held)
        indexes = {link.index for link in links}
        return {
            name
            for name, link in before.items()
            if link.index not in indexes or self._by_index[link.index].name != name
        }

    def get(self, name: str) -> Optional[Link]:
        """The link of that name, or None."""
        return self._by_name.get(name)

    def __iter__(self) -> Iterator[Link]:
        """Every link."""
        return iter(list(self._by_index.values()))

    def by_index(self, index: int) -> Optional[Link]:
        """The link of that number, or None."""
        return self._by_index.get(index)

    def name_of(self, index: int) -> str:
        """The name of a link, or an empty text."""
        link = self._by_index.get(index)
        return link.name if link is not None else ""

    def up(self, name: str) -> bool:
        """True when the link exists, is up and has a carrier, or is still taken for one."""
        taken = self.taken_for.get(name)
        return self.up_now(name) if taken is None else taken

    def up_now(self, name: str) -> bool:
        """True when the link exists, is up and has a carrier: at this moment."""
        link = self._by_name.get(name)
        return link is not None and self.polled.get(name, link.up)

    def held(self, name: str, packed: bytes) -> Tuple[HeldAddress, ...]:
        """The address as that interface holds it: usually once, or never, or with several prefix lengths."""
        link = self._by_name.get(name)
        return self._held.get(link.index, {}).get(packed, ()) if link is not None else ()

    def addresses(self) -> Set[bytes]:
        """Every address of the host, virtual ones too."""
        return {packed for held in self._held.values() for packed in held}

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
        for packed, same in self._held.get(link.index, {}).items():
            if len(packed) != width or packed in virtual:
                continue
            if family == 6:
                if any(held.scope == _SCOPE_LINK and not held.flags & IFA_F_TENTATIVE for held in same):
                    return packed
            elif not all(held.secondary for held in same):
                return packed
            elif second is None:
                second = packed
        return second

    def apply(self, events: List[Event], virtual: Container[bytes]) -> Changes:
        """Take in what the monitor heard.

        The coming and going of ``virtual`` addresses is noted, but is no change of an interface: mostly
        it is our own doing.
        """
        changes = Changes(set(), set(), False)
        for event in events:
            if isinstance(event, LinkEvent):
                self._apply_link(event, changes)
                continue
            if not isinstance(event, AddressEvent):
                continue
            name = self._apply_address(event)
            if event.held.packed not in virtual:
                changes.names.add(name)
            elif event.removed:
                changes = changes._replace(virtual_lost=True)
        changes.names.discard("")
        return changes

    def _apply_link(self, event: LinkEvent, changes: Changes) -> None:
        link = event.link
        if link.index in self._leaving:
            if event.removed:
                name = self._leaving.pop(link.index).name
                self._held.pop(link.index, None)
                changes.names.add(name)
                changes.gone.add(name)
            return
        before = self._by_index.get(link.index)
        if before is not None and (event.removed or before.name != link.name):
            if self._by_name.get(before.name) is before:
                del self._by_name[before.name]
            changes.names.add(before.name)
            changes.gone.add(before.name)
        if event.removed:
            self._by_index.pop(link.index, None)
            self._held.pop(link.index, None)
            return
        if before == link and self._by_name.get(link.name) is before:
            return
        if self._by_name.get(link.name) is not before:
            changes.gone.add(link.name)
        self._by_index[link.index] = link
        self._by_name[link.name] = link
        changes.names.add(link.name)

    def _apply_address(self, event: AddressEvent) -> str:
        """The name of the interface, or nothing when nothing has changed."""
        held = event.held
        before = self.held_by_index(held.index, held.packed)
        if event.removed:
            self._remove(held)
        elif held in before:
            return ""
        else:
            self._add(held)
        return self.name_of(held.index)

    def held_by_index(self, index: int, packed: bytes) -> Tuple[HeldAddress, ...]:
        """As ``held``, for an interface whose name may not be known yet."""
        return self._held.get(index, {}).get(packed, ())

    def _add(self, held: HeldAddress) -> None:
        addresses = self._held.setdefault(held.index, {})
        others = _others(addresses.get(held.packed, ()), held)
        addresses[held.packed] = (*others, held)

    def _remove(self, held: HeldAddress) -> None:
        addresses = self._held.get(held.index, {})
        others = _others(addresses.get(held.packed, ()), held)
        if others:
            addresses[held.packed] = others
        else:
            addresses.pop(held.packed, None)


def _others(same: Tuple[HeldAddress, ...], held: HeldAddress) -> Tuple[HeldAddress, ...]:
    return tuple(one for one in same if one.prefix_length != held.prefix_length)
