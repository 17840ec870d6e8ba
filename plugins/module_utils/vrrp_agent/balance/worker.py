# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process beside the agent that decides which real servers are used, and tells the kernel."""

from __future__ import annotations

from ..loop.channel import Channel
from ..loop.log import Log
from ..loop.loop import Loop
from ..loop.side import Worker


class BalanceWorker(Worker):
    """Keeps the kernel's table as Setup and CheckResult want it; sends Happening and Report."""

    def __init__(self, loop: Loop, channel: Channel, log: Log) -> None:
        self._loop, self._channel, self._log = loop, channel, log
