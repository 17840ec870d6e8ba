# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's nftables: who may talk to a virtual address, and what a virtual link must not say.

Addresses of routers that do not accept are in a set from the moment the configuration is applied, long
before they are taken. A takeover changes one thing: its links leave the set ``standby``, whose packets are
dropped (RFC 9568 6.4.2: a backup discards what is sent to the virtual MAC).
"""

from __future__ import annotations

import socket
import struct
from typing import Callable, Dict, FrozenSet, List, NamedTuple, Optional, Set, Tuple

from ...conf.model import Config, Firewall, Instance, VirtualLink
from ...conf.parts.link_names import links_of
from ...conf.parts.links import MACVLAN
from ...kernel import nft_rules as rule
from ...kernel import nftables as nft
from ...kernel.errors import KernelError
from ...loop.log import Log
from ...wire.address import is_link_local
from ..prepared import placed
from .interfaces import Interfaces

OWNER_COMMENT = "vrrp-agent"
_PRIORITY = 255
_IGMP, _ICMPV6 = 2, 58
_NEIGHBOUR_DISCOVERY = (135, 136)
_MEMBERSHIP = (131, 132, 143)
"""Reports and farewells of MLD, versions 1 and 2."""
_FAMILIES = ((nft.NFPROTO_IPV4, 4, socket.AF_INET), (nft.NFPROTO_IPV6, 6, socket.AF_INET6))
_INDEX = struct.Struct("=I")


class Wanted(NamedTuple):
    """What the tables depend on."""

    settings: Firewall
    refused: FrozenSet[Tuple[bytes, str, int]]
    """Addresses that take no packets, and the interface where they live (0: it is away)."""
    links: FrozenSet[Tuple[str, int, int, int]]
    """Virtual links: name, index, index of the base, family."""


def wanted_of(config: Config, interfaces: Interfaces) -> Optional[Wanted]:
    """What ``config`` wants of nftables on these interfaces; None when it wants nothing."""
    refused: Set[Tuple[bytes, str, int]] = set()
    links: Set[Tuple[str, int, int, int]] = set()
    for instance in config.instances:
        if not instance.accept and instance.priority != _PRIORITY:
            refused.update(
                (address.packed, device, _index(interfaces, device)) for address, device in placed(instance)
            )
        for link in links_of(instance):
            found = interfaces.get(link.name)
            if found is not None and link.kind == MACVLAN:
                links.add((link.name, found.index, found.parent, link.family))
                if link.both_families:
                    links.add((link.name, found.index, found.parent, 10 - link.family))
    if not refused and not links:
        return None
    return Wanted(config.settings.firewall, frozenset(refused), frozenset(links))


class FirewallTables:
    """The tables as they are in the kernel. ``problem`` says why there are none."""

    def __init__(
        self, interfaces: Interfaces, log: Log, open_socket: Callable[[], nft.NftSocket] = nft.NftSocket
    ) -> None:
        self.problem = ""
        self._interfaces = interfaces
        self._log = log
        self._open_socket = open_socket
        self._socket: Optional[nft.NftSocket] = None
        self._now: Optional[Wanted] = None
        self._standby: Dict[str, bytes] = {}
        """Names of the links in the set, and their keys there."""
        self._looked = False

    def apply(self, config: Config, active: Set[str]) -> None:
        """Make the tables that ``config`` wants. ``active``: virtual links of active routers."""
        wanted = wanted_of(config, self._interfaces)
        if wanted == self._now and self._looked and not self.problem:
            return
        name = config.settings.firewall.table
        before = self._now.settings.table if self._now is not None else name
        standby = {link[0]: self._key(link, wanted) for link in wanted.links} if wanted is not None else {}
        standby = {name: key for name, key in standby.items() if name not in active}
        try:
            if wanted is None and self._now is None and not self._leftover(name):
                self._looked = True
                return
            if wanted is None or not self._may_change(wanted) or not self._commit_difference(wanted, standby):
                messages = self._removal({before, name})
                for table in tables(wanted, standby) if wanted is not None else ():
                    messages += nft.make_table(table, OWNER_COMMENT)
                self._open().commit(messages)
        except KernelError as error:
            self._fail(error)
            return
        self.problem = ""
        self._looked = True
        self._now, self._standby = wanted, standby

    def activate(self, instance: Instance) -> None:
        """Before the addresses are taken: packets to the virtual MAC are let in."""
        names = [link.name for link in links_of(instance) if link.name in self._standby]
        if names:
            keys = [(self._standby.pop(name), b"") for name in names]
            self._change(nft.remove_elements, keys)

    def stand_by(self, instance: Instance) -> None:
        """After the addresses are given back."""
        if self._now is None or not links_of(instance):
            return
        by_name = {link[0]: link for link in self._now.links}
        names = [
            one.name for one in links_of(instance) if one.name in by_name and one.name not in self._standby
        ]
        for name in names:
            self._standby[name] = self._key(by_name[name], self._now)
        if names:
            self._change(nft.add_elements, [(self._standby[name], b"") for name in names])

    def remove(self) -> None:
        """The agent ends."""
        if self._now is not None:
            try:
                self._open().commit(self._removal({self._now.settings.table}))
            except KernelError as error:
                self._log.error(f"{error}; the table {self._now.settings.table} is left")
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _may_change(self, wanted: Wanted) -> bool:
        """The rules depend on the settings only: while these stay, nothing but elements has to change.

        A table that is replaced makes the kernel wait for every CPU, and the adverts with it.
        """
        return self._now is not None and self._now.settings == wanted.settings and not self.problem

    def _commit_difference(self, wanted: Wanted, standby: Dict[str, bytes]) -> bool:
        """False when the tables are not as we left them: somebody has flushed the ruleset."""
        try:
            self._open().commit(self._difference(wanted, standby))
        except KernelError:
            return False
        return True

    def _difference(self, wanted: Wanted, standby: Dict[str, bytes]) -> List[bytes]:
        messages: List[bytes] = []
        if self._now is None:
            return messages
        for old, new in zip(tables(self._now, self._standby), tables(wanted, standby)):
            for before, after in zip(old.sets, new.sets):
                place = (new.family, new.name, after.name)
                gone = [one for one in before.elements if one not in after.elements]
                come = [one for one in after.elements if one not in before.elements]
                messages += nft.remove_elements(*place, gone) + nft.add_elements(*place, come)
        return messages

    @staticmethod
    def _key(link: Tuple[str, int, int, int], wanted: Optional[Wanted]) -> bytes:
        return _interface_key(link[0], link[1], wanted is not None and wanted.settings.by_index)

    def _change(
        self,
        make: Callable[[int, str, str, List[Tuple[bytes, bytes]]], List[bytes]],
        elements: List[Tuple[bytes, bytes]],
    ) -> None:
        if self._now is None:
            return
        table = self._now.settings.table
        messages = [
            message
            for family, _number, _kind in _FAMILIES
            for message in make(family, table, "standby", elements)
        ]
        try:
            self._open().commit(messages)
        except KernelError as error:
            self._fail(error)

    def _leftover(self, name: str) -> bool:
        """A table of a killed predecessor."""
        try:
            sock = self._open()
            return any(sock.owner(family, name) == OWNER_COMMENT for family, _n, _k in _FAMILIES)
        except KernelError:
            return False  # no nf_tables here, and none needed

    @staticmethod
    def _removal(names: Set[str]) -> List[bytes]:
        messages: List[bytes] = []
        for name in sorted(names):
            for family, _number, _kind in _FAMILIES:
                messages += [nft.ensure_table(family, name), nft.remove_table(family, name)]
        return messages

    def _open(self) -> nft.NftSocket:
        if self._socket is None:
            self._socket = self._open_socket()
        return self._socket

    def _fail(self, error: KernelError) -> None:
        text = f"{error}; {error.hint}" if error.hint else str(error)
        if text != self.problem:
            self._log.error(
                f"{text}. Without it no_accept has no effect, and a virtual MAC is not silent while backup"
            )
        self.problem = text


def describe_link(link: VirtualLink, interfaces: Interfaces) -> Dict[str, object]:
    """A virtual link for ``status``."""
    found = interfaces.get(link.name)
    mac = found.mac if found is not None else link.mac
    return {
        "name": link.name,
        "kind": link.kind,
        "on": link.base,
        "mac": ":".join(f"{octet:02x}" for octet in mac),
        "exists": found is not None,
        "up": found is not None and found.up,
    }


def tables(wanted: Wanted, standby: Dict[str, bytes]) -> List[nft.Table]:
    """Both tables: ``ip`` and ``ip6``, of one name as keepalived's."""
    return [_table(wanted, standby, *family) for family in _FAMILIES]


def _table(wanted: Wanted, standby: Dict[str, bytes], family: int, number: int, kind: int) -> nft.Table:
    settings = wanted.settings
    counted = (rule.counter(),) if settings.counters else ()
    drop = (*counted, rule.verdict(rule.DROP))
    interface_type = nft.TYPE_IFINDEX if settings.by_index else nft.TYPE_IFNAME
    address_type = nft.TYPE_IPV4_ADDRESS if number == 4 else nft.TYPE_IPV6_ADDRESS
    refused = sorted(one for one in wanted.refused if len(one[0]) == (4 if number == 4 else 16))
    plain = sorted({packed for packed, _device, _index in refused if not is_link_local(packed)})
    links = sorted(link for link in wanted.links if link[3] == number)
    moved = tuple((_INDEX.pack(index), _INDEX.pack(base)) for _n, index, base, _f in links)
    sets = [
        nft.Set("vips", (address_type,), tuple((packed, b"") for packed in plain)),
        nft.Set("standby", (interface_type,), tuple((key, b"") for key in sorted(set(standby.values())))),
        nft.Set("vmac_map", (nft.TYPE_IFINDEX,), moved, is_map=True),
    ]
    rules = [nft.Rule("standby", (rule.interface(True, settings.by_index), rule.among("standby"), *drop))]
    if number == 4:
        if settings.local_igmp:
            rules.append(_moved((rule.protocol(_IGMP),), kind, drop))
    else:
        keys = _on_links(refused, settings.by_index)
        sets.append(nft.Set("vips_link_local", (address_type, interface_type), keys))
        rules += [_moved(_icmpv6(one), kind, drop) for one in _MEMBERSHIP]
        for chain in ("in", "out"):
            rules += [
                nft.Rule(chain, (*_icmpv6(one), *counted, rule.verdict(rule.ACCEPT)))
                for one in _NEIGHBOUR_DISCOVERY
            ]
        for chain, address in (("in", rule.destination_of(kind)), ("out", rule.source_of(kind))):
            device = rule.interface(chain == "in", settings.by_index, rule.SECOND)
            rules.append(nft.Rule(chain, (address, device, rule.among("vips_link_local"), *drop)))
    rules.append(nft.Rule("in", (rule.destination_of(kind), rule.among("vips"), *drop)))
    rules.append(nft.Rule("out", (rule.source_of(kind), rule.among("vips"), *drop)))
    chains = (
        nft.Chain("standby", nft.HOOK_PREROUTING, settings.priority),
        nft.Chain("in", nft.HOOK_INPUT, settings.priority),
        nft.Chain("out", nft.HOOK_OUTPUT, settings.priority),
    )
    return nft.Table(family, settings.table, chains, tuple(sets), tuple(rules))


def _icmpv6(kind: int) -> Tuple[bytes, ...]:
    return (rule.protocol(_ICMPV6), rule.load(rule.TRANSPORT, 0, 1), rule.equal(bytes((kind,))))


def _moved(which: Tuple[bytes, ...], kind: int, drop: Tuple[bytes, ...]) -> nft.Rule:
    """What a virtual link says of memberships leaves by the base interface, with the physical MAC.

    A switch that snoops would otherwise learn the virtual MAC behind a backup (keepalived does the same).
    """
    way = (
        rule.destination_of(kind),
        rule.interface(False, True, rule.SECOND),
        rule.mapped("vmac_map", rule.SECOND, rule.SECOND),
        rule.duplicate(rule.FIRST, rule.SECOND),
    )
    return nft.Rule("out", (*which, *way, *drop))


def _on_links(refused: List[Tuple[bytes, str, int]], by_index: bool) -> Tuple[Tuple[bytes, bytes], ...]:
    """Link-local addresses with their interface: another one may have the same."""
    return tuple(
        (packed + _interface_key(device, index, by_index), b"")
        for packed, device, index in refused
        if is_link_local(packed)
    )


def _interface_key(name: str, index: int, by_index: bool) -> bytes:
    return _INDEX.pack(index) if by_index else nft.key_of(nft.TYPE_IFNAME, name.encode())


def _index(interfaces: Interfaces, name: str) -> int:
    link = interfaces.get(name)
    return link.index if link is not None else 0
