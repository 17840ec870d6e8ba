#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write keepalived.conf from YAML."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: config
short_description: Write keepalived.conf from YAML
version_added: 0.1.0
description:
  - Writes a C(keepalived.conf) from keepalived's own words spelled in YAML.
  - The configuration is checked first. When there is an error in it, nothing is written, and every
    problem is reported with the key that it comes from.
  - The file is replaced in one step and belongs to root with mode V(0640), as it may hold passwords.
  - Nothing is reloaded. M(linuxha.vrrp.apply) does all of it.
author:
  - linuxha.vrrp contributors (@linuxha)
extends_documentation_fragment:
  - linuxha.vrrp._attributes
  - linuxha.vrrp._configuration
options:
  path:
    description: Where to write it.
    type: path
    default: /etc/keepalived/keepalived.conf
  state:
    description: Whether the file should be there.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: linuxha.vrrp.apply
"""

EXAMPLES = r"""
- name: One address that moves between two hosts
  linuxha.vrrp.config:
    config:
      vrrp_instance:
        WEB:
          interface: eth0
          virtual_router_id: 51
          priority: 200
          virtual_ipaddress:
            - 198.51.100.10/24

- name: The same for keepalived, with a part in its own language
  linuxha.vrrp.config:
    engine: keepalived
    backup: true
    config: "{{ my_config }}"
    raw: |
      vrrp_script web {
          script "/usr/bin/curl -fs http://localhost/"
          interval 2
      }
"""

RETURN = r"""
path:
  description: The file.
  returned: always
  type: str
  sample: /etc/keepalived/keepalived.conf
text:
  description: What stands in it, with secrets masked.
  returned: when O(state=present)
  type: str
backup_file:
  description: The copy of the file of before.
  returned: when one was made
  type: str
problems:
  description: What is wrong with the configuration. Problems that are only warnings do not stop the module.
  returned: when there are any
  type: list
  elements: dict
  contains:
    path:
      description: The key, or the line of O(raw).
      type: str
      sample: config.vrrp_instance.WEB.priority
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

import os
from typing import Any, Dict, List

from ..module_utils._host import files, keepalived, language, secrets
from ..module_utils._host.engines import CONFIG_MODE, CONFIG_PATH, ENGINES, KEEPALIVED
from ..module_utils._host.host import Host, HostError, config_id
from ..module_utils._host.module import DiscreetModule

ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "config": {"type": "dict", "default": {}},
    "raw": {"type": "str", "default": ""},
    "engine": {"type": "str", "choices": list(ENGINES), "default": "agent"},
    "backup": {"type": "bool", "default": False},
    "path": {"type": "path", "default": CONFIG_PATH},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def write(host: Host, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Bring the file to its wanted state and say what was done. Raises HostError, having changed nothing."""
    path = params["path"]
    result: Dict[str, Any] = {"path": path}
    warnings: List[str] = []
    before = files.read_text(host, path)
    after = None
    if params["state"] == "present":
        composed = language.compose(params["config"], params["raw"], params["engine"], config_id())
        result.update(language.report(composed))
        after = composed.text
        if params["engine"] == KEEPALIVED and after != before:
            keepalived.ask(host, after, path, warnings)
        result["text"] = secrets.mask_text(after)
    unfit = after is not None and not (
        files.mode_of(host, path) == CONFIG_MODE and files.owned_by_us(host, path)
    )
    result["changed"] = before != after or unfit
    shown = secrets.mask_pair(before or "", after or "")
    result["diff"] = {"before": shown[0], "after": shown[1], "before_header": path, "after_header": path}
    if result["changed"] and not check_mode:
        if params["backup"] and before is not None:
            result["backup_file"] = files.keep_backup(host, path)
        if after is None:
            files.remove(host, path)
        else:
            files.write_text(host, path, after, CONFIG_MODE)
    if warnings:
        result["warnings"] = [*result.get("warnings", []), *warnings]
    return result


def main() -> None:
    """Run as a module."""
    module = DiscreetModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    os.umask(0o022)
    try:
        module.end(write(Host(), module.params, module.check_mode))
    except HostError as error:
        module.fail(error)


if __name__ == "__main__":
    main()
