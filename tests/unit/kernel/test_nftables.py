# SPDX-License-Identifier: GPL-3.0-or-later
"""nf_tables messages, read by another program's decoder."""

from __future__ import annotations

import struct
from typing import Any, List, Type

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.nfnetlink.nftsocket import (
    nft_chain_msg,
    nft_rule_msg,
    nft_set_elem_list_msg,
    nft_set_msg,
    nft_table_msg,
)
from vrrp_agent.kernel import nft_rules as rule
from vrrp_agent.kernel import nftables as nft
from vrrp_agent.kernel.netlink import split

TABLE = nft.Table(
    nft.NFPROTO_IPV4,
    "vrrp",
    (nft.Chain("in", nft.HOOK_INPUT, -1), nft.Chain("other")),
    (
        nft.Set("vips", (nft.TYPE_IPV4_ADDRESS,), ((b"\xc6\x33\x64\x64", b""),)),
        nft.Set("map", (nft.TYPE_IFINDEX,), ((struct.pack("=I", 3), struct.pack("=I", 2)),), is_map=True),
    ),
    (nft.Rule("in", (rule.destination_of(2), rule.among("vips"), rule.verdict(rule.DROP))),),
)
KINDS = {0: "table", 3: "chain", 6: "rule", 9: "set", 12: "elements"}


def read(kind: Type[Any], message: bytes) -> Any:
    """A message as pyroute2 reads it."""
    found = kind(message)
    found.decode()
    return found


def numbers(messages: List[bytes]) -> List[str]:
    """What kind each message is of; all are of nf_tables."""
    found = []
    for message in messages:
        (kind,) = struct.unpack_from("=H", message, 4)
        assert kind >> 8 == 10
        found.append(KINDS[kind & 0xFF])
    return found


def test_a_table_is_made_from_the_outside_in() -> None:
    messages = nft.make_table(TABLE, "vrrp-agent")
    assert numbers(messages) == ["table", "chain", "chain", "set", "elements", "set", "elements", "rule"]
    table = read(nft_table_msg, messages[0])
    assert table.get_attr("NFTA_TABLE_NAME") == "vrrp"
    assert table["nfgen_family"] == 2
    chain = read(nft_chain_msg, messages[1])
    assert chain.get_attr("NFTA_CHAIN_NAME") == "in"
    assert chain.get_attr("NFTA_CHAIN_TYPE") == "filter"
    hook = chain.get_attr("NFTA_CHAIN_HOOK")
    assert (hook.get_attr("NFTA_HOOK_HOOKNUM"), hook.get_attr("NFTA_HOOK_PRIORITY")) == (1, -1)
    assert read(nft_chain_msg, messages[2]).get_attr("NFTA_CHAIN_HOOK") is None


def test_a_set_has_its_key_and_a_map_its_value() -> None:
    messages = nft.make_table(TABLE, "vrrp-agent")
    vips = read(nft_set_msg, messages[3])
    assert (vips.get_attr("NFTA_SET_NAME"), vips.get_attr("NFTA_SET_KEY_LEN")) == ("vips", 4)
    found = read(nft_set_msg, messages[5])
    assert found.get_attr("NFTA_SET_DATA_LEN") == 4
    elements = read(nft_set_elem_list_msg, messages[4])
    assert elements.get_attr("NFTA_SET_ELEM_LIST_SET") == "vips"
    assert b"\xc6\x33\x64\x64" in messages[4]


def test_a_rule_holds_its_expressions_in_order() -> None:
    made = read(nft_rule_msg, nft.make_table(TABLE, "vrrp-agent")[-1])
    assert made.get_attr("NFTA_RULE_CHAIN") == "in"
    names = [one.get_attr("NFTA_EXPR_NAME") for one in made.get_attr("NFTA_RULE_EXPRESSIONS")]
    assert names == ["payload", "lookup", "immediate"]


def test_elements_are_split_into_messages_that_fit() -> None:
    """An attribute is at most 64 KiB long."""
    keys = [(struct.pack("!I", number), b"") for number in range(1201)]
    messages = nft.add_elements(nft.NFPROTO_IPV4, "vrrp", "vips", keys)
    assert len(messages) == 3
    assert all(len(message) < 0xFFFF for message in messages)
    assert nft.add_elements(nft.NFPROTO_IPV4, "vrrp", "vips", []) == []


@pytest.mark.parametrize(
    "kind, value, length",
    [
        (nft.TYPE_IFNAME, b"vrrp.51", 16),
        (nft.TYPE_IFNAME, b"", 16),
        (nft.TYPE_IPV4_ADDRESS, bytes(4), 4),
        (nft.TYPE_ICMPV6, b"\x87", 4),
    ],
)
def test_a_key_fills_whole_registers(kind: int, value: bytes, length: int) -> None:
    key = nft.key_of(kind, value)
    assert len(key) == length and key.startswith(value) and not key[len(value) :].strip(b"\0")


@given(st.lists(st.binary(min_size=4, max_size=4), unique=True, max_size=40))
def test_every_message_is_as_long_as_it_says(addresses: List[bytes]) -> None:
    messages = nft.add_elements(nft.NFPROTO_IPV4, "vrrp", "vips", [(one, b"") for one in addresses])
    for message in messages:
        ((_kind, _flags, _sequence, _port, whole),) = split(message)
        assert whole == message and len(message) % 4 == 0
