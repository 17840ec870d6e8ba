# SPDX-License-Identifier: GPL-3.0-or-later
"""The trailer of auth_hmac, against frames of keepalived 2.4.3.

They were captured in network namespaces: version 2, then version 3 over IPv4 to the group and to a peer,
and over IPv6 to the group, with key 7; then over IPv6 to a peer, with key 9, which is a text. Three of each.
"""

from __future__ import annotations

from typing import List, NamedTuple, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.wire import hmac_trailer, ip
from vrrp_agent.wire.advert import Advert, decode, encode
from vrrp_agent.wire.ethernet import ETHERTYPE_IPV4, parse_frame
from vrrp_agent.wire.keyed import Keyed
from vrrp_agent.wire.pcap import read_capture

from tests.unit.wire.samples import CAPTURES, cases, packed

KEYS = {
    7: hmac_trailer.make_key(bytes(range(32))),
    9: hmac_trailer.make_key(b"correct-horse-battery-staple-and-more-of-it"),
}
OTHER = hmac_trailer.make_key(bytes(32))


class Heard(NamedTuple):
    """One frame, taken apart."""

    source: bytes
    destination: bytes
    message: bytes
    trailer: bytes
    at_s: float

    @property
    def key(self) -> Keyed:
        return KEYS[hmac_trailer.parse(self.trailer).key_id]


def captured() -> List[Heard]:
    found = []
    with (CAPTURES / "keepalived-hmac.pcap").open("rb") as stream:
        for record in read_capture(stream):
            frame = parse_frame(record.data)
            assert frame is not None and record.time_ns is not None
            parse = ip.parse_ipv4 if frame.ethertype == ETHERTYPE_IPV4 else ip.parse_ipv6
            datagram = parse(frame.payload)
            message, trailer = hmac_trailer.split(datagram.payload, len(datagram.source))
            found.append(Heard(datagram.source, datagram.destination, message, trailer, record.time_ns / 1e9))
    return found


ALL = captured()


@pytest.mark.parametrize("heard", ALL)
def test_the_frames_of_keepalived_are_genuine(heard: Heard) -> None:
    assert len(heard.trailer) == hmac_trailer.LENGTH
    assert hmac_trailer.genuine(heard.key, heard.message, heard.trailer, heard.source)
    assert not hmac_trailer.genuine(OTHER, heard.message, heard.trailer, heard.source)


@pytest.mark.parametrize("heard", ALL)
def test_the_message_before_the_trailer_is_whole_and_its_checksum_right(heard: Heard) -> None:
    advert = decode(heard.message, heard.source, heard.destination, trailer=heard.trailer)
    assert (advert.priority, advert.auth_type) == (200, 0)


@pytest.mark.parametrize("heard", ALL)
def test_the_sequence_is_the_time(heard: Heard) -> None:
    seen = hmac_trailer.parse(heard.trailer)
    assert seen.well_formed
    assert seen.seconds + (seen.sequence >> 16 & 0xFFFF) / 65536 == pytest.approx(heard.at_s, abs=0.5)


@pytest.mark.parametrize("heard", ALL)
def test_we_make_the_same_bytes_as_keepalived(heard: Heard) -> None:
    seen = hmac_trailer.parse(heard.trailer)
    begun = hmac_trailer.begin(heard.key, heard.message, heard.source)
    assert hmac_trailer.sign(begun, seen.key_id, seen.sequence) == heard.trailer


def test_it_is_bound_to_its_virtual_router_its_version_and_its_sender() -> None:
    heard = ALL[3]
    other_vrid = heard.message[:1] + b"\x01" + heard.message[2:]
    other_version = bytes((heard.message[0] ^ 0x10,)) + heard.message[1:]
    assert not hmac_trailer.genuine(heard.key, other_vrid, heard.trailer, heard.source)
    assert not hmac_trailer.genuine(heard.key, other_version, heard.trailer, heard.source)
    assert not hmac_trailer.genuine(heard.key, heard.message, heard.trailer, packed("198.51.100.11"))


def test_the_checksum_is_not_covered_since_the_kernel_may_write_it() -> None:
    heard = ALL[3]
    message = heard.message[:6] + b"\x12\x34" + heard.message[8:]
    assert hmac_trailer.genuine(heard.key, message, heard.trailer, heard.source)


@given(st.integers(0, len(ALL[3].message) - 1), st.integers(1, 255))
def test_a_change_of_the_message_is_noticed(place: int, change: int) -> None:
    heard = ALL[3]
    if place in (6, 7):
        return
    message = bytearray(heard.message)
    message[place] ^= change
    assert not hmac_trailer.genuine(heard.key, bytes(message), heard.trailer, heard.source)


@given(st.integers(0, hmac_trailer.LENGTH - 1), st.integers(1, 255))
def test_a_change_of_the_trailer_is_noticed(place: int, change: int) -> None:
    heard = ALL[3]
    trailer = bytearray(heard.trailer)
    trailer[place] ^= change
    assert not hmac_trailer.genuine(heard.key, heard.message, bytes(trailer), heard.source)


@given(cases(), st.binary(min_size=32, max_size=64), st.integers(1, 255), st.integers(0, (1 << 64) - 1))
def test_what_is_signed_is_genuine_and_comes_apart_again(
    case: Tuple[Advert, bytes, bytes], secret: bytes, number: int, sequence: int
) -> None:
    advert, source, group = case
    message = encode(advert, source, group, allow_empty=True)
    key = hmac_trailer.make_key(secret)
    trailer = hmac_trailer.sign(hmac_trailer.begin(key, message, source), number, sequence)
    assert hmac_trailer.split(message + trailer, len(source)) == (message, trailer)
    assert hmac_trailer.parse(trailer)[:4] == (1, number, 0, sequence)
    assert hmac_trailer.genuine(key, message, trailer, source)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 12, 39, 41, 100])
def test_another_length_leaves_no_room_for_a_trailer(length: int) -> None:
    """12 + 28 bytes is the only length that is taken apart."""
    payload = (ALL[3].message + ALL[3].trailer).ljust(100, b"\0")[:length]
    assert hmac_trailer.split(payload, 4) == (payload, b"")


@pytest.mark.parametrize(("wall_ns", "sequence"), [
    (0, 0),
    (1_000_000_000, 1 << 32),
    (1_500_000_000, (1 << 32) | (0x8000 << 16)),
    (1_999_999_999, (1 << 32) | (0xFFFF << 16)),
    ((1 << 32) * 1_000_000_000, 0),
])  # fmt: skip
def test_the_sequence_of_a_clock(wall_ns: int, sequence: int) -> None:
    assert hmac_trailer.clock_sequence(wall_ns) == sequence


def test_a_key_is_not_shown() -> None:
    assert "horse" not in repr(KEYS[9])
