# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DR and devices: where packets come in, and by which device they go to a server.

The kernel calls a chain of the family netdev for one device. There is one for every Ethernet device that is
not a part of a bridge or bond; only packets whose link layer is addressed to the device itself are looked at.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Dict, List, Mapping, Optional, Sequence

from ..kernel import nft_changes
from ..kernel import nft_steer as steer
from ..kernel import nftables as nft
from ..kernel.errors import KernelError
from ..kernel.links import ARPHRD_ETHER, IFF_LOOPBACK, list_links
from ..kernel.netlink import RouteSocket
from ..kernel.way_out import WayOut
from .backend import DestinationKey, ServiceKey, Table
from .nft_plan import is_direct

_PRIORITY = -10
_PREFIX = "ingress-"
_OTHERS = re.compile(r"[^A-Za-z0-9._-]")
_OWNERS = frozenset(("bridge", "bond", "team"))
Known = Dict[ServiceKey, Dict[DestinationKey, int]]


class Devices:
    """What is known of devices. ``known``: the index of the device to each server, 0 when there is none."""

    def __init__(self, socket: nft.NftSocket, changes: nft_changes.TableChanges, dispatch: str) -> None:
        self.known: Known = {}
        self.problem = ""
        self._socket, self._changes, self._dispatch = socket, changes, dispatch
        self._routes: Optional[RouteSocket] = None
        self._way_out: Optional[WayOut] = None

    def look(self, table: Table) -> List[ServiceKey]:
        """Ask again for the way to every server by DR; returns the services where one has changed."""
        if self._way_out is None:
            self._way_out = WayOut()
        changed: Dict[ServiceKey, None] = {}
        asked: Dict[bytes, int] = {}
        found: Known = {}
        for key, placed in table.items():
            if not is_direct(placed):
                continue
            for destination in placed.destinations:
                address = destination.address
                if address not in asked:
                    asked[address] = self._way_out.neighbour_device(address) or 0
                device = found.setdefault(key, {})[destination] = asked[address]
                if self.known.get(key, {}).get(destination, device) != device:
                    changed[key] = None
        self.known = found
        lost = sorted(_text(address) for address, device in asked.items() if not device)
        self.problem = f"no neighbours of this host, as DR needs them: {', '.join(lost)}" if lost else ""
        return list(changed)

    def of(self, key: ServiceKey) -> Mapping[DestinationKey, int]:
        """The devices to the servers of one service."""
        return self.known.get(key, {})

    def settle(self, batches: Sequence[List[bytes]]) -> None:
        """Hang chains onto new devices, and take those of gone devices away, after other transactions."""
        name = self._changes.name
        there = set(nft_changes.base_chains(self._socket.dump(self._changes.list_chains()), name))
        wanted = {_chain_name(device): device for device in self._incoming()}
        whole: List[bytes] = []
        for chain in sorted(there - set(wanted)):
            whole += [self._changes.empty_chain(chain), self._changes.remove_chain(chain)]
        for chain in sorted(set(wanted) - there):
            base = nft_changes.BaseChain(chain, "filter", nft_changes.HOOK_INGRESS, _PRIORITY, wanted[chain])
            whole.append(self._changes.base_chain(base))
            whole.append(self._changes.rule(chain, steer.to_chain(self._dispatch, steer.JUMP)))
        try:
            for messages in (*batches, whole):
                self._socket.commit(messages)
        except KernelError as error:
            self.problem = f"DR: {error} ({error.hint})"

    def _incoming(self) -> Sequence[str]:
        if self._routes is None:
            self._routes = RouteSocket()
        links = list_links(self._routes)
        owners = {link.index for link in links if link.kind in _OWNERS}
        return [
            link.name
            for link in links
            if link.hardware == ARPHRD_ETHER and not link.flags & IFF_LOOPBACK and link.master not in owners
        ]

    def close(self) -> None:
        """Give the sockets back."""
        for one in (self._routes, self._way_out):
            if one is not None:
                one.close()


def _chain_name(device: str) -> str:
    return _PREFIX + _OTHERS.sub("_", device)


def _text(address: bytes) -> str:
    return str(ipaddress.ip_address(address))
