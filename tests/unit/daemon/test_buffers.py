# SPDX-License-Identifier: GPL-3.0-or-later
"""Room in sockets: set where the configuration says so, and only when it changes."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any, List, Tuple, cast

import pytest
from vrrp_agent.conf.model import GlobalSettings
from vrrp_agent.daemon.hearing.buffers import receive_buffer, size_netlink
from vrrp_agent.kernel.netlink import set_receive_buffer

from tests.unit.daemon.make import instance
from tests.unit.daemon.stage import Stage

PLAIN = GlobalSettings()


class Fake:
    """A socket that only remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: List[Tuple[int, bool]] = []

    def set_receive_buffer(self, size: int, force: bool) -> None:
        self.asked.append((size, force))


def test_netlink_is_asked_for_what_changes_and_for_nothing_else() -> None:
    command, monitor = Fake(), Fake()
    wish = replace(PLAIN, netlink_command_buffer_bytes=70000, netlink_monitor_buffer_force=True)
    for before, now in ((PLAIN, PLAIN), (PLAIN, wish), (wish, wish), (wish, PLAIN)):
        size_netlink(cast(Any, command), cast(Any, monitor), before, now)
    assert command.asked == [(70000, False), (0, False)]
    assert monitor.asked == [(0, True), (0, False)]


def test_what_instances_share_is_the_sum_of_what_they_ask_for() -> None:
    ours = (instance(receive_buffer_bytes=1000), instance(receive_buffer_mtus=3), instance())
    assert receive_buffer(ours, 1500) == 1000 + 3 * 1500
    assert receive_buffer(ours[2:], 1500) == 0


def test_a_reload_sizes_the_socket_anew(stage: Stage) -> None:
    stage.apply(instance(receive_buffer_bytes=50000))
    assert stage.socket().buffer_bytes == 50000
    stage.apply(instance(receive_buffer_mtus=40))
    assert stage.socket().buffer_bytes == 60000
    stage.apply(instance())
    assert stage.socket().buffer_bytes == 0, "as much as the agent likes"


@pytest.mark.parametrize("force", [False, True])
def test_a_real_socket_takes_it(force: bool) -> None:
    """The kernel doubles what it is told, socket(7)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        set_receive_buffer(sock, 50000, force)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) in (100000, 2 * _most())
        set_receive_buffer(sock, 0)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > 100000


def _most() -> int:
    with open("/proc/sys/net/core/rmem_max", encoding="ascii") as limit:
        return int(limit.read())
