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
from typing import Dict, NamedTuple, Optional, Sequence, Tuple

from ..conf.model import Instance

Key = Tuple[str, int, int]
"""Interface, family, VRID: model.Instance.key."""

_MAGIC = b"VRRPMEM2"
_HEADER = struct.Struct("=8s40s")  # magic, boot id
_RECORD = struct.Struct("=16sBBB5xQ")  # interface, family, VRID, own, last advert in ns (monotonic clock)
_MOMENT = struct.Struct("=Q")
_OWN_OFFSET, _MOMENT_OFFSET = 18, 24


class Recalled(NamedTuple):
    """What a predecessor left about a virtual router that was active when it was killed."""

    moment_ns: int
    """When it last sent an advert."""
    own: bool
    """The addresses were the interface's own: there before the agent, and to be left there."""


NOT_RECALLED = Recalled(0, False)


def boot_id() -> bytes:
    """Changes with every boot, as the monotonic clock does. Empty when the kernel does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            return file.read().strip()[:40]
    except OSError:
        return b""


def recall(path: str, boot: bytes) -> Dict[Key, Recalled]:
    """The virtual routers of a predecessor that were active to the last.

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
    found: Dict[Key, Recalled] = {}
    for offset in range(_HEADER.size, len(data) - _RECORD.size + 1, _RECORD.size):
        name, family, vrid, own, moment_ns = _RECORD.unpack_from(data, offset)
        if moment_ns:
            key = (name.rstrip(b"\0").decode("utf-8", "replace"), family, vrid)
            found[key] = Recalled(moment_ns, bool(own))
    return found


def spoke_lately(instance: Instance, last_ns: int, now: int) -> bool:
    """True when the last advert is so recent that no backup can have taken over.

    A backup waits for down_timer_adverts intervals and its skew (RFC 9568 6.1) after the last
    advert; within the intervals alone the addresses are still ours.
    """
    return 0 < last_ns <= now and now - last_ns < instance.down_timer_adverts * instance.advert_int_ns


class Memory:
    """The file of this process. ``problem`` says why there is none; everything else goes on without it."""

    def __init__(self, path: str, boot: bytes) -> None:
        self.path = path
        self.problem = ""
        self._boot = boot
        self._map: Optional[mmap.mmap] = None
        self._records: Dict[Key, int] = {}

    def lay_out(self, keys: Sequence[Key]) -> None:
        """Make a file with a record for each key, keeping the moments of those that had one."""
        kept = {key: self._read(key) for key in keys}
        self.close()
        data = bytearray(_HEADER.pack(_MAGIC, self._boot))
        for key in keys:
            name, family, vrid = key
            self._records[key] = len(data)
            data += _RECORD.pack(name.encode(), family, vrid, kept[key].own, kept[key].moment_ns)
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

    def offset(self, key: Key) -> int:
        """Where ``note`` writes for this key; -1 when there is no file."""
        return self._records.get(key, -1) if self._map is not None else -1

    def note(self, offset: int, now: int) -> None:
        """An advert went out at ``now``; 0 says that the router is no longer active."""
        if offset >= 0 and self._map is not None:
            _MOMENT.pack_into(self._map, offset + _MOMENT_OFFSET, now)

    def note_own(self, offset: int) -> None:
        """The addresses of this router are the interface's own."""
        if offset >= 0 and self._map is not None:
            self._map[offset + _OWN_OFFSET] = 1

    def _read(self, key: Key) -> Recalled:
        offset = self.offset(key)
        if self._map is None or offset < 0:
            return NOT_RECALLED
        _name, _family, _vrid, own, moment_ns = _RECORD.unpack_from(self._map, offset)
        return Recalled(moment_ns, bool(own))

    def forget(self) -> None:
        """After an orderly stop there is nothing to recall."""
        self.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def close(self) -> None:
        """Unmap the file and leave it where it is."""
        self._records = {}
        if self._map is not None:
            self._map.close()
            self._map = None
