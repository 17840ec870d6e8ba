# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The runtime directory: one agent at a time, sockets and memory in it."""

from __future__ import annotations

import fcntl
import os
from typing import IO

DEFAULT_RUNTIME_DIR = "/run/vrrp-agent"
_LOCK_NAME = "lock"


def directory_of(instance: str = "") -> str:
    """The runtime directory when none is named. ``instance`` is the word of the configuration."""
    return f"{DEFAULT_RUNTIME_DIR}-{instance}" if instance else DEFAULT_RUNTIME_DIR


class RuntimeDirError(Exception):
    """The directory cannot be used. ``hint`` says how to mend it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def occupy(path: str) -> IO[str]:
    """Make the directory if needed and lock it for this process; keep the result for life.

    Raises RuntimeDirError when it cannot be made, or when another agent has it.
    """
    try:
        os.makedirs(path, mode=0o750, exist_ok=True)
        lock = open(os.path.join(path, _LOCK_NAME), "a+", encoding="ascii")  # noqa: SIM115 - held for life
    except OSError as error:
        raise RuntimeDirError(
            f"cannot use the runtime directory {path}: {error.strerror}",
            "name another one with --runtime-dir, or run as root",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read(16).strip().strip("\0") or "unknown"
        lock.close()
        raise RuntimeDirError(
            f"another agent (process {holder}) uses the runtime directory {path}",
            "stop it first, or give this one a directory of its own with --runtime-dir",
        ) from error
    try:
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
    except OSError:
        pass  # a full disk: the lock holds all the same, only without a name
    return lock
