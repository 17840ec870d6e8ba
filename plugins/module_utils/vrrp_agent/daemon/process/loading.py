# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading a configuration without keeping the process that sends adverts from its work.

A child reads, parses and checks; the parent gets ready values over a pipe and never imports the
grammar.  The child also takes the memory for it away again.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional, Tuple

from ...conf.model import Config
from ...conf.problem import Problem, has_errors
from ...kernel.process import MOST_DESCRIPTORS

if TYPE_CHECKING:
    from ...conf.load import Loaded


@dataclass(frozen=True)
class Outcome:
    """What came of reading a file. ``config`` is None when there are errors."""

    config: Optional[Config]
    problems: Tuple[Problem, ...]
    failure: str = ""
    """Set when the reading itself broke down; the text says how."""


class Loading:
    """A child at work. Its pipe can be watched by the loop; ``take`` is called until it returns a value.

    ``marker`` is a file that exists while the child reads (reload_file), ``number`` the one of the copy that
    config_save_dir asks for. Raises OSError when there is no room for another process.
    """

    def __init__(
        self, path: str, config_id: str, lenient: bool, marker: Optional[str] = None, number: int = 0
    ) -> None:
        self._marker = marker
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
            _work(path, config_id, lenient, write_end, marker, number)
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
        remove_marker(self._marker)


def remove_marker(path: Optional[str]) -> None:
    """Nobody reads the configuration now."""
    if path:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _work(
    path: str, config_id: str, lenient: bool, descriptor: int, marker: Optional[str], copy_number: int
) -> None:
    """The child's whole life."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        # The lock and the sockets must be free at once should the parent die meanwhile.
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, MOST_DESCRIPTORS)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        _set_marker(marker)
        try:
            outcome = _load(path, config_id, lenient, copy_number)
        finally:
            remove_marker(marker)
        data = memoryview(pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL))
        while data:
            data = data[os.write(descriptor, data) :]
        status = 0
    except BaseException:  # nothing may return into the parent's code
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(status)


def _set_marker(path: Optional[str]) -> None:
    """reload_file: whoever changes the configuration waits until it is gone; an old one is made empty."""
    if not path:
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(OSError):
        os.close(os.open(path, flags, 0o644))


def _load(path: str, config_id: str, lenient: bool, number: int) -> Outcome:
    from ...conf import load
    from .keys import read_keys

    try:
        loaded = load.load(path, config_id=config_id, lenient=lenient)
        if loaded.config is not None and loaded.config.settings.operations.dumps.config_save_dir:
            _keep_copy(loaded, loaded.config.settings.operations.dumps.config_save_dir, number)
    except MemoryError:
        return Outcome(None, (), "not enough memory to read the configuration")
    if loaded.config is None:
        return Outcome(None, tuple(loaded.problems))
    config, more = read_keys(loaded.config)
    return Outcome(None if has_errors(more) else config, (*loaded.problems, *more))


def _keep_copy(loaded: Loaded, directory: str, number: int) -> None:
    """config_save_dir: all that was read as one text, without its secrets."""
    from ...conf.grammar.index import SECTIONS
    from ...conf.text.render import render
    from ..dumps.writing import DumpError, make_directory, write

    if make_directory(directory):
        return  # said by the agent, which keeps the state there
    with contextlib.suppress(DumpError):
        copy = os.path.join(directory, f"keepalived.conf.{os.getppid()}.{number}")
        write(copy, render(loaded.parsed.tree, SECTIONS, mask=True), 0o600)
