# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A netlink route socket: requests in batches, dumps, and the multicast groups of the monitor."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from typing import Iterator, List, NamedTuple, Tuple

from .errors import KernelError, describe

HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_ERROR = struct.Struct("=i")
_SEQUENCE = struct.Struct("=8xI")
NLMSG_ERROR, NLMSG_DONE = 2, 3
SOL_NETLINK, NETLINK_EXT_ACK, NETLINK_CAP_ACK = 270, 11, 10
SO_RCVBUFFORCE, SO_SNDBUFFORCE = 33, 32
RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
_BATCH_BYTES = 32 * 1024
_DUMP_INTERRUPTED = 0x10  # NLM_F_DUMP_INTR: the list changed while it was read
_MOST_DUMPS = 5
_REQUEST = 0x1  # NLM_F_REQUEST
_MORE_TO_READ = frozenset((errno.ENOBUFS, errno.EINTR))
"""ENOBUFS: some answers found no room and are lost; there may be more."""


class Refusal(NamedTuple):
    """The kernel's answer to a request it did not carry out."""

    sequence: int
    errno: int


def split(data: bytes) -> Iterator[Tuple[int, int, int, int, bytes]]:
    """The messages in a datagram: (type, flags, sequence, port, whole message)."""
    offset = 0
    while offset + 16 <= len(data):
        length, kind, flags, sequence, port = HEADER.unpack_from(data, offset)
        if length < 16 or offset + length > len(data):
            return
        yield kind, flags, sequence, port, data[offset : offset + length]
        offset += (length + 3) & ~3


def grow_receive_buffer(sock: socket.socket, size: int = RECEIVE_BUFFER_BYTES) -> None:
    """Make room for a burst; past the system's limit where CAP_NET_ADMIN allows it."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def grow_send_buffer(sock: socket.socket, size: int) -> int:
    """Make room for one message of this size, past the system's limit where allowed; returns the size."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, size)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
    return size


def set_receive_buffer(sock: socket.socket, size: int, force: bool = False) -> None:
    """Exactly this much room, within net.core.rmem_max unless ``force``; 0 is as much as the agent likes.

    Raises nothing: a kernel that refuses leaves the room that there is.
    """
    with contextlib.suppress(OSError):
        if size:
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE if force else socket.SO_RCVBUF, size)
        else:
            grow_receive_buffer(sock)


class RouteSocket:
    """Sends rtnetlink requests; the kernel carries them out before ``send`` returns."""

    def __init__(self, protocol: int = 0) -> None:
        """``protocol`` is that of netlink(7): 0 is NETLINK_ROUTE. Raises OSError."""
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.bind((0, 0))
        self.port: int = self._socket.getsockname()[0]
        """By this number the kernel says in its news that we asked for a change."""
        self._socket.setblocking(False)
        grow_receive_buffer(self._socket)
        self._socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)

    def set_receive_buffer(self, size: int, force: bool) -> None:
        """vrrp_netlink_cmd_rcv_bufs, in bytes; 0 leaves it to the agent."""
        set_receive_buffer(self._socket, size, force)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def submit(self, requests: List[bytes]) -> List[Refusal]:
        """Carry out requests in order, several to a system call, and return those that were refused.

        Without NLM_F_ACK the kernel answers only errors, and it answers them before send returns.
        Raises nothing: when not even the sending works, every request of the batch counts as refused.
        """
        refusals: List[Refusal] = []
        for batch in _batches(requests):
            try:
                self._socket.send(b"".join(batch))
            except OSError as error:
                refusals.extend(Refusal(sequence_of(request), error.errno or errno.EIO) for request in batch)
            refusals.extend(self._collect())
        return refusals

    def _collect(self) -> Iterator[Refusal]:
        while True:
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _MORE_TO_READ:
                    continue
                return  # such a socket gives no answers any more, however often it is asked
            for kind, _flags, sequence, _port, message in split(data):
                if kind == NLMSG_ERROR:
                    (code,) = _ERROR.unpack_from(message, 16)
                    if code:
                        yield Refusal(sequence, -code)

    def dump(self, request: bytes) -> List[Tuple[int, bytes]]:
        """All the answers (type, message) to a dump request. Raises KernelError after 5 s of silence."""
        self._socket.settimeout(5)
        try:
            for _turn in range(_MOST_DUMPS):
                whole, answers = self._dump_once(request)
                if whole:
                    break
            return answers
        except OSError as error:
            raise KernelError(f"netlink gave no answer to a dump: {error}") from error
        finally:
            self._socket.setblocking(False)

    def _dump_once(self, request: bytes) -> Tuple[bool, List[Tuple[int, bytes]]]:
        """The answers, and whether nothing has changed while they were made."""
        answers: List[Tuple[int, bytes]] = []
        whole = True
        self._socket.send(request)
        while True:
            for kind, flags, _sequence, _port, message in split(self._socket.recv(1 << 17)):
                if flags & _DUMP_INTERRUPTED:
                    whole = False
                if kind == NLMSG_DONE:
                    return whole, answers
                if kind == NLMSG_ERROR:
                    (code,) = _ERROR.unpack_from(message, 16)
                    raise KernelError(f"netlink refused a dump: {describe(-code)}", errno=-code)
                answers.append((kind, message))


def request(kind: int, flags: int, head: bytes, attributes: bytes, sequence: int = 0) -> bytes:
    """A whole request: its header, the fixed fields of its kind, and its attributes."""
    size = HEADER.size + len(head) + len(attributes)
    return HEADER.pack(size, kind, flags | _REQUEST, sequence, 0) + head + attributes


def sequence_of(request: bytes) -> int:
    """The sequence number of an encoded request."""
    sequence: int = _SEQUENCE.unpack_from(request)[0]
    return sequence


def _batches(requests: List[bytes]) -> Iterator[List[bytes]]:
    batch: List[bytes] = []
    size = 0
    for request in requests:
        if size and size + len(request) > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += len(request)
    if batch:
        yield batch
