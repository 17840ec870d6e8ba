# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A module whose arguments hold secrets among much that is none. Private to the collection."""

from __future__ import annotations

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from . import secrets
from .host import HostError


class DiscreetModule(AnsibleModule):  # type: ignore[misc]
    """Masks the secrets in its arguments wherever Ansible shows them.

    ``no_log`` would hide all of the configuration, or every ``eth0`` in the output.
    """

    def _log_invocation(self) -> None:
        """What the host's journal gets."""
        self.log(f"Invoked with {self.shown_arguments()}")

    def shown_arguments(self) -> Dict[str, Any]:
        """The arguments without secrets."""
        shown: Dict[str, Any] = secrets.mask_data(self.params)
        return shown

    def end(self, result: Dict[str, Any]) -> None:
        """End well: warnings go where Ansible shows them."""
        for warning in result.pop("warnings", []):
            self.warn(warning)
        self.exit_json(invocation={"module_args": self.shown_arguments()}, **result)

    def fail(self, error: HostError) -> None:
        """End with an error and its evidence."""
        self.fail_json(msg=str(error), invocation={"module_args": self.shown_arguments()}, **error.evidence)
