# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entries of a table in words, for logs and ``status``. Pure."""

from __future__ import annotations

import socket

from ..conf.parts.balancing import PROTOCOL_WORDS, Member
from .backend import Change, DestinationKey, ServiceKey


def address_text(address: bytes) -> str:
    """An address as one writes it."""
    family = socket.AF_INET6 if len(address) == 16 else socket.AF_INET
    return socket.inet_ntop(family, address)


def key_text(key: ServiceKey) -> str:
    """``[198.51.100.10]:tcp:80``, or ``FWM 7``."""
    if key.fwmark:
        return f"FWM {key.fwmark}" + (" inet6" if key.family == 6 else "")
    return f"[{address_text(key.address)}]:{PROTOCOL_WORDS.get(key.protocol, key.protocol)}:{key.port}"


def destination_text(key: DestinationKey) -> str:
    """``[198.18.0.1]:80``."""
    return f"[{address_text(key.address)}]:{key.port}"


def change_text(change: Change) -> str:
    """One step, for a person: ``add [198.18.0.1]:80 to [198.51.100.10]:tcp:80``."""
    service = key_text(change.service)
    if change.destination is None:
        return f"{change.what} {service}"
    where = {"add": "to", "remove": "from"}.get(change.what, "of")
    return f"{change.what} {destination_text(change.destination)} {where} {service}"


def member_text(member: Member, protocol: int) -> str:
    """A member of a service: ``198.51.100.10-20 tcp port 80``, ``fwmark 7``."""
    if member.fwmark:
        return f"fwmark {member.fwmark}" + (" inet6" if member.family == 6 else "")
    first = address_text(member.first)
    if member.count > 1:
        last = int.from_bytes(member.first, "big") + member.count - 1
        first += f"-{address_text(last.to_bytes(len(member.first), 'big'))}"
    return f"{first} {PROTOCOL_WORDS.get(protocol, protocol)} port {member.port or 'any'}"
