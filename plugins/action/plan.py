# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plan whole VRRP groups on the controller, once for all hosts of the play."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils._group.member import Finding
from ..plugin_utils._group.plan import plan_group
from ..plugin_utils._group.variables import Inventory


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Plan each group that a host of the play belongs to."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        if self._task.args:
            raise AnsibleActionFail(
                "plan takes no options: it reads the variables of the role linuxha.vrrp.vrrp"
            )
        inventory = Inventory(self, task_vars or {})
        hosts: Dict[str, Any] = {}
        findings: List[Finding] = []
        for host in (task_vars or {})["ansible_play_hosts_all"]:
            if host in hosts:
                continue
            group, wrong = inventory.group(host)
            findings.extend(wrong)
            if not wrong:
                plan = plan_group(group)
                findings.extend(plan.findings)
                hosts.update((name, one.shown()) for name, one in plan.hosts.items())
        result.update(
            changed=False,
            hosts=hosts,
            problems=[
                {
                    "host": one.host,
                    "path": one.path,
                    "severity": "warning" if one.warning else "error",
                    "message": one.message,
                    "hint": one.hint,
                }
                for one in findings
            ],
        )
        warnings = [str(one) for one in findings if one.warning]
        errors = [str(one) for one in findings if not one.warning]
        if warnings:
            result["warnings"] = warnings
        if errors:
            del result["hosts"]  # it would only hide the message
            result.update(failed=True, msg="Nothing was touched. " + told(errors))
        return result


def told(errors: List[str]) -> str:
    """All errors in one message."""
    return errors[0] if len(errors) == 1 else "\n- ".join((f"{len(errors)} problems:", *errors))
