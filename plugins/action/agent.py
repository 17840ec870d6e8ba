# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Install the agent: find its artefact on the controller, and send it to a host that does not have it."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase

from ..plugin_utils._artifact import ArtifactMixin


class ActionModule(ArtifactMixin, ActionBase):
    """See the documentation of the module of the same name."""

    TRANSFERS_FILES = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Run the module, a second time with the artefact when the host needs it."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        args = dict(self._task.args)
        needed = args.get("state", "present") == "present"
        result.update(self.run_with_artifact("linuxha.vrrp.agent", args, needed, task_vars or {}))
        return result
