# SPDX-License-Identifier: GPL-3.0-or-later
"""A damaged packet is never taken for a sound one that says something else."""

from __future__ import annotations

from typing import Tuple

import pytest
from vrrp_agent.wire.advert import NS_PER_SECOND, Advert, decode, encode
from vrrp_agent.wire.discard import DecodeError, Discard
from vrrp_agent.wire.examine import examine

from tests.unit.wire.samples import (
    ADVERT_V2,
    ADVERT_V2_PASS,
    ADVERT_V3,
    ADVERT_V3_IPV6,
    GROUP4,
    GROUP6,
    KEEPALIVED_V2_PASS,
    KEEPALIVED_V3,
    KEEPALIVED_V3_IPV6,
    SOURCE4,
    SOURCE6,
    message_v3,
    packed,
    pseudo4,
)

Case = Tuple[bytes, bytes, bytes]

CASES = {
    "v2": (encode(ADVERT_V2, SOURCE4, GROUP4), SOURCE4, GROUP4),
    "v2-pass": (encode(ADVERT_V2_PASS, SOURCE4, GROUP4), SOURCE4, GROUP4),
    "v3-pseudo-header": (encode(ADVERT_V3, SOURCE4, GROUP4), SOURCE4, GROUP4),
    "v3-message-only": (encode(ADVERT_V3, SOURCE4, GROUP4, checksum_as_v2=True), SOURCE4, GROUP4),
    "v3-ipv6": (encode(ADVERT_V3_IPV6, SOURCE6, GROUP6), SOURCE6, GROUP6),
    "keepalived-v2": (KEEPALIVED_V2_PASS[34:], KEEPALIVED_V2_PASS[26:30], GROUP4),
    "keepalived-v3": (KEEPALIVED_V3[34:], KEEPALIVED_V3[26:30], GROUP4),
    "keepalived-v3-ipv6": (KEEPALIVED_V3_IPV6[54:], KEEPALIVED_V3_IPV6[22:38], GROUP6),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_message_cut_at_any_byte_is_refused_for_its_length(case: Case) -> None:
    message, source, destination = case
    for length in range(len(message)):
        with pytest.raises(DecodeError) as caught:
            decode(message[:length], source, destination)
        assert caught.value.reason is Discard.LENGTH, f"cut at {length}"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_no_single_bit_may_change(case: Case) -> None:
    message, source, destination = case
    for bit in range(len(message) * 8):
        flipped = bytearray(message)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError):
            decode(bytes(flipped), source, destination)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_no_two_bits_of_one_byte_may_change(case: Case) -> None:
    message, source, destination = case
    for at in range(len(message)):
        for high in range(8):
            for low in range(high):
                flipped = bytearray(message)
                flipped[at] ^= 1 << high | 1 << low
                with pytest.raises(DecodeError):
                    decode(bytes(flipped), source, destination)


def test_accepting_both_forms_leaves_one_known_gap() -> None:
    """Where the pseudo header adds up to a power of two, one flipped bit turns one form into the other.

    About one address in two thousand. A receiver that accepts both forms cannot tell; the price is known.
    """
    source = packed("192.168.30.200")
    pseudo = pseudo4(source, GROUP4, 12)
    total = sum(int.from_bytes(pseudo[at : at + 2], "big") for at in range(0, 12, 2)) % 0xFFFF
    assert bin(total).count("1") == 1 or bin(0xFFFF - total).count("1") == 1
    message = encode(ADVERT_V3, source, GROUP4)
    accepted = []
    for bit in range(len(message) * 8):
        flipped = bytearray(message)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            accepted.append(decode(bytes(flipped), source, GROUP4))
        except DecodeError:
            continue
    assert 0 < len(accepted) <= 6, "one bit of each word at most"


@pytest.mark.parametrize(
    "frame",
    [KEEPALIVED_V2_PASS, KEEPALIVED_V3, KEEPALIVED_V3_IPV6],
    ids=["v2-pass", "v3", "v3-ipv6"],
)
def test_a_frame_cut_at_any_byte_is_never_accepted(frame: bytes) -> None:
    for length in range(len(frame)):
        sighting = examine(frame[:length])
        assert sighting is None or sighting.verdict == "length", f"cut at {length}"
        if sighting is not None:
            assert sighting.checksum_ok is None, "the sum of a part says nothing"
    whole = examine(frame)
    assert whole is not None
    assert whole.verdict == "accept"


@pytest.mark.parametrize("frame", [KEEPALIVED_V2_PASS, KEEPALIVED_V3], ids=["v2-pass", "v3"])
def test_no_single_bit_of_an_ipv4_datagram_may_change(frame: bytes) -> None:
    for bit in range(14 * 8, len(frame) * 8):
        flipped = bytearray(frame)
        flipped[bit // 8] ^= 1 << bit % 8
        sighting = examine(bytes(flipped))
        assert sighting is None or sighting.verdict != "accept", f"bit {bit % 8} of byte {bit // 8}"


def test_bits_of_an_ipv6_header_that_carry_no_meaning_here_may_change() -> None:
    whole = examine(KEEPALIVED_V3_IPV6)
    for bit in range(14 * 8, len(KEEPALIVED_V3_IPV6) * 8):
        flipped = bytearray(KEEPALIVED_V3_IPV6)
        flipped[bit // 8] ^= 1 << bit % 8
        sighting = examine(bytes(flipped))
        if sighting is not None and sighting.verdict == "accept":
            assert bit // 8 in (14, 15, 16, 17), "only traffic class and flow label have no checksum"
            assert sighting == whole


def test_a_long_list_of_addresses_survives_no_bit_flip_either() -> None:
    addresses = tuple(packed(f"192.0.2.{n}") for n in range(1, 40))
    message = encode(Advert(3, 10, 100, NS_PER_SECOND, addresses), SOURCE4, GROUP4)
    for bit in range(len(message) * 8):
        flipped = bytearray(message)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError):
            decode(bytes(flipped), SOURCE4, GROUP4)


def test_a_message_of_another_length_than_its_datagram_says_is_not_repaired() -> None:
    message = message_v3()
    for extra in range(1, 47):
        with pytest.raises(DecodeError):
            decode(message + bytes(extra), SOURCE4, GROUP4)
