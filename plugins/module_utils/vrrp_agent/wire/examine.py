# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can be told about one captured packet, without any configuration: a sighting of an advertisement.

Damaged packets give as many fields as can be read, and the rule they break.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional, Tuple

from . import ah, hmac_trailer
from .address import is_multicast, text
from .advert import (
    AUTH_AH,
    AUTH_NONE,
    AUTH_PASS,
    PROTOCOL,
    ChecksumForm,
    checksum_form,
    decode,
    message_length,
)
from .discard import DecodeError, Discard
from .ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6, parse_frame, strip_tags
from .ip import (
    PROTOCOL_AH,
    TTL,
    Datagram,
    header_checksum_ok,
    inspect_ipv4,
    inspect_ipv6,
)

# Link types of captures (tcpdump.org/linktypes.html).
LINK_NULL, LINK_ETHERNET, LINK_RAW, LINK_LOOP = 0, 1, 101, 108
LINK_COOKED, LINK_COOKED_V2, LINK_IPV4, LINK_IPV6 = 113, 276, 228, 229
_RAW_TYPES = (LINK_RAW, LINK_IPV4, LINK_IPV6, 12, 14)
LINK_TYPES = (LINK_NULL, LINK_ETHERNET, LINK_LOOP, LINK_COOKED, LINK_COOKED_V2, *_RAW_TYPES)

ACCEPT = "accept"
_VRRP = bytes((PROTOCOL,))


@dataclass(frozen=True)
class Sighting:
    """One VRRP packet. A field that could not be read is None.

    ``verdict`` is "accept", or the value of the Discard that every receiver must discard it for; what
    depends on a receiver's configuration is not judged; what only a key can tell is not either.
    ``detail`` gives the evidence. ``interval_s`` is the advertised interval in seconds. ``checksum_form``
    tells what a right checksum covers. ``protection`` names an authentication header or an auth_hmac trailer
    and what can be read of it without a key; empty when there is none.
    """

    src: str
    dst: str
    ttl: int
    version: Optional[int]
    vrid: Optional[int]
    priority: Optional[int]
    interval_s: Optional[float]
    addresses: Tuple[str, ...]
    auth_type: Optional[int]
    checksum_ok: Optional[bool]
    checksum_form: Optional[ChecksumForm]
    verdict: str
    detail: str = ""
    source_mac: Optional[str] = None
    vlans: Tuple[int, ...] = ()
    protection: str = ""


def examine(data: bytes, link_type: int = LINK_ETHERNET) -> Optional[Sighting]:
    """The VRRP packet in a captured frame; None when the frame carries something else.

    ``link_type`` is one of LINK_TYPES. Raises ValueError for another one.
    """
    if link_type not in LINK_TYPES:
        raise ValueError(f"link type {link_type} is not one of {', '.join(map(str, sorted(LINK_TYPES)))}")
    found = _network_packet(data, link_type)
    if found is None:
        return None
    mac, vlans, ethertype, packet = found
    sighting = examine_datagram(packet, ethertype)
    if sighting is None:
        return None
    return replace(sighting, source_mac=mac.hex(":") if len(mac) == 6 else None, vlans=vlans)


def examine_datagram(packet: bytes, ethertype: int) -> Optional[Sighting]:
    """As examine(), of an IP datagram."""
    try:
        if ethertype == ETHERTYPE_IPV4:
            datagram, problem = inspect_ipv4(packet)
        elif ethertype == ETHERTYPE_IPV6:
            datagram, problem = inspect_ipv6(packet)
        else:
            return None
    except DecodeError:
        return None  # not even the protocol can be told
    if ethertype == ETHERTYPE_IPV4 and problem is None and not header_checksum_ok(packet):
        problem = DecodeError(Discard.IP_HEADER, "the checksum of the IPv4 header is wrong")
    header, trailer = None, b""
    if datagram.protocol == PROTOCOL_AH:
        try:
            header = ah.parse(datagram.payload)
        except DecodeError as flaw:
            if datagram.payload[:1] != _VRRP:
                return None
            problem = problem or flaw
        datagram = _without_ah(datagram)
    if datagram.protocol != PROTOCOL:
        return None
    if header is None:
        message, trailer = hmac_trailer.split(datagram.payload, len(datagram.source))
        datagram = replace(datagram, payload=message)
    problem = problem or _must_discard(datagram, header, trailer)
    return _sighting(datagram, problem, trailer, _protection(header, trailer))


def _protection(header: Optional[ah.Header], trailer: bytes) -> str:
    """What an authentication header or a trailer tells without a key."""
    if header is not None:
        return f"AH sequence {header.sequence} spi {text(header.spi)}"
    if trailer:
        seen = hmac_trailer.parse(trailer)
        return f"HMAC key {seen.key_id} time {seen.seconds}" if seen.well_formed else "HMAC malformed"
    return ""


def _network_packet(data: bytes, link_type: int) -> Optional[Tuple[bytes, Tuple[int, ...], int, bytes]]:
    """Source MAC (may be empty), VLANs, EtherType and network packet of a captured frame."""
    if link_type == LINK_ETHERNET:
        frame = parse_frame(data)
        return None if frame is None else (frame.source, frame.vlans, frame.ethertype, frame.payload)
    if link_type in (LINK_COOKED, LINK_COOKED_V2):
        size = 16 if link_type == LINK_COOKED else 20
        if len(data) < size:
            return None
        if link_type == LINK_COOKED:
            kind, mac = data[14:16], data[6 : 6 + min(int.from_bytes(data[4:6], "big"), 8)]
        else:
            kind, mac = data[0:2], data[12 : 12 + min(data[11], 8)]
        found = strip_tags(int.from_bytes(kind, "big"), data[size:])
        return None if found is None else (mac, *found)
    if link_type in (LINK_NULL, LINK_LOOP):
        data = data[4:]  # an address family whose number depends on the system; the IP version tells as well
    version = data[0] >> 4 if data else 0
    kinds = {4: ETHERTYPE_IPV4, 6: ETHERTYPE_IPV6}
    return (b"", (), kinds[version], data) if version in kinds else None


def _without_ah(datagram: Datagram) -> Datagram:
    """What stands behind the authentication header (RFC 2402 2); nothing of it is verified."""
    payload = datagram.payload
    if len(payload) < 2:
        return datagram
    return replace(datagram, protocol=payload[0], payload=payload[(payload[1] + 2) * 4 :])


def _must_discard(datagram: Datagram, header: Optional[ah.Header], trailer: bytes) -> Optional[DecodeError]:
    """The first rule that the packet breaks for every receiver."""
    # RFC 9568 5.1.1.3, 5.1.2.3. It knows multicast only; keepalived does not ask for 255 in unicast.
    if is_multicast(datagram.destination) and datagram.ttl != TTL:
        return DecodeError(Discard.TTL, f"TTL {datagram.ttl}, {TTL} expected")
    try:
        advert = decode(datagram.payload, datagram.source, datagram.destination, trailer=trailer)
    except DecodeError as problem:
        return problem
    if trailer and not hmac_trailer.parse(trailer).well_formed:
        return DecodeError(Discard.AUTH_EXT_MALFORMED, "28 bytes too many, which are no auth_hmac trailer")
    if header is not None and header.spi != datagram.source:
        return DecodeError(Discard.AUTH_FAILURE, f"SPI {text(header.spi)} is not the source")
    if advert.auth_type == AUTH_AH and header is None:
        return DecodeError(Discard.AUTH_TYPE_MISMATCH, "authentication type 2 but no authentication header")
    if advert.auth_type != AUTH_AH and header is not None:
        return DecodeError(Discard.AUTH_TYPE_MISMATCH, f"authentication type {advert.auth_type} inside an AH")
    if advert.auth_type not in (AUTH_NONE, AUTH_PASS, AUTH_AH):
        return DecodeError(Discard.AUTH_TYPE_UNKNOWN, f"authentication type {advert.auth_type}")
    return None


def _sighting(
    datagram: Datagram, problem: Optional[DecodeError], trailer: bytes, protection: str
) -> Sighting:
    message, width = datagram.payload, len(datagram.source)
    version = message[0] >> 4 if message else None
    form, checked = None, None
    if len(message) >= 8 and (problem is None or problem.reason is not Discard.LENGTH):
        summed = message + trailer if width == 16 else message
        form = checksum_form(summed, datagram.source, datagram.destination)
        checked = form is not None
    elif len(message) >= 8 and version is not None:
        # Longer than it says: judge what it says (keepalived does the same). Shorter: nobody can tell.
        said = message[: message_length(version, message[3], width)]
        if len(said) < len(message):
            form = checksum_form(said, datagram.source, datagram.destination)
            checked = form is not None
    return Sighting(
        src=text(datagram.source),
        dst=text(datagram.destination),
        ttl=datagram.ttl,
        version=version,
        vrid=message[1] if len(message) > 1 else None,
        priority=message[2] if len(message) > 2 else None,
        interval_s=_interval_s(message),
        addresses=_addresses(message, width),
        auth_type=message[4] if version == 2 and len(message) > 4 else None,
        checksum_ok=checked,
        checksum_form=form,
        verdict=ACCEPT if problem is None else problem.reason.value,
        detail="" if problem is None else problem.detail,
        protection=protection,
    )


def _interval_s(message: bytes) -> Optional[float]:
    if len(message) < 6:
        return None
    if message[0] >> 4 == 2:
        return float(message[5])
    return (int.from_bytes(message[4:6], "big") & 0x0FFF) / 100  # RFC 9568 5.2.7: centiseconds


def _addresses(message: bytes, width: int) -> Tuple[str, ...]:
    """The whole addresses among those that the count announces."""
    count = message[3] if len(message) > 3 else 0
    there = max(0, min(count, (len(message) - 8) // width))
    return tuple(text(message[8 + width * n : 8 + width * (n + 1)]) for n in range(there))
