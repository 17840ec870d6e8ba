# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read captures: pcap (both byte orders, microseconds and nanoseconds) and pcapng.

Works on any binary stream with read(n), front to back, so a capture may come through a pipe.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Dict, Iterator, List, Optional, Tuple

_NS = 1_000_000_000
_LARGEST_BLOCK = 16 * 1024 * 1024  # tcpdump writes at most 256 KiB a packet; more is noise, not a capture

# Magic of the classic format -> byte order, units of the second fraction per second.
_CLASSIC: Dict[bytes, Tuple[str, int]] = {
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\x3c\x4d": (">", _NS),
    b"\x4d\x3c\xb2\xa1": ("<", _NS),
}
_SECTION_HEADER = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_INTERFACE, _OBSOLETE_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET = 1, 2, 3, 6
_OPTION_RESOLUTION, _OPTION_OFFSET = 9, 14


class CaptureError(ValueError):
    """The stream is not a capture, or is damaged. The text says what was found, and at which byte."""


@dataclass(frozen=True)
class Record:
    """One captured packet. ``time_ns`` counts from 1970 (UTC); None where the file does not keep it."""

    time_ns: Optional[int]
    link_type: int
    data: bytes


@dataclass(frozen=True)
class _Interface:
    link_type: int
    units: int  # of the time stamp, per second
    offset_s: int
    snap_length: int


class _Reader:
    """Counts the bytes, to say where a capture is damaged."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.at = 0

    def exactly(self, count: int, what: str) -> bytes:
        data = self.up_to(count)
        if len(data) < count:
            raise CaptureError(f"the capture ends inside {what} at byte {self.at}")
        return data

    def up_to(self, count: int) -> bytes:
        """``count`` bytes, fewer only at the end of the stream (a pipe may give them in pieces)."""
        parts: List[bytes] = []
        missing = count
        while missing:
            part = self._stream.read(missing)
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        data = b"".join(parts)
        self.at += len(data)
        return data


def read_capture(stream: BinaryIO) -> Iterator[Record]:
    """The packets of a capture in the order of the file.

    Raises CaptureError when it is no capture (before the first record) or is damaged further on.
    """
    reader = _Reader(stream)
    magic = reader.up_to(4)
    if magic in _CLASSIC:
        yield from _read_classic(reader, *_CLASSIC[magic])
    elif magic == _SECTION_HEADER:
        yield from _read_next_generation(reader)
    elif not magic:
        raise CaptureError("the file is empty; a pcap or pcapng capture is expected")
    else:
        raise CaptureError(f"not a pcap or pcapng capture: it begins with {magic.hex(' ')}")


def _read_classic(reader: _Reader, order: str, units: int) -> Iterator[Record]:
    _major, _minor, _zone, _accuracy, _snap, link = struct.unpack(
        order + "HHiIII", reader.exactly(20, "the file header")
    )
    link_type = link & 0xFFFF  # the upper bits tell about a frame check sequence
    header = struct.Struct(order + "IIII")
    while True:
        start = reader.at
        head = reader.up_to(header.size)
        if not head:
            return
        if len(head) < header.size:
            raise CaptureError(f"the capture ends inside a packet header at byte {reader.at}")
        seconds, fraction, length, _original = header.unpack(head)
        _check_size(length, start)
        data = reader.exactly(length, "a packet")
        yield Record(seconds * _NS + fraction * _NS // units, link_type, data)


def _read_next_generation(reader: _Reader) -> Iterator[Record]:
    order = _section_order(reader)
    interfaces: List[_Interface] = []
    while True:
        start = reader.at
        kind = reader.up_to(4)
        if not kind:
            return
        if len(kind) < 4:
            raise CaptureError(f"the capture ends inside a block header at byte {reader.at}")
        if kind == _SECTION_HEADER:  # a new section: own byte order, own interfaces
            order = _section_order(reader)
            interfaces = []
            continue
        body = _block_body(reader, order, start)
        number = struct.unpack(order + "I", kind)[0]
        try:
            if number == _INTERFACE:
                interfaces.append(_interface(body, order))
            elif number in (_ENHANCED_PACKET, _OBSOLETE_PACKET, _SIMPLE_PACKET):
                yield _packet(number, body, order, interfaces)
        except (struct.error, IndexError) as error:
            raise CaptureError(f"block of type {number} at byte {start} is damaged") from error


def _section_order(reader: _Reader) -> str:
    """Read the rest of a section header block, whose type has been read; its byte order."""
    start = reader.at - 4
    head = reader.exactly(8, "the section header")
    order = _BYTE_ORDERS.get(head[4:])
    if order is None:
        raise CaptureError(f"section header at byte {start} has byte-order mark {head[4:].hex()}")
    length = struct.unpack(order + "I", head[:4])[0]
    if length < 28 or length % 4:
        raise CaptureError(f"section header at byte {start} says it has {length} bytes")
    _check_size(length, start)
    reader.exactly(length - 12, "the section header")
    return order


def _block_body(reader: _Reader, order: str, start: int) -> bytes:
    length = struct.unpack(order + "I", reader.exactly(4, "a block header"))[0]
    if length < 12 or length % 4:
        raise CaptureError(f"block at byte {start} says it has {length} bytes")
    _check_size(length, start)
    body = reader.exactly(length - 8, "a block")
    if struct.unpack(order + "I", body[-4:])[0] != length:
        raise CaptureError(f"block at byte {start} ends with another length than it begins with")
    return body[:-4]


def _interface(body: bytes, order: str) -> _Interface:
    link_type, _reserved, snap_length = struct.unpack_from(order + "HHI", body)
    units, offset_s = 1_000_000, 0
    at = 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == _OPTION_RESOLUTION:
            # The top bit selects powers of two; otherwise powers of ten.
            units = 1 << (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == _OPTION_OFFSET:
            offset_s = struct.unpack(order + "q", value)[0]
        elif code == 0:
            break
        at += 4 + (length + 3) // 4 * 4
    return _Interface(link_type, units, offset_s, snap_length)


def _packet(kind: int, body: bytes, order: str, interfaces: List[_Interface]) -> Record:
    if kind == _SIMPLE_PACKET:  # of the first interface, without a time
        (original,) = struct.unpack_from(order + "I", body)
        of = interfaces[0]
        length = min(original, of.snap_length or original, len(body) - 4)
        return Record(None, of.link_type, body[4 : 4 + length])
    layout = "IIIII" if kind == _ENHANCED_PACKET else "HHIIII"
    fields = struct.unpack_from(order + layout, body)
    of = interfaces[fields[0]]
    high, low, length = fields[-4:-1]
    if 20 + length > len(body):
        raise IndexError("packet longer than its block")
    stamp = high << 32 | low
    return Record(of.offset_s * _NS + stamp * _NS // of.units, of.link_type, body[20 : 20 + length])


def _check_size(length: int, start: int) -> None:
    if length > _LARGEST_BLOCK:
        raise CaptureError(f"{length} bytes are claimed at byte {start}; the capture is damaged there")
