# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What only shows when all hosts of a group are looked at together. Private to the collection. Pure."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from dataclasses import dataclass
from typing import Callable, DefaultDict, Dict, Hashable, Iterator, List, Mapping, Sequence, Set, Tuple

from ...module_utils.vrrp_agent.conf.agreement import distrust
from ...module_utils.vrrp_agent.conf.model import SECOND_NS, Config, Instance
from .derive import origin
from .member import Finding, Member
from .services import check_services


@dataclass(frozen=True)
class Part:
    """How one host takes part in a virtual router."""

    member: Member
    instance: Instance

    @property
    def host(self) -> str:
        """inventory_hostname"""
        return self.member.name

    def finding(self, key: str, message: str, hint: str = "", warning: bool = False) -> Finding:
        """A finding about one key of this instance."""
        path = ".".join(("vrrp_instance", self.instance.name, *([key] if key else [])))
        return Finding(self.host, origin(self.member, path), message, hint, warning)


BOTH_ACTIVE = "they do not hear each other, and both would be active"

Router = Tuple[Part, ...]


def check_group(members: Sequence[Member], configs: Mapping[str, Config]) -> List[Finding]:
    """Everything that is wrong between the hosts. ``configs`` holds what each present host's file means."""
    parts = [
        Part(member, instance)
        for member in members
        if member.name in configs
        for instance in configs[member.name].instances
    ]
    by_name: DefaultDict[Tuple[str, int], List[Part]] = defaultdict(list)
    for part in parts:
        by_name[part.instance.name, part.instance.family].append(part)
    routers = [tuple(found) for found in by_name.values()]
    findings = [*_vrids(parts), *_shared_addresses(parts)]
    for router in routers:
        for check in CHECKS:
            findings.extend(check(router))
    findings.extend(check_services(members, configs))
    return findings


def _text(packed: bytes) -> str:
    return str(ipaddress.ip_address(packed))


def _odd_ones(router: Router, value: Callable[[Part], Hashable]) -> Iterator[Tuple[Part, Part]]:
    """The hosts that differ from the most common value, each beside one that has it; the first wins a tie."""
    counts: Dict[Hashable, int] = {}
    for part in router:
        counts[value(part)] = counts.get(value(part), 0) + 1
    usual = max(counts, key=lambda key: counts[key], default=None)
    examples = [part for part in router if value(part) == usual]
    for part in router:
        if value(part) != usual:
            yield part, examples[0]


def _vrids(parts: Sequence[Part]) -> Iterator[Finding]:
    """One VRID on one network is one virtual router, and the other way round."""
    seen: Dict[Tuple[int, int, str], Part] = {}
    for part in parts:
        instance = part.instance
        first = seen.setdefault((instance.vrid, instance.family, instance.interface), part)
        if first.instance.name != instance.name:
            yield part.finding(
                "virtual_router_id",
                f"VRID {instance.vrid} on {instance.interface} is already {first.instance.name} of "
                f"{first.host}: the two would fight over it",
                "give each virtual router of a network its own number, and the same name on every host",
            )


def _vrid_of_name(router: Router) -> Iterator[Finding]:
    for odd, example in _odd_ones(router, lambda part: part.instance.vrid):
        yield odd.finding(
            "virtual_router_id",
            f"is {odd.instance.vrid} here and {example.instance.vrid} on {example.host}: {BOTH_ACTIVE}",
            "write the same number for the whole group",
        )


def _addresses(router: Router) -> Iterator[Finding]:
    for odd, example in _odd_ones(
        router, lambda part: frozenset(one.packed for one in part.instance.addresses)
    ):
        mine = {one.packed for one in odd.instance.addresses}
        theirs = {one.packed for one in example.instance.addresses}
        told = [
            sign + _text(packed)
            for sign, group in (("+", mine - theirs), ("-", theirs - mine))
            for packed in sorted(group)
        ]
        yield odd.finding(
            "virtual_ipaddress",
            "differs from {} ({}): keepalived before 2.3.3 refuses the adverts of such a peer".format(
                example.host, " ".join(told)
            ),
            "write the addresses once, in vrrp_config",
        )


def _intervals(router: Router) -> Iterator[Finding]:
    for odd, example in _odd_ones(router, lambda part: part.instance.advert_int_ns):
        yield odd.finding(
            "advert_int",
            "is {:g} s here and {:g} s on {}: {}".format(
                odd.instance.advert_int_ns / SECOND_NS,
                example.instance.advert_int_ns / SECOND_NS,
                example.host,
                "a VRRPv2 router refuses the other's adverts, so both would be active"
                if odd.instance.version == 2
                else "the outage after a crash would depend on who was active",
            ),
            "write it once, in vrrp_config",
        )


def _versions(router: Router) -> Iterator[Finding]:
    for odd, example in _odd_ones(router, lambda part: part.instance.version):
        yield odd.finding(
            "version",
            f"is {odd.instance.version} here and {example.instance.version} on {example.host}: {BOTH_ACTIVE}",
            "write it once, in vrrp_config",
        )


def _passwords(router: Router) -> Iterator[Finding]:
    """Each host beside the first one that would not believe it, or would not be believed by it."""
    for number, part in enumerate(router):
        for other in router[:number]:
            ours, theirs = (
                distrust(part.instance, other.instance), distrust(other.instance, part.instance)
            )  # fmt: skip
            if ours or theirs:
                signed = part.instance.auth_hmac is not None or other.instance.auth_hmac is not None
                yield part.finding(
                    "auth_hmac" if signed else "authentication",
                    f"{other.host} refuses the adverts of this host: {ours}: {BOTH_ACTIVE}"
                    if ours
                    else f"the adverts of {other.host} are refused: {theirs}: {BOTH_ACTIVE}",
                    "write it once, in vrrp_config; docs/authentication.md says how to change it in sweeps",
                )
                break


def _priorities(router: Router) -> Iterator[Finding]:
    seen: Dict[int, Part] = {}
    for part in router:
        first = seen.setdefault(part.instance.priority, part)
        tolerable = not part.instance.preempt and not first.instance.preempt and part.instance.priority != 255
        if first is not part and not tolerable:
            yield part.finding(
                "priority",
                f"{part.instance.priority} is also the priority of {first.host}: "
                "their addresses would decide who is active",
                "give each host its own in vrrp_config_host, or leave it out: it is derived",
            )


def _unicast_or_not(router: Router) -> Iterator[Finding]:
    for odd, example in _odd_ones(router, lambda part: part.instance.unicast):
        ways = {True: "unicast", False: "multicast"}
        yield odd.finding(
            "unicast_peer",
            f"speaks by {ways[odd.instance.unicast]} here and by {ways[example.instance.unicast]} on "
            f"{example.host}: {BOTH_ACTIVE}",
            "set vrrp_unicast for the whole group, or unicast_peer on every host",
        )


def _own_addresses(part: Part) -> Set[bytes]:
    own = {ipaddress.ip_address(address).packed for address in part.member.addresses}
    return own | ({part.instance.unicast_source} if part.instance.unicast_source else set())


def _peers(router: Router) -> Iterator[Finding]:
    for part in router:
        peers = {peer.packed for peer in part.instance.unicast_peers}
        for packed in sorted(peers & _own_addresses(part)):
            yield part.finding(
                "unicast_peer",
                f"{_text(packed)} is this host's own address",
                "leave unicast_peer out and set vrrp_unicast: true, and it is derived",
            )
        for other in router:
            source = other.instance.unicast_source
            if other is not part and part.instance.unicast and source and source not in peers:
                yield part.finding(
                    "unicast_peer",
                    f"{_text(source)} of {other.host} is missing: that host would hear nothing from here",
                    "leave unicast_peer out and set vrrp_unicast: true, and it is derived",
                )


def _track_weights(router: Router) -> Iterator[Finding]:
    for part in router:
        below = [
            other.instance.priority for other in router if other.instance.priority < part.instance.priority
        ]
        gap = part.instance.priority - max(below, default=0)
        one = part.instance
        lists = (
            ("track_interface", one.track_interfaces),
            ("track_script", one.track_scripts),
            ("track_process", one.track_processes),
        )
        for word, tracked in ((word, item) for word, items in lists for item in items):
            if below and tracked.weight and abs(tracked.weight) <= gap:
                yield part.finding(
                    word,
                    f"losing {tracked.name} changes the priority by {tracked.weight}, and the next host "
                    f"is {gap} below: nothing would move",
                    f"use a weight above {gap}, or no weight: then it is a fault",
                    True,
                )


def _alone(router: Router) -> Iterator[Finding]:
    if len(router) == 1:
        yield router[0].finding(
            "", "no other host of the group has this instance: nobody would take over", "", True
        )


def _shared_addresses(parts: Sequence[Part]) -> Iterator[Finding]:
    """One address belongs to one virtual router."""
    seen: Dict[bytes, Part] = {}
    for part in parts:
        for address in (*part.instance.addresses, *part.instance.excluded_addresses):
            first = seen.setdefault(address.packed, part)
            if first.instance.name != part.instance.name:
                yield part.finding(
                    "virtual_ipaddress",
                    f"{_text(address.packed)} also belongs to {first.instance.name} of {first.host}",
                    "leave it in one of them",
                )


CHECKS: Tuple[Callable[[Router], Iterator[Finding]], ...] = (
    _vrid_of_name,
    _addresses,
    _intervals,
    _versions,
    _passwords,
    _priorities,
    _unicast_or_not,
    _peers,
    _track_weights,
    _alone,
)
