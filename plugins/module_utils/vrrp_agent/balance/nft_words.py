# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Services and destinations as names of chains and as comments of rules.

The comments are the state: a process that starts anew reads from them what its predecessor has made. The
names are for people, and for ``nft``: they hold letters, digits, dots, dashes and slashes only.
"""

from __future__ import annotations

import ipaddress
from typing import Dict, Iterable, NamedTuple, Optional, Tuple

from ..conf.parts.balancing import PROTOCOL_WORDS, Forwarding, Persistence
from .backend import DestinationKey, DestinationWords, Placed, ServiceKey, ServiceWords, Table

_PROTOCOLS = {word: number for number, word in PROTOCOL_WORDS.items()}


class PlacedDestination(NamedTuple):
    """What the comment of a destination says."""

    key: DestinationKey
    words: DestinationWords
    device: int
    """DR: the index of the device that leads to it; 0 when there was none."""


def service_name(key: ServiceKey) -> str:
    """The name of the chain of a service."""
    if key.fwmark:
        return f"mark-{key.fwmark}"
    return f"{PROTOCOL_WORDS[key.protocol]}-{_plain(key.address)}-{key.port}"


def destination_name(service: ServiceKey, key: DestinationKey) -> str:
    """The name of the chain and of the counter of a destination."""
    return f"{service_name(service)}/{_plain(key.address)}-{key.port}"


def _plain(address: bytes) -> str:
    return str(ipaddress.ip_address(address)).replace(":", "-")


def service_comment(key: ServiceKey, words: ServiceWords) -> str:
    """``service tcp 198.51.100.10 port 80 scheduler wrr``, with what else there is to say."""
    if key.fwmark:
        where = f"service mark {key.fwmark} family {key.family}"
    else:
        where = f"service {PROTOCOL_WORDS[key.protocol]} {ipaddress.ip_address(key.address)} port {key.port}"
    text = f"{where} scheduler {words.scheduler}"
    if words.flags:
        text += f" flags {','.join(words.flags)}"
    lasting = words.persistence
    if lasting is not None:
        text += f" persistence {lasting.timeout_s}/{lasting.prefix_length}/{lasting.engine}"
    return text


def read_service(comment: str) -> Optional[Tuple[ServiceKey, ServiceWords]]:
    """What ``service_comment`` has written; None when it is something else."""
    said = _pairs(comment)
    try:
        persistence = None
        if "persistence" in said:
            timeout, length, engine = said["persistence"].split("/")
            persistence = Persistence(int(timeout), int(length), engine)
        flags = tuple(said["flags"].split(",")) if "flags" in said else ()
        words = ServiceWords(said["scheduler"], flags, persistence)
        if "mark" in said:
            return ServiceKey(int(said["family"]), 0, b"", 0, int(said["mark"])), words
        name = next((word for word in _PROTOCOLS if word in said), "")
        address = ipaddress.ip_address(said[name])
        return ServiceKey(address.version, _PROTOCOLS[name], address.packed, int(said["port"]), 0), words
    except (KeyError, ValueError):
        return None


def destination_comment(key: DestinationKey, words: DestinationWords, device: int = 0) -> str:
    """``server 198.18.0.1 port 80 method NAT weight 3``, with what else there is to say."""
    way = words.forwarding
    where = f"server {ipaddress.ip_address(key.address)} port {key.port}"
    text = f"{where} method {way.method} weight {words.weight}"
    plain = Forwarding(way.method)
    if way != plain:
        text += f" tunnel {way.tunnel}/{way.tunnel_port}/{way.checksum}"
    if words.upper_threshold or words.lower_threshold:
        text += f" thresholds {words.upper_threshold}/{words.lower_threshold}"
    return f"{text} device {device}" if device else text


def read_destination(comment: str) -> Optional[PlacedDestination]:
    """What ``destination_comment`` has written; None when it is something else."""
    said = _pairs(comment)
    try:
        way = Forwarding(said["method"])
        if "tunnel" in said:
            tunnel, port, checksum = said["tunnel"].split("/")
            way = Forwarding(said["method"], tunnel, int(port), checksum)
        upper, lower = said.get("thresholds", "0/0").split("/")
        key = DestinationKey(ipaddress.ip_address(said["server"]).packed, int(said["port"]))
        words = DestinationWords(int(said["weight"]), way, int(upper), int(lower))
        return PlacedDestination(key, words, int(said.get("device", "0")))
    except (KeyError, ValueError):
        return None


def _pairs(comment: str) -> Dict[str, str]:
    """Words in pairs; ``service`` stands alone before the first."""
    words = comment.split(" ")
    if words[0] == "service":
        words = words[1:]
    return dict(zip(words[::2], words[1::2]))


class Found(NamedTuple):
    """What the comments of a table say."""

    table: Table
    devices: Dict[ServiceKey, Dict[DestinationKey, int]]
    damaged: bool
    """There is more than can be read."""


def read_table(comments: Iterable[Tuple[str, str]]) -> Found:
    """Services and destinations from the comments of rules, each with the chain of the rule."""
    table: Table = {}
    chains: Dict[str, ServiceKey] = {}
    behind = []
    damaged = False
    for chain, comment in comments:
        if comment.startswith("service "):
            service = read_service(comment)
            damaged = damaged or service is None
            if service is not None:
                table[service[0]] = Placed(service[1], {})
                chains[chain] = service[0]
        elif comment.startswith("server "):
            destination = read_destination(comment)
            damaged = damaged or destination is None
            if destination is not None:
                behind.append((chain.partition("/")[0], destination))
    devices: Dict[ServiceKey, Dict[DestinationKey, int]] = {}
    for chain, destination in behind:
        owner = chains.get(chain)
        damaged = damaged or owner is None
        if owner is not None:
            table[owner].destinations[destination.key] = destination.words
            devices.setdefault(owner, {})[destination.key] = destination.device
    return Found(table, devices, damaged)
