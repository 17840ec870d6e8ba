# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the checks of real servers have found: news from the process that checks to the one that balances."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple


class CheckKey(NamedTuple):
    """One check of one real server of one virtual server."""

    service: Tuple[str, int]
    """VirtualServer.key."""
    server: Tuple[bytes, int]
    """RealServer.key."""
    number: int
    """Its place among the checks of the server, from 0."""


class CheckResult(NamedTuple):
    """The state of one check. It is said when it changes, not at every try."""

    key: CheckKey
    good: Optional[bool]
    """None while it is not known yet: then the server counts as it began (``alpha``)."""
    added_weight: int = 0
    """What the check adds to the weight of the server (FILE_CHECK; MISC_CHECK with misc_dynamic)."""
    why: str = ""
    """Of the last change, for a person: ``connection refused``, ``status 503``, ``exit 1``."""
    wall_time_s: float = 0.0


class CheckRun(NamedTuple):
    """How a check has gone lately, for ``status``; sent now and then."""

    key: CheckKey
    took_ns: int
    why: str
    """What the last try found, good or bad."""
    wall_time_s: float
    runs: int
    failures: int
