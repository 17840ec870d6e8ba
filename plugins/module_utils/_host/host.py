# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The host a module works on, as a value: where its files are, how commands run, how time passes.

Private to the collection. Tests give a temporary root, a scripted runner and a clock that stands still.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import Callable, Dict, NamedTuple, Sequence

COMMAND_TIMEOUT_S = 120.0


class Completed(NamedTuple):
    """What a command left behind."""

    rc: int
    stdout: str
    stderr: str


Runner = Callable[[Sequence[str]], Completed]


class HostError(Exception):
    """Something on the host stopped the work. ``evidence`` goes into the module's result too."""

    def __init__(self, message: str, **evidence: object) -> None:
        super().__init__(message)
        self.evidence = evidence


def run_command(argv: Sequence[str]) -> Completed:
    """Run a command with English messages. A missing program is rc 127, one that hangs is rc 124."""
    environment: Dict[str, str] = dict(
        os.environ, LC_ALL="C", DEBIAN_FRONTEND="noninteractive", SYSTEMD_PAGER=""
    )
    try:
        done = subprocess.run(
            list(argv),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    except (FileNotFoundError, PermissionError) as error:
        return Completed(127, "", str(error))
    except subprocess.TimeoutExpired:
        return Completed(124, "", f"no answer within {COMMAND_TIMEOUT_S:.0f} s")
    return Completed(
        done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    )


def config_id() -> str:
    """What ``@ID`` lines are compared with on this host: its name to the first dot."""
    return socket.gethostname().split(".")[0]


@dataclass(frozen=True)
class Host:
    """One host. Every path is absolute on the host; ``path`` says where it is for us."""

    root: str = "/"
    run: Runner = run_command
    monotonic_s: Callable[[], float] = time.monotonic
    sleep_s: Callable[[float], None] = time.sleep

    def path(self, absolute: str) -> str:
        """Where a file of the host is to be found."""
        return os.path.join(self.root, absolute.lstrip("/"))

    def must_run(self, argv: Sequence[str], why: str) -> Completed:
        """Run a command that has to succeed.

        Raises HostError, saying what it was for and what it printed.
        """
        done = self.run(argv)
        if done.rc != 0:
            said = (done.stderr.strip() or done.stdout.strip() or "it printed nothing")[-2000:]
            raise HostError(
                f"{why} failed: {said}",
                cmd=list(argv),
                rc=done.rc,
                stdout=done.stdout,
                stderr=done.stderr,
            )
        return done
