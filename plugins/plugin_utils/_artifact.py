# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's artefact on the controller, and its way to a host.

Private to the collection; controller only.
"""

from __future__ import annotations

import pathlib
from typing import Any, Dict

from ansible.errors import AnsibleActionFail, AnsibleError

from ..module_utils._host.host import HostError
from ..module_utils._host.release import release_name

NAME = "vrrp-agent"


class ArtifactMixin:
    """For an action plugin whose module installs the agent."""

    def run_with_artifact(
        self: Any, module: str, args: Dict[str, Any], needed: bool, task_vars: Dict[str, Any]
    ) -> Dict[str, Any]:
        """Run the module with the name of the release; if it asks for the artefact, send it and run again."""
        artifact = args.pop("artifact", None)
        args.pop("release", None)
        local = ""
        if needed:
            local = self.find_artifact(artifact)
            try:
                args["release"] = release_name(local)
            except HostError as error:
                raise AnsibleActionFail(str(error)) from error
        result: Dict[str, Any] = self._execute_module(
            module_name=module, module_args=args, task_vars=task_vars
        )
        if result.pop("needs_artifact", False):
            shell = self._connection._shell
            if shell.tmpdir is None:
                self._make_tmp_path()
            remote = self._transfer_file(local, shell.join_path(shell.tmpdir, NAME))
            self._fixup_perms2((shell.tmpdir, remote))
            args["artifact"] = remote
            result = self._execute_module(module_name=module, module_args=args, task_vars=task_vars)
        return result

    def find_artifact(self: Any, named: Any) -> str:
        """The artefact that was named, else the one in the role's files, else what the checkout built.

        Raises AnsibleActionFail.
        """
        if named:
            try:
                return str(self._find_needle("files", str(named)))
            except AnsibleError as error:
                raise AnsibleActionFail(f"there is no agent at {named} on the controller") from error
        collection = pathlib.Path(__file__).resolve().parents[2]
        places = [collection / "roles" / "vrrp" / "files" / NAME, collection / "build" / NAME]
        for place in places:
            if place.is_file():
                return str(place)
        raise AnsibleActionFail(
            "the agent is not built: run 'make agent' in the checkout, or set vrrp_agent_artifact "
            "(looked for {})".format(" and ".join(str(place) for place in places))
        )
