# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures for the stories of SNMP: a configuration as text, and how its virtual routers are."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Sequence

from vrrp_agent.snmp import facts, values
from vrrp_agent.snmp.facts import Link, Router, Taken
from vrrp_agent.snmp.picture import Picture
from vrrp_agent.snmp.tree import Table, Tree
from vrrp_agent.snmp.values import Oid, Value

from tests.unit.conf.texts import config_of

SECOND_NS = 1_000_000_000
NOW_NS = 1000 * SECOND_NS
ETH0 = Link(2, bytes.fromhex("020000000001"), ipaddress.ip_address("198.51.100.1").packed)
ROUTER_ID = "router_id r1"


def packed(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def router(name: str = "VI_1", **words: Any) -> Router:
    """A backup that hears 198.51.100.2 since ten seconds ago."""
    usual: Dict[str, Any] = {
        "state": facts.BACKUP,
        "wanted": facts.BACKUP,
        "priority": 100,
        "base_priority": 100,
        "preempt": True,
        "source": packed("198.51.100.1"),
        "active_source": packed("198.51.100.2"),
        "has_addresses": False,
        "held": (),
        "devices": ("eth0",) * 9,
        "began_ns": NOW_NS - 10 * SECOND_NS,
        "reason": facts.NOT_ACTIVE,
        "last_error": facts.NO_ERROR,
        "counters": {},
        "discards": {},
    }
    return Router(name=name, **{**usual, **words})


def picture(text: str, *routers: Router, **words: Any) -> Picture:
    """Everything as ``text`` and ``routers`` have it; the other routers are as ``router`` makes them."""
    config = config_of(text, unsupported="")
    known = {one.name: one for one in routers}
    every = {one.name: known.get(one.name, router(one.name)) for one in config.instances}
    taken = Taken(1, NOW_NS, {"eth0": ETH0}, {}, {}, {}, {}, {})._replace(**words)
    return Picture(config, "0.0", "host", every, taken, system_up_s=100.0)


def walk(tables: Sequence[Table], root: Oid) -> Dict[Oid, Value]:
    """All objects by their names below ``root``; what is outside is an error."""
    tree, found = Tree(tables), {}
    binding = tree.next(())
    while binding.value.kind != values.END_OF_VIEW:
        assert binding.name[: len(root)] == root, binding
        found[binding.name[len(root) :]] = binding.value
        binding = tree.next(binding.name)
    return found


def column(objects: Dict[Oid, Value], *prefix: int) -> Dict[Oid, Any]:
    """What stands below ``prefix``, without the types."""
    length = len(prefix)
    return {name[length:]: value.data for name, value in objects.items() if name[:length] == prefix}


def row(objects: Dict[Oid, Value], entry: Oid, index: Oid) -> Dict[int, Any]:
    """One row of a table, by column."""
    length = len(entry)
    return {
        name[length]: value.data
        for name, value in objects.items()
        if name[:length] == entry and name[length + 1 :] == index
    }


def names(bindings: Sequence[Any]) -> List[Oid]:
    """The names of a notification's objects."""
    return [one.name for one in bindings]
