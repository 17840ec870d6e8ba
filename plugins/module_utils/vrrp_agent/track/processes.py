# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which processes are the ones that are watched for, by what is known of them. Pure."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Mapping, NamedTuple, Optional, Set, Tuple

from ..conf.model import WatchedProcess
from .quorum import Cause

NAME_BYTES = 15
"""The kernel keeps no more of a process's name."""


class Look(NamedTuple):
    """What /proc says of a process."""

    name: str
    """comm: at most 15 bytes."""
    command: Tuple[str, ...] = ()
    """cmdline; empty for a kernel thread or a zombie, or when nobody needs it."""


def matches(wanted: WatchedProcess, look: Look) -> bool:
    """True when the process is one of those that are watched for.

    Without full_command the name decides, else the first word of the command line, and the words after
    it as param_match says: ``exact`` are the same ones; ``partial``, these and maybe more behind them;
    ``initial``, the same, and the last one needs only begin so.
    """
    if not wanted.full_command:
        return look.name == wanted.process
    if not look.command or look.command[0] != wanted.process:
        return False
    given, needed = look.command[1:], wanted.parameters
    if not wanted.match:
        return True
    if wanted.match == "exact":
        return given == needed
    if len(given) < len(needed):
        return False
    if wanted.match == "partial" or not needed:
        return given[: len(needed)] == needed
    last = len(needed) - 1
    return given[:last] == needed[:last] and given[last].startswith(needed[last])


Changed = Callable[[str, int, Cause], None]
"""Called with the name of a vrrp_track_process, its new count, and why."""


class ProcessTable:
    """Process numbers that count, and for what; told of what the kernel reports."""

    def __init__(self, wanted: Iterable[WatchedProcess], on_change: Changed) -> None:
        self._wanted: Mapping[str, WatchedProcess] = {one.name: one for one in wanted}
        self._members: Dict[int, Set[str]] = {}
        self._counts: Dict[str, int] = dict.fromkeys(self._wanted, 0)
        self._on_change = on_change

    @property
    def needs_command(self) -> bool:
        """True when command lines matter: reading one may wake a process that is swapped out."""
        return any(one.full_command for one in self._wanted.values())

    def count(self, name: str) -> int:
        """How many there are."""
        return self._counts[name]

    def fill(self, processes: Iterable[Tuple[int, Look]]) -> None:
        """Begin afresh with all the processes that there are; reports nothing."""
        self._members.clear()
        self._counts = dict.fromkeys(self._wanted, 0)
        for pid, look in processes:
            names = {name for name, one in self._wanted.items() if matches(one, look)}
            if names:
                self._members[pid] = names
                for name in names:
                    self._counts[name] += 1

    def forked(self, parent: int, child: int) -> None:
        """A child is what its parent is, until it becomes something else."""
        names = self._members.get(parent)
        if names:
            self._put(child, names | self._members.get(child, set()), Cause.FORK)

    def executed(self, pid: int, look: Look) -> None:
        """It runs another program now."""
        self._put(pid, {name for name, one in self._wanted.items() if matches(one, look)}, Cause.EXEC)

    def renamed(self, pid: int, name: str) -> None:
        """It has another name now; its command line is the same."""
        before = self._members.get(pid, set())
        look = Look(name)
        names = {
            key
            for key, one in self._wanted.items()
            if (key in before if one.full_command else matches(one, look))
        }
        self._put(pid, names, Cause.RENAME)

    def ended(self, pid: int) -> None:
        """It is gone."""
        self._put(pid, set(), Cause.EXIT)

    def _put(self, pid: int, names: Set[str], cause: Cause) -> None:
        before = self._members.get(pid, set())
        if names:
            self._members[pid] = set(names)
        else:
            self._members.pop(pid, None)
        for name in self._wanted:
            change = (name in names) - (name in before)
            if change:
                self._counts[name] += change
                self._on_change(name, self._counts[name], cause)

    def pids(self) -> Tuple[int, ...]:
        """All that count for something."""
        return tuple(self._members)


def look_of(stat: bytes, command: Optional[bytes]) -> Optional[Look]:
    """From the texts of /proc/PID/stat and cmdline; None for a zombie or what cannot be read."""
    begin, end = stat.find(b"("), stat.rfind(b")")
    if begin < 0 or end < begin or stat[end + 2 : end + 3] in (b"Z", b"X", b""):
        return None
    words: Tuple[str, ...] = ()
    if command:
        text = command[:-1] if command.endswith(b"\0") else command
        words = tuple(word.decode("utf-8", "surrogateescape") for word in text.split(b"\0"))
    return Look(stat[begin + 1 : end].decode("utf-8", "surrogateescape"), words)
