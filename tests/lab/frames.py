# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of the wire, written by hand for the tests: right ones, and wrong ones on purpose.

This shares nothing with the agent's own ``wire`` layer, so that neither can hide a fault of the other.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

GROUP4, GROUP6 = "224.0.0.18", "ff02::12"
GROUP4_MAC, GROUP6_MAC = "01:00:5e:00:00:12", "33:33:00:00:00:12"
PROTOCOL_VRRP, PROTOCOL_AH, PROTOCOL_ICMP, PROTOCOL_ICMP6 = 112, 51, 1, 58
AH_LENGTH = 24
ETHERTYPE_IPV4, ETHERTYPE_ARP, ETHERTYPE_IPV6 = 0x0800, 0x0806, 0x86DD


@dataclass(frozen=True)
class Advert:
    """A VRRP packet as it was seen. Nothing is checked but that it is long enough to be read."""

    version: int
    type: int
    vrid: int
    priority: int
    count: int
    interval_s: float
    addresses: Tuple[str, ...]
    auth_type: int
    auth_data: bytes
    checksum: int
    checksum_form: str
    """``message``, ``pseudo`` (pseudo header included) or ``wrong``."""
    source: str
    destination: str
    ttl: int
    tos: int
    source_mac: str
    destination_mac: str
    message: bytes


@dataclass(frozen=True)
class Announcement:
    """A gratuitous ARP or an unsolicited neighbour advertisement."""

    kind: str
    """``arp`` or ``na``."""
    address: str
    mac: str
    operation: int
    """ARP: 1 request, 2 reply. NA: the flags byte (0xa0 = router, override)."""
    source_mac: str
    destination_mac: str
    source: str


def pack_ip(address: str) -> bytes:
    """Text form to 4 or 16 bytes."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def text_ip(packed: bytes) -> str:
    """4 or 16 bytes to the text form."""
    return socket.inet_ntop(socket.AF_INET6 if len(packed) == 16 else socket.AF_INET, packed)


def pack_mac(mac: str) -> bytes:
    """Text form to 6 bytes."""
    return bytes.fromhex(mac.replace(":", ""))


def text_mac(packed: bytes) -> str:
    """6 bytes to the text form."""
    return packed.hex(":")


def internet_sum(data: bytes) -> int:
    """The one's complement checksum of ``data`` (0 when ``data`` holds a right checksum)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(source: str, destination: str, length: int, protocol: int = PROTOCOL_VRRP) -> bytes:
    """What TCP and UDP put before the message when they sum it; VRRPv3 does too."""
    start = pack_ip(source) + pack_ip(destination)
    return start + (
        struct.pack("!IHBB", length, 0, 0, protocol)
        if ":" in source
        else struct.pack("!BBH", 0, protocol, length)
    )


def vrrp_message(
    source: str,
    destination: str,
    *,
    version: int = 3,
    kind: int = 1,
    vrid: int = 51,
    priority: int = 200,
    count: Optional[int] = None,
    interval: int = 10,
    reserve: int = 0,
    addresses: Sequence[str] = ("198.51.100.100",),
    auth_type: int = 0,
    auth_data: Optional[bytes] = None,
    checksum: Optional[int] = None,
    form: str = "",
) -> bytes:
    """A VRRP message. ``interval`` is in the unit of the version: centiseconds in 3, seconds in 2.

    ``count``, ``checksum``, ``auth_data`` replace what would be right; ``form`` is ``message`` or ``pseudo``.
    """
    body = b"".join(pack_ip(one) for one in addresses)
    if version == 2:
        timing = auth_type << 8 | interval
        body += (b"" if auth_data is None else auth_data).ljust(8, b"\0")
    else:
        timing = reserve << 12 | interval
        body += auth_data or b""
    number = len(addresses) if count is None else count
    head = struct.pack("!BBBBHH", version << 4 | kind, vrid, priority, number, timing, 0)
    if checksum is None:
        with_pseudo = (form or ("message" if version == 2 else "pseudo")) == "pseudo"
        before = pseudo_header(source, destination, len(head + body)) if with_pseudo else b""
        checksum = internet_sum(before + head + body)
    return head[:6] + struct.pack("!H", checksum) + body


def ip_packet(
    source: str,
    destination: str,
    payload: bytes,
    *,
    ttl: int = 255,
    protocol: int = PROTOCOL_VRRP,
    options: bytes = b"",
    header_words: Optional[int] = None,
    fragment: int = 0,
    total_length: Optional[int] = None,
) -> bytes:
    """An IPv4 or IPv6 packet, by the family of ``source``; the keywords after ``protocol`` are for IPv4."""
    if ":" in source:
        length = len(payload) if total_length is None else total_length
        return (
            struct.pack("!IHBB", 0x6C000000, length, protocol, ttl)
            + pack_ip(source)
            + pack_ip(destination)
            + payload
        )
    words = 5 + len(options) // 4
    length = 4 * words + len(payload) if total_length is None else total_length
    first = 0x40 | (words if header_words is None else header_words)
    head = struct.pack("!BBHHHBBH", first, 0xC0, length, 1, fragment, ttl, protocol, 0)
    head += pack_ip(source) + pack_ip(destination) + options
    return head[:10] + struct.pack("!H", internet_sum(head)) + head[12:] + payload


def ethernet(source_mac: str, destination_mac: str, packet: bytes, *, padded: bool = True) -> bytes:
    """A frame around an IP packet, padded to the 60 bytes that Ethernet wants."""
    kind = ETHERTYPE_IPV6 if packet[0] >> 4 == 6 else ETHERTYPE_IPV4
    frame = pack_mac(destination_mac) + pack_mac(source_mac) + struct.pack("!H", kind) + packet
    return frame.ljust(60, b"\0") if padded else frame


def multicast_mac(destination: str) -> str:
    """The Ethernet address of a multicast group."""
    packed = pack_ip(destination)
    if len(packed) == 16:
        return text_mac(b"\x33\x33" + packed[-4:])
    return text_mac(b"\x01\x00\x5e" + bytes([packed[1] & 0x7F]) + packed[2:])


def parse_advert(frame: bytes) -> Optional[Advert]:
    """The VRRP packet in ``frame``; None when it holds none, or one too short for the fixed part."""
    packet, kind = frame[14:], int.from_bytes(frame[12:14], "big")
    if kind == ETHERTYPE_IPV4 and len(packet) >= 20 and packet[9] in (PROTOCOL_VRRP, PROTOCOL_AH):
        start, end = 4 * (packet[0] & 15), int.from_bytes(packet[2:4], "big")
        if packet[9] == PROTOCOL_AH:
            if packet[start : start + 2] != bytes((PROTOCOL_VRRP, 4)):
                return None
            start += AH_LENGTH
        source, destination, ttl, tos, width = packet[12:16], packet[16:20], packet[8], packet[1], 4
    elif kind == ETHERTYPE_IPV6 and len(packet) >= 40 and packet[6] == PROTOCOL_VRRP:
        start, end = 40, 40 + int.from_bytes(packet[4:6], "big")
        source, destination, ttl, width = packet[8:24], packet[24:40], packet[7], 16
        tos = (packet[0] & 15) << 4 | packet[1] >> 4
    else:
        return None
    message = packet[start:end]
    if len(message) < 8:
        return None
    first, vrid, priority, count, timing, checksum = struct.unpack_from("!BBBBHH", message)
    version, tail = first >> 4, 8 + count * width
    source_text, destination_text = text_ip(source), text_ip(destination)
    if (
        internet_sum(pseudo_header(source_text, destination_text, len(message)) + message) == 0
        and version != 2
    ):
        form = "pseudo"
    else:
        form = "message" if internet_sum(message) == 0 else "wrong"
    return Advert(
        version=version,
        type=first & 15,
        vrid=vrid,
        priority=priority,
        count=count,
        interval_s=(timing & 0xFF) if version == 2 else (timing & 0xFFF) / 100,
        addresses=tuple(
            text_ip(message[at : at + width]) for at in range(8, min(tail, len(message) - width + 1), width)
        ),
        auth_type=timing >> 8 if version == 2 else 0,
        auth_data=message[tail:],
        checksum=checksum,
        checksum_form=form,
        source=source_text,
        destination=destination_text,
        ttl=ttl,
        tos=tos,
        source_mac=text_mac(frame[6:12]),
        destination_mac=text_mac(frame[:6]),
        message=message,
    )


def parse_announcement(frame: bytes) -> Optional[Announcement]:
    """The gratuitous ARP or unsolicited NA in ``frame``; None when it is something else."""
    kind, macs = int.from_bytes(frame[12:14], "big"), (text_mac(frame[6:12]), text_mac(frame[:6]))
    if (
        kind == ETHERTYPE_ARP
        and len(frame) >= 42
        and frame[28:32] == frame[38:42]
        and frame[28:32] != b"\0\0\0\0"
    ):
        operation, address = int.from_bytes(frame[20:22], "big"), text_ip(frame[28:32])
        return Announcement("arp", address, text_mac(frame[22:28]), operation, *macs, source=address)
    if kind == ETHERTYPE_IPV6 and len(frame) >= 78 and frame[20] == PROTOCOL_ICMP6 and frame[54] == 136:
        solicited = frame[58] & 0x40
        option = frame[78:86]
        if solicited:
            return None
        mac = text_mac(option[2:8]) if option[:2] == b"\x02\x01" else ""
        return Announcement("na", text_ip(frame[62:78]), mac, frame[58], *macs, source=text_ip(frame[22:38]))
    return None


def arp_request(source_mac: str, source: str, target: str) -> bytes:
    """An ARP question: who has ``target``?"""
    body = struct.pack("!HHBBH", 1, ETHERTYPE_IPV4, 6, 4, 1)
    body += pack_mac(source_mac) + pack_ip(source) + b"\0" * 6 + pack_ip(target)
    return (b"\xff" * 6 + pack_mac(source_mac) + struct.pack("!H", ETHERTYPE_ARP) + body).ljust(60, b"\0")
