# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Giving up all privileges, in a child that only calculates with what strangers have sent."""

from __future__ import annotations

import contextlib
import functools
import struct
from typing import Callable

_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION = 0x20080522
"""_LINUX_CAPABILITY_VERSION_3 (linux/capability.h): two words for each of three sets."""
_NOBODY_BUT_US = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
_NOTHING = bytes(24)


@functools.lru_cache(maxsize=1)
def surrender() -> Callable[[], None]:
    """What a child is to call, made ready by its parent: capabilities(7), no_new_privs, and limits of 0.

    After it the child can open, write and start nothing, whoever its user is; that user stays the same, so
    that its parent may end it without CAP_KILL. What the system refuses is left as it is.
    """
    import resource  # for those that have such children

    limits = (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC)

    def limit() -> None:
        for name in limits:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(name, (0, 0))

    try:
        import ctypes  # a megabyte, once in the parent and not in each child
    except ImportError:
        return limit
    libc = ctypes.CDLL(None)
    who, what = ctypes.create_string_buffer(_NOBODY_BUT_US), ctypes.create_string_buffer(_NOTHING)

    def give_up() -> None:
        limit()
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.capset(who, what)

    return give_up
