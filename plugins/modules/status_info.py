#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask a host for the state of its VRRP instances."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: status_info
short_description: Ask a host for the state of its VRRP instances
version_added: 0.1.0
description:
  - Says which engine runs on the host, in which state each instance is and why, and which virtual
    addresses the host holds now.
  - The agent is asked on its socket. keepalived cannot be asked, so the addresses on the host tell.
author:
  - linuxha.vrrp contributors (@linuxha)
extends_documentation_fragment:
  - linuxha.vrrp._attributes.info_module
seealso:
  - module: linuxha.vrrp.apply
"""

EXAMPLES = r"""
- name: Who is active?
  linuxha.vrrp.status_info:
  register: vrrp

- name: Do this on the active host only
  ansible.builtin.debug:
    msg: "I hold {{ vrrp.addresses_held | join(', ') }}"
  when: vrrp.active
"""

RETURN = r"""
engine:
  description: V(agent), V(keepalived), or empty when neither runs.
  returned: always
  type: str
active:
  description: Whether the host holds a virtual address now.
  returned: always
  type: bool
addresses_held:
  description: The virtual addresses of the configuration that are on the host now.
  returned: always
  type: list
  elements: str
instances:
  description: One for each instance. With the agent, all that C(vrrp-agent status --json) tells.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the instance.
      type: str
    state:
      description:
        - With the agent V(init), V(backup), V(active) or V(fault).
        - With keepalived V(active), V(not active), or V(unknown) for an instance without addresses.
      type: str
    reason:
      description: Why it is in this state.
      type: str
    addresses_held:
      description: The addresses of this instance that are on the host.
      type: list
      elements: str
services:
  description: One for each virtual server, all that C(vrrp-agent status --json) tells; none with keepalived.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name in keepalived's words, such as V([198.51.100.10]:tcp:80).
      type: str
    state:
      description: V(up) while it has its quorum, otherwise V(down).
      type: str
    reason:
      description: Why it is in this state.
      type: str
    servers:
      description: Its real servers, with state, weight and what their checks found.
      type: list
      elements: dict
units:
  description: What systemd says of each engine, such as V(active) or V(failed).
  returned: always
  type: dict
release:
  description: The agent's current release; empty when it is not installed.
  returned: always
  type: str
agent:
  description: The agent's whole answer.
  returned: when the agent answers
  type: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host import apply, language, status
from ..module_utils._host.engines import AGENT, KEEPALIVED
from ..module_utils._host.host import Host, HostError


def look(host: Host) -> Dict[str, Any]:
    """The state of VRRP on the host. Raises HostError."""
    found = apply.survey(host)
    declared = language.instances_in(found.config_text or "")
    addresses = dict.fromkeys(address for _name, mine in declared for address in mine)
    here = status.held(host, addresses)
    running = [engine for engine in (AGENT, KEEPALIVED) if found.unit(engine).running]
    answer = status.agent_status(host) if AGENT in running else None
    result: Dict[str, Any] = {
        "changed": False,
        "engine": running[0] if running else "",
        "active": bool(here),
        "addresses_held": list(here),
        "instances": status.instances(answer)
        if answer
        else status.instances_by_address(declared, here)
        if running
        else [],
        "services": status.entries(answer, "services"),
        "units": {engine: found.unit(engine).active for engine in (AGENT, KEEPALIVED)},
        "release": found.agent.current,
    }
    if answer is not None:
        result["agent"] = answer
    return result


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        module.exit_json(**look(Host()))
    except HostError as error:
        module.fail_json(msg=str(error), **error.evidence)


if __name__ == "__main__":
    main()
