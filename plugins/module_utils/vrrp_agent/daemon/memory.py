# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What must outlive the process: which virtual routers were active, and when each last said so.

A small mapped file in the runtime directory (a tmpfs on most hosts).  Writing to it is a store to
memory, so it is done with every advert; after a kill the next process reads how fresh it is.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
from typing import Dict, Optional, Sequence, Tuple

Key = Tuple[str, int, int]
"""Interface, family, VRID: model.Instance.key."""

_MAGIC = b"VRRPMEM1"
_HEADER = struct.Struct("=8s40s")  # magic, boot id
_RECORD = struct.Struct("=16sBB6xQ")  # interface, family, VRID, last advert in ns of the monotonic clock
_MOMENT = struct.Struct("=Q")
_MOMENT_OFFSET = 24


def boot_id() -> bytes:
    """Changes with every boot, as the monotonic clock does. Empty when the kernel does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            return file.read().strip()[:40]
    except OSError:
        return b""


def recall(path: str, boot: bytes) -> Dict[Key, int]:
    """When each active virtual router of a predecessor last sent an advert.

    Empty when there is no file, when it is of another boot, or when it is damaged.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(1 << 20)
    except OSError:
        return {}
    if len(data) < _HEADER.size or not boot:
        return {}
    magic, written_boot = _HEADER.unpack_from(data)
    if magic != _MAGIC or written_boot.rstrip(b"\0") != boot:
        return {}
    found: Dict[Key, int] = {}
    for offset in range(_HEADER.size, len(data) - _RECORD.size + 1, _RECORD.size):
        name, family, vrid, moment_ns = _RECORD.unpack_from(data, offset)
        if moment_ns:
            found[(name.rstrip(b"\0").decode("utf-8", "replace"), family, vrid)] = moment_ns
    return found


class Memory:
    """The file of this process. ``problem`` says why there is none; everything else goes on without it."""

    def __init__(self, path: str, boot: bytes) -> None:
        self.path = path
        self.problem = ""
        self._boot = boot
        self._map: Optional[mmap.mmap] = None
        self._moments: Dict[Key, int] = {}

    def lay_out(self, keys: Sequence[Key]) -> None:
        """Make a file with a record for each key, keeping the moments of those that had one."""
        kept = {key: self.moment(key) for key in keys}
        self.close()
        data = bytearray(_HEADER.pack(_MAGIC, self._boot))
        for name, family, vrid in keys:
            self._moments[(name, family, vrid)] = len(data) + _MOMENT_OFFSET
            data += _RECORD.pack(name.encode(), family, vrid, kept[(name, family, vrid)])
        temporary = self.path + ".new"
        try:
            # Written, not only sized: a hole that the disk cannot fill would be a SIGBUS later.
            with open(temporary, "w+b") as file:
                file.write(data)
                file.flush()
                self._map = mmap.mmap(file.fileno(), len(data))
            os.replace(temporary, self.path)
            self.problem = ""
        except OSError as error:
            self.problem = f"cannot keep state in {self.path}: {error.strerror or error}"
            self.close()
            with contextlib.suppress(OSError):
                os.unlink(temporary)

    def moment(self, key: Key) -> int:
        """The last noted moment of a key, 0 for none."""
        offset = self._moments.get(key)
        if self._map is None or offset is None:
            return 0
        moment_ns: int = _MOMENT.unpack_from(self._map, offset)[0]
        return moment_ns

    def offset(self, key: Key) -> int:
        """Where ``note`` writes for this key; -1 when there is no file."""
        return self._moments.get(key, -1) if self._map is not None else -1

    def note(self, offset: int, now: int) -> None:
        """An advert went out at ``now``; 0 says that the router is no longer active."""
        if offset >= 0 and self._map is not None:
            _MOMENT.pack_into(self._map, offset, now)

    def forget(self) -> None:
        """After an orderly stop there is nothing to recall."""
        self.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def close(self) -> None:
        """Unmap the file and leave it where it is."""
        self._moments = {}
        if self._map is not None:
            self._map.close()
            self._map = None
