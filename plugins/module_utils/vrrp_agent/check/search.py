# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A regex held against a text by a child, because it may backtrack for longer than anybody can wait."""

from __future__ import annotations

import gc
import os
import signal
from typing import Callable, Optional

from ..conf.parts.checks import Pattern
from ..conf.pcre import Expression, found
from ..kernel.privileges import surrender
from ..kernel.process import MOST_DESCRIPTORS
from ..loop.loop import Loop

SEARCH_LIMIT_S = 1.0
"""Then the kernel ends the child (SIGALRM), and the regex counts as not answered."""
MOST_MEMORY_BYTES = 256 << 20
"""Of the child; a search in 1 MiB that remembers each step takes half of it."""
_NICE = 5
"""A text that is made to be slow must not slow down the other checks, whatever checker_priority is."""
_MATCHES, _NOTHING, _BROKEN = 0, 1, 2

Answer = Callable[[Optional[bool], str], None]
"""True or False, or None and why there is no answer."""


class Search:
    """One search at a time.

    ``start`` calls ``then`` once, perhaps before it returns, unless ``stop`` comes first.
    """

    def __init__(self, loop: Loop, ready: Expression, pattern: Pattern) -> None:
        self._loop = loop
        self._ready, self._pattern = ready, pattern
        self._pid = 0
        self._descriptor = -1
        self._then: Optional[Answer] = None

    def start(self, text: bytes, then: Answer) -> None:
        """Search. Plain text is found at once, anything else by a child."""
        if self._ready.literal is not None:
            then(found(self._ready, self._pattern, text), "")
            return
        give_up = surrender()
        try:
            pid = os.fork()
        except OSError as error:
            then(None, f"no process for the regex: {error.strerror}")
            return
        if pid == 0:
            _work(self._ready, self._pattern, text, give_up)
        try:
            self._descriptor = os.pidfd_open(pid)
        except OSError as error:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            then(None, f"the process of the regex cannot be watched: {error.strerror}")
            return
        self._pid, self._then = pid, then
        self._loop.add_reader(self._descriptor, self._ended)

    def stop(self) -> None:
        """Give it up. No harm without a search."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self._reap()

    def _ended(self) -> None:
        then = self._then
        status = self._reap()
        if then is None:
            return
        if os.WIFSIGNALED(status):
            if os.WTERMSIG(status) == signal.SIGALRM:
                then(None, f"the regex took longer than {SEARCH_LIMIT_S:g} s")
            else:
                then(None, f"the regex was killed by signal {os.WTERMSIG(status)}")
        elif os.WEXITSTATUS(status) in (_MATCHES, _NOTHING):
            then(os.WEXITSTATUS(status) == _MATCHES, "")
        else:
            then(None, "the regex needs more memory than there is")

    def _reap(self) -> int:
        self._loop.remove_reader(self._descriptor)
        _pid, status = os.waitpid(self._pid, 0)
        os.close(self._descriptor)
        self._pid, self._descriptor, self._then = 0, -1, None
        return status


def _work(ready: Expression, pattern: Pattern, text: bytes, give_up: Callable[[], None]) -> None:
    """The child: never returns."""
    code = _BROKEN
    try:
        gc.disable()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
        signal.setitimer(signal.ITIMER_REAL, SEARCH_LIMIT_S)
        import resource  # for this child only

        os.setpriority(os.PRIO_PROCESS, 0, max(os.getpriority(os.PRIO_PROCESS, 0), _NICE))
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
        os.closerange(3, MOST_DESCRIPTORS)  # the server must see the end of its connection
        give_up()
        code = _MATCHES if found(ready, pattern, text) else _NOTHING
    finally:
        os._exit(code)
