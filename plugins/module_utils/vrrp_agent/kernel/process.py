# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeping the process that sends adverts on time: real-time priority, locked memory, CPU choice."""

from __future__ import annotations

import contextlib
import os
from typing import List, Sequence

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
DEFAULT_REALTIME_PRIORITY = 20
MOST_DESCRIPTORS = 16384


def lock_memory() -> str:
    """Lock pages as they are touched, so that an advert never waits for a disk.

    Returns an empty text, or why it could not be done. MCL_ONFAULT keeps untouched pages out.
    """
    try:
        import ctypes  # used once; a megabyte that nobody needs on import
    except ImportError as error:
        return str(error)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0:
        return ""
    return os.strerror(ctypes.get_errno())


def allow_descriptors(wanted: int = MOST_DESCRIPTORS) -> None:
    """Raise the soft limit of open files as far as is allowed: each interface and family needs a socket."""
    import resource  # used once

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def set_realtime(priority: int) -> str:
    """SCHED_RR at ``priority`` (vrrp_rt_priority); children do not inherit it.

    Returns an empty text, or why it could not be done: containers often refuse it, and the agent
    goes on without.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def set_nice(value: int) -> str:
    """Nice value (vrrp_priority). Returns an empty text, or why it could not be done."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, value)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def set_affinity(cpus: Sequence[int]) -> str:
    """Run on these CPUs only (vrrp_cpu_affinity). Returns an empty text, or why it could not be done."""
    wanted: List[int] = sorted(set(cpus))
    try:
        os.sched_setaffinity(0, wanted)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def set_name(name: str) -> None:
    """The name that ps shows (vrrp_process_name), at most 15 bytes."""
    try:
        with open("/proc/self/comm", "wb") as comm:
            comm.write(name.encode()[:15])
    except OSError:
        return
