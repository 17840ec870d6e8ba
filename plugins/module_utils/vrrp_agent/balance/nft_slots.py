# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which server has which slot: nf_tables counts or hashes to a slot, and a map leads from it to a server."""

from __future__ import annotations

import functools
import hashlib
import math
import struct
from typing import List, Sequence, Tuple

from .backend import DestinationKey

MOST_TURNS = 1000
"""Slots of wrr; weights that would need more are scaled, each server keeping one at least."""
HASH_SLOTS = 256
"""Slots of sh and dh, as many as IPVS has."""
HASH_SEED = 0x76727270
"""The same everywhere, so that a client finds its server after a failover to another director too."""

Weighted = Tuple[DestinationKey, int]


def slots(scheduler: str, servers: Sequence[Weighted]) -> Tuple[DestinationKey, ...]:
    """The server of each slot; empty when no server has a weight above 0.

    rr and dh look at weights above 0 only, as IPVS does. fo has one server: the first of the highest weight.
    """
    live = [server for server in servers if server[1] > 0]
    if not live:
        return ()
    if scheduler == "fo":
        return (max(live, key=lambda server: server[1])[0],)
    if scheduler in ("sh", "dh"):
        return hash_slots(tuple(live if scheduler == "sh" else [(key, 1) for key, _weight in live]))
    if scheduler == "rr":
        return tuple(key for key, _weight in live)
    return turns(live)


def turns(servers: Sequence[Weighted]) -> Tuple[DestinationKey, ...]:
    """Each server as often as its weight says, and spread as evenly as can be: no bursts to the heaviest."""
    weights = scaled([weight for _key, weight in servers])
    total = sum(weights)
    credit, order = [0] * len(weights), []
    for _turn in range(total):
        for at, weight in enumerate(weights):
            credit[at] += weight
        chosen = max(range(len(weights)), key=credit.__getitem__)
        credit[chosen] -= total
        order.append(servers[chosen][0])
    return tuple(order)


def scaled(weights: Sequence[int]) -> List[int]:
    """The same shares in the smallest numbers; not exactly the same where MOST_TURNS would not do."""
    divisor = functools.reduce(math.gcd, weights)
    smallest = [weight // divisor for weight in weights]
    total = sum(smallest)
    if total <= MOST_TURNS:
        return smallest
    return [max(1, round(weight * MOST_TURNS / total)) for weight in smallest]


@functools.lru_cache(maxsize=256)  # one farm is often behind many services
def hash_slots(servers: Tuple[Weighted, ...]) -> Tuple[DestinationKey, ...]:
    """Slots in shares of the weights. Servers take the slots that they like best, each in its turn.

    What a server likes depends on its address and port alone: another order of the servers changes nothing,
    and when one leaves, few slots move but its own.
    """
    ordered = sorted(servers)
    liked = {key: iter(_preferences(key)) for key, _weight in ordered}
    owners: List[DestinationKey] = [ordered[0][0]] * HASH_SLOTS
    free = set(range(HASH_SLOTS))
    while free:
        for key in turns(ordered):
            for slot in liked[key]:
                if slot in free:
                    owners[slot] = key
                    free.discard(slot)
                    break
            if not free:
                break
    return tuple(owners)


@functools.lru_cache(maxsize=4096)  # one server is often behind many services
def _preferences(key: DestinationKey) -> Tuple[int, ...]:
    seed = key.address + struct.pack("!H", key.port)
    likings = struct.unpack(f"!{HASH_SLOTS}Q", hashlib.shake_128(seed).digest(HASH_SLOTS * 8))
    return tuple(sorted(range(HASH_SLOTS), key=likings.__getitem__))
