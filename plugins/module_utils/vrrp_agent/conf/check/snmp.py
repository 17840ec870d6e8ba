# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks of what a file says about SNMP."""

from __future__ import annotations

from typing import Dict, Iterator

from ..parts.endpoint import BadEndpoint, endpoint
from ..problem import ERROR, WARNING, Problem
from ..tree import Node

_SERVING = (
    "enable_snmp_vrrp",
    "enable_snmp_rfc",
    "enable_snmp_rfcv2",
    "enable_snmp_rfcv3",
    "enable_snmp_checker",
)


def check_snmp(tree: Node) -> Iterator[Problem]:
    """All findings about SNMP."""
    given: Dict[str, Node] = {}
    for block in tree.all("global_defs"):
        for node in block.children:
            if node.name == "snmp_socket" and node.args and node.name not in given:
                yield from _socket(node)
            given.setdefault(node.name, node)
    served = any(name in given for name in _SERVING)
    for name in ("enable_traps", "snmp_socket"):
        if name in given and not served:
            yield given[name].problem(
                WARNING,
                f"'{name}' has no effect: no MIB is served",
                "write enable_snmp_vrrp, enable_snmp_rfc or enable_snmp_checker too",
            )


def _socket(node: Node) -> Iterator[Problem]:
    try:
        endpoint(str(node.args[0]))
    except BadEndpoint as error:
        yield node.problem(ERROR, f"snmp_socket: {error}", error.hint, node.args[0])
