# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""KEEPALIVED-MIB: virtual and real servers, and the two notifications about them (enable_snmp_checker). Pure.

Rows are counted from 1 in the order of the configuration; a sorry server is the first of its virtual server.
What a virtual_server only hands on to its real servers is shown where they all have the same.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Tuple

from ..conf.parts.balancing import (
    DIRECT,
    NAT,
    SCTP,
    TCP,
    TUNNEL,
    UDP,
    Balancing,
    Member,
    RealServer,
    VirtualServer,
)
from .facts import ServerChanged
from .keepalived import ROUTER_ID, command
from .keepalived_cells import (
    DELAY_BEFORE_RETRY_S,
    DELAY_BEFORE_RETRY_US,
    DELAY_LOOP_S,
    DELAY_LOOP_US,
    RETRY,
    WARMUP_S,
    WARMUP_US,
    Server,
    Service,
    T,
    address_type,
    all_servers,
    configured,
    connect_timeout,
    counter,
    counter_columns,
    is_up,
    one_server,
    place,
    program,
    regular,
    shared,
    tunnel_columns,
    virtual_host,
)
from .keepalived_names import CHECK, nested, numbered
from .picture import Picture
from .rfc2787 import trap
from .tree import Cell, Column, Table, scalars
from .values import Binding, Oid, Value, gauge, integer, octets, text, truth

TITLE = "The MIB module of keepalived's checker part"
_SERVICE: Oid = (*CHECK, 3, 1)
_SERVER: Oid = (*CHECK, 4, 1)
WEIGHT: Oid = (*_SERVER, 7)
_FWMARK, _ADDRESS, _GROUP_OR_RANGE = 1, 2, 3
"""virtualServerType and virtualServerGroupMemberType."""
_SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos")
_OTHER_SCHEDULER = 99
_PROTOCOLS = {TCP: 1, UDP: 2, SCTP: 3}
_NO_PROTOCOL = 4
_METHODS = {NAT: 1, DIRECT: 2, TUNNEL: 3}
_MET, _NOT_MET, _SHUTDOWN = 1, 2, 3
"""virtualServerQuorumStatus."""


def tables(picture: Picture) -> List[Table]:
    """The objects of the branch as things are."""
    services = _services(picture)
    groups: Dict[str, List[Member]] = {}
    for service in picture.config.services:
        if service.group:
            groups.setdefault(service.group, sorted(service.members, key=lambda one: not one.fwmark))
    return [
        Table((*CHECK, 1, 1), [Column(2, text)], numbered(groups)),
        Table((*CHECK, 2, 1), _MEMBER_COLUMNS, nested(groups.values())),
        Table(_SERVICE, _SERVICE_COLUMNS, numbered(services)),
        Table(_SERVER, _SERVER_COLUMNS, nested(_servers(service) for service in services)),
        *_kernel_settings(picture.config.settings.balancing),
    ]


def server_at(picture: Picture, index: Oid) -> Optional[Tuple[Service, Server]]:
    """The real server that has this index in realServerTable; None also for a sorry server."""
    if not picture.config.settings.balancing.snmp:
        return None
    for number, service in enumerate(_services(picture), 1):
        if index[:1] == (number,):
            found = [server for at, server in enumerate(_servers(service), 1) if index[1:] == (at,)]
            return (service, found[0]) if found and not found[0].sorry else None
    return None


def _services(picture: Picture) -> List[Service]:
    return [Service(one, picture.services.get(one.key, {})) for one in picture.config.services]


def _servers(service: Service) -> List[Server]:
    found: List[Server] = []
    sorry = service.config.sorry_server
    if sorry is not None:
        found.append(Server(sorry, service.status.get("sorry_server") or {}, True))
    known = {one["name"]: one for one in service.status.get("servers", ())}
    found += [Server(one, known.get(one.name, {}), False) for one in service.config.servers]
    return found


def _kernel_settings(balancing: Balancing) -> List[Table]:
    daemon, timeouts = balancing.sync_daemon, balancing.timeouts
    found: List[Tuple[int, Optional[Value]]] = [(1, truth(daemon is not None))]
    if daemon is not None:
        found += [
            (2, text(daemon.interface)),
            (3, text(daemon.instance) if daemon.instance else None),
            (4, integer(daemon.sync_id)),
            (5, integer(daemon.max_length)),
            (6, integer(daemon.port)),
            (7, integer(daemon.ttl)),
            (8, address_type(daemon.group) if daemon.group else None),
            (9, octets(daemon.group) if daemon.group else None),
        ]
    seconds = ((1, timeouts.tcp_s), (2, timeouts.tcp_fin_s), (3, timeouts.udp_s))
    return [
        *scalars((*CHECK, 6), *found),
        *scalars((*CHECK, 7), *[(number, integer(value) if value else None) for number, value in seconds]),
    ]


# Members of groups.


def _of_address(choose: Callable[[Member], Optional[Value]]) -> Callable[[Member], Optional[Value]]:
    return lambda member: choose(member) if member.first else None


def _last(member: Member) -> bytes:
    size = len(member.first)
    return (int.from_bytes(member.first, "big") + member.count - 1).to_bytes(size, "big")


def _member_type(member: Member) -> int:
    if not member.first:
        return _FWMARK
    return _ADDRESS if member.count == 1 else _GROUP_OR_RANGE


_MEMBER_COLUMNS = [
    Column(2, lambda one: integer(_member_type(one))),
    Column(3, lambda one: None if one.first else gauge(one.fwmark)),
    Column(4, _of_address(lambda one: address_type(one.first))),
    Column(5, _of_address(lambda one: octets(one.first) if one.count == 1 else None)),
    Column(6, _of_address(lambda one: octets(one.first) if one.count > 1 else None)),
    Column(7, _of_address(lambda one: octets(_last(one)) if one.count > 1 else None)),
    Column(8, _of_address(lambda one: gauge(one.port))),
]


# Virtual servers.


def _service_type(service: VirtualServer) -> int:
    if service.group:
        return _GROUP_OR_RANGE
    return _FWMARK if _mark(service) else _ADDRESS


def _mark(service: VirtualServer) -> int:
    return 0 if service.group or not service.members else service.members[0].fwmark


def _only(service: VirtualServer, choose: Callable[[Member], Value]) -> Optional[Value]:
    """Of the address of a service that has one."""
    return choose(service.members[0]) if _service_type(service) == _ADDRESS else None


def _protocol(service: VirtualServer) -> Value:
    return integer(_PROTOCOLS.get(service.protocol, _NO_PROTOCOL))


def _scheduler(service: VirtualServer) -> Value:
    known = service.scheduler in _SCHEDULERS
    return place(_SCHEDULERS, service.scheduler) if known else integer(_OTHER_SCHEDULER)


def _granularity(service: VirtualServer) -> int:
    widest = 32 if service.family == 4 else 128
    return widest if service.persistence is None else service.persistence.prefix_length


def _mask(service: VirtualServer) -> Optional[Value]:
    bits = _granularity(service)
    return octets((((1 << bits) - 1) << (32 - bits)).to_bytes(4, "big")) if service.family == 4 else None


def _flag(word: str) -> Cell:
    return configured(lambda service: truth(word in service.flags))


def _servers_up(service: Service) -> int:
    return sum(is_up(one) for one in service.status.get("servers", ()))


def _everyone(choose: Callable[[RealServer], T], make: Callable[[T], Value]) -> Cell:
    """What all servers of a service have in common."""

    def cell(row: Service) -> Optional[Value]:
        value = shared(choose(one) for one in row.config.servers)
        return None if value is None else make(value)

    return cell


_SERVICE_COLUMNS = [
    Column(2, configured(lambda service: integer(_service_type(service)))),
    Column(3, configured(lambda service: text(service.group) if service.group else None)),
    Column(4, configured(lambda service: gauge(_mark(service)) if _mark(service) else None)),
    Column(5, configured(lambda service: integer(1 if service.family == 4 else 2))),
    Column(6, configured(lambda service: _only(service, lambda member: octets(member.first)))),
    Column(7, configured(lambda service: _only(service, lambda member: gauge(member.port)))),
    Column(8, configured(lambda service: None if _mark(service) else _protocol(service))),
    Column(9, configured(_scheduler)),
    Column(10, configured(lambda service: integer(_METHODS[service.forwarding.method]))),
    Column(11, lambda row: truth(row.status)),
    Column(12, all_servers(virtual_host)),
    Column(13, configured(lambda service: truth(service.persistence))),
    Column(
        14, configured(lambda service: gauge(service.persistence.timeout_s) if service.persistence else None)
    ),
    Column(15, configured(_mask)),
    Column(16, all_servers(DELAY_LOOP_S)),
    Column(17, configured(lambda service: truth(service.ha_suspend))),
    Column(18, _everyone(lambda server: server.alpha, truth)),
    Column(19, configured(lambda service: truth(service.omega))),
    Column(20, configured(lambda service: gauge(len(service.servers)))),
    Column(21, lambda row: gauge(_servers_up(row))),
    Column(22, configured(lambda service: gauge(service.quorum))),
    Column(23, lambda row: integer(_MET if is_up(row.status) else _NOT_MET)),
    Column(24, configured(lambda service: command(service.quorum_up))),
    Column(25, configured(lambda service: command(service.quorum_down))),
    Column(26, configured(lambda service: gauge(service.hysteresis))),
    Column(27, counter("connections", gauge)),
    *counter_columns(28, 38),
    Column(37, _flag("ops")),
    Column(51, configured(lambda service: gauge(_granularity(service)) if service.family == 6 else None)),
    Column(52, _flag("hashed")),
    Column(53, _flag("flag-1")),
    Column(54, _flag("flag-2")),
    Column(55, _flag("flag-3")),
    Column(56, _everyone(lambda server: server.inhibit, lambda inhibit: truth(not inhibit))),
    Column(57, all_servers(RETRY)),
    Column(58, all_servers(DELAY_BEFORE_RETRY_S)),
    Column(59, all_servers(WARMUP_S)),
    Column(60, _everyone(lambda server: server.weight, integer)),
    Column(61, configured(lambda service: truth(service.mail))),
    Column(62, _flag("flag-1")),
    Column(63, _flag("flag-2")),
    Column(64, all_servers(DELAY_LOOP_US)),
    Column(65, all_servers(DELAY_BEFORE_RETRY_US)),
    Column(66, all_servers(WARMUP_US)),
    Column(67, all_servers(connect_timeout)),
    *tunnel_columns(68),
    Column(71, configured(lambda service: text(service.snmp_name) if service.snmp_name else None)),
    Column(72, configured(lambda service: program(service.quorum_up))),
    Column(73, configured(lambda service: program(service.quorum_down))),
]


# Real servers.


def _checks(state: str) -> Cell:
    """How many checks are in a state."""
    return lambda row: gauge(sum(check.get("state") == state for check in row.status.get("checks", ())))


_SERVER_COLUMNS = [
    Column(2, lambda row: truth(not row.sorry)),
    Column(3, configured(lambda server: address_type(server.address))),
    Column(4, configured(lambda server: octets(server.address))),
    Column(5, configured(lambda server: gauge(server.port))),
    Column(6, regular(lambda row: truth(is_up(row.status)))),
    Column(7, regular(lambda row: integer(row.status.get("weight", row.config.weight)))),
    Column(8, regular(lambda row: gauge(row.config.upper_threshold) if row.config.upper_threshold else None)),
    Column(9, regular(lambda row: gauge(row.config.lower_threshold) if row.config.lower_threshold else None)),
    Column(10, regular(lambda row: truth(not row.config.inhibit))),
    Column(11, regular(lambda row: command(row.config.notify_up))),
    Column(12, regular(lambda row: command(row.config.notify_down))),
    Column(13, regular(_checks("bad"))),
    Column(14, counter("connections", gauge)),
    Column(15, counter("active_connections", gauge)),
    Column(16, counter("inactive_connections", gauge)),
    Column(17, counter("persistent_connections", gauge)),
    *counter_columns(18, 27),
    Column(40, configured(lambda server: integer(_METHODS[server.forwarding.method]))),
    Column(41, one_server(virtual_host)),
    Column(42, configured(lambda server: truth(server.alpha))),
    Column(43, one_server(RETRY)),
    Column(44, one_server(DELAY_BEFORE_RETRY_S)),
    Column(45, one_server(WARMUP_S)),
    Column(46, one_server(DELAY_LOOP_S)),
    Column(47, configured(lambda server: truth(server.mail))),
    Column(48, one_server(DELAY_BEFORE_RETRY_US)),
    Column(49, one_server(WARMUP_US)),
    Column(50, one_server(DELAY_LOOP_US)),
    Column(51, one_server(connect_timeout)),
    *tunnel_columns(52),
    Column(55, configured(lambda server: text(server.snmp_name) if server.snmp_name else None)),
    Column(56, regular(lambda row: program(row.config.notify_up))),
    Column(57, regular(lambda row: program(row.config.notify_down))),
    Column(63, _checks("unknown")),
]


# Notifications.


def changed(picture: Picture, service: VirtualServer, change: ServerChanged) -> Tuple[Binding, ...]:
    """realServerStateChange or virtualServerQuorumStateChange; their objects have no index (keepalived)."""
    server = {one.name: one for one in service.servers}.get(change.server)
    if change.server and server is None:
        return ()  # a reload has taken it away
    found = [trap((*CHECK, 5, 0, 2 if server is None else 1))]
    if server is not None:
        found += [
            Binding((*_SERVER, 3), address_type(server.address)),
            Binding((*_SERVER, 4), octets(server.address)),
            Binding((*_SERVER, 5), gauge(server.port)),
            Binding((*_SERVER, 6), truth(change.up)),
        ]
    found.append(Binding((*_SERVICE, 2), integer(_service_type(service))))
    found += [Binding((*_SERVICE, number), value) for number, value in _who(service)]
    found.append(Binding((*_SERVICE, 8), _protocol(service)))
    if server is None:
        quorum = _SHUTDOWN if change.stopping else _MET if change.up else _NOT_MET
        found.append(Binding((*_SERVICE, 23), integer(quorum)))
        found.append(Binding((*_SERVICE, 22), gauge(service.quorum)))
    return (
        *found,
        Binding((*_SERVICE, 21), gauge(change.servers_up)),
        Binding((*_SERVICE, 20), gauge(len(service.servers))),
        Binding(ROUTER_ID, text(picture.router_id)),
    )


def _who(service: VirtualServer) -> List[Tuple[int, Value]]:
    """The columns that name a service, as keepalived adds them to its notifications."""
    kind = _service_type(service)
    if kind == _GROUP_OR_RANGE:
        return [(3, text(service.group))]
    if kind == _FWMARK:
        return [(4, gauge(_mark(service)))]
    member = service.members[0]
    return [(5, address_type(member.first)), (6, octets(member.first)), (7, gauge(member.port))]
