# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options that hold a configuration."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments for ``options``."""

    DOCUMENTATION = r"""
options:
  config:
    description:
      - The configuration in keepalived's own words, spelled in YAML. A block that has a name, such as
        C(vrrp_instance), is a mapping of names; a list of lines, such as C(virtual_ipaddress), is a list.
      - All of C(keepalived.conf) is known. C(vrrp-agent keywords) lists every word, its arguments and its
        default.
    type: dict
    default: {}
  raw:
    description:
      - Text in the language of C(keepalived.conf) that is appended as it is, for what YAML does not
        cover, such as macros.
      - It is checked together with O(config).
    type: str
    default: ''
  engine:
    description:
      - The program that is to run the configuration.
      - V(agent) is the VRRP agent of this collection. A word that it does not support yet is an error.
      - V(keepalived) is the distribution's keepalived. Where it is installed, its own test of the
        configuration counts too.
    type: str
    choices: [agent, keepalived]
    default: agent
  backup:
    description: Keep a copy of the file that is replaced or removed, beside it and named by the time.
    type: bool
    default: false
"""
