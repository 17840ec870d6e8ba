# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process beside the agent that checks real servers."""

from __future__ import annotations

from ..loop.channel import Channel
from ..loop.log import Log
from ..loop.loop import Loop
from ..loop.side import Worker


class CheckWorker(Worker):
    """Does what Orders say, and sends CheckResult for each news, and now and then a list of CheckRun."""

    def __init__(self, loop: Loop, channel: Channel, log: Log) -> None:
        self._loop, self._channel, self._log = loop, channel, log
