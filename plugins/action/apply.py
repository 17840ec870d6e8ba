# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring a host to its wanted state; the variables of the role are read here, on the controller."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ..plugin_utils._artifact import ArtifactMixin
from ..plugin_utils._group.plan import plan_group
from ..plugin_utils._group.variables import Inventory

FROM_VARIABLES = ("state", "engine", "config", "raw", "backup", "artifact", "health_timeout_s")


class ActionModule(ArtifactMixin, ActionBase):
    """See the documentation of the module of the same name."""

    TRANSFERS_FILES = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Plan if asked to, then run the module, a second time with the artefact when the host needs it."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        args = dict(self._task.args)
        if boolean(args.get("from_variables", False)):
            both = [name for name in FROM_VARIABLES if name in args]
            if both:
                raise AnsibleActionFail(
                    "with from_variables the variables of the role say {}".format(", ".join(both))
                )
            args.update(self._planned(task_vars or {}))
        needed = args.get("state", "present") == "present" and args.get("engine", "agent") == "agent"
        result.update(self.run_with_artifact("linuxha.vrrp.apply", args, needed, task_vars or {}))
        return result

    def _planned(self, task_vars: Dict[str, Any]) -> Dict[str, Any]:
        """The arguments that the plan has for this host. They stay here, as they hold the passwords."""
        host = task_vars["inventory_hostname"]
        inventory = Inventory(self, task_vars)
        group, wrong = inventory.group(host)
        planned = plan_group(group)
        errors = wrong or planned.errors
        if errors:
            raise AnsibleActionFail("Nothing was touched. " + "; ".join(str(one) for one in errors))
        mine = planned.hosts[host]
        variables = inventory.variables(host)
        return {
            "state": "present" if mine.member.present else "absent",
            "engine": mine.member.engine,
            "config": dict(mine.config),
            "raw": mine.member.raw if mine.member.present else "",
            "backup": variables["vrrp_backup"],
            "artifact": variables["vrrp_agent_artifact"] or None,
            "health_timeout_s": variables["vrrp_health_timeout_s"],
        }
