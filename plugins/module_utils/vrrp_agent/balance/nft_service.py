# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One service as chains, maps, sets and counters of nf_tables.

A map leads from address and port to the chain of the service, which chooses the chain of a destination:

    known clients and flows first (sets that packets fill), then a turn or a hash, looked up in a map.

The chain of a destination counts, and sends the packet on: with DNAT (NAT), or as it is to the server's
neighbour entry (DR). All that a destination is to remember dies with it, so that nobody is led to a server
that is gone.
"""

from __future__ import annotations

import struct
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..conf.parts.balancing import PROTOCOL_WORDS, SCTP, TCP, Persistence
from ..kernel import nft_steer as steer
from ..kernel.nft_changes import IPV4, IPV6, MARK, PORT, PROTOCOL, TableChanges, key_part
from ..kernel.nft_rules import protocol
from ..kernel.nftables import NFPROTO_IPV4
from . import nft_slots
from .backend import DestinationKey, DestinationWords, Placed, ServiceKey
from .nft_words import destination_comment, destination_name, service_comment, service_name

SERVICES, ANY_PORT, MARKS = "services", "any-port", "marks"
"""Maps: what leads to the chain of a service."""
MOST_CLIENTS, MOST_FLOWS = 1 << 20, 1 << 20
FLOW_TIMEOUT_MS = {TCP: 900_000, SCTP: 900_000}
"""How long DR remembers a silent connection: as long as IPVS does."""
BEGUN_TIMEOUT_MS = 60_000
_OTHER_FLOW_TIMEOUT_MS = 300_000
_SECOND_MS = 1000
Devices = Mapping[DestinationKey, int]


def map_name(kind: str, family: int, direct: bool) -> str:
    """The map of this family; the table of DR holds those of both."""
    return f"{kind}{family}" if direct else kind


def map_types(kind: str, family: int) -> Tuple[int, ...]:
    """The parts of its keys."""
    address = IPV4 if family == 4 else IPV6
    if kind == MARKS:
        return (PROTOCOL, MARK)
    return (PROTOCOL, address, PORT) if kind == SERVICES else (PROTOCOL, address)


def ways_to(key: ServiceKey) -> Tuple[str, List[bytes]]:
    """The map that leads to a service, and its keys there."""
    if key.fwmark:
        value = struct.pack("=I", key.fwmark)
        return MARKS, [key_part(PROTOCOL, bytes((number,))) + value for number in sorted(PROTOCOL_WORDS)]
    start = key_part(PROTOCOL, bytes((key.protocol,))) + key.address
    if key.port:
        return SERVICES, [start + key_part(PORT, key.port.to_bytes(2, "big"))]
    return ANY_PORT, [start]


class ServiceWriter:
    """Writes the messages for services of one table. ``numbers`` gives new sets their own."""

    def __init__(self, changes: TableChanges, direct: bool, numbers: Iterator[int]) -> None:
        self._changes, self._direct, self._numbers = changes, direct, numbers

    def messages(
        self,
        key: ServiceKey,
        old: Optional[Placed],
        new: Optional[Placed],
        devices: Devices,
        moved: bool = False,
    ) -> List[bytes]:
        """From what is there to what is wanted; None is no service. ``moved``: devices have changed."""
        if old is None or new is None:
            before = self._remove(key, old) if old is not None else []
            return before + (self._add(key, new, devices) if new is not None else [])
        return self._change(key, old, new, devices, moved)

    def _add(self, key: ServiceKey, new: Placed, devices: Devices) -> List[bytes]:
        changes, name = self._changes, service_name(key)
        messages = [changes.chain(name)]
        for destination, words in new.destinations.items():
            messages += self._add_destination(key, new, destination, words, devices)
        messages += self._rules(key, new, devices)
        kind, keys = ways_to(key)
        where = map_name(kind, key.family, self._direct)
        return messages + changes.add_ways(where, [(one, name) for one in keys])

    def _remove(self, key: ServiceKey, old: Placed) -> List[bytes]:
        changes, name = self._changes, service_name(key)
        kind, keys = ways_to(key)
        messages = changes.remove_ways(
            map_name(kind, key.family, self._direct), [(one, name) for one in keys]
        )
        messages += [changes.empty_chain(name), changes.remove_set(_slots(name))]
        for destination in old.destinations:
            messages += self._remove_destination(key, old, destination)
        return [*messages, changes.remove_chain(name)]

    def _change(
        self, key: ServiceKey, old: Placed, new: Placed, devices: Devices, moved: bool
    ) -> List[bytes]:
        changes, service = self._changes, service_name(key)
        renewed = old.words.persistence != new.words.persistence
        messages = [changes.empty_chain(service), changes.remove_set(_slots(service))]
        for destination, words in new.destinations.items():
            before = old.destinations.get(destination)
            if before is None:
                messages += self._add_destination(key, new, destination, words, devices)
            elif before != words or moved or renewed:
                name = destination_name(key, destination)
                messages.append(changes.empty_chain(name))
                if renewed:  # clients under other masks and times; flows and counters stay
                    messages += self._renew_clients(key, name, old, new)
                messages += self._destination_rules(key, new, destination, words, devices)
                if not renewed and new.words.persistence is not None and before.weight > 0 >= words.weight:
                    messages.append(changes.empty_set(_clients(name)))
        messages += self._rules(key, new, devices)
        for destination in old.destinations:
            if destination not in new.destinations:
                messages += self._remove_destination(key, old, destination)
        return messages

    def _add_destination(
        self,
        key: ServiceKey,
        new: Placed,
        destination: DestinationKey,
        words: DestinationWords,
        devices: Devices,
    ) -> List[bytes]:
        changes, name = self._changes, destination_name(key, destination)
        messages = [changes.counter(name)]
        address = IPV4 if key.family == 4 else IPV6
        if new.words.persistence is not None:
            messages.append(self._clients_set(key, name, new.words.persistence))
        if self._direct:
            number = next(self._numbers, 0)
            types = (address, PORT) if key.port else (address, PORT, PORT)
            messages.append(changes.memory(_flows(name), types, MOST_FLOWS, _flow_timeout_ms(key), number))
        messages.append(changes.chain(name))
        return messages + self._destination_rules(key, new, destination, words, devices)

    def _clients_set(self, key: ServiceKey, name: str, lasting: Persistence) -> bytes:
        types, number = (IPV4 if key.family == 4 else IPV6,), next(self._numbers, 0)
        timeout_ms = lasting.timeout_s * _SECOND_MS
        return self._changes.memory(_clients(name), types, MOST_CLIENTS, timeout_ms, number)

    def _renew_clients(self, key: ServiceKey, name: str, old: Placed, new: Placed) -> List[bytes]:
        messages = []
        if old.words.persistence is not None:
            messages.append(self._changes.remove_set(_clients(name)))
        if new.words.persistence is not None:
            messages.append(self._clients_set(key, name, new.words.persistence))
        return messages

    def _remove_destination(self, key: ServiceKey, old: Placed, destination: DestinationKey) -> List[bytes]:
        changes, name = self._changes, destination_name(key, destination)
        messages = [changes.empty_chain(name), changes.remove_chain(name)]
        if old.words.persistence is not None:
            messages.append(changes.remove_set(_clients(name)))
        if self._direct:
            messages.append(changes.remove_set(_flows(name)))
        return [*messages, changes.remove_counter(name)]

    def _destination_rules(
        self,
        key: ServiceKey,
        new: Placed,
        destination: DestinationKey,
        words: DestinationWords,
        devices: Devices,
    ) -> List[bytes]:
        changes, name = self._changes, destination_name(key, destination)
        messages: List[bytes] = []
        lasting = new.words.persistence
        if self._direct:
            messages += self._remember_flow(key, name)
        if lasting is not None:
            keep = steer.remember(_clients(name), lasting.timeout_s * _SECOND_MS)
            messages.append(changes.rule(name, self._client(key, lasting), keep))
        device = devices.get(destination, 0)
        comment = destination_comment(destination, words, device)
        count = steer.count_in(name)
        if not self._direct:
            messages += self._translations(key, destination, count, comment)
        elif device:
            send = steer.hand_on(key.family, destination.address, device)
            messages.append(changes.rule(name, count, send, comment=comment))
        else:
            messages.append(changes.rule(name, self._decline(key), comment=comment))
        return messages

    def _remember_flow(self, key: ServiceKey, name: str) -> List[bytes]:
        """A beginning of TCP that nothing follows is soon forgotten, as a flood would fill the set."""
        keep = steer.remember(_flows(name), _flow_timeout_ms(key))
        if key.protocol != TCP:
            return [self._changes.rule(name, self._flow(key), keep)]
        short = steer.remember(_flows(name), BEGUN_TIMEOUT_MS)
        return [
            self._changes.rule(name, steer.begins(True), self._flow(key), short),
            self._changes.rule(name, steer.begins(False), self._flow(key), keep),
        ]

    def _translations(
        self, key: ServiceKey, destination: DestinationKey, count: bytes, comment: str
    ) -> List[bytes]:
        """NAT. By mark, a rule for each protocol: ``nft`` knows ports of one protocol only."""
        send = steer.translate(key.family, destination.address, destination.port)
        name = destination_name(key, destination)
        if key.fwmark and not destination.port:
            return [self._changes.rule(name, count, send, comment=comment)]
        *others, last = (key.protocol,) if key.protocol else sorted(PROTOCOL_WORDS)
        rules = [self._changes.rule(name, protocol(number), count, send) for number in others]
        return [*rules, self._changes.rule(name, protocol(last), count, send, comment=comment)]

    def _rules(self, key: ServiceKey, new: Placed, devices: Devices) -> List[bytes]:
        """The chain of the service; its last rule says in a comment what the service is."""
        changes, name = self._changes, service_name(key)
        messages: List[bytes] = []
        if self._direct:
            messages.append(changes.rule(name, steer.address_is_local(False, False), steer.leave()))
            flow = self._flow(key)
            for destination in new.destinations:
                target = destination_name(key, destination)
                known = steer.known(_flows(target))
                messages.append(changes.rule(name, flow, known, steer.to_chain(target)))
        reachable = [
            (destination, words.weight)
            for destination, words in new.destinations.items()
            if not self._direct or devices.get(destination, 0)
        ]
        if new.words.persistence is not None:
            client = self._client(key, new.words.persistence)
            for destination, weight in reachable:
                if weight > 0:
                    target = destination_name(key, destination)
                    known = steer.known(_clients(target))
                    messages.append(changes.rule(name, client, known, steer.to_chain(target)))
        return messages + self._choice(key, new, reachable)

    def _choice(
        self, key: ServiceKey, new: Placed, servers: Sequence[Tuple[DestinationKey, int]]
    ) -> List[bytes]:
        changes, name = self._changes, service_name(key)
        comment = service_comment(key, new.words)
        owners = nft_slots.slots(new.words.scheduler, servers)
        names: Dict[DestinationKey, str] = {owner: destination_name(key, owner) for owner in set(owners)}
        chosen = [names[owner] for owner in owners] if len(owners) > 1 else []
        number = next(self._numbers, 0)
        messages = changes.choice(_slots(name), number, chosen)  # also without a choice: so it can be removed
        if chosen:
            way = self._slot(key, new, len(chosen)) + steer.verdict_of(_slots(name), 1, number)
        else:
            way = steer.to_chain(names[owners[0]]) if owners else self._decline(key)
        return [*messages, changes.rule(name, way, comment=comment)]

    def _decline(self, key: ServiceKey) -> bytes:
        """Without a server, clients are refused; DR leaves it to this host: few kernels can in netdev."""
        return steer.leave() if self._direct else steer.refuse(key.family)

    def _slot(self, key: ServiceKey, new: Placed, slots: int) -> bytes:
        """The number of a slot, in the first register."""
        scheduler, flags = new.words.scheduler, new.words.flags
        length = 4 if key.family == 4 else 16
        if scheduler == "dh":
            loads = self._own(key) + steer.destination(key.family, steer.HASHED)
            return loads + steer.hashed(length, slots, nft_slots.HASH_SEED)
        if scheduler != "sh":
            return steer.in_turn(slots)
        loads = self._own(key) + steer.source(key.family, steer.HASHED)
        if "flag-2" in flags:  # sh-port
            loads += steer.port(True, steer.hashed_port(length))
            length += 4
        return loads + steer.hashed(length, slots, nft_slots.HASH_SEED)

    def _client(self, key: ServiceKey, lasting: Persistence) -> bytes:
        return self._own(key) + steer.source(key.family) + steer.masked(key.family, lasting.prefix_length)

    def _flow(self, key: ServiceKey) -> bytes:
        """Who speaks: address and port, and where they speak to when the service has every port."""
        next_register = steer.KEY + (1 if key.family == 4 else 4)
        loads = self._own(key) + steer.source(key.family) + steer.port(True, next_register)
        return loads if key.port else loads + steer.port(False, next_register + 1)

    def _own(self, key: ServiceKey) -> bytes:
        """In the table of both families, ``nft`` lists addresses only after the family has been looked at."""
        return steer.in_family(key.family) if self._direct else b""


def dispatch(changes: TableChanges, chain: str, family: int, direct: bool) -> List[bytes]:
    """Rules that lead from a packet to the chain of its service."""
    own = steer.for_this_host(family) if direct else b""
    after = steer.KEY + 1 + (1 if family == 4 else 4)
    start = own + steer.transport() + steer.destination(family, steer.KEY + 1)
    rules = [] if direct else [steer.transport() + steer.mark(steer.KEY + 1) + steer.verdict_of(MARKS)]
    exact = steer.port(False, after) + steer.verdict_of(map_name(SERVICES, family, direct))
    rules += [start + exact, start + steer.verdict_of(map_name(ANY_PORT, family, direct))]
    return [changes.rule(chain, rule) for rule in rules]


def family_of(nfproto: int) -> int:
    """4 or 6."""
    return 4 if nfproto == NFPROTO_IPV4 else 6


def _slots(name: str) -> str:
    return f"{name}/slots"


def _clients(name: str) -> str:
    return f"{name}/clients"


def _flows(name: str) -> str:
    return f"{name}/flows"


def _flow_timeout_ms(key: ServiceKey) -> int:
    return FLOW_TIMEOUT_MS.get(key.protocol, _OTHER_FLOW_TIMEOUT_MS)
