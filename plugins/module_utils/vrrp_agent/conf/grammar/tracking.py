# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lines of track_interface, track_script, track_file, track_process and track_bfd."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Shape
from .args import IFNAME, REVERSE_OR_NOT, name_of, weight


def _weight(limit: int, meaning: str, *, default: str = "", supported: bool = False) -> Keyword:
    return Keyword(
        "weight",
        meaning,
        args=(weight(limit), REVERSE_OR_NOT),
        default=default or None,
        supported=supported,
        since="1.1.13",
    )


def _lines(id_: str, meaning: str, item: Arg, option: Keyword) -> Section:
    return Section(id_, meaning, shape=Shape.LINES, item=(item,), keywords=(option,))


_FROM_BLOCK = "Overrides the weight of the block tracked; 0 means FAULT on failure."

SECTIONS: Tuple[Section, ...] = (
    _lines(
        "track_interface_lines",
        "One interface per line; without weight the instance is in FAULT while it is down.",
        IFNAME,
        _weight(
            253,
            "Added to the priority while up if positive, while down if negative, and subtracted with "
            "reverse; 0 means FAULT when down.",
            default="0",
            supported=True,
        ),
    ),
    _lines(
        "track_script_lines",
        "One vrrp_script per line, defined earlier in the file.",
        name_of("vrrp_script"),
        _weight(253, _FROM_BLOCK, supported=True),
    ),
    _lines(
        "track_file_lines",
        "One track_file per line; the priority changes by value times weight.",
        name_of("track_file"),
        _weight(254, _FROM_BLOCK, supported=True),
    ),
    _lines(
        "track_process_lines",
        "One vrrp_track_process per line.",
        name_of("vrrp_track_process"),
        _weight(254, _FROM_BLOCK, supported=True),
    ),
    _lines(
        "track_bfd_lines",
        "One bfd_instance per line.",
        name_of("bfd_instance"),
        _weight(253, _FROM_BLOCK),
    ),
)
