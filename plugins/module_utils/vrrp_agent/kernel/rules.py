# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Policy rules: requests that add or remove one, and the kernel's news of them."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import List, NamedTuple, Optional

from ..conf.model import Rule
from . import attributes as nla
from .errors import KernelError
from .messages import NLM_F_CREATE, NLM_F_EXCL, RTM_DELRULE, RTM_NEWRULE
from .netlink import HEADER, request

ACTIONS = {"table": 1, "goto": 2, "nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
"""FR_ACT numbers of linux/fib_rules.h."""
_FIB_RULE_INVERT = 2
_FRA_DST, _FRA_SRC, _FRA_IIFNAME, _FRA_GOTO, _FRA_PRIORITY, _FRA_FWMARK, _FRA_FLOW = 1, 2, 3, 4, 6, 10, 11
_FRA_TUN_ID, _FRA_SUPPRESS_IFGROUP, _FRA_SUPPRESS_PREFIXLEN, _FRA_TABLE, _FRA_FWMASK = 12, 13, 14, 15, 16
_FRA_OIFNAME, _FRA_L3MDEV, _FRA_UID_RANGE, _FRA_PROTOCOL, _FRA_IP_PROTO = 17, 19, 20, 21, 22
_FRA_SPORT_RANGE, _FRA_DPORT_RANGE = 23, 24
_HEAD = struct.Struct("=BBBBBBBBI")  # family, dst, src, tos, table, two reserved, action, flags
_U32 = struct.Struct("=I")
_UIDS, _PORTS = struct.Struct("=II"), struct.Struct("=HH")
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


class RuleKey(NamedTuple):
    """What makes two rules the same one."""

    family: int
    priority: int
    action: int
    table: int
    source: bytes
    source_length: int
    destination: bytes
    destination_length: int
    tos: int
    input_interface: bytes
    output_interface: bytes
    fwmark: int


@dataclass(frozen=True)
class RuleEvent:
    """A rule has come or gone."""

    key: RuleKey
    removed: bool = False
    port: int = 0
    """The netlink port of the program that asked for it."""


def key_of(rule: Rule) -> RuleKey:
    """The key of a rule of the configuration."""
    source, source_length = rule.source if rule.source is not None and rule.source[1] else (b"", 0)
    to, to_length = rule.destination if rule.destination is not None and rule.destination[1] else (b"", 0)
    return RuleKey(
        family=rule.family,
        priority=rule.priority or 0,
        action=ACTIONS[rule.action],
        table=rule.table if rule.action == "table" and not rule.l3mdev else 0,
        source=source,
        source_length=source_length,
        destination=to,
        destination_length=to_length,
        tos=rule.tos,
        input_interface=rule.input_interface.encode(),
        output_interface=rule.output_interface.encode(),
        fwmark=rule.fwmark[0] if rule.fwmark is not None else 0,
    )


def decode_rule(kind: int, message: bytes) -> Optional[RuleEvent]:
    """The event in an RTM_NEWRULE or RTM_DELRULE message, or None for other families."""
    number, to_length, source_length, tos, table, _one, _two, action, _flags = _HEAD.unpack_from(message, 16)
    family = {socket.AF_INET: 4, socket.AF_INET6: 6}.get(number)
    if family is None:
        return None
    values = dict(nla.read(message, 16 + _HEAD.size))
    key = RuleKey(
        family=family,
        priority=_number(values.get(_FRA_PRIORITY), 0),
        action=action,
        table=_number(values.get(_FRA_TABLE), table),
        source=values.get(_FRA_SRC, b""),
        source_length=source_length,
        destination=values.get(_FRA_DST, b""),
        destination_length=to_length,
        tos=tos,
        input_interface=values.get(_FRA_IIFNAME, b"").rstrip(b"\0"),
        output_interface=values.get(_FRA_OIFNAME, b"").rstrip(b"\0"),
        fwmark=_number(values.get(_FRA_FWMARK), 0),
    )
    return RuleEvent(key, kind == RTM_DELRULE, HEADER.unpack_from(message)[4])


def _number(value: Optional[bytes], default: int) -> int:
    return default if value is None else int(_U32.unpack(value)[0])


def _selectors(rule: Rule) -> List[bytes]:
    parts: List[bytes] = []
    if rule.source is not None and rule.source[1]:
        parts.append(nla.attribute(_FRA_SRC, rule.source[0]))
    if rule.destination is not None and rule.destination[1]:
        parts.append(nla.attribute(_FRA_DST, rule.destination[0]))
    if rule.fwmark is not None:
        mark, mask = rule.fwmark
        parts += [nla.u32(_FRA_FWMARK, mark), nla.u32(_FRA_FWMASK, mask)]
    if rule.input_interface:
        parts.append(nla.text(_FRA_IIFNAME, rule.input_interface))
    if rule.output_interface:
        parts.append(nla.text(_FRA_OIFNAME, rule.output_interface))
    if rule.tunnel_id:
        parts.append(nla.be64(_FRA_TUN_ID, rule.tunnel_id))
    if rule.uid_range is not None:
        parts.append(nla.attribute(_FRA_UID_RANGE, _UIDS.pack(*rule.uid_range)))
    if rule.ip_protocol is not None:
        parts.append(nla.u8(_FRA_IP_PROTO, rule.ip_protocol))
    if rule.source_ports is not None:
        parts.append(nla.attribute(_FRA_SPORT_RANGE, _PORTS.pack(*rule.source_ports)))
    if rule.destination_ports is not None:
        parts.append(nla.attribute(_FRA_DPORT_RANGE, _PORTS.pack(*rule.destination_ports)))
    return parts


def _action(rule: Rule) -> List[bytes]:
    parts = [nla.u8(_FRA_PROTOCOL, rule.protocol)]
    if rule.priority is not None:
        parts.append(nla.u32(_FRA_PRIORITY, rule.priority))
    if rule.action == "table" and not rule.l3mdev and rule.table > 255:
        parts.append(nla.u32(_FRA_TABLE, rule.table))
    if rule.l3mdev:
        parts.append(nla.u8(_FRA_L3MDEV, 1))
    if rule.goto is not None:
        parts.append(nla.u32(_FRA_GOTO, rule.goto))
    if rule.realms:
        parts.append(nla.u32(_FRA_FLOW, rule.realms))
    if rule.suppress_prefix_length is not None:
        parts.append(nla.u32(_FRA_SUPPRESS_PREFIXLEN, rule.suppress_prefix_length))
    if rule.suppress_group is not None:
        parts.append(nla.u32(_FRA_SUPPRESS_IFGROUP, rule.suppress_group))
    return parts


def _request(rule: Rule, kind: int, flags: int, sequence: int) -> bytes:
    in_head = rule.action == "table" and not rule.l3mdev and rule.table < 256
    try:
        head = _HEAD.pack(
            _FAMILIES[rule.family],
            rule.destination[1] if rule.destination is not None else 0,
            rule.source[1] if rule.source is not None else 0,
            rule.tos,
            rule.table if in_head else 0,
            0,
            0,
            ACTIONS[rule.action],
            _FIB_RULE_INVERT if rule.invert else 0,
        )
        return request(kind, flags, head, b"".join(_selectors(rule) + _action(rule)), sequence)
    except (struct.error, ValueError, OverflowError, KeyError) as error:
        raise KernelError(f"no netlink request can say {rule}: {error}") from error


def add_request(rule: Rule, sequence: int = 0) -> bytes:
    """The request that adds ``rule``. The kernel answers EEXIST when it is there. Raises KernelError."""
    return _request(rule, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, sequence)


def remove_request(rule: Rule, sequence: int = 0) -> bytes:
    """The request that removes ``rule``."""
    return _request(rule, RTM_DELRULE, 0, sequence)
