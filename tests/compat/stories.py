# SPDX-License-Identifier: GPL-3.0-or-later
"""All stories, by the part of keepalived's language that they are about."""

from __future__ import annotations

from typing import Tuple

from tests.compat import election, faults, groups, links, moving, reloads, security, telling, tracking
from tests.compat.story import Story

STORIES: Tuple[Story, ...] = (
    *election.STORIES,
    *faults.STORIES,
    *groups.STORIES,
    *tracking.STORIES,
    *telling.STORIES,
    *moving.STORIES,
    *links.STORIES,
    *reloads.STORIES,
    *security.STORIES,
)
