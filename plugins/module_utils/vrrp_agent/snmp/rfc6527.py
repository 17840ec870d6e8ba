# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""VRRPV3-MIB (RFC 6527): virtual routers of both versions. Read-only, as keepalived's. Pure."""

from __future__ import annotations

from typing import List, Tuple

from ..conf.model import Instance
from . import facts
from .facts import BadAdvert, Changed
from .picture import Pair, Picture, active_address, count, counted, index, mac, primary, rfc_state
from .rfc2787 import trap
from .tree import Column, Table, constant, scalars
from .values import MIB_2, Binding, Oid, counter32, counter64, gauge, integer, octets, ticks, truth

ROOT: Oid = (*MIB_2, 207)
TITLE = "The MIB module of VRRP version 3 (RFC 6527)"
_OPERATIONS: Oid = (*ROOT, 1, 1)
_STATISTICS: Oid = (*ROOT, 1, 2)
_ENTRY: Oid = (*_OPERATIONS, 1, 1)
_STATISTICS_ENTRY: Oid = (*_STATISTICS, 5, 1)
_CENTISECOND_NS = 10_000_000
_ACTIVE_ROW = 1


def tables(picture: Picture) -> List[Table]:
    """The objects of this MIB as things are."""
    pairs = picture.chosen(shown)
    rows = [(_index(pair), pair) for pair in pairs]
    addresses = [
        ((*_index(pair), len(address.packed), *address.packed), address)
        for pair in pairs
        for address in pair.instance.addresses
        if address.family == pair.instance.family
    ]
    return [
        Table(_ENTRY, _OPERATIONS_COLUMNS, rows),
        Table((*_OPERATIONS, 2, 1), [Column(2, constant(integer(_ACTIVE_ROW)))], addresses),
        *scalars(
            _STATISTICS,
            (1, counter64(picture.discards(pairs, "checksum"))),
            (2, counter64(picture.discards(pairs, "version", "version_mismatch"))),
            (3, counter64(picture.discards(pairs, "unknown_vrid", "vrid_zero"))),
            (4, ticks(0)),
        ),
        Table(_STATISTICS_ENTRY, _STATISTICS_COLUMNS, rows),
    ]


def _index(pair: Pair) -> Tuple[int, int, int]:
    """ifIndex, VRID, InetAddressType."""
    return (*index(pair), 1 if pair.instance.family == 4 else 2)


_OPERATIONS_COLUMNS = [
    Column(3, lambda pair: octets(active_address(pair))),
    Column(4, lambda pair: octets(primary(pair))),
    Column(5, lambda pair: octets(mac(pair))),
    Column(6, lambda pair: integer(rfc_state(pair.router.state))),
    Column(7, lambda pair: gauge(pair.router.base_priority)),
    Column(8, lambda pair: integer(len(pair.instance.addresses))),
    Column(9, lambda pair: integer(pair.instance.advert_int_ns // _CENTISECOND_NS)),
    Column(10, lambda pair: truth(pair.router.preempt)),
    Column(11, lambda pair: truth(pair.instance.accept)),
    Column(12, lambda pair: ticks(pair.up_s)),
    Column(13, constant(integer(_ACTIVE_ROW))),
]

_STATISTICS_COLUMNS = [
    Column(1, lambda pair: counter32(counted(pair, "became_active"))),
    Column(2, lambda pair: integer(pair.router.reason)),
    Column(3, lambda pair: counter64(counted(pair, "adverts_received"))),
    Column(4, lambda pair: counter64(counted(pair, "interval_mismatches") + count(pair, "interval_zero"))),
    Column(5, lambda pair: counter64(count(pair, "ttl"))),
    Column(6, lambda pair: integer(pair.router.last_error)),
    Column(7, lambda pair: counter64(counted(pair, "priority_zero_received"))),
    Column(8, lambda pair: counter64(counted(pair, "priority_zero_sent"))),
    Column(9, lambda pair: counter64(count(pair, "type"))),
    Column(10, lambda pair: counter64(counted(pair, "addr_list_mismatches") + count(pair, "address_list"))),
    Column(11, lambda pair: counter64(count(pair, "length", "count_zero"))),
    Column(12, constant(ticks(0))),
    Column(13, lambda pair: gauge(pair.instance.advert_int_ns // 1_000_000)),
]


def new_master(instance: Instance, change: Changed) -> Tuple[Binding, ...]:
    """vrrpv3NewMaster; nothing for what this MIB does not show."""
    if change.state != facts.ACTIVE or not shown(instance):
        return ()
    where = (change.interface, instance.vrid, 1 if instance.family == 4 else 2)
    return (
        trap((*ROOT, 0, 1)),
        Binding((*_ENTRY, 3, *where), octets(change.source)),
        Binding((*_STATISTICS_ENTRY, 2, *where), integer(change.reason)),
    )


def shown(instance: Instance) -> bool:
    """Every router with an address. Those of version 2 too: keepalived shows them in both MIBs."""
    return bool(instance.addresses)


def protocol_error(bad: BadAdvert) -> Tuple[Binding, ...]:
    """vrrpv3ProtoError. A VRID that is not configured here is named by the index of the object."""
    if not bad.error:
        return ()
    where = (bad.interface, bad.vrid, 1 if bad.family == 4 else 2)
    return (trap((*ROOT, 0, 2)), Binding((*_STATISTICS_ENTRY, 6, *where), integer(bad.error)))
