# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any, Callable, Dict

import pytest
from hypothesis import given
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.vrrp import VRRP, VRRPv3
from vrrp_agent.wire.advert import (
    NS_PER_CENTISECOND,
    NS_PER_SECOND,
    Advert,
    ChecksumForm,
    DecodeError,
    EncodeError,
    checksum_form,
    decode,
    encode,
)
from vrrp_agent.wire.discard import Discard

from tests.unit.wire.samples import (
    ADVERT_V2,
    ADVERT_V2_PASS,
    ADVERT_V3,
    ADVERT_V3_IPV6,
    CARP,
    GROUP4,
    GROUP6,
    KEEPALIVED_V2_PASS,
    KEEPALIVED_V3,
    KEEPALIVED_V3_IPV6,
    SOURCE4,
    SOURCE6,
    VIP4,
    VIP6,
    cases,
    message_v2,
    message_v3,
    packed,
    pseudo4,
    pseudo6,
    summed,
)

KEEPALIVED_SOURCE4, KEEPALIVED_SOURCE6 = packed("198.51.100.10"), packed("fe80::347e:5fff:fe20:86d7")


def refused(message: bytes, source: bytes = SOURCE4, destination: bytes = GROUP4) -> Discard:
    with pytest.raises(DecodeError) as caught:
        decode(message, source, destination)
    assert caught.value.detail, "an error without evidence"
    assert caught.value.reason.value in str(caught.value)
    return caught.value.reason


# -- the same wire as keepalived and scapy


@pytest.mark.parametrize(
    ("frame", "start", "source", "group", "advert"),
    [
        (
            KEEPALIVED_V2_PASS,
            34,
            KEEPALIVED_SOURCE4,
            GROUP4,
            Advert(2, 10, 200, NS_PER_SECOND, (packed("198.51.100.1"),), 1, b"secret\0\0"),
        ),
        (
            KEEPALIVED_V3,
            34,
            KEEPALIVED_SOURCE4,
            GROUP4,
            Advert(3, 11, 200, NS_PER_SECOND // 2, (packed("198.51.100.2"), packed("198.51.100.3"))),
        ),
        (
            KEEPALIVED_V3_IPV6,
            54,
            KEEPALIVED_SOURCE6,
            GROUP6,
            Advert(3, 12, 200, 3 * NS_PER_SECOND // 10, (packed("fe80::1"), packed("2001:db8::1"))),
        ),
    ],
    ids=["v2-pass", "v3", "v3-ipv6"],
)
def test_our_bytes_are_those_of_keepalived(
    frame: bytes, start: int, source: bytes, group: bytes, advert: Advert
) -> None:
    assert encode(advert, source, group) == frame[start:]
    assert decode(frame[start:], source, group) == advert


def test_scapy_builds_the_same_v2_message() -> None:
    layer = VRRP(vrid=10, priority=100, adv=1, addrlist=["192.0.2.1"], auth1=0, auth2=0)
    assert encode(ADVERT_V2, SOURCE4, GROUP4) == bytes(layer)


def test_scapy_builds_the_same_v3_messages() -> None:
    layer4 = IP(src="192.0.2.10", dst="224.0.0.18") / VRRPv3(
        vrid=10, priority=100, adv=100, addrlist=["192.0.2.1"]
    )
    assert encode(ADVERT_V3, SOURCE4, GROUP4) == bytes(layer4)[20:]
    layer6 = IPv6(src="fe80::10", dst="ff02::12") / VRRPv3(
        vrid=10, priority=100, adv=100, addrlist=["fe80::1", "2001:db8::1"]
    )
    assert encode(ADVERT_V3_IPV6, SOURCE6, GROUP6) == bytes(layer6)[40:]


def test_a_v3_message_written_out_by_hand() -> None:
    # 310a + 6401 + 0064 + c000 + 0201 = 15770 -> 5771 (carry 1), complement a88e.
    assert encode(ADVERT_V3, SOURCE4, GROUP4, checksum_as_v2=True).hex() == "310a64010064a88ec0000201"


def test_a_v2_message_written_out_by_hand() -> None:
    # 210a + 6401 + 0001 + c000 + 0201 = 1470d -> 470e, complement b8f1; 8 bytes of authentication data.
    assert encode(ADVERT_V2, SOURCE4, GROUP4).hex() == "210a64010001b8f1c0000201" + "00" * 8


# -- checksums


def test_v3_over_ipv4_is_accepted_in_both_checksum_forms() -> None:
    bare = message_v3()
    with_pseudo = summed(bare, pseudo4(SOURCE4, GROUP4, len(bare)))
    assert bare != with_pseudo
    assert decode(bare, SOURCE4, GROUP4) == decode(with_pseudo, SOURCE4, GROUP4) == ADVERT_V3
    assert checksum_form(bare, SOURCE4, GROUP4) is ChecksumForm.MESSAGE
    assert checksum_form(with_pseudo, SOURCE4, GROUP4) is ChecksumForm.PSEUDO_HEADER


def test_v3_over_ipv4_is_sent_as_keepalived_does_unless_told_otherwise() -> None:
    bare = message_v3()
    assert encode(ADVERT_V3, SOURCE4, GROUP4) == summed(bare, pseudo4(SOURCE4, GROUP4, len(bare)))
    assert encode(ADVERT_V3, SOURCE4, GROUP4, checksum_as_v2=True) == bare


def test_v3_over_ipv6_has_the_pseudo_header_whatever_is_asked() -> None:
    bare = encode(ADVERT_V3_IPV6, SOURCE6, GROUP6)
    assert bare == summed(bare, pseudo6(SOURCE6, GROUP6, len(bare)))
    assert encode(ADVERT_V3_IPV6, SOURCE6, GROUP6, checksum_as_v2=True) == bare
    assert refused(summed(bare), SOURCE6, GROUP6) is Discard.CHECKSUM


@pytest.mark.parametrize("bit", range(128))
def test_v3_over_ipv6_from_an_address_with_one_other_bit_is_refused(bit: int) -> None:
    message = encode(ADVERT_V3_IPV6, SOURCE6, GROUP6)
    other = (int.from_bytes(SOURCE6, "big") ^ 1 << bit).to_bytes(16, "big")
    assert refused(message, other, GROUP6) is Discard.CHECKSUM


def test_a_v2_message_is_valid_from_any_address() -> None:
    message = encode(ADVERT_V2, SOURCE4, GROUP4)
    assert message == encode(ADVERT_V2, VIP4, packed("192.0.2.77"))
    assert decode(message, packed("203.0.113.9"), packed("192.0.2.77")) == ADVERT_V2


def test_the_pseudo_header_form_does_not_pass_in_version_2() -> None:
    message = message_v2()
    assert refused(summed(message, pseudo4(SOURCE4, GROUP4, len(message)))) is Discard.CHECKSUM


def test_the_v2_checksum_covers_the_password() -> None:
    message = encode(ADVERT_V2_PASS, SOURCE4, GROUP4)
    assert refused(message[:-8] + b"secrex\0\0") is Discard.CHECKSUM


def test_a_checksum_of_zero_is_not_taken_for_no_checksum() -> None:
    for message in (message_v2(), message_v3()):
        assert refused(message[:6] + b"\0\0" + message[8:]) is Discard.CHECKSUM
    message = encode(ADVERT_V3_IPV6, SOURCE6, GROUP6)
    assert refused(message[:6] + b"\0\0" + message[8:], SOURCE6, GROUP6) is Discard.CHECKSUM


def test_the_two_zeros_of_ones_complement_are_equal() -> None:
    # The other words add up to 0xffff, so the checksum is 0000; ffff is the same number.
    rest = 0xFFFF - (0x310A + 0x6401 + 0x0064)
    message = bytes.fromhex("310a640100640000") + bytes(2) + rest.to_bytes(2, "big")
    assert summed(message) == message
    other = message[:6] + b"\xff\xff" + message[8:]
    assert decode(message, SOURCE4, GROUP4) == decode(other, SOURCE4, GROUP4)


def test_a_unicast_peer_that_sums_with_the_group_address_can_be_read() -> None:
    peer = packed("192.0.2.20")
    message = encode(ADVERT_V3, SOURCE4, GROUP4)
    assert refused(message, SOURCE4, peer) is Discard.CHECKSUM
    assert decode(message, SOURCE4, GROUP4) == ADVERT_V3


# -- every field


@pytest.mark.parametrize("version", [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
def test_other_versions_are_refused(version: int) -> None:
    assert refused(summed(bytes((version << 4 | 1,)) + message_v3()[1:])) is Discard.VERSION


def test_version_2_over_ipv6_is_refused() -> None:
    message = summed(bytes.fromhex("210a640100010000") + VIP6 + bytes(8))
    assert refused(message, SOURCE6, GROUP6) is Discard.VERSION


@pytest.mark.parametrize("kind", [0, *range(2, 16)])
@pytest.mark.parametrize("build", [message_v2, message_v3])
def test_other_types_are_refused(build: Callable[[], bytes], kind: int) -> None:
    message = build()
    assert refused(summed(bytes((message[0] & 0xF0 | kind,)) + message[1:])) is Discard.TYPE


@pytest.mark.parametrize("build", [message_v2, message_v3])
def test_virtual_router_zero_is_refused(build: Callable[..., bytes]) -> None:
    assert refused(build(vrid=0)) is Discard.VRID_ZERO
    assert decode(build(vrid=1), SOURCE4, GROUP4).vrid == 1
    assert decode(build(vrid=255), SOURCE4, GROUP4).vrid == 255


def test_an_advert_without_addresses_is_refused() -> None:
    assert refused(message_v3(count=0, tail=())) is Discard.COUNT_ZERO
    assert refused(message_v2(count=0, tail=(bytes(8),))) is Discard.COUNT_ZERO


@pytest.mark.parametrize("version, length", [(2, 16), (3, 8)])
def test_a_router_without_addresses_may_speak_and_listen_when_it_says_so(version: int, length: int) -> None:
    advert = Advert(version, 10, 100, NS_PER_SECOND, ())
    with pytest.raises(EncodeError, match="0 addresses"):
        encode(advert, SOURCE4, GROUP4)
    message = encode(advert, SOURCE4, GROUP4, allow_empty=True)
    assert len(message) == length
    assert decode(message, SOURCE4, GROUP4, allow_empty=True) == advert
    assert refused(message) is Discard.COUNT_ZERO


def test_what_may_be_empty_must_still_be_whole() -> None:
    message = message_v3(count=0, tail=())
    with pytest.raises(DecodeError) as caught:
        decode(message + VIP4, SOURCE4, GROUP4, allow_empty=True)
    assert caught.value.reason is Discard.LENGTH


def test_an_interval_of_zero_is_refused() -> None:
    assert refused(message_v3(interval=0)) is Discard.INTERVAL_ZERO
    assert refused(message_v3(interval=0xF000)) is Discard.INTERVAL_ZERO, "the reserve nibble is no interval"
    assert refused(message_v2(interval=0)) is Discard.INTERVAL_ZERO


@pytest.mark.parametrize("centiseconds", [1, 99, 100, 255, 256, 4095])
def test_v3_intervals_are_centiseconds_and_the_reserve_nibble_is_sent_as_zero(centiseconds: int) -> None:
    advert = Advert(3, 10, 100, centiseconds * NS_PER_CENTISECOND, (VIP4,))
    message = encode(advert, SOURCE4, GROUP4)
    assert message[4:6] == centiseconds.to_bytes(2, "big")
    assert decode(message, SOURCE4, GROUP4) == advert


@pytest.mark.parametrize("nibble", range(16))
def test_the_reserve_nibble_is_ignored_on_receipt_but_summed(nibble: int) -> None:
    message = message_v3(interval=nibble << 12 | 100)
    assert decode(message, SOURCE4, GROUP4).interval_ns == NS_PER_SECOND
    if nibble:
        assert refused(message[:4] + b"\x00" + message[5:]) is Discard.CHECKSUM


@pytest.mark.parametrize("seconds", [1, 2, 255])
def test_v2_intervals_are_whole_seconds(seconds: int) -> None:
    message = encode(Advert(2, 10, 100, seconds * NS_PER_SECOND, (VIP4,)), SOURCE4, GROUP4)
    assert message[5] == seconds
    assert decode(message, SOURCE4, GROUP4).interval_ns == seconds * NS_PER_SECOND


@pytest.mark.parametrize("priority", [0, 1, 254, 255])
def test_every_priority_travels_resignation_and_owner_included(priority: int) -> None:
    for version in (2, 3):
        advert = Advert(version, 10, priority, NS_PER_SECOND, (VIP4,))
        assert decode(encode(advert, SOURCE4, GROUP4), SOURCE4, GROUP4).priority == priority


def test_addresses_keep_their_order() -> None:
    addresses = tuple(packed(f"192.0.2.{n}") for n in (9, 3, 200, 1))
    advert = Advert(3, 10, 100, NS_PER_SECOND, addresses)
    assert decode(encode(advert, SOURCE4, GROUP4), SOURCE4, GROUP4).addresses == addresses


# -- authentication data (version 2)


def test_v2_always_ends_with_eight_bytes_of_authentication_data() -> None:
    assert encode(ADVERT_V2, SOURCE4, GROUP4)[-8:] == bytes(8)
    assert refused(message_v2(tail=(VIP4,))) is Discard.LENGTH


def test_authentication_data_of_type_none_is_ignored() -> None:
    message = message_v2(tail=(VIP4, b"whatever"))
    assert decode(message, SOURCE4, GROUP4) == ADVERT_V2


def test_a_password_is_padded_with_zeros_and_comes_back_as_eight_bytes() -> None:
    advert = Advert(2, 10, 100, NS_PER_SECOND, (VIP4,), 1, b"abc")
    message = encode(advert, SOURCE4, GROUP4)
    assert message[-8:] == b"abc\0\0\0\0\0"
    assert decode(message, SOURCE4, GROUP4).auth_data == b"abc\0\0\0\0\0"


@pytest.mark.parametrize("kind", [1, 2, 3, 254, 255])
def test_every_authentication_type_is_read_for_the_configuration_to_judge(kind: int) -> None:
    advert = decode(message_v2(auth=kind, tail=(VIP4, b"12345678")), SOURCE4, GROUP4)
    assert (advert.auth_type, advert.auth_data) == (kind, b"12345678")


# -- lengths


def test_carp_is_not_taken_for_a_resigning_v2_router() -> None:
    assert len(CARP) == 36
    assert refused(summed(CARP)) is Discard.LENGTH


@pytest.mark.parametrize("surplus", [1, 2, 4, 8, 28])
@pytest.mark.parametrize("build", [message_v2, message_v3])
def test_surplus_bytes_inside_the_datagram_are_refused(build: Callable[[], bytes], surplus: int) -> None:
    assert refused(summed(build() + bytes(surplus))) is Discard.LENGTH


@pytest.mark.parametrize("count", [0, 2, 3, 255])
def test_a_count_that_does_not_fit_the_length_is_refused(count: int) -> None:
    assert refused(message_v3(count=count)) is Discard.LENGTH
    assert refused(message_v2(count=count)) is Discard.LENGTH


def test_the_largest_messages_travel() -> None:
    four = tuple(packed(f"192.0.2.{n}") for n in range(1, 256))
    six = tuple(packed(f"2001:db8::{n:x}") for n in range(1, 256))
    for version in (2, 3):
        advert = Advert(version, 255, 255, NS_PER_SECOND, four)
        assert decode(encode(advert, SOURCE4, GROUP4), SOURCE4, GROUP4) == advert
    advert = Advert(3, 255, 255, NS_PER_SECOND, six)
    message = encode(advert, SOURCE6, GROUP6)
    assert len(message) == 8 + 255 * 16
    assert decode(message, SOURCE6, GROUP6) == advert


# -- values without a form on the wire


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 1}, "version is 1"),
        ({"version": 4}, "version is 4"),
        ({"vrid": 0}, "vrid is 0"),
        ({"vrid": 256}, "vrid is 256"),
        ({"priority": -1}, "priority is -1"),
        ({"priority": 256}, "priority is 256"),
        ({"addresses": ()}, "0 addresses"),
        ({"addresses": (VIP4,) * 256}, "256 addresses"),
        ({"addresses": (VIP4, VIP6)}, "16 bytes; 4 expected"),
        ({"interval_ns": 0}, "1 to 4095 whole centiseconds"),
        ({"interval_ns": 4096 * NS_PER_CENTISECOND}, "1 to 4095 whole centiseconds"),
        ({"interval_ns": NS_PER_CENTISECOND + 1}, "1 to 4095 whole centiseconds"),
        ({"version": 2, "interval_ns": NS_PER_SECOND // 2}, "1 to 255 whole seconds"),
        ({"version": 2, "interval_ns": 256 * NS_PER_SECOND}, "1 to 255 whole seconds"),
        ({"version": 2, "auth_type": 256}, "auth_type is 256"),
        ({"version": 2, "auth_type": 1, "auth_data": b"ninebytes"}, "at most 8"),
        ({"auth_type": 1}, "VRRPv3 has no authentication"),
        ({"auth_data": b"x"}, "VRRPv3 has no authentication"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(changes: Dict[str, Any], words: str) -> None:
    values: Dict[str, Any] = {
        "version": 3,
        "vrid": 10,
        "priority": 100,
        "interval_ns": NS_PER_SECOND,
        "addresses": (VIP4,),
    }
    with pytest.raises(EncodeError, match=words):
        encode(Advert(**{**values, **changes}), SOURCE4, GROUP4)


def test_families_are_not_mixed() -> None:
    with pytest.raises(EncodeError, match="both"):
        encode(ADVERT_V3, SOURCE4, GROUP6)
    with pytest.raises(EncodeError, match="both"):
        encode(ADVERT_V3, b"abc", b"abc")
    with pytest.raises(EncodeError, match="4 bytes; 16 expected"):
        encode(ADVERT_V3, SOURCE6, GROUP6)
    with pytest.raises(EncodeError, match="IPv4 only"):
        encode(ADVERT_V2, SOURCE6, GROUP6)


# -- properties


@given(cases())
def test_what_is_encoded_is_decoded_as_it_was(case: tuple[Advert, bytes, bytes]) -> None:
    advert, source, destination = case
    assert decode(encode(advert, source, destination), source, destination) == advert
    assert decode(encode(advert, source, destination, checksum_as_v2=True), source, destination) == advert


@given(cases())
def test_what_is_decoded_is_encoded_as_it_was(case: tuple[Advert, bytes, bytes]) -> None:
    advert, source, destination = case
    message = encode(advert, source, destination)
    assert encode(decode(message, source, destination), source, destination) == message
