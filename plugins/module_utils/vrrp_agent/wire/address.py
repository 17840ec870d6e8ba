# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Packed addresses, 4 or 16 bytes: how every layer above writes and tells them."""

from __future__ import annotations

import socket


def text(packed: bytes) -> str:
    """An address as people write it; an empty one is an empty text. Raises ValueError for other lengths."""
    if not packed:
        return ""
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def link_local_of(mac: bytes) -> bytes:
    """The link-local IPv6 address that belongs to a MAC (RFC 4291 appendix A)."""
    return b"\xfe\x80" + bytes(6) + bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:6]


def is_multicast(packed: bytes) -> bool:
    """224.0.0.0/4 or ff00::/8."""
    return packed[0] & 0xF0 == 0xE0 if len(packed) == 4 else packed[0] == 0xFF


def is_link_local(packed: bytes) -> bool:
    """fe80::/10."""
    return len(packed) == 16 and packed[0] == 0xFE and packed[1] & 0xC0 == 0x80
