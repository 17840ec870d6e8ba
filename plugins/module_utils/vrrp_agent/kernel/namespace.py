# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Network namespaces: where sockets and interfaces are."""

from __future__ import annotations

import contextlib
import os
from typing import Iterator, Optional

from .errors import KernelError, MissingPrivilege

DIRECTORY = "/run/netns"
_CLONE_NEWNET = 0x40000000
_EPERM = 1
_OWN, _DEFAULT = "/proc/self/ns/net", "/proc/1/ns/net"


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
    _enter(_open(name), name)


@contextlib.contextmanager
def inside(name: Optional[str]) -> Iterator[None]:
    """Be in a namespace for a moment, to open sockets there (net_namespace_ipvs).

    An empty name is the namespace of process 1, None the one where this process is.
    Raises NoNamespace, MissingPrivilege or KernelError.
    """
    if name is None:
        yield
        return
    back = _open_file(_OWN, "of this process")
    try:
        _enter(_open(name) if name else _open_file(_DEFAULT, "of process 1"), name or "of process 1")
        try:
            yield
        finally:
            _enter(os.dup(back), "of this process")
    finally:
        os.close(back)


def _open(name: str) -> int:
    path = os.path.join(DIRECTORY, name)
    if not os.path.exists(path):
        raise NoNamespace(name)
    return _open_file(path, name)


def _open_file(path: str, name: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KernelError(f"cannot open the network namespace {name}: {error.strerror}") from error


def _enter(descriptor: int, name: str) -> None:
    """Move there, and close the descriptor."""
    import ctypes  # a megabyte, for those who use the word only; os.setns came with Python 3.12

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
