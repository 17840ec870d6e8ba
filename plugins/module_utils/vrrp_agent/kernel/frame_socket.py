# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A packet socket that sends whole Ethernet frames: gratuitous ARP and unsolicited NA."""

from __future__ import annotations

import socket

from .errors import MissingPrivilege


class FrameSocket:
    """Sends only: protocol 0 keeps the kernel from queueing anything here. Raises MissingPrivilege."""

    def __init__(self) -> None:
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        except PermissionError as error:
            raise MissingPrivilege("packet socket for gratuitous ARP", "CAP_NET_RAW") from error
        self._socket.setblocking(False)

    def send(self, interface: str, frame: bytes) -> None:
        """Send ``frame`` out of ``interface``. Raises OSError."""
        self._socket.sendto(frame, (interface, 0))

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
