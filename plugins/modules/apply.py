#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring a host of a VRRP group to its wanted state."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: apply
short_description: Bring a host of a VRRP group to its wanted state
version_added: 0.1.0
description:
  - Does the whole job on one host in one task. It installs the engine, writes C(keepalived.conf) and the
    systemd unit, starts, reloads or restarts what is needed, and waits until the host is well.
  - Only a new release of the agent or a new unit restarts it; a new configuration is reloaded. When
    nothing differs, nothing is done.
  - The other engine is stopped when this one is ready to start. The two never run side by side.
  - When a step fails or the host is not well in time, the former configuration and release come back and
    the module fails.
  - A check script that is missing or refused, or a named pipe that cannot be used, is a warning. Nothing
    depends on it, as with keepalived. So is a virtual server that is down.
  - Virtual servers with NAT need a host that forwards, and those on IPVS its modules. Both are turned on, now
    and in files of C(/etc/sysctl.d) and C(/etc/modules-load.d). Forwarding is never turned off; the files go
    with the last virtual server that needs them.
  - In check mode it returns the same answers and touches nothing.
author:
  - linuxha.vrrp contributors (@linuxha)
extends_documentation_fragment:
  - linuxha.vrrp._attributes
  - linuxha.vrrp._configuration
options:
  state:
    description:
      - V(present) brings the host to the wanted state.
      - V(absent) stops both engines and removes the agent, its unit, its runtime directory and the
        configuration file, and what an agent that was killed has left in nftables. The package keepalived
        stays.
    type: str
    choices: [present, absent]
    default: present
  artifact:
    description:
      - The file C(vrrp-agent) on the controller, as C(make agent) builds it. It is sent only to a host
        that does not have it.
      - Found by itself in the C(files) of the role and in C(build) of a checkout.
    type: path
  release:
    description: Name of the agent's release. Filled in by the action plugin from O(artifact).
    type: str
  from_variables:
    description:
      - Take O(state), O(engine), O(config), O(raw), O(backup), O(artifact) and O(health_timeout_s) from
        the variables of the role C(linuxha.vrrp.vrrp), with everything derived and checked for the whole
        group as M(linuxha.vrrp.plan) does.
    type: bool
    default: false
  health_timeout_s:
    description:
      - How long the host may take to be well after a change, in seconds.
      - The agent is well when it runs the new configuration, every instance has started, and none is in
        FAULT that was not before. keepalived is well when it keeps running.
    type: float
    default: 30
seealso:
  - module: linuxha.vrrp.plan
  - module: linuxha.vrrp.status_info
"""

EXAMPLES = r"""
- name: A host of a pair
  linuxha.vrrp.apply:
    config:
      vrrp_instance:
        WEB:
          interface: eth0
          virtual_router_id: 51
          priority: 200
          virtual_ipaddress:
            - 198.51.100.10/24

- name: Would a run of the role change anything, and is this the active host?
  linuxha.vrrp.apply:
    from_variables: true
  check_mode: true
  register: vrrp_probe

- name: No VRRP any more
  linuxha.vrrp.apply:
    state: absent
"""

RETURN = r"""
engine:
  description: The program that runs the configuration.
  returned: always
  type: str
active:
  description: Whether the host held a virtual address when the module looked.
  returned: always
  type: bool
addresses_held:
  description: The virtual addresses that were on the host when the module looked.
  returned: always
  type: list
  elements: str
steps:
  description: What was done, or would be done, in this order.
  returned: always
  type: list
  elements: str
  sample: [write keepalived.conf, reload]
release:
  description: The agent's release.
  returned: with O(engine=agent)
  type: str
  sample: 0.1.0-4f1c2a90b7de
instances:
  description: The instances as the agent tells them after the change.
  returned: when the agent was changed
  type: list
  elements: dict
  contains:
    name:
      description: Name of the instance.
      type: str
    state:
      description: V(init), V(backup), V(active) or V(fault).
      type: str
    reason:
      description: Why it is in this state.
      type: str
backup_file:
  description: The copy of the configuration file of before.
  returned: when one was made
  type: str
problems:
  description: What is wrong with the configuration, as M(linuxha.vrrp.config) returns it.
  returned: when there is something
  type: list
  elements: dict
"""

import os
from typing import Any, Dict, List, Tuple

from ..module_utils._host import (
    apply,
    director,
    interfaces,
    keepalived,
    language,
    release,
    secrets,
    status,
    unit,
)
from ..module_utils._host.engines import AGENT, CONFIG_PATH, ENGINES, KEEPALIVED
from ..module_utils._host.host import Host, HostError, config_id
from ..module_utils._host.module import DiscreetModule
from ..module_utils._host.steps import ABSENT, PRESENT, Found, Step, Wanted, decide
from ..module_utils.vrrp_agent.conf.model import Config

ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "state": {"type": "str", "choices": [PRESENT, ABSENT], "default": PRESENT},
    "engine": {"type": "str", "choices": list(ENGINES), "default": AGENT},
    "config": {"type": "dict", "default": {}},
    "raw": {"type": "str", "default": ""},
    "backup": {"type": "bool", "default": False},
    "artifact": {"type": "path"},
    "release": {"type": "str"},
    "from_variables": {"type": "bool", "default": False},
    "health_timeout_s": {"type": "float", "default": 30.0},
}


def bring(host: Host, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Bring the host to its wanted state and say what was done. Raises HostError."""
    found = apply.survey(host)
    wanted, composed, result = _wanted(host, params)
    steps = decide(found, wanted)
    old = language.addresses_in(found.config_text or "")
    here = status.held(host, dict.fromkeys((*old, *composed.addresses)))
    result.update(
        changed=bool(steps),
        engine=wanted.engine,
        active=bool(here),
        addresses_held=list(here),
        steps=apply.values(steps),
        diff=differences(found, wanted, steps),
    )
    warnings: List[str] = list(result.get("warnings", []))
    if composed.meaning is not None and steps:
        interfaces.require(host, composed.meaning)
        needed = director.needs(composed.meaning, wanted.engine)
        director.require(host, needed, found.director)
        director.require_ipvs(host, composed.meaning, wanted.engine)
        warnings.extend(director.doubts(host, needed))
    warnings.extend(language.estranged(found.config_text or "", composed.meaning))
    if (
        wanted.state == PRESENT
        and wanted.engine == KEEPALIVED
        and Step.WRITE_CONFIG in steps
        and Step.INSTALL_PACKAGE not in steps
    ):
        keepalived.ask(host, wanted.config_text, CONFIG_PATH, warnings)
    if not check_mode:
        if Step.INSTALL_RELEASE in steps and not params["artifact"]:
            return {"changed": False, "needs_artifact": True}
        config = composed.meaning if composed.meaning is not None else Config()
        order = apply.Order(
            wanted, params["artifact"] or "", params["backup"], config, params["health_timeout_s"]
        )
        work = apply.perform(host, order, found)
        warnings.extend(work.warnings)
        if work.status is not None:
            result["instances"] = status.instances(work.status)
        if work.backup_file:
            result["backup_file"] = work.backup_file
    if warnings:
        result["warnings"] = warnings
    return result


def _wanted(host: Host, params: Dict[str, Any]) -> Tuple[Wanted, language.Composition, Dict[str, Any]]:
    engine = params["engine"]
    if params["state"] == ABSENT:
        return Wanted(ABSENT, engine), language.EMPTY, {}
    composed = language.compose(params["config"], params["raw"], engine, config_id())
    result = language.report(composed)
    needed = director.needs(composed.meaning or Config(), engine)
    settings = director.wanted(host, needed)
    if engine == KEEPALIVED:
        wanted = Wanted(PRESENT, engine, composed.text, director=settings, forward=needed.keys)
        return wanted, composed, result
    if not params["release"]:
        raise HostError("which agent? name the artefact: build it with 'make agent', or set artifact")
    result["release"] = params["release"]
    unit_text = unit.text(release.ENTRY, CONFIG_PATH)
    entry_text = release.entry_text(host)
    wanted = Wanted(
        PRESENT, engine, composed.text, params["release"], unit_text, entry_text, settings, needed.keys
    )
    return wanted, composed, result


def differences(found: Found, wanted: Wanted, steps: Tuple[Step, ...]) -> List[Dict[str, str]]:
    """What --diff shows: each file that changes, secrets masked."""
    shown = []
    present = wanted.state == PRESENT
    if Step.WRITE_CONFIG in steps or Step.REMOVE_CONFIG in steps:
        shown.append(
            (CONFIG_PATH, *secrets.mask_pair(found.config_text or "", wanted.config_text if present else ""))
        )
    if Step.WRITE_UNIT in steps or Step.REMOVE_UNIT in steps:
        shown.append((unit.PATH, found.unit_text or "", wanted.unit_text if present else ""))
    have, want = found.director.files, wanted.director
    if Step.LOAD_MODULES in steps or Step.REMOVE_MODULES in steps:
        shown.append((director.MODULES_PATH, have.modules or "", want.modules or ""))
    if Step.TURN_FORWARDING_ON in steps or Step.REMOVE_FORWARDING in steps:
        shown.append((director.SYSCTL_PATH, have.sysctls or "", want.sysctls or ""))
        for key in sorted(set(wanted.forward) & set(found.director.off)):
            shown.append((key, "0\n", "1\n"))
    if Step.SWITCH_RELEASE in steps or Step.REMOVE_RELEASES in steps:
        before, after = (f"{name}\n" if name else "" for name in (found.agent.current, wanted.release))
        shown.append((release.CURRENT, before, after))
    return [
        {"before_header": path, "after_header": path, "before": before, "after": after}
        for path, before, after in shown
        if before != after
    ]


def main() -> None:
    """Run as a module."""
    module = DiscreetModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    os.umask(0o022)
    try:
        module.end(bring(Host(), module.params, module.check_mode))
    except HostError as error:
        module.fail(error)


if __name__ == "__main__":
    main()
