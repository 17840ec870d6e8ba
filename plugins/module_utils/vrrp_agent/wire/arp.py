# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Gratuitous ARP: tells hosts and switches where an IPv4 address lives now (RFC 9568 6.4.1, 6.4.2)."""

from __future__ import annotations

import struct

from .ethernet import BROADCAST, ETHERTYPE_ARP, ETHERTYPE_IPV4, build_frame

_ETHERNET, _REQUEST = 1, 1
_PACKET = struct.Struct("!HHBBH6s4s6s4s")


def gratuitous_arp(mac: bytes, address: bytes) -> bytes:
    """A whole broadcast frame that says ``address`` is at ``mac``.

    An ARP request (RFC 9568 6.4.1) whose target hardware address is all ones, as keepalived sends it;
    erratum 7949 would put the virtual MAC there, and receivers look at neither.

    Raises ValueError when ``mac`` is not 6 bytes or ``address`` not 4.
    """
    if len(address) != 4:
        raise ValueError(f"address has {len(address)} bytes; 4 expected")
    body = _PACKET.pack(_ETHERNET, ETHERTYPE_IPV4, 6, 4, _REQUEST, mac, address, BROADCAST, address)
    return build_frame(BROADCAST, mac, ETHERTYPE_ARP, body)
