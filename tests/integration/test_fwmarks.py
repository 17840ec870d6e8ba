# SPDX-License-Identifier: GPL-3.0-or-later
"""nftables_ipvs: packets to the members of a group get the group's mark before IPVS sees them."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Iterator
from typing import Any, List

import pytest
from vrrp_agent.balance.fwmark_table import OWNER_COMMENT, FwmarkTables
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.kernel.nft_marks import Entry, Marks
from vrrp_agent.kernel.nftables import NftSocket

from tests.lab.namespace import inside, open_socket
from tests.lab.shell import run

TCP, UDP = 6, 17
TABLE = "keepalived_ipvs"
V4, V6 = "127.0.0.9", "::1"


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


@pytest.fixture
def host() -> Iterator[str]:
    """A namespace with a loopback interface that is up."""
    name = f"marks-{uuid.uuid4().hex[:8]}"
    run("ip", "netns", "add", name)
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        run("ip", "netns", "del", name)


def tables(host: str, priority: int = -1) -> FwmarkTables:
    return FwmarkTables(TABLE, priority, kernel=inside(host, lambda: NftSocket("marks")))


def nft(host: str, *words: str) -> List[Any]:
    found: List[Any] = json.loads(run("ip", "netns", "exec", host, "nft", "-j", *words))["nftables"]
    return found


def marked(host: str, family: int, address: str, port: int) -> int:
    """The mark that one datagram to this place has when it is let in."""
    kind = socket.AF_INET6 if family == 6 else socket.AF_INET
    for mark in (1000, 1001):
        run(
            "ip",
            "netns",
            "exec",
            host,
            "nft",
            "add table inet watch; flush table inet watch; "
            "add chain inet watch in { type filter hook input priority 50 ; }; "
            f"add rule inet watch in udp dport {port} meta mark {mark} counter",
        )
        with open_socket(host, kind, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"?", (address, port))
        (rule,) = [one["rule"] for one in nft(host, "list", "table", "inet", "watch") if "rule" in one]
        if rule["expr"][-1]["counter"]["packets"]:
            return mark
    return 0


MARKS: Marks = {
    Entry(4, UDP, packed(V4), 5000): 1000,
    Entry(4, TCP, packed(V4), 5001): 1000,
    Entry(4, UDP, packed("127.0.0.8"), 0): 1001,
    Entry(6, UDP, packed(V6), 5000): 1001,
}


def test_packets_get_the_mark_of_their_group_and_others_none(host: str) -> None:
    tables(host).reach(MARKS)
    seen = {
        (address, port): marked(host, 6 if ":" in address else 4, address, port)
        for address, port in (
            (V4, 5000),
            (V4, 5001),
            ("127.0.0.8", 7),
            ("127.0.0.7", 5000),
            (V6, 5000),
            (V6, 1),
        )
    }
    assert seen == {
        (V4, 5000): 1000,
        (V4, 5001): 0,  # that is TCP's
        ("127.0.0.8", 7): 1001,
        ("127.0.0.7", 5000): 0,
        (V6, 5000): 1001,
        (V6, 1): 0,
    }


def test_a_successor_finds_what_was_written_and_changes_only_what_differs(host: str) -> None:
    tables(host).reach(MARKS)
    before = nft(host, "-a", "list", "ruleset")
    successor = tables(host)
    assert successor.marks == MARKS
    successor.reach(MARKS)
    assert nft(host, "-a", "list", "ruleset") == before

    many = {Entry(4, TCP, bytes((198, 18, number >> 8, number & 255)), 80): 1002 for number in range(1000)}
    changed = {**many, Entry(4, UDP, packed(V4), 5000): 1001}
    successor.reach(changed)
    assert tables(host).marks == changed
    rules = [one["rule"]["handle"] for one in nft(host, "-a", "list", "table", "ip", TABLE) if "rule" in one]
    assert rules == [one["rule"]["handle"] for one in before if one.get("rule", {}).get("family") == "ip"]
    families = {one["table"]["family"] for one in nft(host, "list", "tables") if "table" in one}
    assert families == {"ip"}, "the table of IPv6 has nothing to do any more"


def test_another_priority_makes_the_chain_anew_and_the_end_leaves_nothing(host: str) -> None:
    tables(host).reach(MARKS)
    moved = tables(host, priority=7)
    moved.reach(MARKS)
    chains = [one["chain"]["prio"] for one in nft(host, "list", "ruleset") if "chain" in one]
    assert chains == [7, 7]
    assert tables(host).marks == MARKS
    moved.remove()
    assert not [one for one in nft(host, "list", "ruleset") if "table" in one]


@pytest.mark.parametrize("look", [True, False])
def test_a_table_that_somebody_has_flushed_is_made_again(host: str, look: bool) -> None:
    ours = tables(host)
    ours.reach(MARKS)
    run("ip", "netns", "exec", host, "nft", "flush", "ruleset")
    wanted = MARKS if look else {**MARKS, Entry(4, TCP, packed(V4), 9): 1009}
    ours.reach(wanted, look)
    assert tables(host).marks == wanted


def test_a_table_of_somebody_else_is_left_alone(host: str) -> None:
    run("ip", "netns", "exec", host, "nft", "add", "table", "ip", TABLE)
    with pytest.raises(KernelError, match="somebody else") as refusal:
        tables(host)
    assert f"nft delete table ip {TABLE}" in refusal.value.hint
    assert OWNER_COMMENT not in json.dumps(nft(host, "list", "ruleset"))
