# SPDX-License-Identifier: GPL-3.0-or-later
"""What the wire tests share: addresses, bytes from other programs, builders that are not the agent's."""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path
from typing import Sequence

from hypothesis import strategies as st
from vrrp_agent.wire.advert import NS_PER_CENTISECOND, NS_PER_SECOND, Advert

CAPTURES = Path(__file__).parent / "captures"


def packed(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


SOURCE4, GROUP4 = packed("192.0.2.10"), packed("224.0.0.18")
SOURCE6, GROUP6 = packed("fe80::10"), packed("ff02::12")
VIP4, VIP6 = packed("192.0.2.1"), packed("2001:db8::1")

ADVERT_V2 = Advert(2, 10, 100, NS_PER_SECOND, (VIP4,))
ADVERT_V2_PASS = Advert(2, 10, 100, NS_PER_SECOND, (VIP4,), 1, b"secret\0\0")
ADVERT_V3 = Advert(3, 10, 100, NS_PER_SECOND, (VIP4,))
ADVERT_V3_IPV6 = Advert(3, 10, 100, NS_PER_SECOND, (packed("fe80::1"), VIP6))

# Frames sent by keepalived 2.2.7, as tcpdump captured them.
KEEPALIVED_V2_PASS = bytes.fromhex(
    "01005e000012367e5f2086d7080045c0002800010000ff70b054c633640ae0000012"
    "210ac8010101af71c63364017365637265740000"
)
KEEPALIVED_V3 = bytes.fromhex(
    "01005e000012367e5f2086d7080045c0002400010000ff70b058c633640ae0000012310bc8020032a781c6336402c6336403"
)
KEEPALIVED_V3_IPV6 = bytes.fromhex(
    "333300000012367e5f2086d786dd6c083441002870fffe80000000000000347e5ffffe2086d7"
    "ff020000000000000000000000000012310cc802001ec2f2fe80000000000000000000000000000120010db8000000000000000000000001"
)
KEEPALIVED_GARP = bytes.fromhex(
    "ffffffffffff367e5f2086d708060001080006040001367e5f2086d7c6336402ffffffffffffc6336402"
)
KEEPALIVED_NA = bytes.fromhex(
    "333300000001367e5f2086d786dd6000000000203aff20010db8000000000000000000000001"
    "ff02000000000000000000000000000188" + "00deb52000000020010db80000000000000000000000010201367e5f2086d7"
)

# ucarp's advertisement begins as a VRRPv2 one does: version 2, type 1, "count" 7, but is 36 bytes long.
CARP = bytes.fromhex("210100070001") + b"\x12\x34" + bytes(range(28))


def summed(message: bytes, before: bytes = b"") -> bytes:
    """``message`` with its checksum field set, added up word by word as the RFCs describe it."""
    clear = message[:6] + b"\0\0" + message[8:]
    data = before + clear + b"\0" * (len(clear) % 2)
    total = sum(word for (word,) in struct.iter_unpack("!H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return clear[:6] + struct.pack("!H", total ^ 0xFFFF) + clear[8:]


def pseudo4(source: bytes, destination: bytes, length: int) -> bytes:
    return source + destination + struct.pack("!BBH", 0, 112, length)


def pseudo6(source: bytes, destination: bytes, length: int) -> bytes:
    return source + destination + struct.pack("!IHBB", length, 0, 0, 112)


def message_v3(
    vrid: int = 10, priority: int = 100, count: int = 1, interval: int = 100, tail: Sequence[bytes] = (VIP4,)
) -> bytes:
    """A v3 message over IPv4 with the checksum of the message only; any field may be wrong."""
    return summed(struct.pack("!BBBBHH", 0x31, vrid, priority, count, interval, 0) + b"".join(tail))


def message_v2(
    vrid: int = 10,
    priority: int = 100,
    count: int = 1,
    auth: int = 0,
    interval: int = 1,
    tail: Sequence[bytes] = (VIP4, bytes(8)),
) -> bytes:
    return summed(struct.pack("!BBBBBBH", 0x21, vrid, priority, count, auth, interval, 0) + b"".join(tail))


def datagram4(
    message: bytes,
    *,
    ttl: int = 255,
    options: bytes = b"",
    source: bytes = SOURCE4,
    destination: bytes = GROUP4,
    protocol: int = 112,
    fragment: int = 0,
) -> bytes:
    """An IPv4 datagram with any options."""
    header_words = 5 + len(options) // 4
    total = header_words * 4 + len(message)
    fields = struct.pack("!BBHHHBBH", 0x40 | header_words, 0xC0, total, 1, fragment, ttl, protocol, 0)
    header = fields + source + destination + options
    words = sum(word for (word,) in struct.iter_unpack("!H", header))
    while words > 0xFFFF:
        words = (words & 0xFFFF) + (words >> 16)
    return header[:10] + struct.pack("!H", words ^ 0xFFFF) + header[12:] + message


def datagram6(message: bytes, *, hops: int = 255, next_header: int = 112, source: bytes = SOURCE6) -> bytes:
    return struct.pack("!IHBB", 6 << 28, len(message), next_header, hops) + source + GROUP6 + message


def ethernet(payload: bytes, ethertype: int = 0x0800, tags: Sequence[int] = ()) -> bytes:
    """A frame; ``tags`` are whole tags, TPID in the upper 16 bits."""
    stacked = b"".join(struct.pack("!I", tag) for tag in tags)
    return bytes.fromhex("01005e00001202000000000a") + stacked + struct.pack("!H", ethertype) + payload


def _adverts(version: int, width: int, unit_ns: int, most: int) -> st.SearchStrategy[Advert]:
    address = st.binary(min_size=width, max_size=width)
    auth = st.just((0, b""))
    if version == 2:
        auth |= st.tuples(st.integers(1, 255), st.binary(min_size=8, max_size=8))
    return st.builds(
        lambda vrid, priority, units, addresses, auth: Advert(
            version, vrid, priority, units * unit_ns, tuple(addresses), *auth
        ),
        st.integers(1, 255),
        st.integers(0, 255),
        st.integers(1, most),
        st.lists(address, min_size=1, max_size=255),
        auth,
    )


def cases() -> st.SearchStrategy[tuple[Advert, bytes, bytes]]:
    """Any advert that can be sent, with a source and a destination."""
    four, six = st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16)
    return st.one_of(
        st.tuples(_adverts(2, 4, NS_PER_SECOND, 255), four, four),
        st.tuples(_adverts(3, 4, NS_PER_CENTISECOND, 4095), four, four),
        st.tuples(_adverts(3, 16, NS_PER_CENTISECOND, 4095), six, six),
    )
