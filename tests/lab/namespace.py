# SPDX-License-Identifier: GPL-3.0-or-later
"""Open sockets inside another network namespace.

A socket belongs for ever to the namespace it was opened in, so one process can hold sockets of many.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from pathlib import Path
from typing import Any, Callable, List, TypeVar

CLONE_NEWNET = 0x40000000
NAMESPACES = Path("/run/netns")

Value = TypeVar("Value")

_libc = ctypes.CDLL(None, use_errno=True)


def inside(namespace: str, work: Callable[[], Value]) -> Value:
    """Call ``work`` in a thread of its own that has moved into ``namespace``; return what it returns."""
    result: List[Value] = []
    error: List[BaseException] = []

    def body() -> None:
        try:
            handle = os.open(str(NAMESPACES / namespace), os.O_RDONLY | os.O_CLOEXEC)
            try:
                if _libc.setns(handle, CLONE_NEWNET):
                    number = ctypes.get_errno()
                    raise OSError(number, os.strerror(number), namespace)
            finally:
                os.close(handle)
            result.append(work())
        except BaseException as problem:  # handed to the caller below
            error.append(problem)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if error:
        raise error[0]
    return result[0]


def open_socket(namespace: str, *arguments: Any) -> socket.socket:
    """``socket.socket(*arguments)`` in ``namespace``."""
    return inside(namespace, lambda: socket.socket(*arguments))
