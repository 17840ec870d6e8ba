# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Unsolicited neighbour advertisement: where an IPv6 address lives now (RFC 9568 6.4.1, 6.4.2)."""

from __future__ import annotations

import struct
from typing import Optional

from .checksum import internet_checksum, pseudo_header
from .ethernet import ETHERTYPE_IPV6, build_frame
from .ip import PROTOCOL_ICMPV6, TTL, build_ipv6

ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
ALL_NODES_MAC = bytes.fromhex("333300000001")

_ADVERTISEMENT = struct.Struct("!BBHI16sBB6s")
_TYPE = 136  # RFC 4861 4.4
_ROUTER, _OVERRIDE = 0x80000000, 0x20000000  # the solicited flag stays clear
_TARGET_LINK_LAYER_ADDRESS = 2  # RFC 4861 4.6.1


def unsolicited_na(mac: bytes, address: bytes, source: Optional[bytes] = None, router: bool = True) -> bytes:
    """A whole frame to all nodes that says ``address`` is at ``mac``, with the override flag set.

    ``source`` is the IPv6 source; without one it is ``address`` itself, as keepalived sends it.
    ``router`` sets the router flag (RFC 9568 6.4.2); keepalived sets it where forwarding is on.

    Raises ValueError when ``mac`` is not 6 bytes or an address not 16.
    """
    origin = address if source is None else source
    if len(address) != 16:
        raise ValueError(f"address has {len(address)} bytes; 16 expected")
    flags = _OVERRIDE | (_ROUTER if router else 0)
    body = _ADVERTISEMENT.pack(_TYPE, 0, 0, flags, address, _TARGET_LINK_LAYER_ADDRESS, 1, mac)
    total = internet_checksum(pseudo_header(origin, ALL_NODES, PROTOCOL_ICMPV6, len(body)) + body)
    body = body[:2] + total.to_bytes(2, "big") + body[4:]
    # RFC 4861 7.1.2: receivers want hop limit 255. Traffic class 0, as every stack sends its own.
    datagram = build_ipv6(origin, ALL_NODES, body, ttl=TTL, tos=0, protocol=PROTOCOL_ICMPV6)
    return build_frame(ALL_NODES_MAC, mac, ETHERTYPE_IPV6, datagram)
