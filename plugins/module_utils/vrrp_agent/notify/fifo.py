# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Named pipes that receive a line for each event, and the programs that read them.

keepalived's rules: the pipe is made when it is missing, it is written to without waiting, and what does not
fit is lost. Here the loss is counted, and a pipe that somebody has replaced is opened again.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Any, Callable, Dict, Optional, Tuple

from ..conf.model import Command, Fifo, ScriptPolicy
from ..kernel.accounts import Identity, default_identity, look_up
from ..kernel.errors import KernelError
from ..kernel.executable import examine
from ..kernel.program import Ended, start
from ..loop.log import WARNING, Log
from ..loop.loop import Loop
from ..loop.running import Running

_MODE = 0o644
_UMASK = 0o177
"""keepalived's own umask, when the file names none: only the owner reads and writes."""
_PRIVILEGES = "run the agent with CAP_CHOWN and CAP_DAC_OVERRIDE, or name no user, here and in script_user"
"""What root has, unless the service is locked in."""
_LIMIT_WINDOW_NS = 10_000_000_000


class Pipe:
    """One notify_fifo."""

    def __init__(
        self, fifo: Fifo, policy: ScriptPolicy, loop: Loop, log: Log, on_change: Callable[[], None]
    ) -> None:
        self.fifo = fifo
        self.policy = policy
        self.written = self.dropped = 0
        self.problem = ""
        self.reader: Optional[Running] = None
        self._loop = loop
        self._log = log
        self._on_change = on_change
        self._descriptor = -1
        self._place: Tuple[int, int] = (0, 0)
        self._made = False
        self._open()
        self._start_reader()

    def write(self, line: bytes) -> None:
        """One line, if there is room for it."""
        if not self._still_there():
            self._close()
            self._open()
        if self._descriptor < 0:
            self.dropped += 1
            return
        try:
            os.write(self._descriptor, line)  # shorter than PIPE_BUF: whole or not at all
            self.written += 1
        except BlockingIOError:
            self.dropped += 1
            self._complain("nobody reads it, and it is full: lines are lost")
        except OSError as error:
            self.dropped += 1
            self._complain(f"cannot be written to: {error.strerror}")
        self._on_change()

    def take(self, fifo: Fifo, policy: ScriptPolicy) -> None:
        """The same pipe after a reload, or another one for another user.

        Its reader is started if it is another one, or has ended.
        """
        moves = (fifo.user, fifo.group) != (self.fifo.user, self.fifo.group)
        reads_other = (fifo.script, policy) != (self.fifo.script, self.policy)
        if (moves or reads_other) and self.reader is not None:
            self.reader.end()
            self.reader = None
        if moves:
            self.leave(remove=True)
        self.fifo, self.policy = fifo, policy
        if moves:
            self._open()
        self._start_reader()

    def leave(self, remove: bool) -> None:
        """Close it: the reader gets to the end of it. ``remove``: take away what we have made."""
        if remove and self._made and self._still_there():
            with contextlib.suppress(OSError):
                os.unlink(self.fifo.path)
        self._made = False
        self._close()

    def status(self) -> Dict[str, Any]:
        """Numbers for ``status``."""
        return {
            "path": self.fifo.path,
            "written": self.written,
            "dropped": self.dropped,
            "problem": self.problem,
            "script_pid": self.reader.program.pid if self.reader is not None else None,
        }

    def _open(self) -> None:
        try:
            owner = self._owner()
            self._make(owner)
            self._descriptor = self._opened(owner)
        except OSError as error:
            self._refuse(error.strerror or str(error))
        except KernelError as error:
            self._refuse(f"{error}; {error.hint}" if error.hint else str(error))
        else:
            self.problem = ""

    def _owner(self) -> Identity:
        fifo = self.fifo
        return look_up(fifo.user, fifo.group) if fifo.user else default_identity(self.policy)

    def _make(self, owner: Identity) -> None:
        umask = _UMASK if self.policy.umask is None else self.policy.umask
        before = os.umask(umask)
        try:
            os.mkfifo(self.fifo.path, _MODE)
        except FileExistsError:
            return
        finally:
            os.umask(before)
        self._made = True
        if (owner.uid, owner.gid) == (os.geteuid(), os.getegid()):
            return
        try:
            os.chown(self.fifo.path, owner.uid, owner.gid, follow_symlinks=False)
        except OSError as error:
            # A pipe of the wrong user would be taken for one that somebody has made on purpose.
            self._made = False
            with contextlib.suppress(OSError):
                os.unlink(self.fifo.path)
            whom = f"uid {owner.uid}, gid {owner.gid}"
            raise KernelError(f"cannot be given to {whom}: {error.strerror}", _PRIVILEGES) from error

    def _opened(self, owner: Identity) -> int:
        """Open for both ways: without a reader it keeps what fits, and it never ends."""
        flags = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
        fifo = self.fifo
        try:
            descriptor = os.open(fifo.path, flags)
        except PermissionError as error:
            raise KernelError(f"cannot be opened: {error.strerror}", _PRIVILEGES) from error
        found = os.fstat(descriptor)
        problem = ""
        if not stat.S_ISFIFO(found.st_mode):
            problem = "is no named pipe"
        elif fifo.user and found.st_uid != owner.uid:
            problem = f"belongs to uid {found.st_uid} and not to {fifo.user}"
        elif fifo.group and found.st_gid != owner.gid:
            problem = f"has the gid {found.st_gid} and not {owner.gid}"
        elif found.st_uid not in (os.geteuid(), owner.uid):
            problem = f"belongs to uid {found.st_uid}"
        if problem:
            os.close(descriptor)
            raise KernelError(f"{problem}, so it is not used", "remove it, and the agent makes its own")
        self._place = (found.st_dev, found.st_ino)
        return descriptor

    def _refuse(self, text: str) -> None:
        self.problem = text
        self._complain(text)
        self._on_change()

    def _still_there(self) -> bool:
        if self._descriptor < 0:
            return False
        try:
            found = os.lstat(self.fifo.path)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._place

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _start_reader(self) -> None:
        script = self.fifo.script
        if script is None or self.reader is not None or self._descriptor < 0:
            return
        command = Command((*script.argv, self.fifo.path), script.user, script.group)
        try:
            found = examine(command, self.policy)
            program = start(found.path, found.argv, found.identity, umask=self.policy.umask)
        except KernelError as error:
            self._refuse(f"its script does not run: {error}" + (f"; {error.hint}" if error.hint else ""))
            return
        reader: Optional[Running] = None

        def over(ended: Ended, told_to_end: bool) -> None:
            if not told_to_end:
                self._complain(f"its script {script.argv[0]} has ended: {ended}; a reload starts it again")
            if self.reader is reader:
                self.reader = None
            self._on_change()

        self.reader = reader = Running(program, self._loop, 0, over)
        self._on_change()

    def _complain(self, text: str) -> None:
        now = self._loop.clock()
        self._log.limited(WARNING, self.fifo.path, text, f"{self.fifo.path}: {text}", now, _LIMIT_WINDOW_NS)
