# SPDX-License-Identifier: GPL-3.0-or-later
"""How much the back end on nf_tables asks of the kernel at once: others wait for a transaction."""

from __future__ import annotations

import struct
from typing import Dict, List, Optional, Sequence

import pytest
from vrrp_agent.balance import nftables
from vrrp_agent.balance.backend import Change, DestinationKey, DestinationWords, ServiceKey, ServiceWords
from vrrp_agent.conf.parts.balancing import NAT, TCP, Forwarding

MOST_BYTES = 128 * 1024
SERVERS = [DestinationKey(bytes((198, 18, 0, last)), 80) for last in range(1, 11)]


class Socket:
    """Takes everything, and keeps the transactions."""

    def __init__(self, _what: str) -> None:
        self.commits: List[List[bytes]] = []
        self.owners: Dict[int, str] = {}

    def owner(self, family: int, _name: str) -> Optional[str]:
        return self.owners.get(family)

    def dump(self, _message: bytes) -> List[bytes]:
        return []

    def commit(self, messages: Sequence[bytes]) -> None:
        self.commits.append(list(messages))
        self.owners[2] = nftables.OWNER


def services(number: int) -> List[Change]:
    changes = []
    for port in range(1, number + 1):
        key = ServiceKey(4, TCP, bytes((198, 51, 100, 10)), port, 0)
        changes.append(Change("add", key, ServiceWords("wrr")))
        words = [DestinationWords(weight, Forwarding(NAT)) for weight in range(1, len(SERVERS) + 1)]
        changes += [
            Change("add", key, destination=one, destination_words=said) for one, said in zip(SERVERS, words)
        ]
    return changes


def test_no_transaction_of_many_services_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nftables.nft, "NftSocket", Socket)
    backend = nftables.NftablesBackend()
    assert backend.apply(services(300)) == []
    commits = backend._socket.commits  # type: ignore[attr-defined]
    sizes = [sum(map(len, messages)) for messages in commits]
    print(f"{len(sizes)} transactions, the longest of {max(sizes)} bytes, {sum(sizes)} in all")
    assert max(sizes) < MOST_BYTES + 4096  # the table itself comes on top
    assert len(sizes) <= 2 * sum(sizes) / MOST_BYTES, "they are hardly filled"
    chains = [message for messages in commits for message in messages if kind(message) == 3]
    assert len(chains) == 300 * 11 + 3
    assert len(backend._table) == 300


def kind(message: bytes) -> int:
    (number,) = struct.unpack_from("=H", message, 4)
    return int(number) & 0xFF
