# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One host of a group, as its variables describe it, and what is wrong with the group.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Tuple


@dataclass(frozen=True)
class Member:
    """The variables of one host, in the words of the role."""

    name: str
    """inventory_hostname"""
    position: int = 0
    """Place in the group, from 0. The order decides the priorities."""
    router_id: str = ""
    """Used where the configuration has none."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """vrrp_config"""
    own_config: Mapping[str, Any] = field(default_factory=dict)
    """vrrp_config_host"""
    raw: str = ""
    """vrrp_config_raw"""
    engine: str = "agent"
    present: bool = True
    unicast: bool = False
    """vrrp_unicast"""
    addresses: Tuple[str, ...] = ()
    """vrrp_address: where its peers reach it, at most one of each family."""


@dataclass(frozen=True)
class Finding:
    """Something wrong, or doubtful, with the plan of a group."""

    host: str
    """Empty when it is about the whole group."""
    path: str
    """The variable and the keys in it, such as ``vrrp_config.vrrp_instance.VI_1.priority``."""
    message: str
    hint: str = ""
    """What to write instead."""
    warning: bool = False

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.host, self.path) if part)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} ({self.hint})" if self.hint else text
