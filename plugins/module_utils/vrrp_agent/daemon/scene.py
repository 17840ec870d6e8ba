# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a dump is made of."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from ..conf.model import Config
from .live import Live


class Scene(NamedTuple):
    """What there is to tell."""

    config: Config
    lives: Sequence[Live]
    now_ns: int
    wall_s: float
    scripts: Mapping[str, Mapping[str, Any]] = {}
    """What is known of each vrrp_script now, by its name: ``good``, ``state``, ``result``."""
    files: Mapping[str, Mapping[str, Any]] = {}
    """Of each track_file: ``value``."""
    processes: Mapping[str, Mapping[str, Any]] = {}
    """Of each vrrp_track_process: ``count``, ``good``."""
    groups: Mapping[str, str] = {}
    """The state of each vrrp_sync_group, in keepalived's words."""
