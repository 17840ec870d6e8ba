# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Network namespaces: where sockets and interfaces are."""

from __future__ import annotations

import os

from .errors import KernelError, MissingPrivilege

DIRECTORY = "/run/netns"
_CLONE_NEWNET = 0x40000000
_EPERM, _ENOENT = 1, 2


class NoNamespace(KernelError):
    """There is no such network namespace."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no network namespace {name}",
            f"make it first (ip netns add {name}), or correct net_namespace",
        )


def enter(name: str) -> None:
    """Move this process, and what it will start, into the namespace that ``ip netns`` calls ``name``.

    Sockets that are open already stay where they are. Raises NoNamespace, MissingPrivilege or KernelError.
    """
    import ctypes  # a megabyte, for those who use the word only; os.setns came with Python 3.12

    path = os.path.join(DIRECTORY, name)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NoNamespace(name) from None
    except OSError as error:
        raise KernelError(f"cannot open the network namespace {name}: {error.strerror}") from error
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        failed = libc.setns(descriptor, _CLONE_NEWNET)
        number = ctypes.get_errno()
    finally:
        os.close(descriptor)
    if not failed:
        return
    if number == _EPERM:
        raise MissingPrivilege(f"entering the network namespace {name}", "CAP_SYS_ADMIN")
    raise KernelError(f"cannot enter the network namespace {name}: {os.strerror(number)}")
