# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prepared adverts that are signed when they leave, as each of them carries a new sequence number."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from ..conf.model import Instance
from ..wire import advert, ah, hmac_trailer
from ..wire.checksum import internet_checksum, pseudo_header
from ..wire.keyed import Keyed
from .hearing.guard import Guard, HeaderGuard, TrailerGuard
from .host.interfaces import Interfaces
from .prepared import Packet, Prepared

_IPV4_HEADER, _IPV6_HEADER = 20, 40
_CHECKSUM = 6
"""Where the checksum stands in a VRRP message."""


def prepare(
    instance: Instance, source: bytes, interfaces: Interfaces, guard: Optional[Guard], group: bytes = b""
) -> Prepared:
    """The bytes of an instance, signed by its ``guard`` if it has one.

    ``group``: the address that stands in the checksum instead of the destination (old_unicast_checksum).
    """
    if isinstance(guard, HeaderGuard):
        return _InsideHeader(instance, source, interfaces, guard)
    if isinstance(guard, TrailerGuard) and guard.signs:
        return _WithTrailer(instance, source, interfaces, guard, group)
    return Prepared(instance, source, interfaces, group)


class _InsideHeader(Prepared):
    """``auth_type AH``."""

    protocol = ah.PROTOCOL

    def __init__(self, instance: Instance, source: bytes, interfaces: Interfaces, guard: HeaderGuard) -> None:
        super().__init__(instance, source, interfaces)
        self._guard = guard

    def adverts(self, priority: int) -> Tuple[Packet, ...]:
        seal = self._guard.seal
        sequence, identification = self._guard.begin_advert()
        return tuple(
            [
                (seal(template, sequence, identification), destination)
                for template, destination in super().adverts(priority)
            ]
        )

    def payload(self, message: bytes) -> bytes:
        return ah.blank_header(self._source) + message


class _WithTrailer(Prepared):
    """``auth_hmac``."""

    def __init__(
        self,
        instance: Instance,
        source: bytes,
        interfaces: Interfaces,
        guard: TrailerGuard,
        group: bytes,
    ) -> None:
        super().__init__(instance, source, interfaces, group)
        self._guard = guard
        self._begun: Dict[int, Keyed] = {}

    def adverts(self, priority: int) -> Tuple[Packet, ...]:
        templates = super().adverts(priority)
        begun = self._begun.get(priority)
        if begun is None:
            start = _IPV4_HEADER if self._instance.family == 4 else _IPV6_HEADER
            message = templates[0][0][start : -hmac_trailer.LENGTH]
            self._begun[priority] = begun = self._guard.begin(message, self._source)
        trailer = self._guard.sign(begun)
        finish = _finish_ipv4 if self._instance.family == 4 else _finish_ipv6
        packets: List[Packet] = [(finish(one, trailer), destination) for one, destination in templates]
        return tuple(packets)

    def payload(self, message: bytes) -> bytes:
        return message + bytes(hmac_trailer.LENGTH)


def _finish_ipv4(template: bytes, trailer: bytes) -> bytes:
    """The checksum of the message leaves the trailer out, as keepalived computes it."""
    return template[: -hmac_trailer.LENGTH] + trailer


def _finish_ipv6(template: bytes, trailer: bytes) -> bytes:
    """The checksum covers the trailer: it is that of the whole payload (RFC 8200 8.1)."""
    header, payload = template[:_IPV6_HEADER], template[_IPV6_HEADER : -hmac_trailer.LENGTH]
    start, rest = payload[:_CHECKSUM], payload[_CHECKSUM + 2 :] + trailer
    length = len(start) + 2 + len(rest)
    pseudo = pseudo_header(header[8:24], header[24:40], advert.PROTOCOL, length)
    total = internet_checksum(pseudo + start + b"\0\0" + rest)
    return header + start + total.to_bytes(2, "big") + rest


def overhead(instance: Instance) -> int:
    """Bytes that protection adds to each advert."""
    if instance.auth_header:
        return ah.LENGTH
    hmac = instance.auth_hmac
    return hmac_trailer.LENGTH if hmac is not None and hmac.mode != "receive-only" else 0
