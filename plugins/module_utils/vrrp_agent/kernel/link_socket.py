# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Adverts on a virtual link: whole frames from its virtual MAC, and what the kernel hands to it alone.

A frame to a group that comes with the virtual MAC as its source - from another router of the group - is
given by the kernel to the macvlan with that MAC and to nobody else, so the socket of the base interface
never sees it. Everything else is heard by that one: this socket takes only frames from the virtual MAC.
It is a packet socket, so that the link needs neither an address nor a membership to speak and to hear.
"""

from __future__ import annotations

import socket
import struct
from typing import Optional, Tuple

from ..wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6
from ..wire.ip import header_checksum_ok
from .advert_socket import IPPROTO_VRRP, AdvertSocket, Received
from .errors import KernelError, MissingPrivilege, describe
from .filter import Program, attach
from .netlink import grow_receive_buffer

_TC_PRIO_CONTROL = 7
_LONGEST = 4608
_PACKET_HOST = 0
_ETHERNET = 14
_IPV6 = struct.Struct("!IHBB16s16s")
_PROTOCOLS_AT = {4: _ETHERNET + 9, 6: _ETHERNET + 6}
_ETHERTYPES = {4: ETHERTYPE_IPV4, 6: ETHERTYPE_IPV6}


def filter_for(family: int, mac: bytes, protocol: int = IPPROTO_VRRP) -> Program:
    """Lets through datagrams of ``protocol`` from ``mac``.

    An empty ``mac`` is an ipvlan, which shares the MAC of its base interface: what goes to groups is heard
    there, so here it is only what is sent to this host.
    """
    program = Program()
    if mac:
        for offset in (0, 2, 4):
            program.load_half(6 + offset)
            program.jump_if(int.from_bytes(mac[offset : offset + 2], "big"), f"mac {offset}")
            program.reject()
            program.label(f"mac {offset}")
    else:
        program.load_packet_type()
        program.jump_if(_PACKET_HOST, "for us")
        program.reject()
        program.label("for us")
    program.load_byte(_PROTOCOLS_AT[family])
    program.jump_if(protocol, "advert")
    program.reject()
    program.label("advert")
    program.accept()
    return program


class LinkSocket(AdvertSocket):
    """Adverts of one family on one virtual link, in place of an AdvertSocket.

    ``mac`` is the link's; ``hears_mac`` too, or empty for an ipvlan. Raises MissingPrivilege or KernelError.
    """

    def __init__(  # pylint: disable=super-init-not-called  # another kind of socket
        self,
        family: int,
        interface: str,
        index: int,
        protocol: int = IPPROTO_VRRP,
        *,
        mac: bytes,
        hears_mac: bytes,
    ) -> None:
        self.family = family
        self.interface = interface
        self.index = index
        self._protocol = protocol
        ethertype = _ETHERTYPES[family]
        self._after_group = mac + ethertype.to_bytes(2, "big")
        try:
            kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
            self._socket = socket.socket(socket.AF_PACKET, kind, 0)
        except PermissionError as error:
            raise MissingPrivilege("packet socket for adverts of a virtual MAC", "CAP_NET_RAW") from error
        try:
            self._socket.setblocking(False)
            grow_receive_buffer(self._socket)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, _TC_PRIO_CONTROL)
            attach(self._socket, filter_for(family, hears_mac, protocol))
            self._socket.bind((interface, ethertype))
        except OSError as error:
            self._socket.close()
            raise KernelError(
                f"cannot use the virtual link {interface} for adverts: {describe(error.errno or 0)}",
                errno=error.errno,
            ) from error

    def join(self, group: bytes) -> None:
        """Nothing to do: what this socket hears comes to it without a membership."""

    def destination(self, packed: bytes) -> Tuple[object, ...]:
        """The Ethernet header for a group (RFC 1112 6.4, RFC 2464 7); made once, used for every advert."""
        if self.family == 4:
            group = b"\x01\x00\x5e" + bytes((packed[1] & 0x7F,)) + packed[2:]
        else:
            group = b"\x33\x33" + packed[12:]
        return (group + self._after_group,)

    def send(self, datagram: bytes, destination: Tuple[object, ...]) -> None:
        """Send one whole IP datagram behind its Ethernet header. Raises OSError."""
        header = destination[0]
        if isinstance(header, bytes):
            self._socket.send(header + datagram)

    def receive_ipv4(self) -> Optional[bytes]:
        """The next IPv4 datagram, header included, or None when there is none."""
        while True:
            try:
                frame = self._socket.recv(_LONGEST)
            except OSError:
                return None
            datagram = frame[_ETHERNET:]
            if len(datagram) >= 20 and header_checksum_ok(datagram):  # no kernel has looked at it
                return datagram

    def receive_ipv6(self) -> Optional[Received]:
        """The next IPv6 payload with its addresses and hop limit, or None when there is none."""
        while True:
            try:
                frame = self._socket.recv(_LONGEST)
            except OSError:
                return None
            if len(frame) < _ETHERNET + _IPV6.size:
                continue
            _word, length, _protocol, hops, source, destination = _IPV6.unpack_from(frame, _ETHERNET)
            start = _ETHERNET + _IPV6.size
            return Received(source, destination, hops, frame[start : start + length])
