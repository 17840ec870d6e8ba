# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual servers made by hand, and a back end in memory that can refuse, fail and be tampered with."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from vrrp_agent.balance import difference
from vrrp_agent.balance.actions import Action, SetPool, Tell
from vrrp_agent.balance.backend import (
    Change,
    Counted,
    Counters,
    DestinationKey,
    Placed,
    Refusal,
    ServiceKey,
    ServiceWords,
    Table,
)
from vrrp_agent.balance.decision import Decision
from vrrp_agent.conf.parts.balancing import (
    NAT,
    TCP,
    Forwarding,
    Member,
    RealServer,
    SyncDaemon,
    Timeouts,
    VirtualServer,
)
from vrrp_agent.conf.parts.checks import Check, Connection, FileCheck, MiscCheck, TcpCheck, Timing
from vrrp_agent.conf.parts.tracking import Command
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.loop.results import CheckKey, CheckResult

NAME = "[198.51.100.10]:tcp:80"
SORRY_NAME = "[198.18.0.99]:tcp:80"


def packed(text: str) -> bytes:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return socket.inet_pton(family, text)


def check(alpha: bool = False, port: int = 80) -> Check:
    return TcpCheck(Timing(alpha=alpha), Connection(packed("198.18.0.1"), port))


def server_name(number: int) -> str:
    return f"[198.18.0.{number}]:tcp:80"


def server(number: int, checks: Sequence[Check] = (), method: str = NAT, **words: Any) -> RealServer:
    return RealServer(
        packed(f"198.18.0.{number}"),
        words.pop("port", 80),
        server_name(number),
        forwarding=Forwarding(method),
        checks=tuple(checks),
        **words,
    )


def sorry(inhibit: bool = False, **words: Any) -> RealServer:
    return replace(server(99, **words), name=SORRY_NAME, inhibit=inhibit)


def service(*servers: RealServer, **words: Any) -> VirtualServer:
    family = words.pop("family", 4)
    members = words.pop("members", (Member(4, packed("198.51.100.10"), 1, 80),))
    return VirtualServer(
        words.pop("name", NAME), family, words.pop("protocol", TCP), members, servers=servers, **words
    )


def result(number: int, good: Optional[bool], at: int = 0, added: int = 0, why: str = "") -> CheckResult:
    return CheckResult(CheckKey((NAME, 4), server(number).key, at), good, added, why or f"said {good}", 1.0)


def results(*found: CheckResult) -> Dict[CheckKey, CheckResult]:
    return {one.key: one for one in found}


def began(one: VirtualServer, *found: CheckResult, init: bool = False) -> Tuple[Decision, Tuple[Action, ...]]:
    """A decision that has begun, and what that asked for."""
    decision = Decision(one, results(*found), 0.0, init)
    return decision, decision.begin(0.0)


def pool(decision: Decision) -> Dict[str, int]:
    """Names and weights of the servers that the kernel is to know."""
    return {entry.server.name: entry.weight for entry in decision.pool.values()}


def short(text: str) -> str:
    """``1`` for server 1, ``sorry``."""
    return "sorry" if text == SORRY_NAME else text.split("]")[0].rpartition(".")[2]


def weights(decision: Decision) -> Dict[str, int]:
    return {short(name): weight for name, weight in pool(decision).items()}


def told(actions: Sequence[Action]) -> List[str]:
    """``RS 1 DOWN``, ``VS UP``."""
    return [
        f"VS {one.event}" if one.kind == "VS" else f"RS {short(one.name)} {one.event}"
        for one in actions
        if isinstance(one, Tell)
    ]


def tells(actions: Sequence[Action]) -> List[Tell]:
    return [one for one in actions if isinstance(one, Tell)]


def set_pools(actions: Sequence[Action]) -> int:
    return sum(isinstance(one, SetPool) for one in actions)


def misc(timing: Timing = Timing()) -> Check:  # noqa: B008 - it is frozen
    return MiscCheck(timing, Command(("/bin/true",)))


def file_check(weight: int = 1) -> Check:
    return FileCheck(Timing(), "load", "/run/load", weight)


def copied(table: Table) -> Table:
    return {key: Placed(entry.words, dict(entry.destinations)) for key, entry in table.items()}


class MemoryBackend:
    """``Backend`` in memory. ``name`` decides whether foreign entries may be there."""

    def __init__(self, name: str = "ipvs") -> None:
        self.name = name
        self.table: Table = {}
        self.refused: Dict[Tuple[ServiceKey, Optional[DestinationKey]], str] = {}
        self.broken = ""
        """What every method fails with."""
        self.changes: List[Change] = []
        self.flushed = 0
        self.closed = False
        self.timeouts: List[Timeouts] = []
        self.replaced: Optional[Timeouts] = None
        self.daemons: Dict[bool, SyncDaemon] = {}
        self.sync_problem = ""
        self.forgets: Set[Tuple[ServiceKey, Optional[DestinationKey]]] = set()
        """What is taken and not kept."""

    def _try(self) -> None:
        if self.broken:
            raise KernelError(self.broken)

    def read(self) -> Table:
        self._try()
        return copied(self.table)

    def apply(self, changes: Sequence[Change]) -> List[Refusal]:
        self._try()
        refusals = []
        for change in changes:
            self.changes.append(change)
            spot = (change.service, change.destination)
            orphan = change.destination is not None and change.service not in self.table
            why = self.refused.get(spot) or ("no such service" if orphan else "")
            if why:
                refusals.append(Refusal(change, why))
            elif spot not in self.forgets:
                difference.apply(self.table, [change])
        return refusals

    def flush(self) -> None:
        self._try()
        self.flushed += 1
        self.table.clear()

    def counters(self) -> Dict[ServiceKey, Counted]:
        self._try()
        return {
            key: Counted(
                Counters(connections=10), {one: Counters(connections=5) for one in entry.destinations}
            )
            for key, entry in self.table.items()
        }

    def set_timeouts(self, timeouts: Timeouts) -> None:
        self._try()
        self.timeouts.append(timeouts)
        if timeouts == Timeouts():
            self.replaced = None
        elif self.replaced is None:
            self.replaced = Timeouts(900, 120, 300)

    def start_sync(self, daemon: SyncDaemon, sends: bool) -> None:
        self._try()
        if self.sync_problem:
            raise KernelError(self.sync_problem)
        self.daemons[sends] = daemon

    def stop_sync(self, sends: bool) -> None:
        self._try()
        self.daemons.pop(sends, None)

    def sync_daemons(self) -> Dict[bool, SyncDaemon]:
        self._try()
        return dict(self.daemons)

    def fitted(self, words: ServiceWords) -> ServiceWords:
        return words._replace(scheduler="wrr") if self.name == "nftables" else words

    def close(self) -> None:
        self.closed = True

    def text(self) -> Dict[str, Dict[str, int]]:
        """Ports of services, and the last byte of each server with its weight."""
        return {
            f"{key.fwmark or key.port}": {
                str(one.address[-1]): words.weight for one, words in entry.destinations.items()
            }
            for key, entry in self.table.items()
        }
