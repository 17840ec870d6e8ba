#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lay the VRRP agent down beside the old one and switch."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: agent
short_description: Install the VRRP agent
version_added: 0.1.0
description:
  - Lays a release of the VRRP agent down beside the others, below C(/usr/local/lib/vrrp-agent/releases),
    and makes it the current one in one step. The release before it stays, so that O(state=previous) can
    go back to it.
  - The agent travels as one file with everything in it. The host needs Python 3.9 or later, and no network.
  - Nothing is started or restarted. M(linuxha.vrrp.apply) does all of it.
author:
  - linuxha.vrrp contributors (@linuxha)
extends_documentation_fragment:
  - linuxha.vrrp._attributes
options:
  artifact:
    description:
      - The file C(vrrp-agent) on the controller, as C(make agent) builds it.
      - Found by itself in the C(files) of the role and in C(build) of a checkout.
    type: path
  release:
    description: Name of the release. Filled in by the action plugin from O(artifact).
    type: str
  state:
    description:
      - V(present) installs the artefact.
      - V(previous) switches to the release that was current before. Twice in a row leads back, so it is
        never without change.
      - V(absent) removes every release and the command.
    type: str
    choices: [present, previous, absent]
    default: present
seealso:
  - module: linuxha.vrrp.apply
"""

EXAMPLES = r"""
- name: Install the agent
  linuxha.vrrp.agent:
    artifact: build/vrrp-agent

- name: Go back to the release of before
  linuxha.vrrp.agent:
    state: previous
"""

RETURN = r"""
release:
  description: The current release; empty when there is none.
  returned: always
  type: str
  sample: 0.1.0-4f1c2a90b7de
previous:
  description: The release that O(state=previous) would switch to; empty when there is none.
  returned: always
  type: str
releases:
  description: All releases on the host.
  returned: always
  type: list
  elements: str
"""

import os
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host import files, release
from ..module_utils._host.host import Host, HostError

ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "artifact": {"type": "path"},
    "release": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "previous", "absent"], "default": "present"},
}


def install(host: Host, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Bring the releases to their wanted state and say what was done. Raises HostError."""
    before = release.installed(host)
    result: Dict[str, Any] = {
        "release": before.current,
        "previous": before.previous,
        "releases": list(before.releases),
    }
    if params["state"] == "absent":
        result["changed"] = bool(before.releases or before.entry)
        if result["changed"] and not check_mode:
            release.remove(host)
        return _with_diff(result, before, release.Installed())
    wanted = before.previous if params["state"] == "previous" else params["release"] or ""
    if not wanted:
        raise HostError(
            "there is no previous release on the host"
            if params["state"] == "previous"
            else "name the artefact: build it with 'make agent', or set artifact"
        )
    fits = files.mode_of(host, release.ENTRY) == 0o755 and before.entry == release.entry_text(host)
    result["changed"] = before.current != wanted or not fits
    after = release.after_switch(before, wanted)
    if result["changed"] and not check_mode:
        if wanted not in before.releases:
            if not params["artifact"]:
                return {"changed": False, "needs_artifact": True}
            release.unpack(host, params["artifact"], wanted)
        release.switch(host, wanted)
        release.prune(host)
        after = release.installed(host)
    return _with_diff(result, before, after)


def _with_diff(result: Dict[str, Any], before: release.Installed, after: release.Installed) -> Dict[str, Any]:
    result.update(release=after.current, previous=after.previous, releases=list(after.releases))
    lines = [f"current: {one.current}\nprevious: {one.previous}\n" for one in (before, after)]
    result["diff"] = {
        "before": lines[0],
        "after": lines[1],
        "before_header": release.LIBRARY,
        "after_header": release.LIBRARY,
    }
    return result


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    os.umask(0o022)
    try:
        module.exit_json(**install(Host(), module.params, module.check_mode))
    except HostError as error:
        module.fail_json(msg=str(error), **error.evidence)


if __name__ == "__main__":
    main()
