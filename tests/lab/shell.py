# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands and wait with a deadline: never sleep and hope."""

from __future__ import annotations

import subprocess
import time
from typing import Callable, Optional, TypeVar

Value = TypeVar("Value")


class CommandError(RuntimeError):
    """A command of the lab failed; the text holds the command and all it said."""


def run(*argv: str, check: bool = True, stdin: Optional[str] = None, timeout_s: float = 20) -> str:
    """Run a command and return its standard output.

    Raises CommandError when it fails and ``check`` is set.
    """
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False)
    if check and done.returncode:
        raise CommandError(
            f"{' '.join(argv)}\n{stdin or ''}exit {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def wait_until(
    what: str,
    condition: Callable[[], Value],
    timeout_s: float = 10,
    every_s: float = 0.02,
) -> Value:
    """Poll ``condition`` until it is true and return its value.

    Raises AssertionError that names ``what`` was waited for, and for how long.
    """
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"waited {timeout_s:g} s in vain: {what}")
        time.sleep(every_s)


def stays(what: str, condition: Callable[[], object], during_s: float, every_s: float = 0.02) -> None:
    """Poll ``condition`` for the whole time and raise AssertionError as soon as it is not true."""
    start = time.monotonic()
    while time.monotonic() < start + during_s:
        if not condition():
            raise AssertionError(f"no longer true after {time.monotonic() - start:.3f} s: {what}")
        time.sleep(every_s)
