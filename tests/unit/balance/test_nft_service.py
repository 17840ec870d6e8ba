# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of one service: held against a small model of what the kernel lets one do."""

from __future__ import annotations

import itertools
import struct
from typing import Dict, List, Optional, Set, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vrrp_agent.balance.backend import DestinationKey, DestinationWords, Placed, ServiceKey, ServiceWords
from vrrp_agent.balance.nft_service import ServiceWriter, ways_to
from vrrp_agent.balance.nft_words import read_table
from vrrp_agent.conf.parts.balancing import DIRECT, NAT, Forwarding, Persistence
from vrrp_agent.kernel import nft_changes as nft
from vrrp_agent.kernel.attributes import read

HEAD = 20
SERVERS = [DestinationKey(bytes((198, 18, 0, last)), 80) for last in range(1, 5)]
KEY = ServiceKey(4, 6, bytes((198, 51, 100, 10)), 80, 0)
DEVICES = dict.fromkeys(SERVERS, 3)


class Kernel:
    """A table: what refers to what. A removal of what is in use is an error, as in the kernel."""

    def __init__(self) -> None:
        self.chains: Dict[str, List[bytes]] = {}
        self.sets: Set[str] = {"services4", "services"}
        self.counters: Set[str] = set()
        self.ways: Dict[Tuple[str, bytes], str] = {}

    def used(self, name: str) -> bool:
        quoted = name.encode() + b"\0"
        rules = [rule for rules in self.chains.values() for rule in rules]
        return name in self.ways.values() or any(quoted in rule for rule in rules)

    def take(self, messages: List[bytes]) -> None:
        for message in messages:
            (kind,) = struct.unpack_from("=H", message, 4)
            self._take(kind & 0xFF, dict(read(message, HEAD)), message)

    def _take(self, kind: int, said: Dict[int, bytes], message: bytes) -> None:
        names = {number: value.rstrip(b"\0").decode("latin1") for number, value in said.items()}
        if kind == 3:
            assert names[3] not in self.chains
            self.chains[names[3]] = []
        elif kind == 5:
            assert not self.chains.pop(names[3]), "a chain with rules is removed"
            assert not self.used(names[3]), f"{names[3]} is in use"
        elif kind == 6:
            self.chains[names[2]].append(message)
        elif kind == 8:
            self.chains[names[2]].clear()
        elif kind == 9:
            assert "%" not in names[2], "the kernel searches all sets for a free name"
            assert names[2] not in self.sets
            self.sets.add(names[2])
        elif kind == 11:
            self.sets.remove(names[2])
            self.ways = {way: chain for way, chain in self.ways.items() if way[0] != names[2]}
            assert not self.used(names[2]), f"{names[2]} is in use"
        elif kind == 18:
            assert names[2] not in self.counters
            self.counters.add(names[2])
        elif kind == 20:
            self.counters.remove(names[2])
            assert not self.used(names[2]), f"{names[2]} is in use"
        elif kind in (12, 14):
            assert names[2] in self.sets
            for _number, item in read(said.get(3, b""), 0):
                parts = dict(read(item, 0))
                key = (names[2], parts[1][4:])
                if kind == 12:
                    chain = dict(read(dict(read(parts[2], 0))[2], 0))[2].rstrip(b"\0").decode()
                    assert chain in self.chains and key not in self.ways
                    self.ways[key] = chain
                else:
                    del self.ways[key]

    def comments(self) -> List[Tuple[str, str]]:
        return nft.comments([rule for rules in self.chains.values() for rule in rules])


PERSISTENCE = st.sampled_from((None, Persistence(300, 32), Persistence(60, 24)))
SERVICE_WORDS = st.builds(
    ServiceWords, st.sampled_from(("rr", "wrr", "sh", "dh", "fo")), st.just(()), PERSISTENCE
)


def placed(method: str) -> st.SearchStrategy[Optional[Placed]]:
    words = st.builds(DestinationWords, st.integers(0, 3), st.just(Forwarding(method)))
    return st.none() | st.builds(Placed, SERVICE_WORDS, st.dictionaries(st.sampled_from(SERVERS), words))


def steps(method: str) -> st.SearchStrategy[List[Optional[Placed]]]:
    return st.lists(placed(method), min_size=1, max_size=6)


@pytest.mark.parametrize("method", [NAT, DIRECT])
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_every_way_from_table_to_table_can_be_gone(method: str, data: st.DataObject) -> None:
    """Nothing is removed while in use, nothing is left, and the comments say what is there."""
    kernel, before = Kernel(), None
    changes = nft.TableChanges(nft.NFPROTO_NETDEV if method == DIRECT else 2, "t")
    for wanted in [*data.draw(steps(method)), None]:
        writer = ServiceWriter(changes, method == DIRECT, itertools.count(1))
        if wanted != before:
            kernel.take(writer.messages(KEY, before, wanted, DEVICES))
        before = wanted
        found = read_table(kernel.comments()).table
        assert found == ({} if wanted is None else {KEY: wanted})
    assert kernel.chains == {} and kernel.ways == {} and kernel.counters == set()
    assert kernel.sets == {"services4", "services"}


@pytest.mark.parametrize("method", [NAT, DIRECT])
@pytest.mark.parametrize("lasting", [None, Persistence(60, 32), Persistence(300, 24)])
def test_another_persistence_leaves_flows_and_counters(method: str, lasting: Optional[Persistence]) -> None:
    """DR: what is in the set of flows are the connections that clients have."""
    changes = nft.TableChanges(nft.NFPROTO_NETDEV if method == DIRECT else 2, "t")
    writer = ServiceWriter(changes, method == DIRECT, itertools.count(1))
    words = {one: DestinationWords(1, Forwarding(method)) for one in SERVERS}
    old = Placed(ServiceWords("rr", (), Persistence(300, 32)), words)
    new = Placed(ServiceWords("rr", (), lasting), words)
    kernel = Kernel()
    kernel.take(writer.messages(KEY, None, old, DEVICES))
    messages = writer.messages(KEY, old, new, DEVICES)
    kernel.take(messages)
    touched = [
        name.rstrip(b"\0").decode()
        for message in messages
        for kind, name in read(message, HEAD)
        if kind == 2 and message[4] in (9, 11, 14, 18, 20)
    ]
    assert {name.rpartition("/")[2] for name in touched} == {"clients", "slots"}
    assert {name for name in kernel.sets if name.endswith("/clients")} == (
        {f"{name}/clients" for name in kernel.counters} if lasting else set()
    )
    assert read_table(kernel.comments()).table == {KEY: new}


def test_the_way_to_a_service() -> None:
    address = bytes((198, 51, 100, 10))
    assert ways_to(KEY) == ("services", [b"\x06\0\0\0" + address + b"\0\x50\0\0"])
    assert ways_to(KEY._replace(port=0)) == ("any-port", [b"\x06\0\0\0" + address])
    mark = struct.pack("=I", 7)
    name, keys = ways_to(ServiceKey(4, 0, b"", 0, 7))
    assert (name, keys) == ("marks", [bytes((one, 0, 0, 0)) + mark for one in (6, 17, 132)])
