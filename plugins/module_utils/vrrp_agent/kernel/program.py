# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running another program: as some account, in a session of its own, with nothing to read or to fill.

Its standard input, output and error are /dev/null, so that no output of any size can hold it up.
A descriptor of the process becomes readable when it ends, so that an event loop can wait for it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .accounts import Identity
from .errors import KernelError, describe
from .process import MOST_DESCRIPTORS, be_ordinary, give_back_descriptors

_PR_SET_PDEATHSIG = 1
_SHELL = "/bin/sh"
_UNWANTED = ("IFS", "LD_PRELOAD", "LD_LIBRARY_PATH", "NOTIFY_SOCKET")
"""keepalived removes the first three; the last would let a script speak for the agent to systemd."""
_CANNOT_RUN = 126


class Ended(NamedTuple):
    """How a program ended."""

    code: Optional[int]
    """Its exit code; None when a signal or the kernel ended it."""
    signal: int = 0
    """The signal that ended it, or 0."""
    problem: str = ""
    """Why it could not be run at all; empty when it ran."""

    @property
    def good(self) -> bool:
        """True for exit code 0."""
        return self.code == 0

    def __str__(self) -> str:
        if self.problem:
            return self.problem
        if self.code is not None:
            return f"exit {self.code}"
        return f"killed by {signal_name(self.signal)}"


def signal_name(number: int) -> str:
    """SIGTERM for 15."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Program:
    """One running program. ``fileno`` is readable when it has ended; then call ``reap``."""

    def __init__(self, pid: int, descriptor: int, problems: int) -> None:
        self.pid = pid
        self._descriptor = descriptor
        self._problems = problems

    def fileno(self) -> int:
        """The descriptor of the process."""
        return self._descriptor

    def send(self, number: int) -> str:
        """Signal the program and everything that it started in its session's first group.

        Returns an empty text, or why it may not be done: the program of another user needs CAP_KILL.
        """
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return ""
        except PermissionError as error:
            return f"{signal_name(number)}: {error.strerror}"
        return ""

    def reap(self, others_too: bool = False) -> Optional[Ended]:
        """How it ended, or None while it runs. Gives the descriptors back when it has ended.

        ``others_too`` kills what is left of its process group first, while nobody else can have its number.
        """
        if not self._over():
            return None
        if others_too:
            self.send(signal.SIGKILL)
        _pid, status = os.waitpid(self.pid, 0)
        problem = os.read(self._problems, 256).decode("utf-8", "replace")
        os.close(self._problems)
        os.close(self._descriptor)
        if problem:
            return Ended(None, 0, problem)
        if os.WIFSIGNALED(status):
            return Ended(None, os.WTERMSIG(status))
        return Ended(os.WEXITSTATUS(status))

    def _over(self) -> bool:
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PIDFD, self._descriptor, flags) is not None


def start(
    path: str,
    argv: Sequence[str],
    identity: Identity,
    *,
    environment: Optional[Mapping[str, str]] = None,
    umask: Optional[int] = None,
    dies_with_us: bool = True,
) -> Program:
    """Run ``path`` with ``argv`` (the first one is its name) as ``identity``.

    ``environment`` is added to our own, without what could change what it loads. ``dies_with_us``: it gets
    SIGTERM when this process dies. What keeps it from running is told by ``Program.reap``.
    Raises KernelError when there can be no new process, or the kernel is too old for process descriptors.
    """
    variables = child_environment(environment or {})
    libc = _libc() if dies_with_us else None
    parent = os.getpid()
    reading, writing = os.pipe()
    try:
        pid = os.fork()
    except OSError as error:
        os.close(reading)
        os.close(writing)
        raise KernelError(f"no new process for {path}: {error.strerror}", errno=error.errno) from error
    if pid == 0:
        _become(path, list(argv), identity, variables, umask, (libc, parent), writing)
    os.close(writing)
    try:
        return Program(pid, os.pidfd_open(pid), reading)
    except OSError as error:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reading)
        hint = "scripts need Linux 5.3 or later" if error.errno == errno.ENOSYS else ""
        raise KernelError(f"cannot watch {path}: {describe(error.errno or 0)}", hint) from error


def _libc() -> Any:
    import ctypes  # a megabyte, for those who run programs only

    return ctypes.CDLL(None)


def child_environment(additions: Mapping[str, str]) -> Dict[str, str]:
    """Our environment without what keepalived removes, and with ``additions``."""
    variables = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
    variables.update(additions)
    return variables


def _become(
    path: str,
    argv: List[str],
    identity: Identity,
    variables: Mapping[str, str],
    umask: Optional[int],
    binding: Tuple[Any, int],
    problems: int,
) -> None:
    """The child: never returns."""
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(null, standard)
        signal.set_wakeup_fd(-1)
        for number in range(1, signal.NSIG):
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.closerange(3, problems)
        os.closerange(problems + 1, MOST_DESCRIPTORS)
        be_ordinary()
        give_back_descriptors()
        if umask is not None:
            os.umask(umask)
        _take_identity(identity)
        libc, parent = binding
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                return
        _execute(path, argv, variables)
    except BaseException as error:  # nothing may return into the parent's code
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        os.write(problems, f"{path} cannot be run: {text}".encode("utf-8", "replace"))
    finally:
        os._exit(_CANNOT_RUN)


def _take_identity(identity: Identity) -> None:
    if os.geteuid() == 0:
        os.setgroups(list(identity.groups))
    if identity.gid != os.getegid():
        os.setresgid(identity.gid, identity.gid, identity.gid)
    if identity.uid != os.geteuid():
        os.setresuid(identity.uid, identity.uid, identity.uid)


def _execute(path: str, argv: List[str], variables: Mapping[str, str]) -> None:
    try:
        os.execve(path, argv, variables)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        os.execve(_SHELL, [_SHELL, path, *argv[1:]], variables)  # a script without #!, as execvp runs it
