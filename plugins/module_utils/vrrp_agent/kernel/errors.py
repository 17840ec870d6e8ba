# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can go wrong between the agent and the kernel, with the evidence and the way out."""

from __future__ import annotations

import os
from typing import Optional


class KernelError(Exception):
    """The kernel refused something the agent cannot do without.

    ``hint`` says how to mend it; ``errno`` is the kernel's own word, or None.
    """

    def __init__(self, message: str, hint: str = "", errno: Optional[int] = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.errno = errno


class MissingPrivilege(KernelError):
    """A capability is missing."""

    def __init__(self, what: str, capability: str) -> None:
        super().__init__(
            f"not permitted: {what}",
            f"run as root, or with the capability {capability}",
        )


class MissingLibrary(KernelError):
    """pyroute2 is not there."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"pyroute2 cannot be imported: {reason}",
            "use the vrrp-agent command, which carries it, or install pyroute2 for this Python",
        )


def describe(errno: int) -> str:
    """The system's text for an error number, with the number."""
    return f"{os.strerror(errno)} (errno {errno})"
