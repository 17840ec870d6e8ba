# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan of a group: what each host's file will be, and everything that is wrong.

Private to the collection. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ...module_utils._host import language, secrets
from ...module_utils.vrrp_agent.conf.model import Config
from .checks import check_group
from .derive import derive, origin
from .member import Finding, Member


@dataclass(frozen=True)
class HostPlan:
    """What one host will be."""

    member: Member
    config: Mapping[str, Any] = field(default_factory=dict)
    """Merged and derived."""
    composed: language.Composition = language.EMPTY

    def shown(self) -> Dict[str, Any]:
        """What a user may see of it."""
        return {
            "state": "present" if self.member.present else "absent",
            "engine": self.member.engine,
            "config": secrets.mask_data(dict(self.config)),
            "text": secrets.mask_text(self.composed.text),
            "addresses": list(self.composed.addresses),
            "instances": list(self.composed.instances),
        }


@dataclass(frozen=True)
class GroupPlan:
    """What all hosts of a group will be."""

    hosts: Mapping[str, HostPlan]
    findings: Tuple[Finding, ...]

    @property
    def errors(self) -> List[Finding]:
        """The findings that stop a run."""
        return [finding for finding in self.findings if not finding.warning]

    @property
    def warnings(self) -> List[Finding]:
        """The findings that a user should know of."""
        return [finding for finding in self.findings if finding.warning]


def plan_group(group: Sequence[Member]) -> GroupPlan:
    """Plan a group. Never raises for what a user wrote: see ``findings``.

    The hosts are compared only when each of them is all right: what follows from an error is no news.
    """
    derived, findings = derive(group)
    hosts: Dict[str, HostPlan] = {}
    meanings: Dict[str, Config] = {}
    for member in group:
        if not member.present:
            hosts[member.name] = HostPlan(member)
            continue
        composed = language.compose(
            derived[member.name], member.raw, member.engine, member.router_id, elsewhere=True
        )
        hosts[member.name] = HostPlan(member, derived[member.name], composed)
        findings.extend(_finding(member, problem) for problem in composed.problems)
        if composed.meaning is not None:
            meanings[member.name] = composed.meaning
        balances = composed.meaning is not None and bool(composed.meaning.services)
        failed = any(problem.severity == "error" for problem in composed.problems)
        if not composed.instances and not balances and not failed:
            findings.append(
                Finding(
                    member.name,
                    "vrrp_config",
                    "has no vrrp_instance and no virtual_server: there is nothing to keep available",
                    "write vrrp_instance in vrrp_config",
                    True,
                )
            )
    if all(finding.warning for finding in findings):
        findings.extend(check_group(group, meanings))
    return GroupPlan(hosts, tuple(_once(findings)))


def _finding(member: Member, problem: language.Problem) -> Finding:
    """A problem of one file, told in the words of the variables."""
    warning = problem.severity != "error"
    if problem.raw_line:
        return Finding(
            member.name, f"vrrp_config_raw line {problem.raw_line}", problem.message, problem.hint, warning
        )
    path = origin(member, problem.path) if problem.path else "vrrp_config"
    return Finding(member.name, path, problem.message, problem.hint, warning)


def _once(findings: Sequence[Finding]) -> List[Finding]:
    """What several hosts have in common is told once, for the first of them."""
    kept: Dict[Tuple[str, str], Finding] = {}
    hosts: Dict[Tuple[str, str], List[str]] = {}
    for finding in findings:
        shared = not finding.path.startswith("vrrp_config_host")
        key = (finding.path if shared else finding.host + finding.path, finding.message)
        kept.setdefault(key, finding)
        hosts.setdefault(key, []).append(finding.host)
    return [
        finding
        if len(hosts[key]) == 1
        else Finding(
            ", ".join(dict.fromkeys(hosts[key])), finding.path, finding.message, finding.hint, finding.warning
        )
        for key, finding in kept.items()
    ]
