#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a host a real server behind virtual servers."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: real_server
short_description: Make a host a real server behind virtual servers
version_added: 0.1.0
description:
  - Gives a host what C(lvs_method) of its directors asks of it. With V(DR) the virtual addresses on C(lo),
    and silence about them on the network. With V(TUN) a tunnel link besides. With V(NAT) the way back, where
    it is wanted.
  - All of it is one systemd unit of type oneshot that calls C(ip) at boot, whatever manages the network.
  - A change is made by difference. Addresses that stay are not touched.
  - What the host had before is put back when the unit stops.
author:
  - linuxha.vrrp contributors (@linuxha)
extends_documentation_fragment:
  - linuxha.vrrp._attributes
options:
  state:
    description: V(absent) undoes everything and removes the unit.
    type: str
    choices: [present, absent]
    default: present
  method:
    description:
      - As C(lvs_method) of the virtual servers.
      - Needed with O(state=present).
    type: str
    choices: [DR, TUN, NAT]
  addresses:
    description: The virtual addresses, without a prefix. Of V(DR) and V(TUN).
    type: list
    elements: str
    default: []
  interface:
    description:
      - The interface on which nobody is told of the virtual addresses (C(arp_ignore), C(arp_announce)).
      - Empty means all of them.
      - With V(NAT) the link of a gateway that is link-local.
    type: str
    default: ''
  address:
    description: The host's own address, as C(real_server) names it. Tunnels end there. Of V(TUN).
    type: str
    default: ''
  tunnel:
    description: The kind of tunnel, as in C(lvs_method).
    type: str
    choices: [ipip, gre, gue]
    default: ipip
  tunnel_port:
    description: The UDP port of V(gue).
    type: int
    default: 0
  tunnel_checksum:
    description: The directors send checksums (C(csum)). Of V(gre).
    type: bool
    default: false
  gateway:
    description:
      - The way to everywhere through the directors, that is through a virtual address on their inside.
        Of V(NAT).
      - Two routes, each to one half of all addresses, go before the default routes of the host, which stay as
        they are. Make sure that you still reach the host.
    type: str
    default: ''
seealso:
  - module: linuxha.vrrp.apply
"""

EXAMPLES = r"""
- name: A web server behind directors that use DR
  linuxha.vrrp.real_server:
    method: DR
    addresses: [198.51.100.10, "2001:db8::10"]

- name: One that sends its answers through the directors
  linuxha.vrrp.real_server:
    method: NAT
    gateway: 198.18.0.1

- name: No real server any more
  linuxha.vrrp.real_server:
    state: absent
"""

RETURN = r"""
steps:
  description: What was done, or would be done, in this order.
  returned: always
  type: list
  elements: str
  sample: ["198.51.100.10 on lo"]
"""

import os
from typing import Any, Dict, Optional

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.host import Host, HostError
from ..module_utils._host.real_server import METHODS, PATH, TUNNELS, Settings, problems
from ..module_utils._host.real_server_work import decide, doubts, perform, survey

ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "method": {"type": "str", "choices": list(METHODS)},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "interface": {"type": "str", "default": ""},
    "address": {"type": "str", "default": ""},
    "tunnel": {"type": "str", "choices": list(TUNNELS), "default": "ipip"},
    "tunnel_port": {"type": "int", "default": 0},
    "tunnel_checksum": {"type": "bool", "default": False},
    "gateway": {"type": "str", "default": ""},
}


def bring(host: Host, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Bring the host to its wanted state and say what was done. Raises HostError."""
    wanted = wanted_settings(params)
    found = survey(host)
    plan = decide(host, found, wanted)
    if plan.steps and not check_mode:
        perform(host, found, plan)
    warnings = doubts(found) if plan.remove else []
    return {
        **({"warnings": warnings} if warnings else {}),
        "changed": bool(plan.steps),
        "steps": plan.steps,
        "diff": {
            "before": found.text or "",
            "after": plan.text or "",
            "before_header": PATH,
            "after_header": PATH,
        },
    }


def wanted_settings(params: Dict[str, Any]) -> Optional[Settings]:
    """What the arguments ask for; None is absent. Raises HostError for what makes no sense."""
    if params["state"] == "absent":
        return None
    if not params["method"]:
        raise HostError("method is needed: write DR, TUN or NAT, as lvs_method of the virtual servers says")
    named = {name: value for name, value in params.items() if name not in ("state", "addresses")}
    settings = Settings(addresses=tuple(params["addresses"]), **named)
    wrong = problems(settings)
    if wrong:
        raise HostError("nothing was changed: " + "; ".join(wrong))
    return settings


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    os.umask(0o022)
    try:
        module.exit_json(**bring(Host(), module.params, module.check_mode))
    except HostError as error:
        module.fail_json(msg=str(error), **error.evidence)


if __name__ == "__main__":
    main()
