# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the agent and the process that balances say to each other.

To it: Setup at each start and reload, CheckResult for each change of a check, Roles when an instance moves.
From it: Happening (VS and RS, UP and DOWN) for each change, Report now and then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, Mapping, NamedTuple, Tuple

from ..conf.parts.balancing import Balancing, VirtualServer
from ..loop.results import CheckKey, CheckResult


@dataclass(frozen=True)
class Setup:
    """All virtual servers from now on. Equal setups change nothing."""

    services: Tuple[VirtualServer, ...] = ()
    balancing: Balancing = field(default_factory=Balancing)
    results: Mapping[CheckKey, CheckResult] = field(default_factory=dict)
    """What checks have found so far. Filled in for a new process only."""
    first: bool = False
    """The agent has just started: lvs_flush applies, and what a predecessor left is adopted."""


class Roles(NamedTuple):
    """Names of the instances that are active on this host (lvs_sync_daemon)."""

    active: FrozenSet[str]


class Goodbye(NamedTuple):
    """The agent stops: take services away as the configuration says, tell what omega wants told, and end."""


class Report(NamedTuple):
    """What ``status`` shows: plain values, one for each service, and what is wrong as a whole."""

    backend: str
    """``ipvs`` or ``nftables``; empty when neither can be used."""
    problem: str
    services: Tuple[Dict[str, Any], ...]
    sync_daemon: Dict[str, Any]
