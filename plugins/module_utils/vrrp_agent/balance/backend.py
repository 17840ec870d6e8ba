# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The small interface between the decisions and the kernel: IPVS and nftables both carry it.

A back end holds a table: services, and the destinations behind each. It is changed by difference
(``difference.py``), one Change at a time, in an order that drops no connection.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Protocol, Sequence, Tuple

from ..conf.parts.balancing import Forwarding, Persistence, SyncDaemon, Timeouts


class ServiceKey(NamedTuple):
    """One service of the table: an address and a port, or a firewall mark."""

    family: int
    """4 or 6."""
    protocol: int
    """TCP, UDP, SCTP; 0 with a firewall mark."""
    address: bytes
    """Empty with a firewall mark."""
    port: int
    fwmark: int


class ServiceWords(NamedTuple):
    """What a service is like; a change of it is an update, never a removal."""

    scheduler: str
    flags: Tuple[str, ...] = ()
    """As VirtualServer.flags, sorted."""
    persistence: Optional[Persistence] = None


class DestinationKey(NamedTuple):
    """One destination of a service."""

    address: bytes
    port: int


class DestinationWords(NamedTuple):
    """What a destination is like."""

    weight: int
    forwarding: Forwarding
    upper_threshold: int = 0
    lower_threshold: int = 0


class Placed(NamedTuple):
    """A service in the table, with its destinations in their order."""

    words: ServiceWords
    destinations: Dict[DestinationKey, DestinationWords]


Table = Dict[ServiceKey, Placed]


class Change(NamedTuple):
    """One step from one table to another."""

    what: str
    """add, set or remove."""
    service: ServiceKey
    words: Optional[ServiceWords] = None
    """Of add and set of a service itself."""
    destination: Optional[DestinationKey] = None
    """Of a step that concerns a destination."""
    destination_words: Optional[DestinationWords] = None


class Refusal(NamedTuple):
    """A step that the kernel did not take."""

    change: Change
    why: str


class Counters(NamedTuple):
    """Of a service or destination; what a back end cannot count is None."""

    active_connections: Optional[int] = None
    inactive_connections: Optional[int] = None
    persistent_connections: Optional[int] = None
    connections: Optional[int] = None
    packets_in: Optional[int] = None
    packets_out: Optional[int] = None
    bytes_in: Optional[int] = None
    bytes_out: Optional[int] = None


class Counted(NamedTuple):
    """The counters of a service and of its destinations."""

    service: Counters
    destinations: Dict[DestinationKey, Counters]


class Backend(Protocol):
    """What carries the table. Methods block for a netlink answer at most; they raise KernelError."""

    name: str
    """``ipvs`` or ``nftables``."""
    replaced: Optional[Timeouts]
    """What ``set_timeouts`` has replaced and not given back yet. A successor sets it to what its predecessor
    had replaced."""

    def read(self) -> Table:
        """What is there now. IPVS: every service, whoever made it; nftables: those of the own table."""

    def apply(self, changes: Sequence[Change]) -> List[Refusal]:
        """Take the steps in their order. One that is refused is reported and the others are taken."""

    def flush(self) -> None:
        """Empty the whole table."""

    def counters(self) -> Dict[ServiceKey, Counted]:
        """How much is carried."""

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """lvs_timeouts; a back end without them ignores it."""

    def start_sync(self, daemon: SyncDaemon, sends: bool) -> None:
        """Start one of the kernel's sync daemons: the one that sends or the one that receives."""

    def stop_sync(self, sends: bool) -> None:
        """Stop it; it does no harm when it does not run."""

    def sync_daemons(self) -> Dict[bool, SyncDaemon]:
        """Those that run: True sends, False receives. Their ``instance`` is empty."""

    def fitted(self, words: ServiceWords) -> ServiceWords:
        """The nearest that this back end can do: the same words when it can do all of them."""

    def close(self) -> None:
        """Give descriptors back; the table stays."""
