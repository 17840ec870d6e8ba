# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When a virtual server has its quorum. Pure.

Rules: quorum and hysteresis of keepalived.conf(5), keepalived/check/ipwrapper.c and check_data.c.
"""

from __future__ import annotations

from typing import Iterable, NamedTuple

from ..conf.parts.balancing import VirtualServer

HIGHEST_WEIGHT = 2_147_483_647


class Quorum(NamedTuple):
    """The weight that is needed, and how far it may swing about it."""

    needed: int
    hysteresis: int

    @property
    def gained_at(self) -> int:
        """A service that is down comes up at this live weight."""
        return self.needed + self.hysteresis

    @property
    def lost_below(self) -> int:
        """A service that is up goes down below this live weight."""
        return self.needed - self.hysteresis


def quorum_of(service: VirtualServer) -> Quorum:
    """The quorum that can be reached: never above the weight of all servers, and more than its hysteresis."""
    total = sum(server.weight for server in service.servers)
    needed = min(service.quorum, total)
    return Quorum(needed, max(min(service.hysteresis, needed - 1), 0))


def is_up(was_up: bool, weight: int, quorum: Quorum) -> bool:
    """Whether the service is up with this live weight. Without any weight it never is."""
    return weight > 0 and weight >= (quorum.lost_below if was_up else quorum.gained_at)


def real_weight(configured: int, added: Iterable[int]) -> int:
    """What the kernel is given: the weight of the file and what checks add, within what the kernel takes."""
    return min(max(configured + sum(added), 0), HIGHEST_WEIGHT)
