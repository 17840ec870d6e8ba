# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What global_defs says about SNMP."""

from __future__ import annotations

from typing import Optional

from ..model import Snmp
from ..tree import Node
from .defaults import Defaults
from .tracking import weights_of


def snmp(tree: Node, defaults: Defaults) -> Snmp:
    """The switches, and what SNMP shows of words that mean nothing else to the agent."""
    words = defaults.words
    both = "enable_snmp_rfc" in words
    return Snmp(
        keepalived="enable_snmp_vrrp" in words,
        rfc2787=both or "enable_snmp_rfcv2" in words,
        rfc6527=both or "enable_snmp_rfcv3" in words,
        traps="enable_traps" in words,
        socket=_socket(tree),
        smtp_alert=_alert(defaults, "smtp_alert"),
        smtp_alert_vrrp=_alert(defaults, "smtp_alert_vrrp"),
        smtp_alert_checker=_alert(defaults, "smtp_alert_checker"),
        weights=tuple([(*key, *value) for key, value in sorted(weights_of(tree).items())]),
        checksum_as_v2=defaults.flag("v3_checksum_as_v2"),
    )


def _alert(defaults: Defaults, name: str) -> Optional[bool]:
    return defaults.flag(name) if name in defaults.words else None


def _socket(tree: Node) -> str:
    """keepalived takes the first snmp_socket; the others mean nothing."""
    for block in tree.all("global_defs"):
        for node in block.all("snmp_socket"):
            if node.args:
                return str(node.args[0])
    return ""
