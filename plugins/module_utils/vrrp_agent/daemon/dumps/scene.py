# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a dump is made of."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Sequence

from ...conf.model import Config
from ...election.settings import State
from ...track.messages import Key, Reading
from ..live import Live


class Scene(NamedTuple):
    """What there is to tell."""

    config: Config
    lives: Sequence[Live]
    now_ns: int
    wall_s: float
    readings: Mapping[Key, Reading] = {}
    """What is known of scripts, files and processes that are tracked."""
    groups: Mapping[str, State] = {}
    """The state of each vrrp_sync_group."""
