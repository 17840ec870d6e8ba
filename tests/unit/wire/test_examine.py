# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``sniff`` says about a packet."""

from __future__ import annotations

import struct
from dataclasses import asdict
from typing import Any, Dict, List, Optional, Tuple

import pytest
from vrrp_agent.wire.advert import ChecksumForm, encode
from vrrp_agent.wire.discard import Discard
from vrrp_agent.wire.examine import (
    LINK_COOKED,
    LINK_COOKED_V2,
    LINK_ETHERNET,
    LINK_IPV4,
    LINK_IPV6,
    LINK_LOOP,
    LINK_NULL,
    LINK_RAW,
    Sighting,
    examine,
)
from vrrp_agent.wire.pcap import read_capture

from tests.unit.wire.samples import (
    ADVERT_V2,
    ADVERT_V2_PASS,
    ADVERT_V3,
    ADVERT_V3_IPV6,
    CAPTURES,
    CARP,
    GROUP4,
    GROUP6,
    KEEPALIVED_GARP,
    KEEPALIVED_NA,
    SOURCE4,
    SOURCE6,
    VIP4,
    datagram4,
    datagram6,
    ethernet,
    message_v2,
    message_v3,
    packed,
    pseudo6,
    summed,
)

V2, V2_PASS = encode(ADVERT_V2, SOURCE4, GROUP4), encode(ADVERT_V2_PASS, SOURCE4, GROUP4)
V3, V3_IPV6 = encode(ADVERT_V3, SOURCE4, GROUP4), encode(ADVERT_V3_IPV6, SOURCE6, GROUP6)


def seen(data: bytes, link_type: int = LINK_ETHERNET) -> Sighting:
    sighting = examine(data, link_type)
    assert sighting is not None, "not recognised as VRRP"
    return sighting


def seen4(message: bytes, **header: Any) -> Sighting:
    return seen(ethernet(datagram4(message, **header)))


def sightings(name: str) -> List[Sighting]:
    with open(CAPTURES / name, "rb") as stream:
        found = [examine(record.data, record.link_type) for record in read_capture(stream)]
    return [sighting for sighting in found if sighting is not None]


# -- good packets


def test_everything_is_told_about_an_advert() -> None:
    assert asdict(seen4(V3)) == {
        "src": "192.0.2.10",
        "dst": "224.0.0.18",
        "ttl": 255,
        "version": 3,
        "vrid": 10,
        "priority": 100,
        "interval_s": 1.0,
        "addresses": ("192.0.2.1",),
        "auth_type": None,
        "checksum_ok": True,
        "checksum_form": ChecksumForm.PSEUDO_HEADER,
        "verdict": "accept",
        "detail": "",
        "source_mac": "02:00:00:00:00:0a",
        "vlans": (),
        "protection": "",
    }


def test_version_2_has_an_authentication_type_and_whole_seconds() -> None:
    for message, kind in ((V2, 0), (V2_PASS, 1)):
        sighting = seen4(message)
        assert (sighting.version, sighting.auth_type, sighting.interval_s) == (2, kind, 1.0)
        assert (sighting.checksum_form, sighting.verdict) == (ChecksumForm.MESSAGE, "accept")


def test_the_password_is_told_to_nobody() -> None:
    assert "secret" not in repr(seen4(V2_PASS))


def test_ipv6() -> None:
    sighting = seen(ethernet(datagram6(V3_IPV6), 0x86DD))
    assert (sighting.src, sighting.dst) == ("fe80::10", "ff02::12")
    assert sighting.addresses == ("fe80::1", "2001:db8::1")
    assert sighting.verdict == "accept"


def test_the_form_of_the_checksum_is_told() -> None:
    sighting = seen4(message_v3())
    assert (sighting.checksum_ok, sighting.checksum_form) == (True, ChecksumForm.MESSAGE)


def test_a_capture_of_keepalived_is_told_packet_by_packet() -> None:
    told = [
        (one.version, one.vrid, one.priority, one.interval_s, one.auth_type, one.verdict)
        for one in sightings("keepalived.pcap")
    ]
    assert told == [
        (3, 12, 200, 0.3, None, "accept"),
        (3, 11, 200, 0.5, None, "accept"),
        (2, 10, 200, 1.0, 1, "accept"),
        (2, 10, 0, 1.0, 1, "accept"),
        (3, 11, 0, 0.5, None, "accept"),
        (3, 12, 0, 0.3, None, "accept"),
    ]


@pytest.mark.parametrize("name", ["keepalived-cooked.pcap", "keepalived-cooked-v2.pcap"])
def test_captures_of_the_any_device_are_read(name: str) -> None:
    found = sightings(name)
    assert [(one.version, one.vrid) for one in found] == [(2, 10), (3, 11), (3, 12)]
    assert {one.verdict for one in found} == {"accept"}
    assert {one.source_mac for one in found} == {"36:7e:5f:20:86:d7"}


# -- around the message: tags, padding, options, other links


@pytest.mark.parametrize(
    ("tags", "vlans"),
    [
        ((0x81000032,), (50,)),
        ((0x8100E032,), (50,)),
        ((0x88A8003C, 0x81000046), (60, 70)),
        ((0x9100003C, 0x81000046), (60, 70)),
        ((0x81000001, 0x81000002, 0x81000003), (1, 2, 3)),
    ],
)
def test_vlan_tags_are_read(tags: Tuple[int, ...], vlans: Tuple[int, ...]) -> None:
    for payload, ethertype in ((datagram4(V3), 0x0800), (datagram6(V3_IPV6), 0x86DD)):
        sighting = seen(ethernet(payload, ethertype, tags))
        assert sighting.vlans == vlans
        assert sighting.verdict == "accept"


@pytest.mark.parametrize("fill", [b"\0", b"\xee"])
def test_ethernet_padding_is_no_part_of_the_packet(fill: bytes) -> None:
    for message in (V2, V3, message_v3()):
        frame = ethernet(datagram4(message)).ljust(60, fill)
        assert len(frame) == 60
        assert seen(frame).verdict == "accept"


def test_surplus_bytes_inside_the_datagram_are() -> None:
    sighting = seen4(V3 + bytes(8))
    assert (sighting.verdict, sighting.checksum_ok) == ("length", True), "the message itself is sound"


@pytest.mark.parametrize("words", [1, 10])
def test_ip_options_are_skipped(words: int) -> None:
    assert seen4(V3, options=b"\x01" * 4 * words).verdict == "accept"


def test_ipv6_options_are_skipped() -> None:
    header = bytes((112, 0, 1, 4, 0, 0, 0, 0))
    assert seen(ethernet(datagram6(header + V3_IPV6, next_header=0), 0x86DD)).verdict == "accept"


@pytest.mark.parametrize(
    ("link_type", "header"),
    [
        (LINK_RAW, b""),
        (LINK_IPV4, b""),
        (12, b""),
        (LINK_NULL, b"\x02\0\0\0"),
        (LINK_LOOP, b"\0\0\0\x02"),
        (LINK_COOKED, bytes.fromhex("0002000100060200000000 0a0000 0800")),
        (LINK_COOKED_V2, bytes.fromhex("0800 0000 00000002 0001 02 06 02000000000a 0000")),
        (LINK_COOKED, bytes.fromhex("0002000100060200000000 0a0000 8100 0032 0800")),
    ],
)
def test_other_link_types_are_read(link_type: int, header: bytes) -> None:
    sighting = seen(header + datagram4(V3), link_type)
    assert (sighting.src, sighting.verdict) == ("192.0.2.10", "accept")
    cooked = link_type in (LINK_COOKED, LINK_COOKED_V2)
    assert sighting.source_mac == ("02:00:00:00:00:0a" if cooked else None)


def test_raw_ipv6_is_read() -> None:
    for link_type in (LINK_RAW, LINK_IPV6):
        assert seen(datagram6(V3_IPV6), link_type).verdict == "accept"


def test_an_unknown_link_type_is_an_error_not_silence() -> None:
    with pytest.raises(ValueError, match="link type 147"):
        examine(b"", 147)


# -- packets that every receiver must discard


@pytest.mark.parametrize(
    ("sighting", "verdict"),
    [
        (seen4(V3, ttl=254), Discard.TTL),
        (seen4(V3, ttl=0), Discard.TTL),
        (seen(ethernet(datagram6(V3_IPV6, hops=64), 0x86DD)), Discard.TTL),
        (seen4(summed(b"\x41" + message_v3()[1:])), Discard.VERSION),
        (seen4(summed(b"\x32" + message_v3()[1:])), Discard.TYPE),
        (seen4(message_v3(count=2)), Discard.LENGTH),
        (seen4(message_v3(count=0, tail=())), Discard.COUNT_ZERO),
        (seen4(message_v3(vrid=0)), Discard.VRID_ZERO),
        (seen4(message_v3(interval=0)), Discard.INTERVAL_ZERO),
        (seen4(V3[:6] + b"\x12\x34" + V3[8:]), Discard.CHECKSUM),
        (seen4(message_v2(tail=(VIP4,))), Discard.LENGTH),
        (seen4(message_v2(auth=254, tail=(VIP4, bytes(8)))), Discard.AUTH_TYPE_UNKNOWN),
        (seen4(message_v2(auth=2, tail=(VIP4, bytes(8)))), Discard.AUTH_TYPE_MISMATCH),
        (seen4(message_v2(auth=254, tail=(VIP4, bytes(30)))), Discard.LENGTH),
        (seen4(CARP), Discard.LENGTH),
        (seen4(V3, fragment=0x2000), Discard.IP_HEADER),
    ],
)
def test_the_broken_rule_is_named(sighting: Sighting, verdict: Discard) -> None:
    assert sighting.verdict == verdict.value
    assert sighting.detail


def test_a_packet_over_ipv6_that_is_summed_without_the_pseudo_header_is_refused() -> None:
    sighting = seen(ethernet(datagram6(summed(V3_IPV6)), 0x86DD))
    assert (sighting.verdict, sighting.checksum_ok) == ("checksum", False)
    again = summed(V3_IPV6, pseudo6(SOURCE6, GROUP6, len(V3_IPV6)))
    assert seen(ethernet(datagram6(again), 0x86DD)).checksum_ok


def test_unicast_adverts_may_have_another_ttl() -> None:
    peer = packed("192.0.2.20")
    message = encode(ADVERT_V3, SOURCE4, peer)
    assert seen4(message, ttl=64, destination=peer).verdict == "accept"


def test_a_checksum_is_told_apart_from_the_verdict() -> None:
    assert seen4(V3, ttl=64).checksum_ok is True
    assert seen4(message_v3(vrid=0)).checksum_ok is True


def test_a_wrong_ip_header_checksum_is_refused_but_an_offloaded_one_is_not() -> None:
    data = datagram4(V3)
    assert seen(ethernet(data[:10] + b"\x12\x34" + data[12:])).verdict == "ip_header"
    assert seen(ethernet(data[:10] + b"\0\0" + data[12:])).verdict == "accept"


def test_a_short_ip_header_says_what_is_left() -> None:
    data = datagram4(V3)
    sighting = seen(ethernet(b"\x44" + data[1:]))
    assert (sighting.src, sighting.dst, sighting.ttl) == ("192.0.2.10", "224.0.0.18", 255)
    assert (sighting.version, sighting.vrid, sighting.checksum_ok) == (None, None, None)
    assert (sighting.verdict, sighting.addresses) == ("ip_header", ())


FIELDS = ("version", "vrid", "priority", "interval_s")


@pytest.mark.parametrize(
    ("length", "fields", "addresses"),
    [
        (0, (None, None, None, None), ()),
        (1, (3, None, None, None), ()),
        (2, (3, 10, None, None), ()),
        (3, (3, 10, 100, None), ()),
        (5, (3, 10, 100, None), ()),
        (6, (3, 10, 100, 1.0), ()),
        (8, (3, 10, 100, 1.0), ()),
        (15, (3, 10, 100, 1.0), ("192.0.2.1",)),
    ],
)
def test_a_cut_message_gives_the_fields_that_are_there(
    length: int, fields: Tuple[Optional[float], ...], addresses: Tuple[str, ...]
) -> None:
    message = message_v3(count=2, tail=(VIP4, packed("192.0.2.2")))
    sighting = seen4(message[:length])
    values: Dict[str, Any] = asdict(sighting)
    assert tuple(values[name] for name in FIELDS) == fields
    assert sighting.addresses == addresses
    assert (sighting.verdict, sighting.checksum_ok) == ("length", None)


# -- authentication headers, and what is no VRRP at all


def inside_header(spi: str = "192.0.2.10", auth: int = 2, next_protocol: int = 112) -> bytes:
    """A message of version 2 behind an authentication header with number 7."""
    header = struct.pack("!BBH4sI", next_protocol, 4, 0, packed(spi), 7) + bytes(12)
    return header + message_v2(auth=auth, tail=(VIP4, bytes(8)))


def test_an_advert_inside_an_authentication_header_is_told_with_its_number() -> None:
    sighting = seen4(inside_header(), protocol=51)
    assert (sighting.version, sighting.vrid, sighting.auth_type) == (2, 10, 2)
    assert (sighting.verdict, sighting.checksum_ok) == ("accept", True)
    assert sighting.protection == "AH sequence 7 spi 192.0.2.10"


@pytest.mark.parametrize(("payload", "verdict"), [
    (inside_header(spi="192.0.2.11"), "auth_failure"),
    (inside_header(auth=1), "auth_type_mismatch"),
    (inside_header()[:20], "length"),
    (b"\x70\x05" + inside_header()[2:], "ah_header"),
])  # fmt: skip
def test_what_no_receiver_takes_inside_an_authentication_header(payload: bytes, verdict: str) -> None:
    sighting = seen4(payload, protocol=51)
    assert sighting.verdict == verdict


def test_the_header_of_another_protocol_is_none_of_ours() -> None:
    assert examine(ethernet(datagram4(inside_header(next_protocol=6), protocol=51), 0x0800)) is None


def test_authentication_type_2_without_a_header_is_discarded() -> None:
    assert seen4(message_v2(auth=2, tail=(VIP4, bytes(8)))).verdict == "auth_type_mismatch"


def test_a_trailer_is_told_with_its_key_and_its_time() -> None:
    trailer = struct.pack("!BBHIHH", 1, 9, 0, 1_700_000_000, 5, 0) + bytes(16)
    sighting = seen4(V3 + trailer)
    assert (sighting.verdict, sighting.checksum_ok) == ("accept", True)
    assert sighting.protection == "HMAC key 9 time 1700000000"


def test_28_bytes_that_are_no_trailer_are_too_many() -> None:
    sighting = seen4(V3 + bytes(28))
    assert (sighting.verdict, sighting.protection) == ("auth_ext_malformed", "HMAC malformed")


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        KEEPALIVED_GARP,
        KEEPALIVED_NA,
        ethernet(datagram4(b"x" * 30, protocol=17)),
        ethernet(datagram4(struct.pack("!BB", 6, 4) + bytes(40), protocol=51)),
        ethernet(datagram4(b"", protocol=51)),
        ethernet(datagram6(b"x" * 30, next_header=58), 0x86DD),
        ethernet(datagram4(V3)[:19]),
        ethernet(b"\x00" * 46, 0x0026),  # 802.3 with a length, not an EtherType
    ],
)
def test_other_packets_are_passed_over(frame: bytes) -> None:
    assert examine(frame) is None
