# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file with what of the kernel's table is ours, for a process that follows one that was killed.

IPVS does not say who made a service. Without the file one that was taken out of the configuration meanwhile
would stay in the kernel for ever. The process that balances writes and reads it.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, Dict, FrozenSet, Iterable, List, NamedTuple, Optional

from ..conf.parts.balancing import SyncDaemon, Timeouts
from ..loop import notes
from ..loop.log import Log
from .backend import ServiceKey
from .choose import IPVS, NFTABLES

NAME = "services"
_MOST_PORT, _MOST_MARK, _MOST_TIMEOUT_S = (1 << 16) - 1, (1 << 32) - 1, (1 << 31) - 1
_MOST_LINK_NAME, _MOST_TABLE_NAME = 15, 255


class Place(NamedTuple):
    """Which table of which kernel it is."""

    backend: str
    namespace: Optional[str]


class Left(NamedTuple):
    """What a process has placed, perhaps."""

    place: Place
    keys: FrozenSet[ServiceKey] = frozenset()
    replaced: Optional[Timeouts] = None
    """What lvs_timeouts has replaced."""
    marks: str = ""
    """The name of the tables of nftables_ipvs."""
    sync: Optional[SyncDaemon] = None
    """The settings of sync daemons, whichever of the two run."""

    @property
    def anything(self) -> bool:
        """False when there is nothing to be taken away."""
        return bool(self.keys or self.marks) or self.replaced is not None or self.sync is not None


NOTHING = Left(Place("", None))


class Notebook:
    """The file at ``path`` ("" for none); it is written when something has changed."""

    def __init__(self, path: str, boot: str, log: Log) -> None:
        self._path, self._boot, self._log = path, boot, log
        self._written: Optional[Left] = None
        self._failed = False

    def read(self) -> Left:
        """What was left on this boot of the host."""
        return read(self._path, self._boot) if self._path else NOTHING

    def keep(self, left: Left) -> None:
        """From now on this is ours. Without anything there is no file. Errors are logged, once in a row."""
        if not self._path or left == self._written:
            return
        try:
            if left.anything:
                write(self._path, self._boot, left)
            else:
                forget(self._path)
        except OSError as error:
            if not self._failed:
                self._log.warning(f"{self._path} cannot be written: {error.strerror}")
            self._failed = True
        else:
            self._written, self._failed = left, False


def write(path: str, boot: str, left: Left) -> None:
    """Replace the file. Raises OSError."""
    rows: List[List[object]] = [
        [key.family, key.protocol, key.address.hex(), key.port, key.fwmark] for key in sorted(left.keys)
    ]
    limits = left.replaced
    content = {
        "boot": boot,
        "backend": left.place.backend,
        "namespace": left.place.namespace,
        "services": rows,
        "timeouts": None if limits is None else [limits.tcp_s, limits.tcp_fin_s, limits.udp_s],
        "marks": left.marks,
        "sync": None if left.sync is None else _sync_row(left.sync),
    }
    notes.write(path, json.dumps(content))


def read(path: str, boot: str) -> Left:
    """What the file says; nothing when it is of another boot."""
    return notes.read(path, boot, _understood, NOTHING)


def _understood(content: Dict[str, Any]) -> Left:
    backend, namespace = content["backend"], content["namespace"]
    if backend not in (IPVS, NFTABLES) or not (namespace is None or isinstance(namespace, str)):
        raise ValueError(backend, namespace)
    limits = content["timeouts"]
    return Left(
        Place(backend, namespace),
        frozenset(map(_key, content["services"])),
        None if limits is None else Timeouts(*_numbers(limits, [_MOST_TIMEOUT_S] * 3)),
        _name(content["marks"], _MOST_TABLE_NAME),
        None if content["sync"] is None else _sync(content["sync"]),
    )


def forget(path: str) -> None:
    """Nothing is ours. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _key(row: Any) -> ServiceKey:
    """Raises ValueError, TypeError and the like for what is no service."""
    family, protocol, text, port, fwmark = row
    address = bytes.fromhex(text)
    family, protocol, port, fwmark = _numbers(
        (family, protocol, port, fwmark), (6, 255, _MOST_PORT, _MOST_MARK)
    )
    if family not in (4, 6) or len(address) != (0 if fwmark else {4: 4, 6: 16}[family]):
        raise ValueError(row)
    return ServiceKey(family, protocol, address, port, fwmark)


def _sync_row(daemon: SyncDaemon) -> List[object]:
    numbers = [daemon.sync_id, daemon.max_length, daemon.port, daemon.ttl]
    return [daemon.interface, numbers, daemon.group.hex()]


def _sync(row: Any) -> SyncDaemon:
    """Raises ValueError, TypeError and the like for what is no sync daemon."""
    interface, found, text = row
    numbers = _numbers(found, (255, _MOST_PORT, _MOST_PORT, 255))
    group = bytes.fromhex(text)
    if len(group) not in (0, 4, 16):
        raise ValueError(row)
    sync_id, max_length, port, ttl = numbers
    return SyncDaemon(_name(interface, _MOST_LINK_NAME), "", sync_id, max_length, port, ttl, group)


def _name(found: Any, most: int) -> str:
    """Raises ValueError for what is no name."""
    if not isinstance(found, str) or len(found) > most or not (found == "" or found.isprintable()):
        raise ValueError(found)
    return found


def _numbers(found: Iterable[Any], most: Iterable[int]) -> List[int]:
    """Raises ValueError for another thing than so many numbers in their ranges."""
    numbers, limits = list(found), list(most)
    if len(numbers) != len(limits):
        raise ValueError(numbers)
    for number, limit in zip(numbers, limits):
        whole = isinstance(number, int) and not isinstance(number, bool)
        if not whole or not 0 <= number <= limit:
            raise ValueError(number)
    return numbers
