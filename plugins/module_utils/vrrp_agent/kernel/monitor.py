# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the kernel says of links and addresses while the agent runs."""

from __future__ import annotations

import select
import socket
from typing import List, Optional, Union

from .addresses import AddressEvent, decode_address
from .links import LinkEvent, decode_link
from .messages import RTM_DELADDR, RTM_DELLINK, RTM_NEWADDR, RTM_NEWLINK
from .netlink import grow_receive_buffer, split

_GROUP_LINK, _GROUP_IPV4_ADDRESS, _GROUP_IPV6_ADDRESS = 0x1, 0x10, 0x100

Event = Union[LinkEvent, AddressEvent]


class Monitor:
    """A netlink socket that hears of links and addresses of both families."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        grow_receive_buffer(self._socket)
        self._socket.bind((0, _GROUP_LINK | _GROUP_IPV4_ADDRESS | _GROUP_IPV6_ADDRESS))
        self._socket.setblocking(False)
        self.more = False
        """After ``read``: there may be more to read."""

    def fileno(self) -> int:
        """For the event loop."""
        return self._socket.fileno()

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def read(self, most: int = 64) -> Optional[List[Event]]:
        """Up to ``most`` datagrams of events; empty when there are none.

        None when the kernel dropped some because they came too fast: list everything afresh then.
        """
        events: List[Event] = []
        for _turn in range(most):
            try:
                data = self._socket.recv(1 << 17)
            except BlockingIOError:
                self.more = False
                break
            except OSError:  # ENOBUFS
                return None
            for kind, _flags, _sequence, _port, message in split(data):
                if kind in (RTM_NEWADDR, RTM_DELADDR):
                    address = decode_address(kind, message)
                    if address is not None:
                        events.append(address)
                elif kind in (RTM_NEWLINK, RTM_DELLINK):
                    link = decode_link(kind, message)
                    if link is not None:
                        events.append(link)
        else:
            self.more = bool(select.select([self._socket], [], [], 0)[0])
        return events
