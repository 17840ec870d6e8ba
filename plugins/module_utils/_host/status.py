# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of VRRP on a host: what the agent says, and which addresses the kernel holds.

Private to the collection.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Dict, FrozenSet, Iterable, List, Optional, Sequence, Tuple

from . import release, unit
from .host import Host

Status = Dict[str, Any]


def plain_address(text: str) -> str:
    """An address without its prefix, in the one spelling that can be compared. Empty when it is none."""
    try:
        return str(ipaddress.ip_address(text.split("/", 1)[0]))
    except ValueError:
        return ""


def addresses_on_host(host: Host) -> FrozenSet[str]:
    """Every address on every interface, without prefixes.

    Raises HostError when ``ip`` does not run.
    """
    listing = host.must_run(["ip", "-o", "address", "show"], "listing the addresses of the host").stdout
    found = set()
    for line in listing.splitlines():
        words = line.split()
        for family in ("inet", "inet6"):
            if family in words[:-1]:
                found.add(plain_address(words[words.index(family) + 1]))
    return frozenset(found - {""})


def held(host: Host, virtual_addresses: Iterable[str]) -> Tuple[str, ...]:
    """Those of the virtual addresses that are on this host now."""
    here = addresses_on_host(host)
    return tuple(address for address in virtual_addresses if address in here)


def agent_status(host: Host) -> Optional[Status]:
    """What ``vrrp-agent status --json`` answers, or None when nobody answers."""
    done = host.run([host.path(release.ENTRY), "status", "--json", "--runtime-dir", unit.RUNTIME_DIRECTORY])
    if done.rc != 0:
        return None
    try:
        said = json.loads(done.stdout)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def instances(status: Optional[Status]) -> List[Status]:
    """The instances of an answer; none when there is no answer."""
    return entries(status, "instances")


def entries(status: Optional[Status], key: str) -> List[Status]:
    """One list of an answer, or of a part of it; empty when it is not there."""
    found = (status or {}).get(key) or []
    return [entry for entry in found if isinstance(entry, dict)]


def faults(status: Optional[Status]) -> Dict[str, str]:
    """The instances in FAULT, with the reason that the agent gives."""
    return {
        str(entry.get("name", "")): str(entry.get("reason") or "no reason given")
        for entry in instances(status)
        if entry.get("state") == "fault"
    }


def instances_by_address(declared: Sequence[Tuple[str, Sequence[str]]], here: Iterable[str]) -> List[Status]:
    """The state of instances whose program cannot be asked: active is who holds all of the addresses.

    ``declared`` is (name, virtual addresses) of each instance.
    """
    present = set(here)
    result: List[Status] = []
    for name, addresses in declared:
        mine = [address for address in addresses if address in present]
        state = "unknown" if not addresses else "active" if len(mine) == len(addresses) else "not active"
        result.append(
            {
                "name": name,
                "state": state,
                "reason": "told by the addresses on the host",
                "addresses_held": mine,
            }
        )
    return result
