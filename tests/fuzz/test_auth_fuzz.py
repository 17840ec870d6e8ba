# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged signatures: each is refused with a reason, and none makes anything fall over."""

from __future__ import annotations

from typing import List, Tuple

from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.model import AuthHmac, HmacKey, Instance
from vrrp_agent.daemon.hearing.guard import HeaderGuard, Proof, TrailerGuard
from vrrp_agent.wire import ah, hmac_trailer, ip
from vrrp_agent.wire.discard import DecodeError, Discard
from vrrp_agent.wire.ethernet import parse_frame
from vrrp_agent.wire.pcap import read_capture

from tests.fuzz.test_wire_fuzz import damaged
from tests.unit.wire.samples import CAPTURES

SECOND = 1_000_000_000


def packets(name: str) -> Tuple[bytes, ...]:
    """The IPv4 datagrams of a capture."""
    found: List[bytes] = []
    with (CAPTURES / name).open("rb") as stream:
        for record in read_capture(stream):
            frame = parse_frame(record.data)
            if frame is not None and frame.ethertype == 0x0800:
                found.append(frame.payload)
    return tuple(found)


HEADERS, TRAILERS = packets("keepalived-ah.pcap"), packets("keepalived-hmac.pcap")
WORDS = {"name": "VI_1", "interface": "eth0", "vrid": 60, "family": 4, "version": 3}
HMAC = AuthHmac((HmacKey(7, bytes(range(32))),), 7)


def header_guard() -> HeaderGuard:
    return HeaderGuard(Instance(auth_password=b"s3cret\0\0", auth_header=True, **WORDS), lambda: 0)  # type: ignore[arg-type]


def trailer_guard(now_s: int) -> TrailerGuard:
    return TrailerGuard(Instance(auth_hmac=HMAC, **WORDS), lambda: now_s * SECOND)  # type: ignore[arg-type]


@given(st.binary(max_size=80))
def test_any_bytes_are_a_header_or_not(payload: bytes) -> None:
    try:
        header = ah.parse(payload)
    except DecodeError as problem:
        assert problem.reason in (Discard.LENGTH, Discard.AH_HEADER)
        return
    assert len(header.spi) == 4 and len(header.mac) == 12


@given(damaged(HEADERS) | st.sampled_from(HEADERS))
def test_a_datagram_with_a_header_is_believed_only_when_it_is_whole(datagram: bytes) -> None:
    try:
        outer = ip.parse_ipv4(datagram)
        header = ah.parse(outer.payload)
    except DecodeError:
        return
    whole = datagram[: int.from_bytes(datagram[2:4], "big")]
    proof = Proof(whole, header)
    if header_guard().refusal(outer.payload[ah.LENGTH :], outer.source, proof) is not None:
        return
    # what routers may change is not covered: TOS, fragment bits, the checksum, and for unicast the TTL
    plain = [bytes((*one[:1], 0, *one[2:6], 0, 0, *one[8:10], 0, 0, *one[12:])) for one in (*HEADERS, whole)]
    assert plain[-1] in plain[:-1]


@given(st.binary(max_size=120), st.sampled_from((4, 16)))
def test_any_payload_comes_apart_without_loss(payload: bytes, width: int) -> None:
    message, trailer = hmac_trailer.split(payload, width)
    assert message + trailer == payload
    assert len(trailer) in (0, hmac_trailer.LENGTH)


@given(damaged(TRAILERS) | st.sampled_from(TRAILERS))
def test_a_message_with_a_trailer_is_believed_only_when_it_is_whole(datagram: bytes) -> None:
    try:
        outer = ip.parse_ipv4(datagram)
    except DecodeError:
        return
    message, trailer = hmac_trailer.split(outer.payload, 4)
    now_s = hmac_trailer.parse(trailer).seconds if trailer else 0
    refusal = trailer_guard(now_s).refusal(message, outer.source, Proof(trailer=trailer))
    if refusal is None:
        signed = [one[12:16] + one[20:26] + one[28:] for one in TRAILERS]
        assert outer.source + message[:6] + message[8:] + trailer in signed
    else:
        assert isinstance(refusal[0], Discard) and refusal[1]
