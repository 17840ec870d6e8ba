# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading a configuration without keeping the process that sends adverts from its work.

A child reads, parses and checks; the parent gets ready values over a pipe and never imports the
grammar.  The child also takes the memory for it away again.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import traceback
from dataclasses import dataclass
from typing import Optional, Tuple

from ..conf.model import Config
from ..conf.problem import Problem
from ..kernel.process import MOST_DESCRIPTORS


@dataclass(frozen=True)
class Outcome:
    """What came of reading a file. ``config`` is None when there are errors."""

    config: Optional[Config]
    problems: Tuple[Problem, ...]
    failure: str = ""
    """Set when the reading itself broke down; the text says how."""


class Loading:
    """A child at work. Its pipe can be watched by the loop; ``take`` is called until it returns a value.

    Raises OSError when there is no room for another process.
    """

    def __init__(self, path: str, config_id: str, lenient: bool) -> None:
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        self._data = bytearray()
        try:
            self.pid = os.fork()
        except OSError:
            os.close(read_end)
            os.close(write_end)
            raise
        if self.pid == 0:
            _work(path, config_id, lenient, write_end)
        os.close(write_end)
        self._descriptor = read_end

    def fileno(self) -> int:
        """The pipe."""
        return self._descriptor

    def take(self) -> Optional[Outcome]:
        """Read what has come, without waiting for more; the outcome when that was the last of it.

        The pipe ends with the child, so that there is next to nothing left to wait for.
        """
        try:
            piece = os.read(self._descriptor, 1 << 20)
        except BlockingIOError:
            return None
        if piece:
            self._data += piece
            return None
        os.close(self._descriptor)
        _pid, status = os.waitpid(self.pid, 0)
        if status:
            return Outcome(None, (), f"the process that reads the configuration died (status {status})")
        outcome: Outcome = pickle.loads(bytes(self._data))
        return outcome

    def wait(self) -> Outcome:
        """Block until the outcome is there."""
        while True:
            select.select([self._descriptor], [], [])
            outcome = self.take()
            if outcome is not None:
                return outcome

    def abandon(self) -> None:
        """The outcome is no longer wanted."""
        os.close(self._descriptor)
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def _work(path: str, config_id: str, lenient: bool, descriptor: int) -> None:
    """The child's whole life."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        # The lock and the sockets must be free at once should the parent die meanwhile.
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, MOST_DESCRIPTORS)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        data = memoryview(pickle.dumps(_load(path, config_id, lenient), pickle.HIGHEST_PROTOCOL))
        while data:
            data = data[os.write(descriptor, data) :]
        status = 0
    except BaseException:  # nothing may return into the parent's code
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(status)


def _load(path: str, config_id: str, lenient: bool) -> Outcome:
    from ..conf import load  # the grammar is needed here and nowhere else in the daemon

    try:
        loaded = load.load(path, config_id=config_id, lenient=lenient)
    except MemoryError:
        return Outcome(None, (), "not enough memory to read the configuration")
    return Outcome(loaded.config, tuple(loaded.problems))
