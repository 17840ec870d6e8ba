# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""KEEPALIVED-MIB: the global branch, sync groups, virtual routers, and the two notifications. Pure.

Rows are counted from 1 in the order of the configuration, as keepalived counts them, also where the text of
the MIB says ifIndex.
"""

from __future__ import annotations

import ipaddress
from typing import Callable, List, Optional, Sequence, Tuple

from ..conf.model import Command, Instance, Mail, Notify, SyncGroup
from . import facts, keepalived_routing, keepalived_trackers
from .facts import Changed
from .keepalived_names import GLOBAL, VRRP, nested, numbered
from .picture import Pair, Picture
from .rfc2787 import auth_type, trap
from .tree import Column, Table, constant, scalars
from .values import Binding, Oid, Value, gauge, integer, octets, text, truth

TITLE = "The MIB module of keepalived"
SECOND_NS = 1_000_000_000
_CENTISECOND_NS = 10_000_000
_NETLINK = 1
_UNSET = 3
ROUTER_ID: Oid = (*GLOBAL, 2, 0)
_GROUP: Oid = (*VRRP, 1, 1)
_INSTANCE: Oid = (*VRRP, 3, 1)
BASE_PRIORITY: Oid = (*_INSTANCE, 7)
PREEMPT: Oid = (*_INSTANCE, 13)


def tables(picture: Picture) -> List[Table]:
    """The objects of the branch of VRRP as things are."""
    groups = picture.config.groups
    return [
        Table(_GROUP, _group_columns(picture), numbered(groups)),
        Table((*VRRP, 2, 1), [Column(2, text)], nested(group.members for group in groups)),
        Table(_INSTANCE, _INSTANCE_COLUMNS, numbered(picture.pairs)),
        *keepalived_trackers.tables(picture),
        *keepalived_routing.tables(picture),
    ]


def global_branch(picture: Picture) -> List[Table]:
    """What holds for all of keepalived: there with either of its other branches."""
    settings = picture.config.settings
    mail, snmp = settings.telling.mail, settings.snmp
    kind, address = _server(mail)
    sender = mail.sender or (f"keepalived@{picture.host_name}" if mail.recipients else "")
    return [
        *scalars(
            GLOBAL,
            (1, text(f"vrrp-agent {picture.version}")),
            (2, text(picture.router_id)),
            (4, truth(snmp.traps)),
            (5, integer(_NETLINK)),
            (6, truth(False)),
            (7, truth(False)),
            (8, text(settings.operations.net_namespace)),
            (9, truth(False)),
            (10, truth(settings.dynamic_interfaces)),
            (11, truth(False)),
            (12, truth(snmp.checksum_as_v2)),
        ),
        *scalars(
            (*GLOBAL, 3),
            (1, integer(kind)),
            (2, octets(address) if address else None),
            (3, gauge(mail.timeout_ns // SECOND_NS)),
            (4, text(sender) if sender else None),
            (6, gauge(mail.port)),
            (7, truth(mail.faults)),
            (8, _alert(snmp.smtp_alert)),
            (9, _alert(snmp.smtp_alert_vrrp)),
            (10, _alert(snmp.smtp_alert_checker)),
        ),
        Table((*GLOBAL, 3, 5, 1), [Column(2, text)], numbered(mail.recipients)),
    ]


def _server(mail: Mail) -> Tuple[int, bytes]:
    """InetAddressType and address of the mail server; a name is not resolved here."""
    try:
        address = ipaddress.ip_address(mail.server)
    except ValueError:
        return 0, b""
    return (1 if address.version == 4 else 2), address.packed


def _alert(wanted: Optional[bool]) -> Value:
    """on(1), off(2), unset(3)."""
    return integer(_UNSET) if wanted is None else truth(wanted)


def command(words: Optional[Command]) -> Optional[Value]:
    """A command as keepalived shows it: each argument between apostrophes."""
    return None if words is None else text(" ".join([f"'{word}'" for word in words.argv]))


def _told(notify: Notify) -> Value:
    """vrrpInstanceNotifyExec: any script at all."""
    return truth(notify.commands)


def _group_columns(picture: Picture) -> List[Column]:
    states = picture.taken.groups
    scripts: Sequence[Tuple[int, Callable[[Notify], Optional[Command]]]] = (
        (6, lambda notify: notify.active),
        (7, lambda notify: notify.backup),
        (8, lambda notify: notify.fault),
        (9, lambda notify: notify.every),
        (11, lambda notify: notify.stop),
    )

    def state(group: SyncGroup) -> Value:
        return integer(states.get(group.name, facts.INIT))

    return [
        Column(2, lambda group: text(group.name)),
        Column(3, state),
        Column(4, lambda group: truth(group.notify.mail)),
        Column(5, lambda group: _told(group.notify)),
        *[Column(number, _script(choose)) for number, choose in scripts],
        Column(10, lambda group: truth(group.tracking_weight)),
    ]


def _script(choose: Callable[[Notify], Optional[Command]]) -> Callable[[SyncGroup], Optional[Value]]:
    return lambda group: command(choose(group.notify))


def _of(choose: Callable[[Instance], Optional[Value]]) -> Callable[[Pair], Optional[Value]]:
    """A column that the configuration alone decides."""
    return lambda pair: choose(pair.instance)


def _interface(instance: Instance) -> str:
    """keepalived's name for the interface of a router with a virtual link is the link's."""
    return instance.interface if instance.virtual_link is None else instance.virtual_link.name


def _accept(instance: Instance) -> Value:
    return truth(instance.accept) if instance.version == 3 else integer(0)


def _interval(instance: Instance) -> Value:
    """Seconds in version 2, hundredths of a second in version 3."""
    return gauge(instance.advert_int_ns // (SECOND_NS if instance.version == 2 else _CENTISECOND_NS))


def _first_state(instance: Instance) -> int:
    return facts.ACTIVE if instance.start_active or instance.priority == 255 else facts.BACKUP


_INSTANCE_COLUMNS = [
    Column(2, _of(lambda instance: text(instance.name))),
    Column(3, _of(lambda instance: gauge(instance.vrid))),
    Column(4, lambda pair: integer(pair.router.state)),
    Column(5, _of(lambda instance: integer(_first_state(instance)))),
    Column(6, lambda pair: integer(pair.router.wanted)),
    Column(7, lambda pair: integer(pair.router.base_priority)),
    Column(8, lambda pair: integer(pair.router.priority)),
    Column(9, lambda pair: truth(pair.router.has_addresses)),
    Column(10, _of(lambda instance: text(_interface(instance)))),
    Column(11, _of(lambda instance: truth(instance.track_primary))),
    Column(12, _of(_interval)),
    Column(13, lambda pair: truth(pair.router.preempt)),
    Column(14, _of(lambda instance: gauge(instance.preempt_delay_ns // SECOND_NS))),
    Column(15, _of(lambda instance: integer(auth_type(instance)))),
    Column(16, constant(truth(False))),
    Column(18, lambda pair: text(pair.group) if pair.group else None),
    Column(19, _of(lambda instance: gauge(instance.garp.master_delay_ns // SECOND_NS))),
    Column(20, _of(lambda instance: truth(instance.notify.mail))),
    Column(21, _of(lambda instance: _told(instance.notify))),
    Column(22, _of(lambda instance: command(instance.notify.active))),
    Column(23, _of(lambda instance: command(instance.notify.backup))),
    Column(24, _of(lambda instance: command(instance.notify.fault))),
    Column(25, _of(lambda instance: command(instance.notify.stop))),
    Column(26, _of(lambda instance: command(instance.notify.every))),
    Column(27, _of(_accept)),
    Column(28, _of(lambda instance: truth(instance.promote_secondaries))),
    Column(29, constant(truth(False))),
    Column(30, _of(lambda instance: integer(instance.version))),
    Column(31, _of(lambda instance: command(instance.notify.lower_priority))),
    Column(32, _of(lambda instance: command(instance.notify.deleted))),
    Column(33, _of(lambda instance: truth(instance.notify.report_deleted))),
    Column(34, _of(lambda instance: None if instance.unicast else integer(1 if instance.family == 4 else 2))),
    Column(35, _of(lambda instance: None if instance.unicast else octets(instance.multicast_group))),
    Column(36, _of(lambda instance: truth(instance.checksum_as_v2))),
]


def instance_changed(picture: Picture, instance: Optional[Instance], change: Changed) -> Tuple[Binding, ...]:
    """vrrpInstanceStateChange; its objects have no index, as keepalived sends them."""
    first = facts.BACKUP if instance is None else _first_state(instance)
    return (
        trap((*VRRP, 10, 0, 2)),
        Binding((*_INSTANCE, 2), text(change.name)),
        Binding((*_INSTANCE, 4), integer(change.state)),
        Binding((*_INSTANCE, 5), integer(first)),
        Binding(ROUTER_ID, text(picture.router_id)),
    )


def group_changed(picture: Picture, change: Changed) -> Tuple[Binding, ...]:
    """vrrpSyncGroupStateChange."""
    return (
        trap((*VRRP, 10, 0, 1)),
        Binding((*_GROUP, 2), text(change.name)),
        Binding((*_GROUP, 3), integer(change.state)),
        Binding(ROUTER_ID, text(picture.router_id)),
    )
