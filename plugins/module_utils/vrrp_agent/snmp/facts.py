# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the agent and its SNMP process say to each other.

The agent sends the configuration once, in pieces, after every change (``Begin``, ``Part`` ..., ``End``). When
it is asked with ``Ask``, it sends what changes by itself (``Rows``, ``Service``, ``Checks`` ..., ``Taken``).
Times are of the monotonic clock in nanoseconds, addresses are packed.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

from ..conf.model import Config
from ..loop.results import CheckKey

INIT, BACKUP, ACTIVE, FAULT, UNKNOWN, STOPPED, DELETED = range(7)
"""VrrpState of KEEPALIVED-MIB."""

NOT_ACTIVE, BY_PRIORITY, PREEMPTED, NO_RESPONSE = range(4)
"""vrrpv3StatisticsNewMasterReason (RFC 6527)."""

NO_ERROR, TTL_ERROR, VERSION_ERROR, CHECKSUM_ERROR, VRID_ERROR = range(5)
"""vrrpv3StatisticsProtoErrReason (RFC 6527)."""

INVALID_AUTH_TYPE, AUTH_TYPE_MISMATCH, AUTH_FAILURE = 1, 2, 3
"""vrrpTrapAuthErrorType (RFC 2787)."""


SCRIPT_NEW, SCRIPT_BAD, SCRIPT_GOOD, SCRIPT_BEGAN_BAD = 1, 2, 3, 5
"""vrrpScriptResult of KEEPALIVED-MIB."""


class Begin(NamedTuple):
    """A configuration follows; ``config`` has everything but its long lists."""

    config: Config
    version: str
    """Of the agent, as a text for people."""
    host_name: str


class Part(NamedTuple):
    """More of one of the lists of ``Config``."""

    field: str
    items: Tuple[Any, ...]


class End(NamedTuple):
    """The configuration is whole: serve it from now on."""


class Leave(NamedTuple):
    """SNMP is not wanted any more: the process says goodbye and ends."""


class Ask(NamedTuple):
    """The SNMP process wants to know how things are."""

    number: int


class Router(NamedTuple):
    """How one virtual router is."""

    name: str
    state: int
    wanted: int
    priority: int
    """The effective one."""
    base_priority: int
    preempt: bool
    source: bytes
    active_source: bytes
    """The address of the active router; empty when there is none to our knowledge."""
    has_addresses: bool
    held: Tuple[bytes, ...]
    """Virtual addresses that are on their interfaces."""
    devices: Tuple[str, ...]
    """Where each address goes, in the order of the configuration, the excluded ones last."""
    began_ns: int
    """When it last left the states INIT and FAULT; 0 while it is in one of them."""
    reason: int
    """Why it became active last: one of the list above."""
    last_error: int
    """The last error of the protocol: one of the list above."""
    counters: Dict[str, int]
    discards: Dict[str, int]


class Service(NamedTuple):
    """One virtual server, as the process that balances tells of it: nothing is made of it in the agent."""

    number: int
    key: Tuple[str, int]
    """VirtualServer.key."""
    row: Dict[str, Any]
    """Without checks and counters (balance/rows.py)."""
    counters: Dict[str, int]
    of_servers: Dict[str, Dict[str, int]]
    """The counters of its servers, by their names."""


class Checks(NamedTuple):
    """Some checks: good, bad (False) or not known yet (None)."""

    number: int
    states: Dict[CheckKey, Optional[bool]]


class Link(NamedTuple):
    """An interface that the configuration names."""

    number: int
    """Its ifIndex."""
    mac: bytes
    ipv4: bytes = b""
    """The first address of its own, as virtual routers without one of their own use it."""
    ipv6: bytes = b""


class Rows(NamedTuple):
    """Some virtual routers, in the order of the configuration."""

    number: int
    routers: Tuple[Router, ...]


class Taken(NamedTuple):
    """The rest of an answer: everything that is not a virtual router."""

    number: int
    at_ns: int
    links: Dict[str, Link]
    discards: Dict[str, int]
    """Packets for no virtual router of ours, by reason, over all interfaces."""
    groups: Dict[str, int]
    """States of sync groups."""
    scripts: Dict[str, int]
    """vrrpScriptResult of each script."""
    files: Dict[str, int]
    """The number in each file."""
    processes: Dict[str, Tuple[int, bool]]
    """How many there are of each process, and whether that is enough."""


class Changed(NamedTuple):
    """A virtual router or a sync group has another state."""

    group: bool
    name: str
    state: int
    interface: int = 0
    """Index of the instance's interface."""
    source: bytes = b""
    reason: int = NOT_ACTIVE


class ServerChanged(NamedTuple):
    """A virtual or a real server has come up or gone down."""

    service: Tuple[str, int]
    """VirtualServer.key."""
    server: str
    """The name of the real server; empty when it is about the quorum of the virtual one."""
    up: bool
    servers_up: int
    """Of the virtual server, now."""
    stopping: bool
    """The agent ends."""


class BadAdvert(NamedTuple):
    """An advert broke a rule that managers are told of."""

    interface: int
    """Index of the interface."""
    vrid: int
    family: int
    version: int
    """Of the virtual router; 0 when there is none of this number here."""
    source: bytes
    error: int = NO_ERROR
    auth_error: int = 0


class Report(NamedTuple):
    """How the process stands with its master, for ``status``."""

    master: str
    open: bool
    problem: str
    """Why there is no session, or which subtree the master does not take."""


class Change(NamedTuple):
    """A manager wants another base priority or preempt of an instance, or another weight of a real server."""

    number: int
    name: str = ""
    """Of the instance."""
    priority: Optional[int] = None
    preempt: Optional[bool] = None
    service: Tuple[str, int] = ("", 0)
    """VirtualServer.key."""
    server: Tuple[bytes, int] = (b"", 0)
    """RealServer.key."""
    weight: Optional[int] = None


class ChangeDone(NamedTuple):
    """``problem`` is empty when the change was made."""

    number: int
    problem: str
