# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""VRRP-MIB (RFC 2787): virtual routers of VRRP version 2. Read-only, as keepalived's. Pure."""

from __future__ import annotations

from typing import List, Tuple

from ..conf.model import Instance
from . import facts
from .facts import BadAdvert, Changed
from .picture import Pair, Picture, active_address, count, counted, index, mac, primary, rfc_state
from .tree import Column, Table, constant, scalars
from .values import (
    MIB_2,
    OBJECT_ID,
    TRAP_OID,
    Binding,
    Oid,
    Value,
    counter32,
    integer,
    ip_address,
    octets,
    ticks,
    truth,
)

ROOT: Oid = (*MIB_2, 68)
TITLE = "The MIB module of VRRP version 2 (RFC 2787)"
_OPERATIONS: Oid = (*ROOT, 1)
_STATISTICS: Oid = (*ROOT, 2)
_MASTER_ADDRESS: Oid = (*_OPERATIONS, 3, 1, 7)
_UP, _ACTIVE_ROW, _IP = 1, 1, 1


def tables(picture: Picture) -> List[Table]:
    """The objects of this MIB as things are."""
    pairs = picture.chosen(shown)
    rows = [(index(pair), pair) for pair in pairs]
    addresses = [
        ((*index(pair), *address.packed), address)
        for pair in pairs
        for address in pair.instance.addresses
        if address.family == 4
    ]
    traps = picture.config.settings.snmp.traps
    return [
        *scalars(_OPERATIONS, (1, integer(2)), (2, truth(traps))),
        Table((*_OPERATIONS, 3, 1), _operations(picture), rows),
        Table((*_OPERATIONS, 4, 1), [Column(2, constant(integer(_ACTIVE_ROW)))], addresses),
        *scalars(
            _STATISTICS,
            (1, counter32(picture.discards(pairs, "checksum"))),
            (2, counter32(picture.discards(pairs, "version", "version_mismatch"))),
            (3, counter32(picture.discards(pairs, "unknown_vrid", "vrid_zero"))),
        ),
        Table((*_STATISTICS, 4, 1), _STATISTICS_COLUMNS, rows),
    ]


def _operations(picture: Picture) -> List[Column]:
    def up_time(pair: Pair) -> Value:
        """sysUpTime when the router left initialize."""
        return ticks(picture.system_up_s - pair.up_s if pair.router.began_ns else 0)

    return [
        Column(2, lambda pair: octets(mac(pair))),
        Column(3, lambda pair: integer(rfc_state(pair.router.state))),
        Column(4, constant(integer(_UP))),
        Column(5, lambda pair: integer(pair.router.base_priority)),
        Column(6, lambda pair: integer(len(pair.instance.addresses))),
        Column(7, lambda pair: ip_address(active_address(pair))),
        Column(8, lambda pair: ip_address(primary(pair))),
        Column(9, lambda pair: integer(auth_type(pair.instance) + 1)),
        Column(10, constant(octets(b""))),  # the key is never shown
        Column(11, lambda pair: integer(pair.instance.advert_int_ns // 1_000_000_000)),
        Column(12, lambda pair: truth(pair.router.preempt)),
        Column(13, up_time),
        Column(14, constant(integer(_IP))),
        Column(15, constant(integer(_ACTIVE_ROW))),
    ]


def auth_type(instance: Instance) -> int:
    """0 none, 1 simple password, 2 IPsec authentication header."""
    if instance.version != 2 or not instance.auth_password:
        return 0
    return 2 if instance.auth_header else 1


_STATISTICS_COLUMNS = [
    Column(1, lambda pair: counter32(counted(pair, "became_active"))),
    Column(2, lambda pair: counter32(counted(pair, "adverts_received"))),
    Column(3, lambda pair: counter32(count(pair, "interval_mismatch", "interval_zero"))),
    Column(4, lambda pair: counter32(count(pair, "auth_failure"))),
    Column(5, lambda pair: counter32(count(pair, "ttl"))),
    Column(6, lambda pair: counter32(counted(pair, "priority_zero_received"))),
    Column(7, lambda pair: counter32(counted(pair, "priority_zero_sent"))),
    Column(8, lambda pair: counter32(count(pair, "type"))),
    Column(9, lambda pair: counter32(counted(pair, "addr_list_mismatches") + count(pair, "address_list"))),
    Column(10, lambda pair: counter32(count(pair, "auth_type_unknown"))),
    Column(11, lambda pair: counter32(count(pair, "auth_type_mismatch"))),
    Column(12, lambda pair: counter32(count(pair, "length", "count_zero"))),
]


def new_master(instance: Instance, change: Changed) -> Tuple[Binding, ...]:
    """vrrpTrapNewMaster; nothing for what this MIB does not show."""
    if change.state != facts.ACTIVE or not shown(instance):
        return ()
    name = (*_MASTER_ADDRESS, change.interface, instance.vrid)
    address = Binding(name, ip_address(change.source))
    return (trap((*ROOT, 0, 1)), address)


def auth_failure(bad: BadAdvert) -> Tuple[Binding, ...]:
    """vrrpTrapAuthFailure: RFC 2787 has these two objects for notifications only."""
    if not bad.auth_error or bad.version != 2 or bad.family != 4:
        return ()
    where = (bad.interface, bad.vrid)
    return (
        trap((*ROOT, 0, 2)),
        Binding((*_OPERATIONS, 5, *where), ip_address(bad.source)),
        Binding((*_OPERATIONS, 6, *where), integer(bad.auth_error)),
    )


def shown(instance: Instance) -> bool:
    """RFC 2787 knows version 2, IPv4, and routers with an address."""
    return instance.version == 2 and instance.family == 4 and bool(instance.addresses)


def trap(name: Oid) -> Binding:
    """The first binding of a notification (RFC 2741 6.2.10): which one it is."""
    return Binding(TRAP_OID, Value(OBJECT_ID, name))
