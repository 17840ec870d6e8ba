# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from vrrp_agent.wire.address import is_multicast
from vrrp_agent.wire.discard import DecodeError, Discard
from vrrp_agent.wire.ip import (
    build_ipv4,
    build_ipv6,
    header_checksum_ok,
    inspect_ipv4,
    parse_ipv4,
    parse_ipv6,
)

from tests.unit.wire.samples import (
    GROUP4,
    GROUP6,
    KEEPALIVED_V2_PASS,
    KEEPALIVED_V3_IPV6,
    SOURCE4,
    SOURCE6,
    datagram4,
    datagram6,
    packed,
)

MESSAGE = b"a VRRP message!!"


def test_an_ipv4_datagram_is_the_one_that_keepalived_sends() -> None:
    theirs = KEEPALIVED_V2_PASS[14:]
    ours = build_ipv4(packed("198.51.100.10"), GROUP4, theirs[20:])
    # The identification is Linux's to choose when it is 0, and the checksum changes with it.
    assert ours[:4] + ours[6:10] + ours[12:] == theirs[:4] + theirs[6:10] + theirs[12:]
    assert ours[4:6] == bytes(2)
    assert ours[8] == 255
    assert ours[9] == 112
    assert ours[1] == 0xC0
    assert header_checksum_ok(ours)
    assert header_checksum_ok(theirs)


def test_an_ipv6_datagram_is_the_one_that_keepalived_sends() -> None:
    theirs = KEEPALIVED_V3_IPV6[14:]
    ours = build_ipv6(packed("fe80::347e:5fff:fe20:86d7"), GROUP6, theirs[40:])
    assert ours[:1] == b"\x6c", "traffic class c0"
    assert ours[1:2].hex()[0] == theirs[1:2].hex()[0] == "0"
    assert ours[4:] == theirs[4:], "all but the flow label, which Linux chooses"


def test_scapy_reads_what_we_build() -> None:
    packet = IP(build_ipv4(SOURCE4, GROUP4, MESSAGE, ttl=7, tos=0x10, protocol=51))
    checksum = packet.chksum
    del packet.chksum
    assert IP(bytes(packet)).chksum == checksum
    assert (packet.src, packet.dst, packet.ttl, packet.tos, packet.proto) == (
        "192.0.2.10",
        "224.0.0.18",
        7,
        0x10,
        51,
    )
    assert bytes(packet.payload) == MESSAGE
    packet6 = IPv6(build_ipv6(SOURCE6, GROUP6, MESSAGE, ttl=7, tos=0x10, protocol=58))
    assert (packet6.src, packet6.dst, packet6.hlim, packet6.tc, packet6.nh, packet6.plen) == (
        "fe80::10",
        "ff02::12",
        7,
        0x10,
        58,
        16,
    )


@given(st.binary(max_size=1000), st.integers(0, 255), st.integers(0, 255))
def test_what_is_built_is_parsed_as_it_was(payload: bytes, ttl: int, protocol: int) -> None:
    four = parse_ipv4(build_ipv4(SOURCE4, GROUP4, payload, ttl=ttl, protocol=protocol))
    assert (four.source, four.destination, four.ttl, four.protocol) == (SOURCE4, GROUP4, ttl, protocol)
    assert four.payload == payload
    six = parse_ipv6(build_ipv6(SOURCE6, GROUP6, payload, ttl=ttl))
    assert (six.source, six.destination, six.ttl, six.protocol) == (SOURCE6, GROUP6, ttl, 112)
    assert six.payload == payload


@pytest.mark.parametrize("words", range(11))
def test_ipv4_options_are_skipped(words: int) -> None:
    data = datagram4(MESSAGE, options=b"\x01" * 4 * words)
    assert data[0] == 0x45 + words
    assert parse_ipv4(data).payload == MESSAGE


@pytest.mark.parametrize("padding", [1, 6, 18, 100])
def test_padding_behind_the_datagram_is_left_out(padding: int) -> None:
    assert parse_ipv4(datagram4(MESSAGE) + b"\xee" * padding).payload == MESSAGE
    assert parse_ipv6(datagram6(MESSAGE) + b"\xee" * padding).payload == MESSAGE


def damage(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Discard.IP_HEADER),
        (datagram4(MESSAGE)[:19], Discard.IP_HEADER),
        (damage(datagram4(MESSAGE), 0, b"\x44"), Discard.IP_HEADER),  # header length 16
        (damage(datagram4(MESSAGE), 0, b"\x40"), Discard.IP_HEADER),
        (damage(datagram4(MESSAGE), 0, b"\x65"), Discard.IP_HEADER),  # version 6
        (damage(datagram4(MESSAGE), 2, b"\x00\x13"), Discard.IP_HEADER),  # total length 19
        (damage(datagram4(MESSAGE), 2, b"\x00\x00"), Discard.IP_HEADER),
        (damage(datagram4(MESSAGE), 2, b"\x00\x25"), Discard.LENGTH),  # one more than there is
        (datagram4(MESSAGE)[:-1], Discard.LENGTH),
        (damage(datagram4(MESSAGE), 0, b"\x4f"), Discard.IP_HEADER),  # header longer than the datagram
        (datagram4(MESSAGE, fragment=0x2000), Discard.IP_HEADER),
        (datagram4(MESSAGE, fragment=1), Discard.IP_HEADER),
    ],
)
def test_a_damaged_ipv4_header_is_refused(data: bytes, reason: Discard) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_ipv4(data)
    assert caught.value.reason is reason


def test_dont_fragment_is_no_fragment() -> None:
    assert parse_ipv4(datagram4(MESSAGE, fragment=0x4000)).payload == MESSAGE


def test_a_damaged_header_still_says_who_sent_it() -> None:
    datagram, problem = inspect_ipv4(damage(datagram4(MESSAGE), 0, b"\x44"))
    assert problem is not None
    assert (datagram.source, datagram.destination, datagram.protocol) == (SOURCE4, GROUP4, 112)
    assert datagram.payload == b"", "nobody knows where the payload begins"


def extension(next_header: int, length_units: int = 0, fill: bytes = b"\x01\x04\0\0\0\0") -> bytes:
    return bytes((next_header, length_units)) + fill


@pytest.mark.parametrize(
    ("first", "headers"),
    [
        (0, extension(112)),
        (60, extension(112)),
        (0, extension(60) + extension(112)),
        (0, extension(112, 1, b"\x01\x0c" + bytes(12))),
        (44, extension(112, 0, bytes(6))),  # an atomic fragment, RFC 6946
    ],
)
def test_ipv6_options_are_skipped(first: int, headers: bytes) -> None:
    datagram = parse_ipv6(datagram6(headers + MESSAGE, next_header=first))
    assert (datagram.protocol, datagram.payload) == (112, MESSAGE)


def test_scapys_ipv6_options_are_skipped() -> None:
    for layers in (IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt()):
        packet = IPv6(src="fe80::10", dst="ff02::12") / layers
        packet.lastlayer().nh = 112
        assert parse_ipv6(bytes(packet / MESSAGE)).payload == MESSAGE
    fragment = IPv6(src="fe80::10", dst="ff02::12") / IPv6ExtHdrFragment(nh=112, m=1) / MESSAGE
    with pytest.raises(DecodeError, match="fragment"):
        parse_ipv6(bytes(fragment))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Discard.IP_HEADER),
        (datagram6(MESSAGE)[:39], Discard.IP_HEADER),
        (damage(datagram6(MESSAGE), 0, b"\x45"), Discard.IP_HEADER),
        (datagram6(MESSAGE)[:-1], Discard.LENGTH),
        (datagram6(b"", next_header=0), Discard.IP_HEADER),
        (datagram6(b"\x70", next_header=0), Discard.IP_HEADER),
        (datagram6(extension(112)[:7], next_header=60), Discard.IP_HEADER),
        (datagram6(extension(112, 255), next_header=0), Discard.IP_HEADER),
        (datagram6(extension(112, 0, b"\x00\x01" + bytes(4)) + MESSAGE, next_header=44), Discard.IP_HEADER),
        (datagram6(extension(112, 0, b"\x00\x08" + bytes(4)) + MESSAGE, next_header=44), Discard.IP_HEADER),
    ],
)
def test_a_damaged_ipv6_header_is_refused(data: bytes, reason: Discard) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_ipv6(data)
    assert caught.value.reason is reason


def test_headers_that_are_not_options_end_the_walk() -> None:
    for protocol in (6, 17, 43, 50, 58, 59):
        assert parse_ipv6(datagram6(MESSAGE, next_header=protocol)).protocol == protocol


@pytest.mark.parametrize(
    "arguments",
    [(SOURCE6, GROUP4, b""), (SOURCE4, GROUP6, b""), (SOURCE4, GROUP4, bytes(65516))],
)
def test_what_does_not_fit_ipv4_is_refused(arguments: Tuple[bytes, bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="bytes"):
        build_ipv4(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [(SOURCE4, GROUP6, b""), (SOURCE6, GROUP4, b""), (SOURCE6, GROUP6, bytes(65536))],
)
def test_what_does_not_fit_ipv6_is_refused(arguments: Tuple[bytes, bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="bytes"):
        build_ipv6(*arguments)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("223.255.255.255", False),
        ("224.0.0.0", True),
        ("224.0.0.18", True),
        ("239.255.255.255", True),
        ("240.0.0.1", False),
        ("fe80::1", False),
        ("ff02::12", True),
    ],
)
def test_multicast_addresses(text: str, expected: bool) -> None:
    assert is_multicast(packed(text)) is expected
