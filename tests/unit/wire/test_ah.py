# SPDX-License-Identifier: GPL-3.0-or-later
"""The IPsec authentication header, against frames of keepalived 2.2.7 with ``auth_pass s3cret``."""

from __future__ import annotations

from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.wire import ah, ip
from vrrp_agent.wire.advert import decode
from vrrp_agent.wire.discard import DecodeError
from vrrp_agent.wire.ethernet import parse_frame
from vrrp_agent.wire.pcap import read_capture

from tests.unit.wire.samples import CAPTURES, packed

KEY = ah.make_key(b"s3cret")
SOURCE, GROUP, PEER = packed("198.51.100.10"), packed("224.0.0.18"), packed("198.51.100.11")
MUTABLE = {"tos": 1, "fragment": 6, "fragment offset": 7, "checksum": 10, "checksum low": 11}


def captured() -> List[bytes]:
    """Six datagrams: three to the group, then three to a unicast peer."""
    datagrams = []
    with (CAPTURES / "keepalived-ah.pcap").open("rb") as stream:
        for record in read_capture(stream):
            frame = parse_frame(record.data)
            assert frame is not None
            datagrams.append(frame.payload)
    return datagrams


def is_unicast(datagram: bytes) -> bool:
    return datagram[16:20] != GROUP


def template(destination: bytes = GROUP, message: bytes = b"message") -> bytes:
    return ip.build_ipv4(SOURCE, destination, ah.blank_header(SOURCE) + message, protocol=ah.PROTOCOL)


def test_the_frames_of_keepalived_are_genuine() -> None:
    datagrams = captured()
    assert [is_unicast(one) for one in datagrams] == [False] * 3 + [True] * 3
    for datagram in datagrams:
        assert ah.genuine(datagram, KEY, unicast=is_unicast(datagram))


def test_what_stands_in_the_header_and_behind_it() -> None:
    for datagram, sequence in zip(captured(), (1, 2, 3, 1, 2, 3)):
        outer = ip.parse_ipv4(datagram)
        header = ah.parse(outer.payload)
        assert (header.next_protocol, header.spi, header.sequence) == (112, SOURCE, sequence)
        advert = decode(outer.payload[ah.LENGTH :], outer.source, outer.destination)
        assert (advert.auth_type, advert.auth_data, advert.addresses) == (
            2, bytes(8), (packed("198.51.100.100"),)
        )  # fmt: skip


def test_we_make_the_same_bytes_as_keepalived() -> None:
    for datagram in captured():
        blank = template(datagram[16:20], datagram[20 + ah.LENGTH :])
        sequence, number = int.from_bytes(datagram[28:32], "big"), int.from_bytes(datagram[4:6], "big")
        ours = ah.seal(blank, KEY, sequence, number, unicast=is_unicast(datagram))
        assert ours == datagram


def test_another_password_is_noticed() -> None:
    assert not ah.genuine(captured()[0], ah.make_key(b"s3creT"), unicast=False)


@pytest.mark.parametrize("place", MUTABLE.values(), ids=list(MUTABLE))
def test_what_routers_may_change_is_not_covered(place: int) -> None:
    datagram = bytearray(captured()[0])
    datagram[place] ^= 0x5A
    assert ah.genuine(bytes(datagram), KEY, unicast=False)


def test_the_ttl_is_covered_where_it_must_be_255() -> None:
    """keepalived zeroes it for unicast only."""
    multicast, unicast = bytearray(captured()[0]), bytearray(captured()[3])
    multicast[8] = unicast[8] = 254
    assert not ah.genuine(bytes(multicast), KEY, unicast=False)
    assert ah.genuine(bytes(unicast), KEY, unicast=True)


@given(st.integers(0, 63), st.integers(1, 255))
def test_a_change_of_anything_else_is_noticed(place: int, change: int) -> None:
    if place in MUTABLE.values() or place == 0:  # the first byte says where the header ends
        return
    datagram = bytearray(captured()[0])
    assert place < len(datagram)
    datagram[place] ^= change
    assert not ah.genuine(bytes(datagram), KEY, unicast=False)


@given(
    st.binary(min_size=1, max_size=8), st.binary(max_size=300), st.integers(1, 0xFFFFFFFF),
    st.integers(1, 0xFFFF), st.booleans(),
)  # fmt: skip
def test_what_is_sealed_is_genuine(
    password: bytes, message: bytes, sequence: int, number: int, unicast: bool
) -> None:
    key = ah.make_key(password)
    blank = template(PEER if unicast else GROUP, message)
    sealed = ah.seal(blank, key, sequence, number, unicast=unicast)
    assert ah.genuine(sealed, key, unicast=unicast)
    assert ah.parse(ip.parse_ipv4(sealed).payload).sequence == sequence
    assert len(sealed) == len(blank)


@pytest.mark.parametrize(("payload", "reason"), [
    (b"", "length"),
    (ah.blank_header(SOURCE)[:23], "length"),
    (b"\x70\x05" + ah.blank_header(SOURCE)[2:], "ah_header"),
])  # fmt: skip
def test_what_is_no_header_of_vrrp(payload: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        ah.parse(payload)
    assert caught.value.reason.value == reason


def test_a_key_is_not_shown() -> None:
    assert "s3cret" not in repr(KEY)
