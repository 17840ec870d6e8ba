# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Addresses, routes, rules, commands and states as keepalived's dumps write them."""

from __future__ import annotations

from typing import AbstractSet, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ...conf.model import Address, Command, Encap, Instance, NextHop, Route, Rule
from ...election.settings import State
from ...wire.address import text
from ..live import Live

STATE_NUMBERS: Dict[State, int] = {
    State.INITIALIZE: 0,
    State.BACKUP: 1,
    State.ACTIVE: 2,
    State.FAULT: 3,
}
STATE_NAMES: Dict[State, str] = {
    State.INITIALIZE: "INIT",
    State.BACKUP: "BACKUP",
    State.ACTIVE: "MASTER",
    State.FAULT: "FAULT",
}
AUTH_NONE, AUTH_PASS, AUTH_AH = 0, 1, 2
_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_PREFERENCES = {1: "high", 0: "medium", 3: "low"}
_MAIN_TABLE = 254
_OWNER = 255
_WHOLE_MARK = 0xFFFFFFFF


def auth_type(instance: Instance) -> int:
    """The number of the authentication type (RFC 2338 5.3.6)."""
    if instance.auth_header:
        return AUTH_AH
    return AUTH_PASS if instance.auth_password else AUTH_NONE


def command(one: Command) -> str:
    """A command line: each word in quotes. What begins with < or > is a file to test, and has none."""
    words = [
        word if not index and word[:1] in ("<", ">") else "'" + word.replace("'", "\\'") + "'"
        for index, word in enumerate(one.argv)
    ]
    return " ".join(words)


def prefix(packed: bytes, length: int) -> str:
    """An address, and its length unless it is that of a single host."""
    return text(packed) if length == len(packed) * 8 else f"{text(packed)}/{length}"


class Place(NamedTuple):
    """Where the addresses of an instance are put that name no device, and what of them is there."""

    device: str = ""
    base: str = ""
    """What ``device`` lies on, when it is a virtual MAC or the like."""
    held: AbstractSet[Tuple[bytes, int]] = frozenset()
    guarded: bool = False
    """Packets to them are dropped (no_accept)."""


def place_of(live: Live) -> Place:
    """The place of one instance."""
    instance = live.instance
    held = frozenset((one.packed, one.prefix_length) for one in live.hands.held())
    guarded = not instance.accept and instance.priority != _OWNER
    link = instance.virtual_link
    if link is None:
        return Place(instance.interface, "", held, guarded)
    return Place(link.name, instance.interface, held, guarded)


def address(one: Address, place: Place) -> str:
    """One line of virtual_ipaddress."""
    words = [prefix(one.packed, one.prefix_length)]
    if one.broadcast is not None:
        words += ["brd", text(one.broadcast)]
    device = one.device or place.device
    on_base = f"@{place.base}" if place.base and device == place.device else ""
    words += ["dev", device + on_base, *(["use_vmac"] if one.use_vmac else [])]
    words += ["scope", _SCOPES.get(one.scope, str(one.scope))]
    if one.label:
        words += ["label", one.label]
    if one.peer is not None:
        words += ["peer", f"{text(one.peer)}/{one.peer_prefix_length or one.prefix_length}"]
    flags = (
        ("home", one.home),
        ("-nodad", one.nodad),
        ("mngtmpaddr", one.mngtmpaddr),
        ("noprefixroute", one.noprefixroute),
        ("autojoin", one.autojoin),
        ("no_track", one.no_track),
    )
    words += [name for name, given in flags if given]
    if one.track_group:
        words += ["track_group", one.track_group]
    if one.family == 6:
        words += _lifetime(one.preferred_lft_s)
    if (one.packed, one.prefix_length) in place.held:
        words += ["set", "nftable_set"] if place.guarded else ["set"]
    return " ".join(words)


def _lifetime(seconds: Optional[int]) -> List[str]:
    if seconds == 0:
        return ["deprecated"]
    return ["preferred_lft", "forever" if seconds is None else str(seconds)]


def route(one: Route) -> str:
    """One line of virtual_routes."""
    return " ".join(_route(one))


def _route(one: Route) -> Iterator[str]:
    yield one.append or "prepend"
    if one.type != "unicast":
        yield one.type
    yield "default" if one.destination is None else prefix(one.destination, one.prefix_length)
    if one.origin is not None:
        yield f"from {prefix(*one.origin)}"
    if one.source is not None:
        yield f"src {text(one.source)}"
    if one.tos:
        yield f"tos {one.tos}"
    single = one.next_hops[0] if len(one.next_hops) == 1 else None
    if single is not None:
        if single.encap is not None:
            yield _encap(single.encap)
        yield from _way(single)
    if one.table != _MAIN_TABLE:
        yield f"table {one.table}"
    yield f"proto {one.protocol}"
    if one.scope is not None:
        yield f"scope {one.scope}"
    if one.metric is not None:
        yield f"metric {one.metric}"
    if single is not None and single.onlink:
        yield "onlink"
    realms = one.realms if one.realms else (single.realms if single is not None else None)
    if realms:
        yield _realms(realms)
    if one.expires_s is not None:
        yield f"expires {one.expires_s}sec"
    if one.congestion_control:
        yield f"congctl {one.congestion_control}"
    yield from (f"{name} {value}" for name, value in one.metrics)
    if one.preference is not None:
        yield f"pref {_PREFERENCES.get(one.preference, 'unknown')}"
    if one.ttl_propagate is not None:
        yield f"ttl-propagate {'en' if one.ttl_propagate else 'dis'}abled"
    if single is None:
        for hop in one.next_hops:
            yield from _leg(hop)
    if one.no_track:
        yield "no_track"
    if one.track_group:
        yield f"track_group {one.track_group}"


def _way(hop: NextHop) -> Iterator[str]:
    if hop.gateway is not None:
        yield f"via inet{'' if len(hop.gateway) == 4 else '6'} {text(hop.gateway)}"
    if hop.device:
        yield f"dev {hop.device}"


def _leg(hop: NextHop) -> Iterator[str]:
    yield "nexthop"
    yield from _way(hop)
    if hop.weight != 1:
        yield f"weight {hop.weight}"
    if hop.onlink:
        yield "onlink"
    if hop.realms:
        yield _realms(hop.realms)
    if hop.encap is not None:
        yield _encap(hop.encap)


def _realms(number: int) -> str:
    source, destination = number >> 16, number & 0xFFFF
    return f"realms {source}/{destination}" if source else f"realm {destination}"


def _encap(one: Encap) -> str:
    words = ["encap", one.kind]
    for name, value in one.settings:
        words += [name, text(value) if isinstance(value, bytes) and len(value) in (4, 16) else str(value)]
    return " ".join(words)


def rule(one: Rule) -> str:
    """One line of virtual_rules."""
    return " ".join(_rule(one))


def _rule(one: Rule) -> Iterator[str]:
    if one.family == 6 and one.source is None and one.destination is None:
        yield "inet6"
    if one.invert:
        yield "not"
    yield f"from {prefix(*one.source) if one.source is not None else 'all'}"
    if one.destination is not None:
        yield f"to {prefix(*one.destination)}"
    if one.priority is not None:
        yield f"priority {one.priority}"
    yield f"tos 0x{one.tos:x}"
    if one.fwmark is not None:
        mark, mask = one.fwmark
        yield f"fwmark 0x{mark:x}" + ("" if mask == _WHOLE_MARK else f"/0x{mask:x}")
    named = (("iif", one.input_interface), ("oif", one.output_interface))
    yield from (f"{name} {device}" for name, device in named if device)
    numbers = (
        ("suppress_prefixlen", one.suppress_prefix_length),
        ("suppress_ifgroup", one.suppress_group),
        ("tunnel-id", one.tunnel_id),
    )
    yield from (f"{name} {number}" for name, number in numbers if number is not None)
    yield from _ranges((("uidrange", one.uid_range),))
    if one.l3mdev:
        yield "l3mdev"
    yield f"protocol {one.protocol}"
    if one.ip_protocol is not None:
        yield f"ipproto {one.ip_protocol}"
    yield from _ranges((("sport", one.source_ports), ("dport", one.destination_ports)))
    if one.realms:
        yield f"realms {one.realms >> 16}/{one.realms & 0xFFFF}"
    yield _action(one)
    if one.no_track:
        yield "no_track"
    if one.track_group:
        yield f"track_group {one.track_group}"


def _ranges(pairs: Tuple[Tuple[str, Optional[Tuple[int, int]]], ...]) -> Iterator[str]:
    for name, pair in pairs:
        if pair is not None:
            yield f"{name} {pair[0]}-{pair[1]}"


def _action(one: Rule) -> str:
    if one.action == "table":
        return f"lookup {one.table}"
    if one.action == "goto":
        return f"goto {one.goto}"
    return "nop" if one.action == "nop" else f"type {one.action}"
