# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's log: one line an event on standard error, with the journal's levels under systemd."""

from __future__ import annotations

import os
import select
import time
from typing import Dict, Tuple

ERROR, WARNING, NOTICE, INFO, DEBUG = 3, 4, 5, 6, 7  # syslog levels, as journald reads them: <N>text
_NAMES = {ERROR: "error", WARNING: "warning", NOTICE: "notice", INFO: "info", DEBUG: "debug"}
_MOST_WINDOWS = 8192
_LINE_BYTES = 4096  # PIPE_BUF: a shorter write to a pipe is whole or not at all


def under_journal(descriptor: int = 2) -> bool:
    """True when the descriptor is the stream that systemd named in JOURNAL_STREAM."""
    stream = os.environ.get("JOURNAL_STREAM", "")
    try:
        stat = os.fstat(descriptor)
    except OSError:
        return False
    return stream == f"{stat.st_dev}:{stat.st_ino}"


class Log:
    """Writes lines and never waits: a line that nobody takes is counted and dropped.

    ``level`` is the least urgent level that is written.
    """

    def __init__(self, level: int = INFO, descriptor: int = 2) -> None:
        self.level = level
        self._descriptor = descriptor
        self._journal = under_journal(descriptor)
        self._dropped = 0
        self._windows: Dict[Tuple[str, str], Tuple[int, int]] = {}
        """By source and reason: when the window opened, and how many lines were asked for since."""

    def write(self, level: int, text: str) -> None:
        """One line. Newlines inside become blanks."""
        if level > self.level:
            return
        if self._dropped and self._put(WARNING, f"{self._dropped} log lines were lost: nobody read them"):
            self._dropped = 0
        if not self._put(level, text):
            self._dropped += 1

    def error(self, text: str) -> None:
        """Something does not work."""
        self.write(ERROR, text)

    def warning(self, text: str) -> None:
        """Something should be looked at."""
        self.write(WARNING, text)

    def notice(self, text: str) -> None:
        """A transition, a reload: what an operator wants to find."""
        self.write(NOTICE, text)

    def info(self, text: str) -> None:
        """Ordinary progress."""
        self.write(INFO, text)

    def limited(
        self, level: int, source: str, reason: str, text: str, now_ns: int, window_ns: int, burst: int = 1
    ) -> None:
        """At most ``burst`` lines a window for each (source, reason); a later one says how many more."""
        key = (source, reason)
        opened_ns, lines = self._windows.get(key, (now_ns, 0))
        if now_ns - opened_ns < window_ns:
            if lines >= burst:
                self._windows[key] = (opened_ns, lines + 1)
                return
        else:
            opened_ns, held_back, lines = now_ns, max(lines - burst, 0), 0
            if held_back:
                text += f" ({held_back} more like this in the last {window_ns // 1_000_000_000} s)"
        if key not in self._windows and len(self._windows) >= _MOST_WINDOWS:
            self._windows.clear()
        self._windows[key] = (opened_ns, lines + 1)
        self.write(level, text)

    def _put(self, level: int, text: str) -> bool:
        text = text.replace("\n", " ")
        if self._journal:
            line = f"<{level}>{text}\n"
        else:
            moment = time.time()
            stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
            line = f"{stamp}.{int(moment % 1 * 1000):03d} {_NAMES[level]:7s} {text}\n"
        data = line.encode("utf-8", "replace")
        if len(data) > _LINE_BYTES:
            data = data[: _LINE_BYTES - 5] + b" ...\n"
        try:
            if not select.select([], [self._descriptor], [], 0)[1]:
                return False
            os.write(self._descriptor, data)
        except (OSError, ValueError):
            return False
        return True
