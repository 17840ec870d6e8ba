# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole table by section id."""

from __future__ import annotations

from typing import Dict, Tuple

from ..words import Section
from . import (
    addresses,
    bfd,
    checkers,
    global_defs,
    groups,
    real_server,
    root,
    routes,
    rules,
    scripts,
    ssl,
    tracking,
    virtual_server,
    vrrp_instance,
)

_PARTS: Tuple[Tuple[Section, ...], ...] = (
    root.SECTIONS,
    global_defs.SECTIONS,
    vrrp_instance.SECTIONS,
    addresses.SECTIONS,
    routes.SECTIONS,
    rules.SECTIONS,
    tracking.SECTIONS,
    groups.SECTIONS,
    scripts.SECTIONS,
    bfd.SECTIONS,
    virtual_server.SECTIONS,
    real_server.SECTIONS,
    checkers.SECTIONS,
    ssl.SECTIONS,
)


def _assemble() -> Dict[str, Section]:
    sections: Dict[str, Section] = {}
    for part in _PARTS:
        for section in part:
            if section.id in sections:
                raise ValueError(f"section {section.id} is in the table twice")
            sections[section.id] = section
    return sections


SECTIONS: Dict[str, Section] = _assemble()
"""Every section, in the order of the reference page."""

ROOT: Section = SECTIONS["root"]
