# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asking a network card for its link: for drivers that do not tell the kernel (keepalived linkbeat)."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import socket
import struct
from typing import Optional

from .links import IFF_RUNNING, IFF_UP

MII, ETHTOOL, IOCTL = "MII", "ETHTOOL", "IOCTL"
_SIOCGIFFLAGS, _SIOCETHTOOL, _SIOCGMIIPHY, _SIOCGMIIREG = 0x8913, 0x8946, 0x8947, 0x8948
_ETHTOOL_GLINK = 0xA
_CONTROL, _STATUS = 0, 1
"""Registers of a transceiver: basic mode control and basic mode status (IEEE 802.3 22.2.4)."""
_LINK = 0x4
_NO_REGISTER = 0xFFFF
_REQUEST_BYTES = 40  # struct ifreq
_FLAGS = struct.Struct("=16sH")
_MII = struct.Struct("=16sHHHH")  # name, transceiver, register, value in, value out
_ADDRESS = struct.Struct("@16sP")


class LinkProbe:
    """Asks in one of three ways. Each answers True or False, or None where the driver does not know it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def ask(self, name: str, method: str) -> Optional[bool]:
        """The link of ``name`` by one of MII, ETHTOOL, IOCTL."""
        return {MII: self.mii, ETHTOOL: self.ethtool, IOCTL: self.flags}[method](name)

    def mii(self, name: str) -> Optional[bool]:
        """By the registers of the transceiver."""
        answer = self._ioctl(_SIOCGMIIPHY, _MII.pack(name.encode(), 0, 0, 0, 0))
        if answer is None:
            return None
        transceiver = _MII.unpack_from(answer)[1]
        control = self._register(name, transceiver, _CONTROL)
        status = self._register(name, transceiver, _STATUS)
        if control in (None, _NO_REGISTER) or not status:
            return None
        # The first reading says what was since the last one, the second what is now; keepalived takes both.
        again = self._register(name, transceiver, _STATUS) or 0
        return bool((status | again) & _LINK)

    def _register(self, name: str, transceiver: int, number: int) -> Optional[int]:
        answer = self._ioctl(_SIOCGMIIREG, _MII.pack(name.encode(), transceiver, number, 0, 0))
        return None if answer is None else int(_MII.unpack_from(answer)[4])

    def ethtool(self, name: str) -> Optional[bool]:
        """By the driver's own word."""
        value = ctypes.create_string_buffer(struct.pack("=II", _ETHTOOL_GLINK, 0), 8)
        if self._ioctl(_SIOCETHTOOL, _ADDRESS.pack(name.encode(), ctypes.addressof(value))) is None:
            return None
        return bool(struct.unpack("=II", value.raw)[1])

    def flags(self, name: str) -> Optional[bool]:
        """By the flags of the interface; one that cannot be asked counts as up, one that is gone as down."""
        request = _FLAGS.pack(name.encode(), 0).ljust(_REQUEST_BYTES, b"\0")
        try:
            answer = fcntl.ioctl(self._socket, _SIOCGIFFLAGS, request)
        except OSError as error:
            return error.errno != errno.ENODEV
        wanted = IFF_UP | IFF_RUNNING
        return int(_FLAGS.unpack_from(answer)[1]) & wanted == wanted

    def _ioctl(self, number: int, request: bytes) -> Optional[bytes]:
        try:
            return fcntl.ioctl(self._socket, number, request.ljust(_REQUEST_BYTES, b"\0"))
        except OSError:
            return None
