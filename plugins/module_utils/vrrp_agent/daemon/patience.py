# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long virtual routers are held back after the start (vrrp_startup_delay, vrrp_delay_after_boot)."""

from __future__ import annotations

import time
from typing import Callable, Optional

from ..conf.model import GlobalSettings


def uptime_ns() -> int:
    """Time since the boot."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Patience:
    """Remembers when the agent began: what a reload adds within the delay is held back as long."""

    def __init__(self, uptime: Callable[[], int] = uptime_ns) -> None:
        self._uptime = uptime
        self._began_ns: Optional[int] = None
        self._since_boot_ns = 0

    def left_ns(self, settings: GlobalSettings, now: int) -> int:
        """How long a virtual router that begins at ``now`` is held back; the longer word counts."""
        if self._began_ns is None:
            self._began_ns, self._since_boot_ns = now, self._uptime()
        after_boot_ns = settings.delay_after_boot_ns - self._since_boot_ns
        return max(self._began_ns + max(settings.startup_delay_ns, after_boot_ns) - now, 0)
