# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All virtual servers and what the kernel is to know of them: the decisions side by side. Pure.

Between two settlements it gathers which services have another pool, so that many results that come together
cost one change of the table.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ..conf.parts.balancing import VirtualServer
from ..loop.results import CheckKey, CheckResult
from .actions import Action, Known, Note, Pool, SetPool, Tell
from .backend import ServiceKey, Table
from .decision import Decision
from .expand import Fit, keys_of, owners_of, table_of

Key = Tuple[str, int]
"""VirtualServer.key."""
Said = Tuple[VirtualServer, Tell]
Results = Mapping[CheckKey, CheckResult]


class Services:
    """The decisions of all services. Each event returns what is to be told; pools are read by ``part``."""

    def __init__(self) -> None:
        self.decisions: Dict[Key, Decision] = {}
        self.keys: Dict[Key, Tuple[ServiceKey, ...]] = {}
        self.notes: List[str] = []
        """Lines for the log since they were taken away last."""
        self.changed: Set[Key] = set()
        """Services whose row in ``status`` is another one; whoever reports them takes them out."""
        self._carried: Dict[Key, VirtualServer] = {}
        self._pools: Dict[Key, Pool] = {}
        self._owners: Dict[ServiceKey, Tuple[VirtualServer, ...]] = {}
        self._dirty: Dict[ServiceKey, None] = {}

    def use(
        self,
        services: Sequence[VirtualServer],
        results: Results,
        now_s: float,
        init_notifies: bool,
        known: Mapping[Key, Known],
        carried: Optional[Sequence[VirtualServer]] = None,
    ) -> List[Said]:
        """These services from now on; one that is as it was is not touched.

        ``carried``: the same services as the kernel is to see them, by a mark perhaps (nftables_ipvs).
        """
        wanted = {service.key: service for service in services}
        before = self._carried
        self._carried = {service.key: service for service in (services if carried is None else carried)}
        said: List[Said] = []
        names = self._names_now(services)
        for key in [key for key in self.decisions if key not in names]:
            decision = self.decisions.pop(key)
            said += self._do(decision, decision.end())
            self._mark(self.keys.pop(key))
            del self._pools[key]
        self._rename(names)
        for key, service in wanted.items():
            decision_now = self.decisions.get(key)
            if decision_now is None:
                decision = Decision(service, results, now_s, init_notifies)
                self.decisions[key] = decision
                said += self._do(decision, decision.begin(now_s, known.get(key)))
                self._place(key, decision)
            elif decision_now.service != service:
                self._mark(self.keys[key])
                said += self._do(decision_now, decision_now.change(service, results, now_s, init_notifies))
                self._place(key, decision_now)
            elif before[key] != self._carried[key]:
                # Its servers and checks are as they were: ``results`` need not hold what is known of them.
                self._mark(self.keys[key])
                self._place(key, decision_now)
        self.decisions = {key: self.decisions[key] for key in wanted}
        self._owners = owners_of(self._carried.values())
        return said

    def take(self, result: CheckResult, now_s: float) -> List[Said]:
        """A check has run."""
        decision = self.decisions.get(result.key.service)
        if decision is None:
            return []
        return self._do(decision, decision.take(result, now_s))

    def stop(self, with_servers: bool) -> List[Said]:
        """The agent ends."""
        said: List[Said] = []
        for decision in self.decisions.values():
            said += self._do(decision, decision.stop(with_servers))
        return said

    def part(self, fit: Fit) -> Tuple[Table, List[ServiceKey]]:
        """What the table is to be at all keys that may have changed since the last call, and these keys."""
        keys = list(self._dirty)
        self._dirty = {}
        return table_of(self._owners, self._pools, fit, keys), keys

    def whole(self, fit: Fit) -> Table:
        """What the whole table is to be."""
        return table_of(self._owners, self._pools, fit, self._owners)

    def owned(self) -> Iterable[ServiceKey]:
        """All keys of all services."""
        return self._owners

    def _names_now(self, services: Sequence[VirtualServer]) -> Dict[Key, Key]:
        """For each service that stays: its key so far, and that from now on.

        They differ where another service of its group has come or gone above it.
        """
        keys: Dict[Tuple[str, int, int], List[Key]] = {}
        for service in services:
            keys.setdefault(service.lasting_key, []).append(service.key)
        found: Dict[Key, Key] = {}
        for key, decision in self.decisions.items():
            left = keys.get(decision.service.lasting_key)
            if left:
                found[key] = left.pop(0)
        return found

    def _rename(self, names: Mapping[Key, Key]) -> None:
        """A service of a group goes on with its states, whatever number it has there."""
        if any(key != name for key, name in names.items()):
            self.decisions = {names[key]: one for key, one in self.decisions.items()}
            self.keys = {names[key]: one for key, one in self.keys.items()}
            self._pools = {names[key]: one for key, one in self._pools.items()}

    def _place(self, key: Key, decision: Decision) -> None:
        self.keys[key] = keys_of(self._carried[key])
        self._pools[key] = decision.pool
        self._mark(self.keys[key])
        self.changed.add(key)

    def _mark(self, keys: Iterable[ServiceKey]) -> None:
        self._dirty.update(dict.fromkeys(keys))

    def _do(self, decision: Decision, actions: Iterable[Action]) -> List[Said]:
        said: List[Said] = []
        key = decision.service.key
        for action in actions:
            self.changed.add(key)
            if isinstance(action, SetPool):
                self._pools[key] = action.pool
                self._mark(self.keys.get(key, ()))
            elif isinstance(action, Note):
                self.notes.append(action.text)
            else:
                said.append((decision.service, action))
        return said
