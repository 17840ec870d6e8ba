# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever comes from the wire or a file: only the typed errors, never a crash, never a hang."""

from __future__ import annotations

import contextlib
import io

from hypothesis import example, given, settings
from hypothesis import strategies as st
from vrrp_agent.wire.advert import Advert, decode, encode
from vrrp_agent.wire.discard import DecodeError, Discard
from vrrp_agent.wire.ethernet import parse_frame
from vrrp_agent.wire.examine import LINK_TYPES, examine
from vrrp_agent.wire.ip import parse_ipv4, parse_ipv6
from vrrp_agent.wire.pcap import CaptureError, read_capture

from tests.unit.wire.samples import (
    CAPTURES,
    CARP,
    KEEPALIVED_V2_PASS,
    KEEPALIVED_V3,
    KEEPALIVED_V3_IPV6,
    cases,
)

FRAMES = (KEEPALIVED_V2_PASS, KEEPALIVED_V3, KEEPALIVED_V3_IPV6)
FILES = tuple(path.read_bytes() for path in sorted(CAPTURES.iterdir()))
VERDICTS = {"accept", *(reason.value for reason in Discard)}

four, six = st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16)
hosts = st.tuples(four, four) | st.tuples(six, six)


@st.composite
def damaged(draw: st.DrawFn, good: tuple[bytes, ...]) -> bytes:
    """Good bytes with a few spliced, cut or changed: these get further in than noise does."""
    data = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        remove = draw(st.integers(0, 8))
        data[at : at + remove] = draw(st.binary(max_size=8))
    return bytes(data)


@given(st.binary(max_size=80), hosts)
@example(CARP, (b"\xc0\0\2\1", b"\xe0\0\0\x12"))
def test_decode_gives_an_advert_or_a_reason(message: bytes, ends: tuple[bytes, bytes]) -> None:
    try:
        advert = decode(message, *ends)
    except DecodeError as problem:
        assert isinstance(problem.reason, Discard)
        assert problem.detail
        return
    assert isinstance(advert, Advert)


@given(cases(), st.data())
def test_a_damaged_advert_is_refused_or_can_be_sent_as_it_was_read(
    case: tuple[Advert, bytes, bytes], data: st.DataObject
) -> None:
    advert, source, destination = case
    message = data.draw(damaged((encode(advert, source, destination),)))
    with contextlib.suppress(DecodeError):
        again = decode(message, source, destination)
        assert decode(encode(again, source, destination), source, destination) == again


@given(st.binary(max_size=120) | damaged(tuple(frame[14:] for frame in FRAMES)))
def test_datagrams_are_parsed_or_refused(data: bytes) -> None:
    for parse in (parse_ipv4, parse_ipv6):
        with contextlib.suppress(DecodeError):
            datagram = parse(data)
            assert len(datagram.payload) <= len(data)


@given(st.binary(max_size=80) | damaged(FRAMES))
def test_frames_are_parsed_or_passed_over(data: bytes) -> None:
    frame = parse_frame(data)
    if frame is not None:
        assert 14 + 4 * len(frame.vlans) + len(frame.payload) == len(data)


@settings(max_examples=500)
@given(st.binary(max_size=120) | damaged(FRAMES), st.sampled_from(LINK_TYPES))
def test_every_frame_has_a_known_verdict_or_is_passed_over(data: bytes, link_type: int) -> None:
    sighting = examine(data, link_type)
    if sighting is not None:
        assert sighting.verdict in VERDICTS
        assert (sighting.verdict == "accept") == (not sighting.detail)
        if sighting.verdict == "accept":
            assert sighting.checksum_ok is True
            assert sighting.addresses


@settings(max_examples=500)
@given(
    st.binary(max_size=200)
    | st.binary(max_size=200).map(lambda noise: b"\xd4\xc3\xb2\xa1" + noise)
    | st.binary(max_size=200).map(lambda noise: b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a" + noise)
    | damaged(FILES)
)
def test_any_file_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(CaptureError):
        for record in read_capture(io.BytesIO(data)):
            assert len(record.data) <= len(data)
            assert record.time_ns is None or isinstance(record.time_ns, int)
