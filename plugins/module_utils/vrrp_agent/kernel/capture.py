# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Watch an interface: a packet socket that lets only VRRP through, for ``vrrp-agent sniff``.

The kernel filters (classic BPF), so a busy interface costs nothing. It takes the outermost VLAN tag off
a received frame and hands it over beside it; the tag is put back here, so that frames are as on the wire.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from dataclasses import dataclass
from types import TracebackType
from typing import List, Optional, Sequence, Tuple, Type

from ..wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPES_VLAN
from ..wire.examine import LINK_ETHERNET, LINK_RAW
from .errors import KernelError, MissingPrivilege
from .filter import Program, attach

_ETH_P_ALL = 3
_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP = 1
_PACKET_AUXDATA = 8
_PACKET_MR_ALLMULTI = 2
_PACKET_OUTGOING = 4
_SO_TIMESTAMPNS = 35

_ARPHRD_ETHER, _ARPHRD_LOOPBACK = 1, 772
_AUXDATA = struct.Struct("@IIIHHHH")
_TP_STATUS_VLAN_VALID = 1 << 4
_TP_STATUS_VLAN_TPID_VALID = 1 << 6
_TIMESPEC = struct.Struct("@ll")
_MEMBERSHIP = struct.Struct("@iHH8s")
_LARGEST_FRAME = 65536 + 64


@dataclass(frozen=True)
class Captured:
    """A frame: when the kernel saw it (ns since 1970), the interface, its capture link type, its bytes."""

    time_ns: int
    interface: str
    link_type: int
    data: bytes


class Capture:
    """An open capture of VRRP packets on one interface, or on all of them (``interface`` None).

    Frames of VLAN interfaces and bridges are seen once on each interface they cross, as tcpdump shows them.
    Raises KernelError when there is no such interface, MissingPrivilege without the right to watch it.
    """

    def __init__(self, interface: Optional[str] = None) -> None:
        self._interface = interface
        self._socket = _open(interface is None)
        try:
            attach(self._socket, vrrp_program())
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
            for index in _indexes(interface):
                _hear_all_groups(self._socket, index)
            if interface is not None:
                self._socket.bind((interface, _ETH_P_ALL))
        except OSError as error:
            self._socket.close()
            raise _explain(interface, error) from error
        except KernelError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> Optional[Captured]:
        """Wait for the next frame; None for one that is another frame's echo.

        Raises KernelError when the interface goes away or down.
        """
        try:
            data, ancillary, _flags, address = self._socket.recvmsg(_LARGEST_FRAME, 512)
        except OSError as error:
            raise _explain(self._interface, error) from error
        name, protocol, kind, hardware = address[:4]
        if hardware == _ARPHRD_LOOPBACK and kind == _PACKET_OUTGOING:
            return None  # every packet comes back on the loopback interface
        time_ns, tag = _read_ancillary(ancillary)
        if hardware in (_ARPHRD_ETHER, _ARPHRD_LOOPBACK):
            return Captured(time_ns, name, LINK_ETHERNET, data[:12] + tag + data[12:])
        if protocol in (ETHERTYPE_IPV4, ETHERTYPE_IPV6):
            return Captured(time_ns, name, LINK_RAW, data)  # tunnels: no link header
        return None

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()


def vrrp_program() -> Program:
    """The filter: protocol 112 or 51 in IPv4 or IPv6, behind up to two VLAN tags, or behind IPv6 options.

    It may let a few others through (any packet with an authentication header); it never stops a VRRP packet.
    """
    program = Program()
    program.load_hardware_type()
    program.jump_if(_ARPHRD_ETHER, "tag 0")
    program.jump_if(_ARPHRD_LOOPBACK, "tag 0")
    program.load_ethertype()
    program.jump_if(ETHERTYPE_IPV4, "ipv4 0")
    program.jump_if(ETHERTYPE_IPV6, "ipv6 0")
    program.reject()
    for tags in range(3):
        start = 14 + 4 * tags
        program.label(f"tag {tags}")
        program.load_half(start - 2)
        program.jump_if(ETHERTYPE_IPV4, f"ipv4 {start}")
        program.jump_if(ETHERTYPE_IPV6, f"ipv6 {start}")
        if tags < 2:
            for kind in ETHERTYPES_VLAN:
                program.jump_if(kind, f"tag {tags + 1}")
        program.reject()
    for start in (0, 14, 18, 22):
        _match_protocol(program, f"ipv4 {start}", start + 9, ())
        _match_protocol(program, f"ipv6 {start}", start + 6, (0, 44, 60))
    program.label("accept")
    program.accept()
    return program


def _match_protocol(program: Program, label: str, offset: int, also: Sequence[int]) -> None:
    program.label(label)
    program.load_byte(offset)
    for number in (112, 51, *also):
        program.jump_if(number, "accept")
    program.reject()


def _open(everywhere: bool) -> socket.socket:
    """A packet socket: on all interfaces from now on, or deaf until bind().

    On all, the few frames from before the filter are of any kind; examine() passes over them.
    """
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL) if everywhere else 0)
    except PermissionError as error:
        raise MissingPrivilege("watching a network interface", "CAP_NET_RAW") from error


def _indexes(interface: Optional[str]) -> List[int]:
    if interface is None:
        return [index for index, _name in socket.if_nameindex()]
    try:
        return [socket.if_nametoindex(interface)]
    except OSError:
        names = ", ".join(sorted(name for _index, name in socket.if_nameindex()))
        raise KernelError(f"there is no interface {interface!r}", f"there are: {names}") from None


def _hear_all_groups(sock: socket.socket, index: int) -> None:
    """Ask the card for all multicast; a host outside the VRRP groups would not get them otherwise."""
    request = _MEMBERSHIP.pack(index, _PACKET_MR_ALLMULTI, 0, b"")
    try:
        sock.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, request)
    except OSError as error:
        if error.errno != errno.ENODEV:  # gone since it was listed
            raise


def _read_ancillary(ancillary: Sequence[Tuple[int, int, bytes]]) -> Tuple[int, bytes]:
    """Time stamp (ns since 1970) and the VLAN tag that the kernel took off, if any."""
    time_ns, tag = None, b""
    for level, kind, value in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS) and len(value) >= _TIMESPEC.size:
            seconds, rest = _TIMESPEC.unpack_from(value)
            time_ns = seconds * 1_000_000_000 + rest
        elif (level, kind) == (_SOL_PACKET, _PACKET_AUXDATA) and len(value) >= _AUXDATA.size:
            status, _length, _snap, _mac, _net, tci, tpid = _AUXDATA.unpack_from(value)
            if status & _TP_STATUS_VLAN_VALID:
                known = status & _TP_STATUS_VLAN_TPID_VALID
                tag = struct.pack("!HH", tpid if known else ETHERTYPES_VLAN[0], tci)
    return (time.time_ns() if time_ns is None else time_ns), tag


def _explain(interface: Optional[str], error: OSError) -> KernelError:
    watched = f"interface {interface}" if interface else "the interfaces"
    if error.errno == errno.ENETDOWN:
        return KernelError(f"{watched}: down", "set it up and start again", error.errno)
    if error.errno in (errno.ENODEV, errno.ENXIO):
        return KernelError(f"{watched}: gone", "", error.errno)
    return KernelError(f"cannot watch {watched}: {error.strerror or error}", "", error.errno)
