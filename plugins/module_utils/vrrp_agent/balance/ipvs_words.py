# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table's words and those of IPVS: what one says the other says too, there and back."""

from __future__ import annotations

from typing import Optional, Tuple

from ..conf.parts.balancing import DIRECT, GRE, GUE, IPIP, NAT, TUNNEL, Forwarding, Persistence
from ..kernel import ipvs_messages as message
from ..kernel.ipvs_messages import Destination, Service
from .backend import DestinationKey, DestinationWords, ServiceKey, ServiceWords

FLAGS = {
    "ops": message.ONE_PACKET,
    "flag-1": message.FLAG_1,
    "flag-2": message.FLAG_2,
    "flag-3": message.FLAG_3,
}
"""Without ``hashed``: the kernel sets it, whatever it is told."""
_METHODS = {NAT: message.MASQUERADE, DIRECT: message.ROUTE, TUNNEL: message.TUNNEL}
_METHOD_WORDS = {number: word for word, number in _METHODS.items()}
_TUNNELS = {IPIP: message.IPIP, GUE: message.GUE, GRE: message.GRE}
_TUNNEL_WORDS = {number: word for word, number in _TUNNELS.items()}
_CHECKSUMS = {"nocsum": 0, "csum": message.CHECKSUM, "remcsum": message.REMOTE_CHECKSUM}
_CHECKSUM_WORDS = {number: word for word, number in _CHECKSUMS.items()}


def service_of(key: ServiceKey, words: Optional[ServiceWords]) -> Service:
    """A service as IPVS says it; without words, its key."""
    place = Service(key.family, key.protocol, key.address, key.port, key.fwmark)
    if words is None:
        return place
    flags = 0
    for word in words.flags:
        flags |= FLAGS.get(word, 0)
    lasting = words.persistence
    if lasting is None:
        return place._replace(scheduler=words.scheduler, flags=flags)
    return place._replace(
        scheduler=words.scheduler,
        flags=flags | message.PERSISTENT,
        timeout_s=lasting.timeout_s,
        prefix_length=lasting.prefix_length,
        engine=lasting.engine,
    )


def placed_service(service: Service) -> Tuple[ServiceKey, ServiceWords]:
    """What IPVS says of a service, in the table's words."""
    key = ServiceKey(service.family, service.protocol, service.address, service.port, service.fwmark)
    flags = tuple(sorted(word for word, flag in FLAGS.items() if service.flags & flag))
    persistence = None
    if service.flags & message.PERSISTENT:
        persistence = Persistence(service.timeout_s, service.prefix_length, service.engine)
    return key, ServiceWords(service.scheduler, flags, persistence)


def destination_of(key: DestinationKey, words: Optional[DestinationWords]) -> Destination:
    """A destination as IPVS says it; without words, its key."""
    place = Destination(key.address, key.port)
    if words is None:
        return place
    way = words.forwarding
    place = place._replace(
        method=_METHODS[way.method],
        weight=words.weight,
        upper=words.upper_threshold,
        lower=words.lower_threshold,
    )
    if way.method != TUNNEL:
        return place
    return place._replace(
        tunnel=_TUNNELS[way.tunnel],
        tunnel_port=way.tunnel_port,
        tunnel_flags=_CHECKSUMS[way.checksum],
    )


def placed_destination(found: Destination) -> Tuple[DestinationKey, DestinationWords]:
    """What IPVS says of a destination, in the table's words.

    What no keepalived.conf can say (a local node, a cache bypass) gets a word of its own, which equals none.
    """
    method = _METHOD_WORDS.get(found.method, f"method {found.method}")
    way = Forwarding(method)
    if method == TUNNEL:
        way = Forwarding(
            method,
            _TUNNEL_WORDS.get(found.tunnel, f"tunnel {found.tunnel}"),
            found.tunnel_port,
            _CHECKSUM_WORDS.get(found.tunnel_flags, f"flags {found.tunnel_flags}"),
        )
    words = DestinationWords(found.weight, way, found.upper, found.lower)
    return DestinationKey(found.address, found.port), words
