# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""global_defs: settings of the whole daemon, put together from its parts."""

from __future__ import annotations

from typing import Tuple

from ..words import Section
from . import global_daemon, global_services, global_vrrp, removed

SECTIONS: Tuple[Section, ...] = (
    Section(
        "global_defs",
        "Settings of the whole daemon.",
        keywords=(
            *global_vrrp.ELECTION,
            *global_vrrp.GARP,
            *global_vrrp.PROCESS,
            *global_daemon.PROCESSES,
            *global_daemon.FILES,
            *global_daemon.SCRIPTS,
            *global_daemon.MAIL,
            *global_services.IPVS,
            *global_services.NFTABLES,
            *global_services.CHECKER,
            *global_services.BFD,
            *global_services.SNMP,
            *removed.GLOBAL_DEFS,
        ),
    ),
    *global_daemon.SECTIONS,
    *global_services.SECTIONS,
)
