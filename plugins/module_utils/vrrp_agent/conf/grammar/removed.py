# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words that keepalived no longer knows, but that old files still have."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword

GLOBAL_DEFS: Tuple[Keyword, ...] = (
    Keyword(
        "lvs_id",
        "Became router_id in 1.1.8.",
        args=(Arg("STRING"),),
        deprecated="router_id",
        removed=True,
        since="1.1.0",
    ),
    Keyword(
        "plugin_dir",
        "Removed after 1.2.19; leave it out.",
        args=(Arg("DIR"),),
        removed=True,
        since="1.1.8",
    ),
)

VIRTUAL_SERVER: Tuple[Keyword, ...] = (
    Keyword(
        "nat_mask",
        "Removed after 1.2.19; leave it out.",
        args=(Arg("NETMASK"),),
        removed=True,
        since="1.1.0",
    ),
)

REAL_SERVER: Tuple[Keyword, ...] = (
    Keyword(
        "CI-LINUX",
        "A check that was removed after 1.1.4; use MISC_CHECK.",
        deprecated="MISC_CHECK",
        removed=True,
        since="1.1.0",
    ),
)
