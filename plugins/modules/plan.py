# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: plan
short_description: Plan a whole VRRP group before anything is touched
version_added: 0.1.0
description:
  - Reads the variables of the role C(linuxha.vrrp.vrrp) for every host of the groups in the play, derives
    what they leave out, and checks each configuration by itself and all of them against each other.
  - Runs once, on the controller, and touches no host. When there is an error it fails and names for each
    problem the host, the variable with the key in it, and what to write instead.
  - Hosts of the group that the play does not contain, for example because of C(--limit), are part of the
    plan.
author:
  - linuxha.vrrp contributors (@linuxha)
extends_documentation_fragment:
  - linuxha.vrrp._attributes.info_module
options: {}
seealso:
  - module: linuxha.vrrp.apply
"""

EXAMPLES = r"""
- name: Is the configuration of the group all right?
  hosts: vrrp
  gather_facts: false
  tasks:
    - name: Plan
      linuxha.vrrp.plan:
      register: vrrp_plan

    - name: The file of each host, secrets masked
      ansible.builtin.debug:
        msg: "{{ vrrp_plan.hosts[inventory_hostname].text.splitlines() }}"
"""

RETURN = r"""
hosts:
  description: What is planned for each host, by C(inventory_hostname).
  returned: when there is no error
  type: dict
  contains:
    state:
      description: V(present) or V(absent).
      type: str
    engine:
      description: V(agent) or V(keepalived).
      type: str
    config:
      description: The configuration with everything merged and derived, secrets masked.
      type: dict
    text:
      description: The C(keepalived.conf), secrets masked.
      type: str
    addresses:
      description: The virtual addresses.
      type: list
      elements: str
    instances:
      description: The names of the instances.
      type: list
      elements: str
problems:
  description: What is wrong. Warnings do not make the plan fail.
  returned: always
  type: list
  elements: dict
  contains:
    host:
      description: The host; empty when it is about the whole group.
      type: str
    path:
      description: The variable and the key in it.
      type: str
      sample: vrrp_config.vrrp_instance.WEB.priority
    severity:
      description: V(error) or V(warning).
      type: str
    message:
      description: What is wrong.
      type: str
    hint:
      description: What to write instead.
      type: str
"""
