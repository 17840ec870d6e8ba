# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Light-weight tunnels of routes (keepalived ``encap``) as attributes: linux/lwtunnel.h and its kin."""

from __future__ import annotations

import struct
from typing import Any, Callable, Dict, Sequence, Tuple

from ..conf.model import Encap
from .attributes import attribute, be64, nest, u8, u16
from .errors import KernelError

_RTA_ENCAP_TYPE, _RTA_ENCAP = 21, 22
_KINDS = {"mpls": 1, "ip": 2, "ila": 3, "ip6": 4}
_MPLS_IPTUNNEL_DST, _ILA_ATTR_LOCATOR = 1, 1
_LABEL_SHIFT, _BOTTOM_OF_STACK = 12, 0x100  # RFC 3032 2.1

_Write = Callable[[int, Any], bytes]
_IP: Dict[str, Tuple[int, _Write]] = {
    "id": (1, be64),
    "dst": (2, attribute),
    "src": (3, attribute),
    "ttl": (4, u8),
    "hoplimit": (4, u8),
    "tos": (5, u8),
    "tc": (5, u8),
    "flags": (6, u16),  # as keepalived: the kernel reads it in network order
}
"""LWTUNNEL_IP_* and LWTUNNEL_IP6_* have the same numbers."""


def encap_attributes(encap: Encap) -> bytes:
    """RTA_ENCAP_TYPE and RTA_ENCAP. Raises KernelError for a kind that is none of keepalived's."""
    number = _KINDS.get(encap.kind)
    if number is None:
        raise KernelError(f"unknown encap {encap.kind}", f"use one of {', '.join(_KINDS)}")
    return u16(_RTA_ENCAP_TYPE, number) + nest(_RTA_ENCAP, _inner(encap))


def _inner(encap: Encap) -> bytes:
    settings = dict(encap.settings)
    if encap.kind == "mpls":
        return attribute(_MPLS_IPTUNNEL_DST, label_stack(settings["labels"]))  # type: ignore[arg-type]
    if encap.kind == "ila":
        return attribute(_ILA_ATTR_LOCATOR, settings["locator"])  # type: ignore[arg-type]
    parts = []
    for name, value in encap.settings:
        kind, write = _IP[name]
        parts.append(write(kind, value))
    return b"".join(parts)


def label_stack(labels: Sequence[int]) -> bytes:
    """MPLS label stack entries; the last one has the bottom-of-stack bit."""
    entries = [label << _LABEL_SHIFT for label in labels]
    entries[-1] |= _BOTTOM_OF_STACK
    return struct.pack(f">{len(entries)}I", *entries)
