# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kernel's table of connections (ctnetlink): which were sent to another address, and an end to some.

The numbers are those of linux/netfilter/nfnetlink_conntrack.h and nf_conntrack_common.h.
"""

from __future__ import annotations

import socket
import struct
from typing import Callable, Iterator, List, NamedTuple, Optional, Tuple

from .attributes import attribute, be32, nest, read, u32
from .errors import KernelError, describe
from .messages import NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST
from .netlink import HEADER, NLMSG_DONE, NLMSG_ERROR, grow_receive_buffer, split

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 1 << 8
_GET, _DELETE = 1, 2
_NFGENMSG = struct.Struct("!BBH")
_ORIGINAL, _REPLY, _STATUS, _PROTOCOL_INFO, _ZONE, _FILTER, _STATUS_MASK = 1, 2, 3, 4, 18, 25, 26
_ORIGINAL_FLAGS, _REPLY_FLAGS = 1, 2
_BY_SOURCE, _BY_DESTINATION, _BY_PROTOCOL, _BY_DESTINATION_PORT = 1, 2, 8, 32
_TUPLE_IP, _TUPLE_PROTOCOL = 1, 2
_SOURCES, _DESTINATIONS = (1, 3), (2, 4)
_NUMBER, _SOURCE_PORT, _DESTINATION_PORT = 1, 2, 3
_DESTINATION_TRANSLATED, _ANSWERED = 1 << 5, 1 << 1
_TCP, _SCTP = 6, 132
_TCP_INFO, _SCTP_INFO, _STATE = 1, 3, 1
_ESTABLISHED = {_TCP: 3, _SCTP: 4}
_ANSWER_TIMEOUT_S = 5.0
_MOST_ANSWERS_BEHIND = 64
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_ENOENT = 2
COUNT_FILE = "/proc/sys/net/netfilter/nf_conntrack_count"


class End(NamedTuple):
    """Both ends of one direction."""

    protocol: int
    source: bytes
    source_port: int
    destination: bytes
    destination_port: int


class Connection(NamedTuple):
    """One connection."""

    asked: End
    """As the client sent it."""
    answered: End
    """As the answers come: from the server that it was sent to."""
    translated: bool
    """Its destination was changed."""
    active: bool
    """TCP and SCTP: established. Others: answered."""
    place: bytes
    """What names it to the kernel."""


class Asked(NamedTuple):
    """What connections were sent to, for the kernel to choose by."""

    protocol: int
    destination: bytes = b""
    """Empty: any."""
    port: int = 0
    """0: any."""


class Conntrack:
    """A socket to the table. Raises KernelError when the kernel has none."""

    def __init__(self) -> None:
        try:
            kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
            self._socket = socket.socket(socket.AF_NETLINK, kind, _NETLINK_NETFILTER)
            self._socket.bind((0, 0))
        except OSError as error:
            raise _refused(error.errno or 0) from error
        self._socket.settimeout(_ANSWER_TIMEOUT_S)
        grow_receive_buffer(self._socket)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def connections(
        self, family: int, translated: bool = True, server: bytes = b"", asked: Optional[Asked] = None
    ) -> Iterator[Connection]:
        """Those of a family, 4 or 6: only those with another destination, or all. Raises KernelError.

        ``server``: only those that this address answers, as far as the kernel can choose (IPv4, Linux 5.8).
        ``asked``: only those that were sent there, as far as it can (Linux 5.8; IPv6 not by address).
        """
        body = b""
        if translated:  # kernels before 5.15 do not look at it and send all
            body = be32(_STATUS, _DESTINATION_TRANSLATED) + be32(_STATUS_MASK, _DESTINATION_TRANSLATED)
        if (
            server and family == 4
        ):  # Linux 6.18 leaves out those of IPv6 that it should send, and sends the others
            source = attribute(_SOURCES[0], server)
            body += nest(_REPLY, nest(_TUPLE_IP, source)) + nest(_FILTER, u32(_REPLY_FLAGS, _BY_SOURCE))
        elif asked is not None:
            body += _chosen(family, asked)
        for message in self._ask(_message(_GET, NLM_F_DUMP, family, body)):
            found = connection_of(message)
            if found is not None and (found.translated or not translated):
                yield found

    def end(
        self,
        family: int,
        wanted: Callable[[Connection], bool],
        translated: bool = True,
        server: bytes = b"",
        asked: Optional[Asked] = None,
    ) -> int:
        """Forget the connections that are wanted; returns how many. Their next packet begins a new one."""
        places = [one.place for one in self.connections(family, translated, server, asked) if wanted(one)]
        for start in range(0, len(places), _MOST_ANSWERS_BEHIND):
            some = places[start : start + _MOST_ANSWERS_BEHIND]
            try:
                self._socket.send(b"".join(_message(_DELETE, NLM_F_ACK, family, place) for place in some))
                self._expect(len(some))
            except OSError as error:
                raise _refused(error.errno or 0) from error
        return len(places)

    def _expect(self, answers: int) -> None:
        while answers > 0:
            for kind, _flags, _sequence, _port, message in split(self._socket.recv(1 << 16)):
                if kind == NLMSG_ERROR:
                    answers -= 1
                    (code,) = struct.unpack_from("=i", message, HEADER.size)
                    if code not in (0, -_ENOENT):
                        raise _refused(-code)

    def _ask(self, message: bytes) -> Iterator[bytes]:
        try:
            self._socket.send(message)
            while True:
                for kind, _flags, _sequence, _port, answer in split(self._socket.recv(1 << 18)):
                    if kind == NLMSG_DONE:
                        return
                    if kind == NLMSG_ERROR:
                        (code,) = struct.unpack_from("=i", answer, HEADER.size)
                        raise _refused(-code)
                    yield answer
        except OSError as error:
            raise _refused(error.errno or 0) from error


def _chosen(family: int, asked: Asked) -> bytes:
    flags, parts = _BY_PROTOCOL, b""
    numbers = attribute(_NUMBER, bytes((asked.protocol,)))
    if asked.port:
        flags |= _BY_DESTINATION_PORT
        numbers += attribute(_DESTINATION_PORT, asked.port.to_bytes(2, "big"))
    if asked.destination and family == 4:  # IPv6: see above
        flags |= _BY_DESTINATION
        parts = nest(_TUPLE_IP, attribute(_DESTINATIONS[0], asked.destination))
    chosen = nest(_ORIGINAL, parts, nest(_TUPLE_PROTOCOL, numbers))
    return chosen + nest(_FILTER, u32(_ORIGINAL_FLAGS, flags))


def _message(kind: int, flags: int, family: int, body: bytes) -> bytes:
    data = _NFGENMSG.pack(_FAMILIES[family], 0, 0) + body
    return HEADER.pack(HEADER.size + len(data), _SUBSYSTEM | kind, flags | NLM_F_REQUEST, 0, 0) + data


def connection_of(message: bytes) -> Optional[Connection]:
    """The connection that a message tells of; None when it is not whole."""
    asked = answered = None
    status, place, info = 0, b"", b""
    for kind, value in read(message, HEADER.size + _NFGENMSG.size):
        if kind == _ORIGINAL:
            asked = _end(value)
            place += nest(_ORIGINAL, value)
        elif kind == _REPLY:
            answered = _end(value)
        elif kind == _STATUS:
            status = int.from_bytes(value, "big")
        elif kind == _PROTOCOL_INFO:
            info = value
        elif kind == _ZONE:
            place += attribute(_ZONE, value)
    if asked is None or answered is None:
        return None
    wanted = _ESTABLISHED.get(asked.protocol)
    active = bool(status & _ANSWERED) if wanted is None else _state(info) == wanted
    return Connection(asked, answered, bool(status & _DESTINATION_TRANSLATED), active, place)


def _end(data: bytes) -> End:
    source = destination = b""
    numbers: List[Tuple[int, int]] = []
    for kind, value in read(data, 0):
        if kind == _TUPLE_IP:
            for inner, address in read(value, 0):
                if inner in _SOURCES:
                    source = address
                elif inner in _DESTINATIONS:
                    destination = address
        elif kind == _TUPLE_PROTOCOL:
            numbers = [(inner, int.from_bytes(number, "big")) for inner, number in read(value, 0)]
    ports = dict(numbers)
    return End(
        ports.get(_NUMBER, 0),
        source,
        ports.get(_SOURCE_PORT, 0),
        destination,
        ports.get(_DESTINATION_PORT, 0),
    )


def _state(info: bytes) -> int:
    for kind, value in read(info, 0):
        if kind in (_TCP_INFO, _SCTP_INFO):
            for inner, number in read(value, 0):
                if inner == _STATE and number:
                    return number[0]
    return -1


def _refused(number: int) -> KernelError:
    hint = "load the kernel module nf_conntrack_netlink (modprobe nf_conntrack_netlink)"
    return KernelError(f"the table of connections cannot be used: {describe(number)}", hint, number)
