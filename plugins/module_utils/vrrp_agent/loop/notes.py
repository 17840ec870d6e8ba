# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files in which a process leaves what its successor needs, should it be killed: replaced as a whole.

They hold JSON with the boot of the host, since what was found before a boot says nothing after it. Whatever
is in such a file, it keeps no agent from starting: a damaged one is removed, and nothing in it is believed.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, Callable, Dict, TypeVar

_MOST_BYTES = 1 << 26
_DAMAGED = (ValueError, LookupError, TypeError, ArithmeticError, RecursionError, AttributeError)
"""What JSON with anything in it can lead to, in ``understand`` too."""
Found = TypeVar("Found")


def write(path: str, text: str) -> None:
    """Replace the file; a reader finds the old one or the new one. Raises OSError."""
    temporary = path + ".new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


def read(path: str, boot: str, understand: Callable[[Dict[str, Any]], Found], nothing: Found) -> Found:
    """What ``understand`` makes of the file; ``nothing`` when there is none, or one of another boot.

    ``understand`` may raise ValueError, TypeError and the like for what no process has written.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with open(descriptor, encoding="utf-8") as file:
            content = json.loads(file.read(_MOST_BYTES))
        if content["boot"] != boot or not boot:
            return nothing
        return understand(content)
    except OSError:
        return nothing
    except _DAMAGED:
        forget(path)
        return nothing


def forget(path: str) -> None:
    """After an orderly end there is nothing to go on with."""
    with contextlib.suppress(OSError):
        os.unlink(path)
