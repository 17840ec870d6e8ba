# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Raw sockets for adverts: one for each interface and family, for sending and receiving.

Whole datagrams go out (IP_HDRINCL, IPV6_HDRINCL), built beforehand, so that source, TTL and TOS are
ours and nothing is worked out when an advert is due.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import NamedTuple, Optional, Tuple

from .errors import KernelError, MissingPrivilege, describe
from .filter import Program, attach
from .netlink import grow_receive_buffer, set_receive_buffer

IPPROTO_VRRP = 112
_IPV6_HDRINCL = 36
_SO_BINDTODEVICE = 25
_TC_PRIO_CONTROL = 7
_IP_MULTICAST_ALL = 49
_LONGEST = 4608  # IPv6 and 255 addresses: 4088 bytes; IPv4 with options and 255: less
_ALREADY_MEMBER = errno.EADDRINUSE
_MOST_EARLY = 1000
_HOP_LIMIT = struct.Struct("=i")


class Received(NamedTuple):
    """One received VRRP datagram."""

    source: bytes
    destination: bytes
    ttl: int
    payload: bytes


class AdvertSocket:
    """Adverts of one family on one interface. Raises MissingPrivilege or KernelError when made."""

    family: int

    def __init__(self, family: int, interface: str, index: int, protocol: int = IPPROTO_VRRP) -> None:
        """``protocol`` 51 hears IPv4 adverts inside an authentication header, and nothing else of IPsec."""
        self.family = family
        self._protocol = protocol
        self.interface = interface
        self.index = index
        number = socket.AF_INET if family == 4 else socket.AF_INET6
        try:
            self._socket = socket.socket(number, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        except PermissionError as error:
            raise MissingPrivilege(f"raw socket for VRRP (IP protocol {protocol})", "CAP_NET_RAW") from error
        except OSError as error:
            raise KernelError(
                f"no raw IPv{family} socket: {describe(error.errno or 0)}",
                "is this address family switched off in the kernel?",
                error.errno,
            ) from error
        try:
            self._configure()
        except OSError as error:
            self._socket.close()
            raise KernelError(
                f"cannot use interface {interface} for IPv{family} adverts: {describe(error.errno or 0)}",
                errno=error.errno,
            ) from error

    def _configure(self) -> None:
        sock = self._socket
        sock.setblocking(False)
        if self._protocol != IPPROTO_VRRP:
            attach(sock, _vrrp_inside_header())
        grow_receive_buffer(sock)
        sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, self.interface.encode() + b"\0")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, _TC_PRIO_CONTROL)
        if self.family == 4:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
            sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_HDRINCL, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self.index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        self._forget_early()

    def _forget_early(self) -> None:
        """Drop what came before the socket was bound: it may be from any interface."""
        for _turn in range(_MOST_EARLY):
            try:
                self._socket.recv(1)
            except OSError:
                return

    def join(self, group: bytes) -> None:
        """Receive what is sent to the multicast ``group`` on this interface; joining twice does no harm."""
        try:
            if self.family == 4:
                membership = struct.pack("=4s4si", group, bytes(4), self.index)  # ip_mreqn
                self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
                self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, membership)
            else:
                membership = struct.pack("=16si", group, self.index)
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
        except OSError as error:
            if error.errno != _ALREADY_MEMBER:
                raise KernelError(
                    f"cannot join the multicast group on {self.interface}: {describe(error.errno or 0)}",
                    errno=error.errno,
                ) from error

    def set_receive_buffer(self, size: int) -> None:
        """Room for received adverts in bytes, as the kernel counts them; 0 is as much as the agent likes."""
        set_receive_buffer(self._socket, size, force=True)

    def fileno(self) -> int:
        """For the event loop."""
        return self._socket.fileno()

    def close(self) -> None:
        """Leave the groups and give the socket back."""
        self._socket.close()

    def destination(self, packed: bytes) -> Tuple[object, ...]:
        """What ``send`` wants for an address; made once, used for every advert."""
        if self.family == 4:
            return (socket.inet_ntop(socket.AF_INET, packed), 0)
        scope = self.index if packed[0] in (0xFE, 0xFF) else 0
        return (socket.inet_ntop(socket.AF_INET6, packed), 0, 0, scope)

    def send(self, datagram: bytes, destination: Tuple[object, ...]) -> None:
        """Send one whole IP datagram. Raises OSError."""
        self._socket.sendto(datagram, destination)

    def receive_ipv4(self) -> Optional[bytes]:
        """The next IPv4 datagram, header included, or None when there is none."""
        try:
            return self._socket.recv(_LONGEST)
        except BlockingIOError:
            return None
        except OSError:  # the link went down: said once, by the socket; the monitor says it too
            return None

    def receive_ipv6(self) -> Optional[Received]:
        """The next IPv6 payload with its addresses and hop limit, or None when there is none."""
        try:
            payload, controls, _flags, sender = self._socket.recvmsg(_LONGEST, 128)
        except BlockingIOError:
            return None
        except OSError:
            return None
        destination, hop_limit = b"", -1
        for level, kind, data in controls:
            if level == socket.IPPROTO_IPV6:
                if kind == socket.IPV6_HOPLIMIT:
                    (hop_limit,) = _HOP_LIMIT.unpack(data)
                elif kind == socket.IPV6_PKTINFO:
                    destination = data[:16]
        source = socket.inet_pton(socket.AF_INET6, sender[0].split("%")[0])
        return Received(source, destination, hop_limit, payload)


def _vrrp_inside_header() -> Program:
    """Lets through what may be an advert inside an authentication header: on a host that uses IPsec there is
    more of this protocol. A datagram with IP options is looked at later."""
    program = Program()
    program.load_byte(0)
    program.jump_if(0x45, "no options")
    program.accept()
    program.label("no options")
    program.load_byte(20)
    program.jump_if(IPPROTO_VRRP, "advert")
    program.reject()
    program.label("advert")
    program.accept()
    return program
