# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many virtual addresses an advert has room for: as many as the link's MTU permits.

keepalived moves the others to virtual_ipaddress_excluded; every router of a group does the same sum.
"""

from __future__ import annotations

from dataclasses import replace
from typing import List, Tuple

from ..conf.model import Config, Instance
from ..wire.advert import message_length
from .host.interfaces import Interfaces
from .sealed import overhead

_USUAL_MTU = 1500
_IP_HEADER = {4: 20, 6: 40}
_MOST_ADDRESSES = 255  # the count is one byte, RFC 9568 5.2.5


def room(instance: Instance, mtu: int) -> int:
    """How many addresses fit into one datagram."""
    width = 4 if instance.family == 4 else 16
    fixed = _IP_HEADER[instance.family] + message_length(instance.version, 0, width) + overhead(instance)
    return max(0, min(_MOST_ADDRESSES, (mtu - fixed) // width))


def fit_adverts(config: Config, interfaces: Interfaces) -> Tuple[Config, List[str]]:
    """The configuration with every advert small enough for its link, and a line for each one cut."""
    instances: List[Instance] = []
    cuts: List[str] = []
    for instance in config.instances:
        link = interfaces.get(instance.interface)
        mtu = link.mtu if link is not None else _USUAL_MTU
        fits = room(instance, mtu)
        over = instance.addresses[fits:]
        if over:
            cuts.append(
                f"{instance.name}: an advert on {instance.interface} (MTU {mtu}) carries {fits} addresses; "
                f"the other {len(over)} are held as virtual_ipaddress_excluded"
            )
            instance = replace(
                instance,
                addresses=instance.addresses[:fits],
                excluded_addresses=instance.excluded_addresses + over,
            )
        instances.append(instance)
    return replace(config, instances=tuple(instances)), cuts
