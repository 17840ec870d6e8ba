# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the kernel says of links, addresses, routes and rules while the agent runs."""

from __future__ import annotations

import select
import socket
from typing import AbstractSet, List, Optional, Set, Union

from .addresses import AddressEvent, decode_address
from .errors import describe
from .links import LinkEvent, decode_link
from .messages import (
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_DELROUTE,
    RTM_DELRULE,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    RTM_NEWRULE,
)
from .netlink import SOL_NETLINK, grow_receive_buffer, set_receive_buffer, split
from .routes import RouteEvent, decode_route
from .rules import RuleEvent, decode_rule

ROUTES4, RULES4, ROUTES6, RULES6 = 7, 8, 11, 19
"""RTNLGRP numbers: what ``follow`` takes."""
_ADD_MEMBERSHIP, _DROP_MEMBERSHIP = 1, 2
_PROTOCOL_OFFSET, _KEEPALIVED = 21, 18
_GROUP_LINK, _GROUP_IPV4_ADDRESS, _GROUP_IPV6_ADDRESS = 0x1, 0x10, 0x100

Event = Union[LinkEvent, AddressEvent, RouteEvent, RuleEvent]


class Monitor:
    """A netlink socket that hears of links and addresses of both families, and of what ``follow`` adds."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        grow_receive_buffer(self._socket)
        self._socket.bind((0, _GROUP_LINK | _GROUP_IPV4_ADDRESS | _GROUP_IPV6_ADDRESS))
        self._socket.setblocking(False)
        self._followed: Set[int] = set()
        self.more = False
        """After ``read``: there may be more to read."""

    def follow(self, groups: AbstractSet[int]) -> str:
        """Hear of these too: ROUTES4, ROUTES6, RULES4, RULES6. Of routes only keepalived's own are heard.

        A router with the table of the Internet would otherwise keep us busy with it. Returns an empty
        text, or why it could not be done.
        """
        try:
            if groups and not self._followed:
                _let_own_routes_through(self._socket)
            for group in self._followed - groups:
                self._socket.setsockopt(SOL_NETLINK, _DROP_MEMBERSHIP, group)
            for group in groups - self._followed:
                self._socket.setsockopt(SOL_NETLINK, _ADD_MEMBERSHIP, group)
        except OSError as error:
            return f"no news of routes and rules from the kernel: {describe(error.errno or 0)}"
        self._followed = set(groups)
        return ""

    def fileno(self) -> int:
        """For the event loop."""
        return self._socket.fileno()

    def set_receive_buffer(self, size: int, force: bool) -> None:
        """vrrp_netlink_monitor_rcv_bufs, in bytes; 0 leaves it to the agent."""
        set_receive_buffer(self._socket, size, force)

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
                elif kind in (RTM_NEWROUTE, RTM_DELROUTE):
                    route = decode_route(kind, message)
                    if route is not None:
                        events.append(route)
                elif kind in (RTM_NEWRULE, RTM_DELRULE):
                    rule = decode_rule(kind, message)
                    if rule is not None:
                        events.append(rule)
        else:
            self.more = bool(select.select([self._socket], [], [], 0)[0])
        return events


def _let_own_routes_through(sock: socket.socket) -> None:
    """A filter in the kernel: of all routes only those with protocol keepalived reach this process."""
    from .filter import Program, attach  # needed where there are routes or rules, and once

    program = Program()
    program.load_half(4)  # nlmsg_type, which a filter reads in network order
    for kind in (RTM_NEWROUTE, RTM_DELROUTE):
        program.jump_if(socket.htons(kind), "route")
    program.accept()
    program.label("route")
    program.load_byte(_PROTOCOL_OFFSET)
    program.jump_if(_KEEPALIVED, "ours")
    program.reject()
    program.label("ours")
    program.accept()
    attach(sock, program)
