# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any, List, Tuple

import pytest
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter, PcapWriter
from vrrp_agent.wire.examine import LINK_COOKED, LINK_COOKED_V2, LINK_ETHERNET
from vrrp_agent.wire.pcap import CaptureError, Record, read_capture

from tests.unit.wire.samples import CAPTURES, KEEPALIVED_V3


def read(data: bytes) -> List[Record]:
    return list(read_capture(io.BytesIO(data)))


def read_file(name: str) -> List[Record]:
    with open(CAPTURES / name, "rb") as stream:
        return list(read_capture(stream))


def classic(order: str = "<", magic: int = 0xA1B2C3D4, link: int = 1, packets: Tuple[Any, ...] = ()) -> bytes:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    return head + b"".join(
        struct.pack(order + "IIII", seconds, fraction, len(data), len(data)) + data
        for seconds, fraction, data in packets
    )


def block(order: str, kind: int, body: bytes) -> bytes:
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, link: int = 1, snap: int = 0, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link, 0, snap) + options)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def enhanced(order: str, stamp: int, data: bytes, number: int = 0) -> bytes:
    head = struct.pack(order + "IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
    return block(order, 6, head + data + b"\0" * (-len(data) % 4))


# -- files of other programs


def test_a_capture_of_tcpdump() -> None:
    records = read_file("keepalived.pcap")
    assert len(records) == 11
    assert {record.link_type for record in records} == {LINK_ETHERNET}
    assert records[0].time_ns == 1795349725176594000
    assert records[3].data == KEEPALIVED_V3


def test_a_capture_with_nanoseconds() -> None:
    records = read_file("keepalived-nanoseconds.pcap")
    assert [record.time_ns for record in records] == [
        1795349725820856000,
        1795349727429686000,
        1795349729698362000,
    ]
    assert records[0].data == KEEPALIVED_V3


def test_a_capture_of_wireshark() -> None:
    records = read_file("keepalived.pcapng")
    assert records == read_file("keepalived-nanoseconds.pcap")


@pytest.mark.parametrize(
    ("name", "link_type"),
    [("keepalived-cooked.pcap", LINK_COOKED), ("keepalived-cooked-v2.pcap", LINK_COOKED_V2)],
)
def test_captures_of_the_any_device(name: str, link_type: int) -> None:
    records = read_file(name)
    assert len(records) == 3
    assert {record.link_type for record in records} == {link_type}


@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_captures_of_scapy_in_both_byte_orders(endianness: str, nano: bool) -> None:
    stream = io.BytesIO()
    writer = PcapWriter(stream, endianness=endianness, nano=nano, linktype=1)
    packet = Ether(KEEPALIVED_V3)
    packet.time = 1700000000.5
    writer.write(packet)
    writer.flush()
    assert read(stream.getvalue()) == [Record(1700000000_500000000, LINK_ETHERNET, KEEPALIVED_V3)]


def test_a_pcapng_of_scapy(tmp_path: Path) -> None:
    path = tmp_path / "scapy.pcapng"
    packet = Ether(KEEPALIVED_V3)
    packet.time = 1700000000.5
    writer = PcapNgWriter(str(path))  # type: ignore[no-untyped-call]
    writer.write(packet)
    writer.close()
    assert read(path.read_bytes()) == [Record(1700000000_500000000, LINK_ETHERNET, KEEPALIVED_V3)]


# -- the format


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit_ns"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_the_four_classic_forms(order: str, magic: int, unit_ns: int) -> None:
    data = classic(order, magic, packets=((7, 123456, b"one"), (8, 0, b"")))
    assert read(data) == [
        Record(7_000_000_000 + 123456 * unit_ns, 1, b"one"),
        Record(8_000_000_000, 1, b""),
    ]


def test_the_upper_bits_of_a_classic_link_type_are_not_part_of_it() -> None:
    assert read(classic(link=0x24000001, packets=((1, 0, b"x"),)))[0].link_type == 1


def test_an_empty_capture_has_no_packets() -> None:
    assert read(classic()) == []
    assert read(section("<")) == []


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "stamp", "expected_ns"),
    [
        (None, 1_500_000, 1_500_000_000),
        (6, 1_500_000, 1_500_000_000),
        (9, 1_500_000_001, 1_500_000_001),
        (3, 1_500, 1_500_000_000),
        (0x80 | 10, 1536, 1_500_000_000),  # powers of two: 1536/1024 s
    ],
)
def test_pcapng_time_stamps(order: str, resolution: int, stamp: int, expected_ns: int) -> None:
    options = b"" if resolution is None else option(order, 9, bytes((resolution,)))
    data = section(order) + interface(order, options=options) + enhanced(order, stamp, b"data")
    assert read(data) == [Record(expected_ns, 1, b"data")]


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_time_offset(order: str) -> None:
    options = option(order, 14, struct.pack(order + "q", 1_000)) + option(order, 0, b"")
    data = section(order) + interface(order, options=options) + enhanced(order, 5, b"data")
    assert read(data)[0].time_ns == 1_000_000_005_000


def test_pcapng_sections_have_their_own_byte_order_and_interfaces() -> None:
    data = section("<") + interface("<", 1) + enhanced("<", 1, b"little")
    data += section(">") + interface(">", 113) + enhanced(">", 2, b"big!")
    assert [(record.link_type, record.data) for record in read(data)] == [(1, b"little"), (113, b"big!")]


def test_pcapng_packets_name_their_interface() -> None:
    data = section("<") + interface("<", 1) + interface("<", 276)
    data += enhanced("<", 1, b"b", 1) + enhanced("<", 1, b"a", 0)
    assert [record.link_type for record in read(data)] == [276, 1]


def test_pcapng_simple_packets_have_no_time() -> None:
    data = section("<") + interface("<", 1, snap=3)
    data += block("<", 3, struct.pack("<I", 10) + b"012")  # and a byte of padding
    data += block("<", 3, struct.pack("<I", 2) + b"01")
    assert read(data) == [Record(None, 1, b"012"), Record(None, 1, b"01")]


def test_pcapng_obsolete_packets_are_read() -> None:
    head = struct.pack("<HHIIII", 0, 0, 0, 1_000_000, 3, 3)
    assert read(section("<") + interface("<") + block("<", 2, head + b"old")) == [
        Record(1_000_000_000, 1, b"old")
    ]


def test_pcapng_blocks_of_other_kinds_are_passed_over() -> None:
    statistics = block("<", 5, struct.pack("<III", 0, 0, 0))
    data = section("<") + interface("<") + statistics + enhanced("<", 1, b"data")
    assert [record.data for record in read(data)] == [b"data"]


# -- bad files


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\xa1", "begins with a1"),
        (b"vrrp_instance VI_1 {", "begins with 76 72 72 70"),
        (classic()[:10], "inside the file header at byte 10"),
        (classic(packets=((1, 0, b"data"),))[:30], "inside a packet header at byte 30"),
        (classic(packets=((1, 0, b"data"),))[:-1], "inside a packet at byte 43"),
        (classic() + struct.pack("<IIII", 1, 0, 0x7FFFFFFF, 0x7FFFFFFF), "2147483647 bytes are claimed"),
        (section("<")[:6], "inside the section header"),
        (section("<")[:20], "inside the section header"),
        (section("<")[:8] + b"\0\0\0\0" + section("<")[12:], "byte-order mark 00000000"),
        (section("<")[:4] + struct.pack("<I", 12) + section("<")[8:], "says it has 12 bytes"),
        (section("<") + b"\1\0", "inside a block header"),
        (section("<") + struct.pack("<II", 1, 8), "says it has 8 bytes"),
        (section("<") + struct.pack("<II", 1, 21), "says it has 21 bytes"),
        (section("<") + struct.pack("<II", 1, 0x40000000), "1073741824 bytes are claimed"),
        (section("<") + interface("<")[:-4] + bytes(4), "another length"),
        (section("<") + enhanced("<", 1, b"data"), "type 6 at byte 28 is damaged"),
        (section("<") + interface("<") + block("<", 6, bytes(8)), "type 6 at byte 48 is damaged"),
        (section("<") + block("<", 3, bytes(8)), "type 3 at byte 28 is damaged"),
        (section("<") + block("<", 1, bytes(4)), "type 1 at byte 28 is damaged"),
        (section("<") + interface("<", options=option("<", 14, b"abc")), "type 1 at byte 28 is damaged"),
        (section("<") + interface("<", options=option("<", 9, b"")), "type 1 at byte 28 is damaged"),
    ],
)
def test_a_bad_file_says_what_is_wrong_and_where(data: bytes, words: str) -> None:
    with pytest.raises(CaptureError, match=words):
        read(data)


def test_a_packet_longer_than_its_block_is_refused() -> None:
    head = struct.pack("<IIIII", 0, 0, 0, 99, 99)
    with pytest.raises(CaptureError, match="damaged"):
        read(section("<") + interface("<") + block("<", 6, head + b"data"))


def test_what_came_before_the_damage_is_given() -> None:
    records = []
    with pytest.raises(CaptureError):
        for record in read_capture(io.BytesIO(classic(packets=((1, 0, b"first"), (2, 0, b"second")))[:-1])):
            records.append(record.data)
    assert records == [b"first"]


class Trickle(io.RawIOBase):
    """A pipe that gives one byte at a time."""

    def __init__(self, data: bytes) -> None:
        self._rest = data

    def read(self, size: int = -1) -> bytes:
        given, self._rest = self._rest[:1], self._rest[1:]
        return given


@pytest.mark.parametrize("name", ["keepalived.pcap", "keepalived.pcapng"])
def test_a_capture_may_come_through_a_slow_pipe(name: str) -> None:
    data = (CAPTURES / name).read_bytes()
    assert list(read_capture(Trickle(data))) == read(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["keepalived.pcap", "keepalived-cooked-v2.pcap", "keepalived.pcapng"])
def test_a_capture_cut_at_any_byte_gives_whole_packets_and_perhaps_an_error(name: str) -> None:
    data = (CAPTURES / name).read_bytes()
    whole = read(data)
    for length in range(len(data)):
        records: List[Record] = []
        try:
            for record in read_capture(io.BytesIO(data[:length])):
                records.append(record)
        except CaptureError:
            pass
        assert records == whole[: len(records)]
        assert len(records) <= len(whole)
