# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations and packets for the stories of the daemon."""

from __future__ import annotations

from typing import Any, Tuple

from vrrp_agent.conf.model import Address, Config, GarpPolicy, GlobalSettings, Instance
from vrrp_agent.wire import ip
from vrrp_agent.wire.advert import GROUP_IPV4, GROUP_IPV6, Advert, encode

from tests.unit.daemon.host import packed

SECOND = 1_000_000_000
OURS, PEER, VIP = "198.51.100.1", "198.51.100.2", "198.51.100.100"
OURS6, PEER6, VIP6 = "fe80::1", "fe80::2", "fe80::100"
ONE_GARP = GarpPolicy(master_repeat=1, master_delay_ns=0, lower_prio_repeat=1, lower_prio_delay_ns=0)


def address(text: str = f"{VIP}/24", **words: Any) -> Address:
    """One line of virtual_ipaddress."""
    name, _slash, length = text.partition("/")
    return Address(packed(name), int(length or (128 if ":" in name else 32)), **words)


def addresses(*texts: str) -> Tuple[Address, ...]:
    return tuple(address(text) for text in texts)


def instance(name: str = "VI_1", *texts: str, **words: Any) -> Instance:
    """A vrrp_instance of version 3 on eth0 with VRID 10 and priority 100."""
    family = words.setdefault("family", 4)
    texts = texts or ((f"{VIP}/24",) if family == 4 else (f"{VIP6}/64",))
    words.setdefault("addresses", addresses(*texts))
    words.setdefault("multicast_group", GROUP_IPV4 if family == 4 else GROUP_IPV6)
    words.setdefault("garp", ONE_GARP)
    words = {"interface": "eth0", "vrid": 10, "version": 3, **words}
    return Instance(name=name, **words)


def config(*instances: Instance, **words: Any) -> Config:
    settings = words.pop("settings", GlobalSettings())
    return Config(settings=settings, instances=instances, **words)


def message(source: str = PEER, destination: bytes = GROUP_IPV4, **words: Any) -> bytes:
    """A VRRP message; words are those of Advert."""
    words = {"version": 3, "vrid": 10, "priority": 200, "interval_ns": SECOND, **words}
    words.setdefault("addresses", (packed(VIP if len(destination) == 4 else VIP6),))
    return encode(Advert(**words), packed(source), destination, allow_empty=True)


def datagram(source: str = PEER, destination: bytes = GROUP_IPV4, ttl: int = 255, **words: Any) -> bytes:
    """An IPv4 advert as the raw socket gives it."""
    return ip.build_ipv4(packed(source), destination, message(source, destination, **words), ttl)
