# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""inotify(7): what happens in directories, without looking again and again."""

from __future__ import annotations

import ctypes
import os
import struct
from typing import List, NamedTuple

from .errors import KernelError

IN_CLOSE_WRITE = 0x8
IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE = 0x40, 0x80, 0x100, 0x200
IN_DELETE_SELF, IN_MOVE_SELF = 0x400, 0x800
IN_Q_OVERFLOW, IN_IGNORED = 0x4000, 0x8000
_IN_ONLYDIR = 0x01000000
_IN_NONBLOCK, _IN_CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
_EVENT = struct.Struct("=iIII")  # watch, mask, cookie, length of the name
COMING_AND_GOING = IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF
_BUFFER_BYTES = 1 << 16


class Happened(NamedTuple):
    """One event: which watch, what, and the name in that directory (empty for the directory itself)."""

    watch: int
    mask: int
    name: str


class Inotify:
    """Watches directories. Raises KernelError when the kernel gives no descriptor."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(_IN_NONBLOCK | _IN_CLOEXEC)
        if self._descriptor < 0:
            code = ctypes.get_errno()
            hint = "raise the limit fs.inotify.max_user_instances"
            raise KernelError(f"files cannot be watched: {os.strerror(code)}", hint, code)

    def fileno(self) -> int:
        """Readable when something has happened."""
        return int(self._descriptor)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)

    def watch(self, directory: str, mask: int) -> int:
        """Watch a directory for ``mask``: the number of the watch; the same directory has the same number.

        Raises OSError when there is no such directory.
        """
        number = self._libc.inotify_add_watch(
            self._descriptor, os.fsencode(directory), ctypes.c_uint32(mask | _IN_ONLYDIR)
        )
        if number < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), directory)
        return int(number)

    def forget(self, watch: int) -> None:
        """Watch it no longer."""
        self._libc.inotify_rm_watch(self._descriptor, watch)

    def read(self) -> List[Happened]:
        """What has happened since the last time."""
        try:
            data = os.read(self._descriptor, _BUFFER_BYTES)
        except BlockingIOError:
            return []
        found: List[Happened] = []
        offset = 0
        while offset + _EVENT.size <= len(data):
            watch, mask, _cookie, length = _EVENT.unpack_from(data, offset)
            offset += _EVENT.size
            name = os.fsdecode(data[offset : offset + length].rstrip(b"\0"))
            offset += length
            found.append(Happened(watch, mask, name))
        return found
