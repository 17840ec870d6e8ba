# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""By which device a packet to an address leaves this host."""

from __future__ import annotations

import socket
import struct
from typing import Optional

from .attributes import attribute, read
from .netlink import HEADER, NLMSG_ERROR, request, split

_GET_ROUTE = 26
_RTMSG = struct.Struct("=BBBBBBBBI")
_UNICAST = 1
_DESTINATION, _DEVICE, _GATEWAY, _VIA = 1, 4, 5, 18
_ANSWER_TIMEOUT_S = 2.0


class WayOut:
    """Asks the kernel for routes."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.bind((0, 0))
        self._socket.settimeout(_ANSWER_TIMEOUT_S)
        self._sequence = 0

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def neighbour_device(self, address: bytes) -> Optional[int]:
        """The index of the device where ``address`` is a neighbour; None when it is none of any."""
        family = socket.AF_INET6 if len(address) == 16 else socket.AF_INET
        head = _RTMSG.pack(family, len(address) * 8, 0, 0, 0, 0, 0, 0, 0)
        self._sequence += 1
        try:
            self._socket.send(request(_GET_ROUTE, 0, head, attribute(_DESTINATION, address), self._sequence))
            while True:
                for kind, _flags, sequence, _port, message in split(self._socket.recv(1 << 16)):
                    if sequence == self._sequence:
                        return None if kind == NLMSG_ERROR else _device(message)
        except OSError:
            return None


def _device(message: bytes) -> Optional[int]:
    kind = _RTMSG.unpack_from(message, HEADER.size)[7]
    device = None
    for number, value in read(message, HEADER.size + _RTMSG.size):
        if number in (_GATEWAY, _VIA):
            return None
        if number == _DEVICE:
            (device,) = struct.unpack("=I", value)
    return device if kind == _UNICAST else None
