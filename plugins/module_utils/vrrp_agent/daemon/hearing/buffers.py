# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Room in sockets for what comes in: where the configuration says nothing, the agent takes plenty."""

from __future__ import annotations

from typing import Iterable

from ...conf.model import GlobalSettings, Instance
from ...kernel.monitor import Monitor
from ...kernel.netlink import RouteSocket


def size_netlink(route: RouteSocket, monitor: Monitor, before: GlobalSettings, now: GlobalSettings) -> None:
    """vrrp_netlink_cmd_rcv_bufs, vrrp_netlink_monitor_rcv_bufs and their _force: set where they changed."""
    wish = (now.netlink_command_buffer_bytes, now.netlink_command_buffer_force)
    if wish != (before.netlink_command_buffer_bytes, before.netlink_command_buffer_force):
        route.set_receive_buffer(*wish)
    wish = (now.netlink_monitor_buffer_bytes, now.netlink_monitor_buffer_force)
    if wish != (before.netlink_monitor_buffer_bytes, before.netlink_monitor_buffer_force):
        monitor.set_receive_buffer(*wish)


def receive_buffer(instances: Iterable[Instance], mtu: int) -> int:
    """Bytes for the socket that these share: the sum of what each asks for, as keepalived; 0 is no wish."""
    return sum(one.receive_buffer_bytes + one.receive_buffer_mtus * mtu for one in instances)
