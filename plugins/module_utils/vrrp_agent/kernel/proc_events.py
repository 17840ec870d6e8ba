# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kernel's process events: who forked, ran another program, took another name, or ended.

The kernel speaks of them in the first network namespace only, and answers only those whose process
numbers are its own: not from within a container.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from typing import List, NamedTuple, Optional

from .errors import KernelError
from .netlink import grow_receive_buffer

_NETLINK_CONNECTOR = 11
_CN_IDX_PROC, _CN_VAL_PROC = 1, 1
_LISTEN = 1
_NLMSG_DONE = 3
_HEADER = struct.Struct("=IHHII")  # nlmsghdr
_CN_MSG = struct.Struct("=IIIIHH")  # idx, val, sequence, ack, length, flags
_EVENT = struct.Struct("=IIQ")  # what, cpu, time
_START = _HEADER.size + _CN_MSG.size
_BODY = _START + _EVENT.size
_TWO = struct.Struct("=II")
_FOUR = struct.Struct("=IIII")
_NONE, _FORK, _EXEC, _COMM, _EXIT = 0x0, 0x1, 0x2, 0x200, 0x80000000
_COMM_BYTES = 16
_CLONE_NEWNET = 0x40000000
_NAMESPACE = "/proc/{}/ns/net"
_MOST_ANCESTORS = 32
_HINT = "run the agent outside of containers, as root, on a kernel with CONFIG_PROC_EVENTS"
DEFAULT_BUFFER_BYTES = 1 << 20
FORK, EXEC, RENAME, EXIT, ACCEPTED = "fork", "exec", "rename", "exit", "accepted"


class ProcessEvent(NamedTuple):
    """One event. Events of threads are left out."""

    kind: str
    """One of the words above; ACCEPTED is the kernel's answer to the question for events."""
    pid: int = 0
    parent: int = 0
    """For a fork."""
    name: str = ""
    """For a new name."""


class ProcessEvents:
    """A socket that hears of processes. Raises KernelError when the kernel will not speak of them."""

    def __init__(self, buffer_bytes: int = 0, force: bool = False) -> None:
        self._socket = _in_first_namespace()
        size = buffer_bytes or DEFAULT_BUFFER_BYTES
        if force or not buffer_bytes:
            grow_receive_buffer(self._socket, size)
        else:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    def fileno(self) -> int:
        """For the event loop."""
        return self._socket.fileno()

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def read(self, most: int = 256) -> Optional[List[ProcessEvent]]:
        """Up to ``most`` events; None when the kernel dropped some because they came too fast."""
        found: List[ProcessEvent] = []
        for _turn in range(most):
            try:
                data, (port, _groups) = self._socket.recvfrom(4096)
            except BlockingIOError:
                break
            except OSError:  # ENOBUFS
                return None
            event = decode(data) if port == 0 else None
            if event is not None:
                found.append(event)
        return found

    def double_buffer(self) -> int:
        """Make more room, because news were lost; the new size in bytes."""
        size = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)  # the kernel says twice the size
        grow_receive_buffer(self._socket, size)
        return size


def decode(data: bytes) -> Optional[ProcessEvent]:
    """The event in a datagram, or None when it is none that matters."""
    if len(data) < _BODY or _CN_MSG.unpack_from(data, _HEADER.size)[:2] != (_CN_IDX_PROC, _CN_VAL_PROC):
        return None
    what = _EVENT.unpack_from(data, _START)[0]
    body = data[_BODY:]
    if what == _NONE:
        return ProcessEvent(ACCEPTED)
    if what == _FORK and len(body) >= _FOUR.size:
        _parent_thread, parent, child_thread, child = _FOUR.unpack_from(body)
        return ProcessEvent(FORK, child, parent) if child == child_thread else None
    if len(body) < _TWO.size:
        return None
    thread, pid = _TWO.unpack_from(body)
    if thread != pid:
        return None
    if what == _EXEC:
        return ProcessEvent(EXEC, pid)
    if what == _EXIT:
        return ProcessEvent(EXIT, pid)
    if what == _COMM:
        name = body[_TWO.size : _TWO.size + _COMM_BYTES].partition(b"\0")[0]
        return ProcessEvent(RENAME, pid, name=name.decode("utf-8", "surrogateescape"))
    return None


def _ask() -> socket.socket:
    """A socket in the namespace that this process is in. Raises OSError."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _NETLINK_CONNECTOR)
    try:
        sock.bind((0, _CN_IDX_PROC))
        sock.setblocking(False)
        question = struct.pack("=I", _LISTEN)
        message = _CN_MSG.pack(_CN_IDX_PROC, _CN_VAL_PROC, 0, 0, len(question), 0) + question
        sock.send(_HEADER.pack(_HEADER.size + len(message), _NLMSG_DONE, 0, 0, 0) + message)
    except OSError:
        sock.close()
        raise
    return sock


def _in_first_namespace() -> socket.socket:
    """A socket that was opened where the kernel answers; this process stays where it is."""
    try:
        return _ask()
    except ConnectionRefusedError as error:
        reason = error  # another network namespace than the first
    except OSError as error:
        raise _refused(error) from error
    own = os.open(_NAMESPACE.format("self"), os.O_RDONLY | os.O_CLOEXEC)
    try:
        for pid in (1, *_ancestors()):
            with contextlib.suppress(OSError):
                other = os.open(_NAMESPACE.format(pid), os.O_RDONLY | os.O_CLOEXEC)
                try:
                    _enter(other)
                    return _ask()
                finally:
                    _enter(own)
                    os.close(other)
    finally:
        os.close(own)
    raise _refused(reason) from reason


def _refused(error: OSError) -> KernelError:
    return KernelError(f"the kernel gives no process events: {error.strerror}", _HINT, error.errno)


def _ancestors() -> List[int]:
    """Our parent, its parent and so on: one of them is where the network namespace was entered."""
    found: List[int] = []
    pid = os.getppid()
    while pid > 1 and len(found) < _MOST_ANCESTORS:
        found.append(pid)
        try:
            with open(f"/proc/{pid}/stat", "rb") as stat:
                pid = int(stat.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
    return found


def _enter(namespace: int) -> None:
    if sys.version_info >= (3, 12):
        os.setns(namespace, _CLONE_NEWNET)
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
