# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Addresses in text and as packed bytes."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Optional, Tuple


def pack(text: str) -> Optional[bytes]:
    """The packed form of an IPv4 (4 bytes) or IPv6 (16 bytes) address; None when it is none."""
    try:
        if ":" in text:
            return None if "%" in text else IPv6Address(text).packed
        return IPv4Address(text).packed
    except (AddressValueError, ValueError):
        return None


def pack_prefix(text: str) -> Optional[Tuple[bytes, Optional[int]]]:
    """``address[/prefix]`` as (packed, prefix or None); None when it is none."""
    address, slash, prefix = text.partition("/")
    packed = pack(address)
    if packed is None:
        return None
    if not slash:
        return packed, None
    if not (prefix.isascii() and prefix.isdigit()) or int(prefix) > 8 * len(packed):
        return None
    return packed, int(prefix)


def clear_host_bits(packed: bytes, length: int) -> bytes:
    """The address of the network: all bits behind the prefix are zero."""
    bits = 8 * len(packed) - length
    return (int.from_bytes(packed, "big") >> bits << bits).to_bytes(len(packed), "big")
