# SPDX-License-Identifier: GPL-3.0-or-later
"""AgentX on the wire: bytes as the RFC lays them out, every PDU there and back, damage that is survived."""

from __future__ import annotations

import contextlib
import random
import struct
from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as some
from vrrp_agent.snmp import agentx, values
from vrrp_agent.snmp.agentx import AgentxError, Pdu, Range, Stream
from vrrp_agent.snmp.values import Binding, Value

SYS_UP_TIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)


def back(pdu: Pdu) -> Pdu:
    """What a peer reads when it is sent ``pdu``."""
    stream = Stream()
    stream.feed(agentx.encode(pdu))
    found = stream.take()
    assert found is not None
    return agentx.decode(*found)


def test_a_register_is_written_as_the_rfc_lays_it_out() -> None:
    """RFC 2741 6.2.3; 5.1: 1.3.6.1.2 is one byte of prefix."""
    pdu = Pdu(agentx.REGISTER, 7, 8, 9, priority=127, subtree=(1, 3, 6, 1, 2, 1, 68))
    assert agentx.encode(pdu) == bytes.fromhex(
        "01 03 10 00  00000007 00000008 00000009 00000010"  # header: 16 bytes follow
        "00 7f 00 00"  # timeout, priority, range_subid
        "02 02 00 00 00000001 00000044"  # two parts after the prefix 2
    )


def test_a_response_with_values_is_written_as_the_rfc_lays_it_out() -> None:
    """RFC 2741 6.2.16 and 5.3: octets are padded to four bytes."""
    bindings = (
        Binding((1, 3, 6, 1, 4, 1, 5), values.octets(b"abcde")),
        Binding((2, 5), values.counter64(1 << 32)),
    )
    pdu = Pdu(agentx.RESPONSE, 1, 2, 3, bindings=bindings, up_time=100, error=5, index=2)
    assert agentx.encode(pdu)[20:] == bytes.fromhex(
        "00000064 0005 0002"
        "0004 0000 02 04 00 00 00000001 00000005 00000005 6162636465000000"
        "0046 0000 02 00 00 00 00000002 00000005 0000000100000000"
    )


def test_the_other_byte_order_is_read_too() -> None:
    payload = (
        struct.pack("<HH", 0, 10) + struct.pack("<BBBxII", 2, 2, 1, 1, 68) + struct.pack("<BBBx", 0, 0, 0)
    )
    head = struct.pack("<BBBxIIII", 1, agentx.GET_BULK, 0, 5, 6, 7, len(payload))
    pdu = agentx.decode(agentx.decode_header(head), payload)
    assert (pdu.session, pdu.transaction, pdu.packet, pdu.max_repetitions) == (5, 6, 7, 10)
    assert pdu.ranges == (Range((1, 3, 6, 1, 2, 1, 68), True, ()),)


oids = some.lists(some.integers(0, 0xFFFFFFFF), max_size=20).map(tuple) | some.lists(
    some.integers(0, 0xFFFFFFFF), min_size=1, max_size=20
).map(lambda rest: (1, 3, 6, 1, *rest))
any_value = (
    some.integers(-(1 << 31), (1 << 31) - 1).map(values.integer)
    | some.integers(0, (1 << 32) - 1).map(values.gauge)
    | some.integers(0, (1 << 64) - 1).map(values.counter64)
    | some.binary(max_size=40).map(values.octets)
    | some.binary(min_size=4, max_size=4).map(values.ip_address)
    | oids.map(lambda oid: Value(values.OBJECT_ID, oid))
    | some.sampled_from(sorted(values.NOTHINGS)).map(lambda kind: Value(kind, None))
)
bindings_of = some.lists(some.builds(Binding, oids, any_value), max_size=5).map(tuple)
ranges_of = some.lists(some.builds(Range, oids, some.booleans(), oids), max_size=5).map(tuple)
contexts = some.none() | some.binary(max_size=9)
short = some.integers(0, 0xFFFF)
byte = some.integers(0, 255)
numbers = {name: some.integers(0, 0xFFFFFFFF) for name in ("session", "transaction", "packet")}
words = some.text(max_size=30)


def kind(*kinds: int, **fields: Any) -> Any:
    return some.builds(Pdu, some.sampled_from(kinds), **numbers, **fields)


pdus = (
    kind(agentx.OPEN, timeout_s=byte, subtree=oids, description=words)
    | kind(agentx.CLOSE, reason=byte)
    | kind(agentx.REGISTER, context=contexts, timeout_s=byte, priority=byte, subtree=oids)
    | kind(agentx.UNREGISTER, context=contexts, priority=byte, subtree=oids)
    | kind(agentx.GET, agentx.GET_NEXT, context=contexts, ranges=ranges_of)
    | kind(agentx.GET_BULK, context=contexts, non_repeaters=short, max_repetitions=short, ranges=ranges_of)
    | kind(agentx.TEST_SET, agentx.NOTIFY, context=contexts, bindings=bindings_of)
    | kind(agentx.COMMIT_SET, agentx.UNDO_SET, agentx.CLEANUP_SET)
    | kind(agentx.PING, context=contexts)
    | kind(agentx.ADD_CAPS, context=contexts, subtree=oids, description=words)
    | kind(
        agentx.RESPONSE, up_time=some.integers(0, 0xFFFFFFFF), error=short, index=short, bindings=bindings_of
    )
)


@given(pdus)
def test_every_pdu_comes_back_as_it_was(pdu: Pdu) -> None:
    assert back(pdu) == pdu


@given(some.lists(pdus, min_size=1, max_size=4), some.randoms(use_true_random=False))
def test_pdus_are_found_however_the_stream_is_cut(sent: List[Pdu], chance: random.Random) -> None:
    data = b"".join([agentx.encode(pdu) for pdu in sent])
    stream, heard = Stream(), []
    while data:
        length = chance.randint(1, 30)
        stream.feed(data[:length])
        data = data[length:]
        found = stream.take()
        while found is not None:
            heard.append(agentx.decode(*found))
            found = stream.take()
    assert heard == sent


def read_all(data: bytes) -> None:
    """Read as a session does: AgentxError is the only way in which it may go wrong."""
    stream = Stream()
    stream.feed(data)
    with contextlib.suppress(AgentxError):
        found = stream.take()
        while found is not None:
            with contextlib.suppress(AgentxError):
                agentx.decode(*found)
            found = stream.take()


@given(some.binary(max_size=200))
def test_noise_is_refused_and_never_crashes(data: bytes) -> None:
    read_all(data)
    read_all(agentx.encode(Pdu(agentx.PING))[:16] + struct.pack(">I", len(data) // 4 * 4) + data)


@given(pdus, some.integers(0, 10_000), byte)
def test_a_damaged_pdu_is_refused_and_never_crashes(pdu: Pdu, at: int, new: int) -> None:
    data = bytearray(agentx.encode(pdu))
    data[at % len(data)] = new
    read_all(bytes(data))


@pytest.mark.parametrize(
    "head, why",
    [
        ("02 12 10 00 00000000 00000000 00000000 00000000", "version 2"),
        ("01 12 10 00 00000000 00000000 00000000 00200000", "a payload of 2097152 bytes"),
        ("01 12 10 00 00000000 00000000 00000000 00000003", "a payload of 3 bytes"),
    ],
)
def test_a_header_that_cannot_be_right_ends_the_stream(head: str, why: str) -> None:
    with pytest.raises(AgentxError, match=why):
        agentx.decode_header(bytes.fromhex(head))


@pytest.mark.parametrize(
    "kind, payload, why",
    [
        (99, "", "unknown type 99"),
        (agentx.RESPONSE, "00000000", "ends too early"),
        (agentx.GET, "ff020000", "a name of 255 parts"),
        (agentx.GET, "02020000 00000001", "ends too early"),
        (agentx.NOTIFY, "00040000 00000000 000000ff 61", "longer than its PDU"),
        (agentx.NOTIFY, "00630000 00000000", "a value of unknown type 99"),
    ],
)
def test_a_payload_that_cannot_be_right_says_why(kind: int, payload: str, why: str) -> None:
    data = bytes.fromhex(payload)
    with pytest.raises(AgentxError, match=why):
        agentx.decode(agentx.Header(kind, 0x10, 0, 0, 0, len(data)), data)


def test_numbers_that_do_not_fit_are_made_to_fit() -> None:
    assert values.integer(1 << 40).data == (1 << 31) - 1
    assert values.gauge(-5).data == 0
    assert values.counter32((1 << 32) + 3).data == 3
    assert values.ticks(-1).data == 0
    assert values.ip_address(b"sixteen bytes...").data == bytes(4)
    back(Pdu(agentx.RESPONSE, bindings=(Binding(SYS_UP_TIME, values.text("x" * 999)),)))
