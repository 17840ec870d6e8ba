# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One real server: what its checks have found, whether it is used, and how much it weighs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, Mapping, Optional, Tuple

from ..conf.parts.balancing import RealServer
from ..conf.parts.checks import Check
from ..loop.results import CheckKey, CheckResult
from .quorum import real_weight

ServiceKey = Tuple[str, int]
"""VirtualServer.key."""


@dataclass
class Finding:
    """What is known of one check."""

    check: Check
    bad_if_unknown: bool
    """``alpha``: until it has run it counts as bad."""
    good: Optional[bool] = None
    added_weight: int = 0
    why: str = ""

    @property
    def bad(self) -> bool:
        """True when the server is out because of it."""
        return self.good is False or (self.good is None and self.bad_if_unknown)

    def take(self, result: CheckResult) -> None:
        """It has run. What a failed check would add to the weight does not count."""
        self.good, self.why = result.good, result.why
        self.added_weight = 0 if result.good is False else result.added_weight

    @property
    def reason(self) -> str:
        """For a person."""
        if self.good is None:
            return f"{self.check.kind}: not checked yet"
        return f"{self.check.kind}: {self.why}" if self.why else self.check.kind


@dataclass
class ServerState:
    """A real server of one service."""

    config: RealServer
    findings: List[Finding] = field(default_factory=list)
    up: bool = True
    since_s: float = 0.0
    """Wall time of the last change of ``up``."""
    reason: str = ""
    told: Optional[bool] = None
    """What others have been told last: up, down, or nothing yet."""

    @property
    def weight(self) -> int:
        """The weight that it has, or would have."""
        return real_weight(self.config.weight, (one.added_weight for one in self.findings))

    @property
    def good(self) -> bool:
        """No check is bad."""
        return not any(one.bad for one in self.findings)

    def why(self) -> str:
        """Why it is in the state that its checks ask for."""
        for one in self.findings:
            if one.bad:
                return one.reason
        return ""


def begin(
    service: ServiceKey, server: RealServer, results: Mapping[CheckKey, CheckResult], now_s: float
) -> ServerState:
    """A server that is new here, with what its checks have found so far."""
    state = ServerState(server, _findings(service, server, results, trusted=False), since_s=now_s)
    state.up = state.good
    state.reason = state.why()
    return state


def carry_over(
    state: ServerState, service: ServiceKey, server: RealServer, results: Mapping[CheckKey, CheckResult]
) -> None:
    """A reload has kept the server. ``results`` are of its checks as they are now.

    keepalived's rule for a check without a result: with ``alpha`` it counts as bad until it has run, unless
    the server is up and no check of it is known to be bad.
    """
    trusted = state.up and not any(one.good is False for one in state.findings)
    state.config, state.findings = server, _findings(service, server, results, trusted)


def _findings(
    service: ServiceKey, server: RealServer, results: Mapping[CheckKey, CheckResult], trusted: bool
) -> List[Finding]:
    found: List[Finding] = []
    for number, check in enumerate(server.checks):
        finding = Finding(check, check.timing.alpha and not trusted)
        result = results.get(CheckKey(service, server.key, number))
        if result is not None and result.good is not None:
            finding.take(result)
        found.append(finding)
    return found
