# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What need not be written down: merged, and derived from the group. Private to the collection. Pure."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ...module_utils.vrrp_agent.conf.yaml.value import merge
from .member import Finding, Member

FIRST_PRIORITY = 200
PRIORITY_STEP = 10
"""Room between two hosts, so that a tracked weight has somewhere to go."""

Data = Dict[str, Any]


def origin(member: Member, path: str) -> str:
    """A path in the merged configuration, with the variable that it comes from written before it."""
    inside: Any = member.own_config
    for key in re.findall(r"[^.\[\]]+", path):
        if isinstance(inside, (list, tuple)):
            break
        inside = (
            next((inside[name] for name in inside if str(name) == key), None)
            if isinstance(inside, Mapping)
            else None
        )
        if inside is None:
            return "vrrp_config." + path
    return "vrrp_config_host." + path


def priority_of(position: int, size: int) -> Optional[int]:
    """The priority of a place in a group: 200, 190, ... closer together in a large one; None without room.

    254 and 1 stay free for what has to be above or below everyone; 255 is the owner of an address.
    """
    step = min(PRIORITY_STEP, (FIRST_PRIORITY - 2) // max(size - 1, 1))
    return FIRST_PRIORITY - position * step if step else None


def instances_of(config: Mapping[str, Any]) -> Dict[str, Mapping[str, Any]]:
    """The vrrp_instance blocks by name; what is no mapping is left for the language to complain about."""
    blocks = config.get("vrrp_instance")
    if not isinstance(blocks, Mapping):
        return {}
    return {str(name): body for name, body in blocks.items() if isinstance(body, Mapping)}


def family_of(instance: Mapping[str, Any]) -> int:
    """4 or 6, by the first virtual address, as keepalived decides it."""
    for key in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
        lines = instance.get(key)
        for line in lines if isinstance(lines, (list, tuple)) else ():
            return 6 if ":" in str(line.get("address") if isinstance(line, Mapping) else line) else 4
    return 4


def address_of(member: Member, family: int) -> str:
    """Where its peers reach a member in this family; empty when it did not say."""
    for address in member.addresses:
        if (6 if ":" in address else 4) == family:
            return address
    return ""


def derive(group: Sequence[Member]) -> Tuple[Dict[str, Data], List[Finding]]:
    """The whole configuration of every present member, and what could not be derived."""
    findings: List[Finding] = []
    merged = {member.name: merge(member.config, member.own_config) for member in group}
    size = max((member.position for member in group), default=0) + 1
    result = {}
    for member in group:
        if not member.present:
            continue
        config = merged[member.name]
        blocks = {}
        for name, body in instances_of(config).items():
            path = "vrrp_instance." + name
            filled = dict(body)
            if "priority" not in filled:
                priority = priority_of(member.position, size)
                if priority is None:
                    findings.append(
                        Finding(
                            member.name,
                            origin(member, path),
                            f"a group of {size} has no room for derived priorities",
                            "write the priority of each host in vrrp_config_host",
                        )
                    )
                else:
                    filled["priority"] = priority
            if member.unicast and "unicast_peer" not in filled:
                others = [
                    other
                    for other in group
                    if other.present
                    and other.name != member.name
                    and name in instances_of(merged[other.name])
                ]
                findings.extend(_add_peers(filled, member, others, path))
            blocks[name] = filled
        result[member.name] = _with_blocks(_with_router_id(config, member), blocks)
    return result, findings


def _add_peers(filled: Data, member: Member, others: Sequence[Member], path: str) -> List[Finding]:
    family = family_of(filled)
    unknown = [one for one in (member, *others) if not address_of(one, family)]
    if unknown:
        return [
            Finding(
                one.name,
                "vrrp_address",
                f"unicast needs the IPv{family} address of this host for {path}",
                "set vrrp_address; ansible_host is taken when it is an address of that family",
            )
            for one in unknown
        ]
    if not others:
        return [
            Finding(
                member.name,
                "vrrp_config." + path,
                "has no peer to speak to with unicast",
                "a group of one needs vrrp_unicast: false",
            )
        ]
    filled.setdefault("unicast_src_ip", address_of(member, family))
    filled["unicast_peer"] = [address_of(other, family) for other in others]
    return []


def _with_router_id(config: Data, member: Member) -> Data:
    settings = config.get("global_defs", {})
    if not member.router_id or not isinstance(settings, Mapping) or "router_id" in settings:
        return config
    return {
        "global_defs": {"router_id": member.router_id, **settings},
        **{key: value for key, value in config.items() if key != "global_defs"},
    }


def _with_blocks(config: Data, blocks: Mapping[str, Data]) -> Data:
    if not blocks:
        return config
    everything = {**config["vrrp_instance"], **blocks}
    return {**config, "vrrp_instance": everything}
