# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests that the kernel takes its time over: a child waits for them, adverts go on."""

from __future__ import annotations

import os
import signal
from typing import List

from .netlink import RouteSocket
from .process import MOST_DESCRIPTORS


def submit_aside(requests: List[bytes]) -> bool:
    """Carry out rtnetlink requests in a process of their own; False when there is none to be had.

    The removal of a link waits for every CPU to be done with it, some twenty milliseconds each: longer
    than a router with adverts every ten may be silent. Nobody waits for the outcome: the monitor tells it.
    """
    try:
        pid = os.fork()
    except OSError:
        return False
    if pid == 0:
        _live(requests)
    os.waitpid(pid, 0)
    return True


def _live(requests: List[bytes]) -> None:
    """The child forks again and is gone at once, so that nobody has to reap the one that works."""
    try:
        if os.fork() == 0:
            signal.set_wakeup_fd(-1)
            os.closerange(3, MOST_DESCRIPTORS)  # the lock must be free at once should the agent die
            RouteSocket().submit(requests)
    finally:
        os._exit(0)
