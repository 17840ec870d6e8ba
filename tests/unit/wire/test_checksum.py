# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.wire.checksum import internet_checksum, is_valid, pseudo_header


def by_the_book(data: bytes) -> int:
    """RFC 1071 section 4.1, word by word."""
    data += b"\0" * (len(data) % 2)
    total = sum(word for (word,) in struct.iter_unpack("!H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def test_the_example_of_rfc_1071() -> None:
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D  # complement of ddf2


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0\0", b"\xff\xff", b"\xff\xff\xff\xff", b"\x80", b"\x01\x02\x03"]
)
def test_the_edges_agree_with_the_book(data: bytes) -> None:
    assert internet_checksum(data) == by_the_book(data)


@given(st.binary(max_size=200))
def test_any_data_agrees_with_the_book(data: bytes) -> None:
    assert internet_checksum(data) == by_the_book(data)


@given(st.binary(min_size=2, max_size=200).filter(lambda data: len(data) % 2 == 0))
def test_data_with_its_checksum_is_valid_and_with_another_is_not(data: bytes) -> None:
    right = internet_checksum(data)
    assert is_valid(data + right.to_bytes(2, "big"))
    wrong = right ^ 1
    assert not is_valid(data + wrong.to_bytes(2, "big"))


def test_nothing_but_zeros_is_not_valid() -> None:
    assert not is_valid(bytes(20))


def test_pseudo_headers() -> None:
    assert pseudo_header(b"\1\2\3\4", b"\5\6\7\x08", 112, 12).hex() == "0102030405060708" + "0070000c"
    source, destination = bytes(range(16)), bytes(range(16, 32))
    ipv6 = pseudo_header(source, destination, 58, 0x10020)
    assert ipv6 == source + destination + bytes.fromhex("00010020" + "0000003a")
