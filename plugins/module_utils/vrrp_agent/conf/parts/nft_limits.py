# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What nftables can carry of the words of a virtual server, and what is nearest to the rest.

One table for all who ask: the check of a file, which says it to the user, and the back ends, which act on it.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, NamedTuple, Tuple

from .balancing import DIRECT, NAT, TUNNEL, Balancing, RealServer, VirtualServer

SCHEDULERS: FrozenSet[str] = frozenset(("rr", "wrr", "sh", "dh", "fo"))
"""Carried as they are: numgen for rr and wrr, jhash of the source for sh and of the destination for dh, and
for fo the server of the highest weight alone."""
NEAREST: Dict[str, str] = {
    "lc": "rr",
    "wlc": "wrr",
    "sed": "wrr",
    "nq": "wrr",
    "twos": "wrr",
    "lblc": "dh",
    "lblcr": "dh",
    "mh": "sh",
    "ovf": "fo",
}
"""What is used in place of the others: nftables counts no connections of a server."""
MANY_ADDRESSES = 2048
"""Of one service. A change of so many takes nftables more than a second, of four times as many a quarter of a
minute (docs/load-balancing.md)."""
METHODS: FrozenSet[str] = frozenset((NAT, DIRECT))
"""Ways of forwarding that are carried; a tunnel is not, and nothing is near to it."""
FLAGS: Dict[str, FrozenSet[str]] = {"sh": frozenset(("flag-2",))}
"""Flags of a scheduler that are carried: sh-port, which hashes the port too. A server that is out is never
chosen, so that sh-fallback (flag-1) changes nothing."""


class Lack(NamedTuple):
    """One thing that nftables cannot carry."""

    word: str
    """keepalived's keyword, by which the place in the file is found."""
    what: str
    """What was asked, as one would write it: ``lb_algo wlc``."""
    instead: str
    """What happens in its place; empty when the server or service cannot work."""


def scheduler(wanted: str) -> str:
    """The scheduler that is used: ``wanted``, or the one nearest to it."""
    return wanted if wanted in SCHEDULERS else NEAREST[wanted]


def flags(used: str, wanted: Tuple[str, ...]) -> Tuple[str, ...]:
    """Those flags that the scheduler ``used`` keeps."""
    kept = FLAGS.get(used, frozenset())
    return tuple(flag for flag in wanted if flag in kept)


def of_service(service: VirtualServer) -> Tuple[Lack, ...]:
    """What is lacking for a service itself; that of its servers is said by ``of_server``."""
    found = []
    used = scheduler(service.scheduler)
    if used != service.scheduler:
        found.append(Lack("lb_algo", f"lb_algo {service.scheduler}", f"{used} is used"))
    if "ops" in service.flags:
        found.append(Lack("ops", "ops", "packets of one client and port stay with one server"))
    if service.persistence is not None and service.persistence.engine:
        name = service.persistence.engine
        found.append(Lack("persistence_engine", f"persistence_engine {name}", "a client is its address"))
    return tuple(found)


def of_server(service: VirtualServer, server: RealServer) -> Tuple[Lack, ...]:
    """What is lacking for one real server or sorry server."""
    found = []
    method = server.forwarding.method
    if method == TUNNEL:
        found.append(Lack("lvs_method", "lvs_method TUN", ""))
    elif method == DIRECT and any(member.fwmark for member in service.members):
        # Frames are handed on where they arrive, before any rule could have marked them.
        found.append(Lack("lvs_method", "lvs_method DR by firewall mark", ""))
    elif any(server is one for one in service.servers) and method != service.servers[0].forwarding.method:
        # Translated packets and those that are handed on as they are live in tables of different families.
        found.append(Lack("lvs_method", "lvs_method NAT beside DR in one service", ""))
    if server.upper_threshold:
        found.append(Lack("uthreshold", "uthreshold", "connections are not limited"))
    if server.lower_threshold:
        found.append(Lack("lthreshold", "lthreshold", "connections are not limited"))
    return tuple(found)


def of_host(balancing: Balancing) -> Tuple[Lack, ...]:
    """What is lacking for words of global_defs."""
    found = []
    if balancing.sync_daemon is not None:
        found.append(Lack("lvs_sync_daemon", "lvs_sync_daemon", "connections are not copied"))
    if any((balancing.timeouts.tcp_s, balancing.timeouts.tcp_fin_s, balancing.timeouts.udp_s)):
        found.append(Lack("lvs_timeouts", "lvs_timeouts", "the kernel's own timeouts hold"))
    return tuple(found)
