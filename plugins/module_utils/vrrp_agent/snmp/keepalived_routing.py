# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""KEEPALIVED-MIB: addresses, routes with their next hops, and rules. Pure.

The static ones come first and count as those of instance 0.
"""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ..conf.model import Address, Encap, NextHop, Route, Rule
from .keepalived_names import VRRP, nested
from .picture import Pair, Picture
from .tree import Cell, Column, Table
from .values import Value, counter64, gauge, integer, octets, text, truth

_ROUTE_TYPES = {
    "blackhole": 3,
    "anycast": 4,
    "multicast": 5,
    "broadcast": 6,
    "unreachable": 7,
    "prohibit": 8,
    "throw": 9,
}
_UNICAST, _MULTIPATH = 1, 2
_ACTIONS = {"table": 1, "goto": 2, "nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
_SCOPES = {0: 14, 255: 0, 254: 1, 253: 2, 200: 5}
"""rtnetlink's scopes as InetScopeType."""
_PREFERENCES = {3: 1, 0: 2, 1: 3}
"""RFC 4191 2.1 as PrefType: low 1, medium 2, high 3."""
_ENCAPS = {"mpls": 1, "ip": 2, "ila": 3, "ip6": 4}
_KEEPALIVED = 18
_DEVICE_SCOPE, _GLOBAL_SCOPE = 253, 0


class _Placed(NamedTuple):
    """An address, a route or a rule, and whether it is in place; the rest is for addresses."""

    what: object
    in_place: bool
    advertised: bool = False
    device: str = ""


class _Leg(NamedTuple):
    hop: NextHop
    family: int


def tables(picture: Picture) -> List[Table]:
    """The tables of what moves with virtual routers, and of what is static."""
    config, pairs = picture.config, picture.pairs
    addresses = [[_Placed(one, True, device=one.device or "") for one in config.static_addresses]]
    routes = [[_Placed(one, True) for one in config.static_routes]]
    rules = [[_Placed(one, True) for one in config.static_rules]]
    for pair in pairs:
        instance, active = pair.instance, pair.router.has_addresses
        addresses.append(_addresses(pair))
        routes.append([_Placed(one, active) for one in instance.routes])
        rules.append([_Placed(one, active) for one in instance.rules])
    legs = [
        ((*index, number), _Leg(hop, placed.what.family))
        for index, placed in nested(routes, first=0)
        if isinstance(placed.what, Route) and len(placed.what.next_hops) > 1
        for number, hop in enumerate(placed.what.next_hops, 1)
    ]
    return [
        Table((*VRRP, 6, 1), _address_columns(picture), nested(addresses, first=0)),
        Table((*VRRP, 7, 1), _route_columns(picture), nested(routes, first=0)),
        Table((*VRRP, 8, 1), _RULE_COLUMNS, nested(rules, first=0)),
        Table((*VRRP, 11, 1), _leg_columns(picture), legs),
    ]


def _addresses(pair: Pair) -> List[_Placed]:
    instance, held = pair.instance, frozenset(pair.router.held)
    carried = len(instance.addresses)
    every = zip(instance.addresses + instance.excluded_addresses, pair.router.devices)
    return [
        _Placed(one, one.packed in held, number < carried, device)
        for number, (one, device) in enumerate(every)
    ]


def _kind(packed: bytes) -> Value:
    """InetAddressType."""
    return integer(1 if len(packed) == 4 else 2)


def _maybe(packed: Optional[bytes]) -> Optional[Value]:
    return None if packed is None else octets(packed)


def _number(number: Optional[int]) -> Optional[Value]:
    return None if number is None else gauge(number)


def _scope(number: int) -> Value:
    return integer(_SCOPES.get(number, 0))


# Addresses.


def _address_columns(picture: Picture) -> List[Column]:
    def on(choose: Callable[[Address], Optional[Value]]) -> Cell:
        return lambda placed: choose(placed.what)

    def broadcast(address: Address) -> Optional[Value]:
        return octets(address.broadcast or bytes(4)) if address.family == 4 else None

    return [
        Column(2, on(lambda address: _kind(address.packed))),
        Column(3, on(lambda address: octets(address.packed))),
        Column(4, on(broadcast)),
        Column(5, on(lambda address: gauge(address.prefix_length))),
        Column(6, on(lambda address: _scope(address.scope))),
        Column(7, lambda placed: integer(picture.link(placed.device).number)),
        Column(8, lambda placed: text(placed.device)),
        Column(9, on(lambda address: text(address.label) if address.label else None)),
        Column(10, lambda placed: truth(placed.in_place)),
        Column(11, lambda placed: truth(placed.advertised)),
        Column(12, on(lambda address: _maybe(address.peer))),
    ]


# Routes.


def _route_columns(picture: Picture) -> List[Column]:
    def on(choose: Callable[[Route], Optional[Value]]) -> Cell:
        return lambda placed: choose(placed.what)

    def hop(choose: Callable[[NextHop], Optional[Value]]) -> Cell:
        """Of the only way out; a route with several has them in a table of their own."""
        return on(lambda route: choose(route.next_hops[0]) if len(route.next_hops) == 1 else None)

    columns = [
        Column(2, on(lambda route: integer(1 if route.family == 4 else 2))),
        Column(3, on(lambda route: octets(route.destination or bytes(4 if route.family == 4 else 16)))),
        Column(4, on(lambda route: gauge(route.prefix_length))),
        Column(5, hop(lambda leg: _maybe(leg.gateway))),
        Column(7, on(lambda route: _maybe(route.source))),
        Column(8, on(lambda route: gauge(route.metric or 0))),
        Column(9, on(_route_scope)),
        Column(10, on(_route_type)),
        Column(11, hop(lambda leg: integer(picture.link(leg.device).number) if leg.device else None)),
        Column(12, hop(lambda leg: text(leg.device) if leg.device else None)),
        Column(13, on(lambda route: gauge(route.table))),
        Column(14, lambda placed: truth(placed.in_place)),
        Column(15, on(lambda route: octets(route.origin[0]) if route.origin else None)),
        Column(16, on(lambda route: gauge(route.origin[1]) if route.origin else None)),
        Column(17, on(lambda route: gauge(route.tos) if route.tos else None)),
        Column(18, on(lambda route: integer(route.protocol + 1))),
        Column(19, on(lambda route: truth(dict(route.metrics).get("features")))),
        Column(20, on(lambda route: truth("quickack" in dict(route.metrics)))),
        Column(21, on(lambda route: _number(route.expires_s) and integer(route.expires_s or 0))),
        Column(42, on(lambda route: text(route.congestion_control) if route.congestion_control else None)),
        Column(43, on(lambda route: _preference(route.preference))),
        Column(44, on(lambda route: _realm(route.realms, 0))),
        Column(45, on(lambda route: _realm(route.realms, 16))),
        Column(55, on(lambda route: _metric(route, "fastopen_no_cookie", truth))),
    ]
    for number, name, divisor, lock in _METRICS:
        columns.append(Column(number, on(_metric_cell(name, divisor))))
        if lock:
            columns.append(Column(lock, on(_lock_cell(name))))
    columns += [Column(number + 36, hop(_on_encap(cell))) for number, cell in _ENCAP_CELLS.items()]
    return columns


_METRICS: Sequence[Tuple[int, str, int, int]] = (
    (22, "mtu", 1, 23),
    (24, "hoplimit", 1, 0),
    (25, "advmss", 1, 26),
    (27, "rtt", 8, 28),
    (29, "rttvar", 4, 30),
    (31, "reordering", 1, 32),
    (33, "window", 1, 0),
    (34, "cwnd", 1, 35),
    (36, "ssthresh", 1, 37),
    (38, "rto_min", 1, 39),
    (40, "initcwnd", 1, 0),
    (41, "initrwnd", 1, 0),
)
"""Column, keepalived's name, parts of the kernel's unit in the MIB's, column that says "locked"."""


def _metric_cell(name: str, divisor: int) -> Callable[[Route], Optional[Value]]:
    return lambda route: _metric(route, name, lambda number: gauge(number // divisor))


def _lock_cell(name: str) -> Callable[[Route], Optional[Value]]:
    return lambda route: _metric(route, name, lambda number: truth(name + " lock" in dict(route.metrics)))


def _metric(route: Route, name: str, make: Callable[[int], Value]) -> Optional[Value]:
    number = dict(route.metrics).get(name)
    return None if number is None else make(number)


def _route_type(route: Route) -> Value:
    if len(route.next_hops) > 1:
        return integer(_MULTIPATH)
    return integer(_ROUTE_TYPES.get(route.type, _UNICAST))


def _route_scope(route: Route) -> Value:
    """The scope that the line names, or the one that the kernel takes for such a route."""
    if route.scope is not None:
        return _scope(route.scope)
    direct = not any(leg.gateway for leg in route.next_hops) and route.family == 4 and route.type == "unicast"
    return _scope(_DEVICE_SCOPE if direct else _GLOBAL_SCOPE)


def _preference(preference: Optional[int]) -> Optional[Value]:
    return None if preference is None else integer(_PREFERENCES.get(preference, 2))


def _realm(realms: Optional[int], shift: int) -> Optional[Value]:
    """Destination in the lower half, source in the upper."""
    number = (realms or 0) >> shift & 0xFFFF
    return gauge(number) if number else None


# Tunnels.


def _on_encap(cell: Callable[[Encap], Optional[Value]]) -> Callable[[NextHop], Optional[Value]]:
    return lambda leg: cell(leg.encap) if leg.encap is not None else None


def _encap_address(name: str) -> Callable[[Encap], Optional[Value]]:
    def cell(encap: Encap) -> Optional[Value]:
        value = dict(encap.settings).get(name)
        return octets(value) if isinstance(value, bytes) else None

    return cell


def _encap_number(*names: str, make: Callable[[int], Value] = gauge) -> Callable[[Encap], Optional[Value]]:
    def cell(encap: Encap) -> Optional[Value]:
        for name in names:
            value = dict(encap.settings).get(name)
            if isinstance(value, int):
                return make(value)
        return None

    return cell


def _labels(encap: Encap) -> Optional[Value]:
    if encap.kind != "mpls":
        return None
    for _name, value in encap.settings:
        if isinstance(value, tuple):
            return text("/".join([str(label) for label in value]))
        if isinstance(value, str):
            return text(value)
    return None


_ENCAP_CELLS: Dict[int, Callable[[Encap], Optional[Value]]] = {
    10: lambda encap: integer(_ENCAPS.get(encap.kind, 0)),
    11: _labels,
    12: _encap_number("id", make=counter64),
    13: _encap_address("dst"),
    14: _encap_address("src"),
    15: _encap_number("tos", "dsfield", "tc"),
    16: _encap_number("ttl", "hoplimit"),
    17: _encap_number("flags"),
    18: _encap_number("locator", make=counter64),
}
"""Columns of the table of next hops; a route's own are 36 further on."""


def _leg_columns(picture: Picture) -> List[Column]:
    def on(choose: Callable[[NextHop], Optional[Value]]) -> Cell:
        return lambda leg: choose(leg.hop)

    return [
        Column(2, on(lambda hop: _kind(hop.gateway) if hop.gateway is not None else None)),
        Column(3, on(lambda hop: _maybe(hop.gateway))),
        Column(4, on(lambda hop: integer(picture.link(hop.device).number) if hop.device else None)),
        Column(5, on(lambda hop: text(hop.device) if hop.device else None)),
        Column(6, on(lambda hop: gauge(hop.weight))),
        Column(7, on(lambda hop: truth(hop.onlink))),
        Column(8, on(lambda hop: _realm(hop.realms, 0))),
        Column(9, on(lambda hop: _realm(hop.realms, 16))),
        *[Column(number, on(_on_encap(cell))) for number, cell in _ENCAP_CELLS.items()],
    ]


# Rules.


def _rule(choose: Callable[[Rule], Optional[Value]]) -> Cell:
    return lambda placed: choose(placed.what)


def _direction(rule: Rule) -> Value:
    if rule.destination:
        return text("both" if rule.source else "to")
    return text("from" if rule.source else "")


def _side(
    side: Callable[[Rule], Optional[Tuple[bytes, int]]], choose: Callable[[Tuple[bytes, int]], Value]
) -> Cell:
    def cell(placed: _Placed) -> Optional[Value]:
        found = side(placed.what) if isinstance(placed.what, Rule) else None
        return None if found is None else choose(found)

    return cell


def _three(first: int, side: Callable[[Rule], Optional[Tuple[bytes, int]]]) -> List[Column]:
    """Type, address and length of a prefix, in three columns."""
    return [
        Column(first, _side(side, lambda prefix: _kind(prefix[0]))),
        Column(first + 1, _side(side, lambda prefix: octets(prefix[0]))),
        Column(first + 2, _side(side, lambda prefix: gauge(prefix[1]))),
    ]


def _two(first: int, choose: Callable[[Rule], Optional[Tuple[int, int]]]) -> List[Column]:
    """Both numbers of a pair."""

    def cell(at: int) -> Callable[[Rule], Optional[Value]]:
        def number(rule: Rule) -> Optional[Value]:
            pair = choose(rule)
            return None if pair is None else gauge(pair[at])

        return number

    return [Column(first, _rule(cell(0))), Column(first + 1, _rule(cell(1)))]


def _table_of(rule: Rule) -> Optional[Value]:
    return gauge(rule.table) if rule.action == "table" else None


def _tunnel(shift: int) -> Callable[[Rule], Optional[Value]]:
    return lambda rule: gauge(rule.tunnel_id >> shift & 0xFFFFFFFF) if rule.tunnel_id else None


_RULE_COLUMNS = [
    Column(2, _rule(_direction)),
    *_three(3, lambda rule: rule.destination or rule.source),
    Column(6, _rule(_table_of)),
    Column(7, lambda placed: truth(placed.in_place)),
    Column(8, _rule(lambda rule: truth(rule.invert))),
    *_three(9, lambda rule: rule.destination),
    *_three(12, lambda rule: rule.source),
    Column(15, _rule(lambda rule: gauge(rule.tos))),
    *_two(16, lambda rule: rule.fwmark),
    Column(18, _rule(lambda rule: _realm(rule.realms, 0))),
    Column(19, _rule(lambda rule: _realm(rule.realms, 16))),
    Column(20, _rule(lambda rule: text(rule.input_interface) if rule.input_interface else None)),
    Column(21, _rule(lambda rule: text(rule.output_interface) if rule.output_interface else None)),
    Column(22, _rule(lambda rule: _number(rule.goto) if rule.action == "goto" else None)),
    Column(23, _rule(lambda rule: integer(_ACTIONS.get(rule.action, 0)))),
    Column(24, _rule(_table_of)),
    Column(25, _rule(lambda rule: gauge(rule.priority) if rule.priority else None)),
    Column(26, _rule(lambda rule: _number(rule.suppress_prefix_length))),
    Column(27, _rule(lambda rule: None if rule.suppress_group is None else text(str(rule.suppress_group)))),
    Column(28, _rule(_tunnel(32))),
    Column(29, _rule(_tunnel(0))),
    *_two(30, lambda rule: rule.uid_range),
    Column(32, _rule(lambda rule: truth(True) if rule.l3mdev else None)),
    Column(33, _rule(lambda rule: integer(rule.protocol + 1) if rule.protocol != _KEEPALIVED else None)),
    Column(34, _rule(lambda rule: _number(rule.ip_protocol))),
    *_two(35, lambda rule: rule.source_ports),
    *_two(37, lambda rule: rule.destination_ports),
]
