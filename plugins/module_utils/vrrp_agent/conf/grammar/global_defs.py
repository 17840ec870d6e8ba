# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""global_defs: settings of the whole daemon."""

from __future__ import annotations

from typing import Tuple

from ..words import Section
from .global_vrrp import ELECTION, GARP, PROCESS

SECTIONS: Tuple[Section, ...] = (
    Section(
        "global_defs",
        "Settings of the whole daemon.",
        keywords=(*ELECTION, *GARP, *PROCESS),
    ),
)
