# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the agent and the process that checks real servers say to each other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Dict, FrozenSet, Mapping, NamedTuple, Optional, Tuple, Union

from ..conf.parts.balancing import CheckerProcess
from ..conf.parts.checks import Check, TlsFiles
from ..conf.parts.tracking import ScriptPolicy, WatchedFile
from ..loop.results import CheckKey, CheckResult

ServiceKey = Tuple[str, int]
"""VirtualServer.key."""


@dataclass(frozen=True)
class Order:
    """One check to be made."""

    key: CheckKey
    check: Check
    title: str
    """Server and service, for logs: ``[198.18.0.1]:tcp:80 of [198.51.100.10]:tcp:80``."""
    suspended: bool = False
    """ha_suspend: an address of the service is missing on this host, so nothing is asked."""
    weight: int = 1
    """Of the server, as configured: what Outcome.weight (misc_dynamic) is held against for added_weight."""
    service: Tuple[Union[str, int], ...] = ()
    """VirtualServer.lasting_key; ``key`` may be another one after a reload."""


@dataclass(frozen=True)
class Orders:
    """All that is to be checked from now on; equal orders change nothing."""

    orders: Tuple[Order, ...] = ()
    policy: ScriptPolicy = field(default_factory=ScriptPolicy)
    tls: TlsFiles = field(default_factory=TlsFiles)
    process: CheckerProcess = field(default_factory=CheckerProcess)
    initial: Tuple[WatchedFile, ...] = ()
    """Files of FILE_CHECK that get their first number (init_file): at the start of the agent only."""
    path: str = ""
    """Where results are kept for an agent that follows a killed one; empty to keep none."""
    boot: str = ""
    """This boot of the host."""
    known: Mapping[CheckKey, CheckResult] = field(default_factory=dict)
    """What a process that checked before has found out. Filled in for a new process only."""

    services: Optional[Tuple[ServiceKey, ...]] = None
    """All that have checks, where ``orders`` are only those of services that are new or other than before."""

    def after(self, before: Orders) -> Orders:
        """The whole of it, to one who knows the orders before."""
        if self.services is None:
            return self
        known = {**before.by_service, **self.by_service}
        whole = [order for key in self.services for order in known.get(key, ())]
        return replace(self, orders=tuple(whole), services=None)

    @property
    def by_service(self) -> Dict[ServiceKey, Tuple[Order, ...]]:
        """Orders by VirtualServer.key; those of one service stand together."""
        return {key: tuple(found) for key, found in groupby(self.orders, key=lambda order: order.key.service)}

    @property
    def by_key(self) -> Dict[CheckKey, Order]:
        """Orders by their key."""
        return {order.key: order for order in self.orders}


class Suspended(NamedTuple):
    """Services whose checks rest, because an address of theirs is not on this host (ha_suspend)."""

    services: FrozenSet[Tuple[str, int]]
