# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the agent and the process that balances say to each other.

To it: Setup at each start and reload, CheckResult for each change of a check, Roles when an instance moves.
From it: Happening (VS and RS, UP and DOWN) for each change, Report and Counts now and then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, FrozenSet, Mapping, NamedTuple, Optional, Tuple

from ..conf.parts.balancing import Balancing, VirtualServer
from ..loop.results import CheckKey, CheckResult
from .actions import Known


@dataclass(frozen=True)
class Setup:
    """All virtual servers from now on. Equal setups change nothing."""

    services: Tuple[VirtualServer, ...] = ()
    balancing: Balancing = field(default_factory=Balancing)
    results: Mapping[CheckKey, CheckResult] = field(default_factory=dict)
    """What checks have found so far."""
    first: bool = False
    """The agent has just started: lvs_flush applies, and what a predecessor left is adopted."""
    known: Mapping[Tuple[str, int], Known] = field(default_factory=dict)
    """By VirtualServer.key: what a process that has died had told of. Filled in for its successor only."""
    before: Tuple[VirtualServer, ...] = ()
    """What such a process had placed, perhaps, and is no longer wanted."""
    order: Optional[Tuple[Tuple[str, int], ...]] = None
    """Keys of all services, where ``services`` are only those that are new or other than before."""

    def after(self, before: Setup) -> Setup:
        """The whole of it, to one who knows the setup before."""
        if self.order is None:
            return self
        known = {service.key: service for service in (*before.services, *self.services)}
        return replace(self, services=tuple(known[key] for key in self.order if key in known), order=None)


class Roles(NamedTuple):
    """Names of the instances that are active on this host (lvs_sync_daemon)."""

    active: FrozenSet[str]


class Goodbye(NamedTuple):
    """The agent stops: take services away as the configuration says, tell what omega wants told, and end."""


class Report(NamedTuple):
    """What ``status`` shows: plain values, and only those that are new since the last report."""

    backend: str
    """``ipvs`` or ``nftables``; empty when neither can be used."""
    problem: str
    sync_daemon: Dict[str, Any]
    services: Mapping[Tuple[str, int], Dict[str, Any]]
    """By VirtualServer.key: one whole row for each service that has changed; rows.py."""
    known: Mapping[Tuple[str, int], Known]
    """The states of the same services, for a successor of this process."""
    empty: bool = False
    """Nothing is left to be balanced: this process may go."""


class Counts(NamedTuple):
    """How much services carry, now and then, of those alone where it has changed."""

    services: Mapping[Tuple[str, int], Tuple[Dict[str, int], Dict[str, Dict[str, int]]]]
    """By VirtualServer.key: the counters of the service, and those of its servers by their names."""
