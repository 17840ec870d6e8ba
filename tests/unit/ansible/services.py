# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual servers as values, for tests of what becomes of them on a host and in a group."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any

from plugins.module_utils.vrrp_agent.conf.model import Config, GlobalSettings
from plugins.module_utils.vrrp_agent.conf.parts.balancing import (
    NAT,
    TCP,
    Balancing,
    Forwarding,
    Member,
    RealServer,
    VirtualServer,
)


def packed(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def server(address: str, method: str = NAT, **words: Any) -> RealServer:
    return RealServer(packed(address), 80, f"[{address}]:tcp:80", forwarding=Forwarding(method), **words)


def service(
    address: str = "198.51.100.10", *servers: str, method: str = NAT, count: int = 1, **words: Any
) -> VirtualServer:
    return VirtualServer(
        name=f"[{address}]:tcp:80",
        family=6 if ":" in address else 4,
        protocol=TCP,
        members=(Member(6 if ":" in address else 4, packed(address), count, 80),),
        servers=tuple(server(one, method) for one in servers or ("198.18.0.1",)),
        **words,
    )


def config(*services: VirtualServer, base: Config = Config(), **balancing: Any) -> Config:  # noqa: B008
    settings = replace(base.settings or GlobalSettings(), balancing=Balancing(**balancing))
    return replace(base, services=services, settings=settings)
