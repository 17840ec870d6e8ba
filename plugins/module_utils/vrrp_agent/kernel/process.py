# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeping the process that sends adverts on time: real-time priority, locked memory, CPU choice."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, List, Optional, Sequence

_PR_SET_DUMPABLE = 4
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
DEFAULT_REALTIME_PRIORITY = 20
MOST_DESCRIPTORS = 16384
RLIMIT_RTTIME = 15  # getrlimit(2); Python's resource has no name for it
_OOM_SCORE = "/proc/self/oom_score_adj"
_before: Dict[str, Any] = {}
"""What this process was given at its start and has changed for itself, for the programs that it runs."""


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


def leave_no_core() -> str:
    """Keep what this process and its children know out of core dumps (PR_SET_DUMPABLE, prctl(2)).

    RLIMIT_CORE would not do: the kernel does not heed it where cores go to a program (core(5)), as with
    systemd-coredump. Programs that are executed are as they always are. Returns an empty text, or why not.
    """
    try:
        import ctypes  # needed for ``lock_memory`` as well
    except ImportError as error:
        return str(error)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0:
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
            _before.setdefault("descriptors", soft)


def give_back_descriptors() -> None:
    """Undo ``allow_descriptors``, in a child: what uses select(2) expects no more than 1024."""
    import resource  # loaded by ``allow_descriptors`` already

    soft = _before.get("descriptors")
    if soft is not None:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


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


def leave_realtime() -> None:
    """Ordinary scheduling for this process."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def limit_realtime(limit_us: Optional[int]) -> str:
    """Send SIGXCPU after ``limit_us`` of real time without a pause (vrrp_rlimit_rttime); None is no limit.

    The kernel repeats the signal after each further second. There is no hard limit: at that the kernel would
    kill the process, and with it the addresses. Returns an empty text, or why it could not be done.
    """
    import resource  # used once

    hard = resource.getrlimit(RLIMIT_RTTIME)[1]
    soft = hard if limit_us is None else limit_us
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    try:
        resource.setrlimit(RLIMIT_RTTIME, (soft, hard))
    except (OSError, ValueError) as error:
        return str(error)
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


def be_ordinary() -> None:
    """For a process that sends no adverts, and for scripts: no better than any other, and on any CPU.

    What the agent has for itself (nice value, CPUs, limit of real time, protection from the OOM killer) would
    be inherited otherwise.
    """
    with contextlib.suppress(OSError):
        if os.getpriority(os.PRIO_PROCESS, 0) < 0:
            os.setpriority(os.PRIO_PROCESS, 0, 0)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    limit_realtime(None)
    with contextlib.suppress(OSError, ValueError):
        with open(_OOM_SCORE, encoding="ascii") as score:
            protected = int(score.read()) < 0
        if protected:
            with open(_OOM_SCORE, "w", encoding="ascii") as score:
                score.write("0")


def set_name(name: str) -> None:
    """The name that ps shows (vrrp_process_name), at most 15 bytes."""
    try:
        with open("/proc/self/comm", "wb") as comm:
            comm.write(name.encode()[:15])
    except OSError:
        return
