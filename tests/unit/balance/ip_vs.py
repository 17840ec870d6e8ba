# SPDX-License-Identifier: GPL-3.0-or-later
"""An ip_vs in memory: it reads the bytes that the kernel would get, and answers with its errors.

What it does and refuses was seen on Linux 6.1 (tests/vm/guest/story_ipvs_table.py).
"""

from __future__ import annotations

import errno
from typing import Dict, Iterator, List, Sequence, Tuple

from vrrp_agent.kernel import ipvs_messages as message
from vrrp_agent.kernel.ipvs import Request
from vrrp_agent.kernel.ipvs_messages import Daemon, Destination, Service, TimeLimits, Usage

HEAD = bytes(20)
"""In place of nlmsghdr and genlmsghdr."""
ServiceSpot = Tuple[int, int, bytes, int, int]
DestinationSpot = Tuple[bytes, int]


class IpVs:
    """Stands in for kernel.ipvs.Ipvs."""

    def __init__(self, schedulers: Sequence[str] = ("rr", "wrr", "wlc", "mh", "sh")) -> None:
        self.schedulers = schedulers
        self.table: Dict[ServiceSpot, Tuple[Service, Dict[DestinationSpot, Destination]]] = {}
        self.running: Dict[int, Daemon] = {}
        self.limits = TimeLimits(900, 120, 300)
        self.usage = Usage()
        self.calls: List[int] = []
        self.refuse_all = 0

    def submit(self, requests: Sequence[Request]) -> List[int]:
        return [self.refuse_all or self._do(one.command, HEAD + one.body) for one in requests]

    def _do(self, command: int, data: bytes) -> int:
        self.calls.append(command)
        if command == message.FLUSH:
            self.table.clear()
            return 0
        if command == message.SET_CONFIG:
            wanted = message.read_time_limits(data)
            self.limits = TimeLimits(*(new or old for new, old in zip(wanted, self.limits)))
            return 0
        if command in (message.NEW_DAEMON, message.DEL_DAEMON):
            return self._daemon(command, data)
        read = message.read_service(data)
        assert read is not None, "every other command names a service"
        if command in (message.NEW_DEST, message.SET_DEST, message.DEL_DEST):
            return self._destination(command, read[0], data)
        return self._service(command, read[0])

    def _service(self, command: int, wanted: Service) -> int:
        spot = wanted[:5]
        there = spot in self.table
        if command == message.DEL_SERVICE:
            return 0 if self.table.pop(spot, None) else errno.ESRCH
        if there is (command == message.NEW_SERVICE):
            return errno.EEXIST if there else errno.ESRCH
        if wanted.scheduler not in self.schedulers:
            return errno.ENOENT
        destinations = self.table[spot][1] if there else {}
        self.table[spot] = (wanted._replace(flags=wanted.flags | message.HASHED), destinations)
        return 0

    def _destination(self, command: int, service: Service, data: bytes) -> int:
        read = message.read_destination(data, service.family)
        assert read is not None
        wanted = read[0]
        if service[:5] not in self.table:
            return errno.ESRCH
        destinations = self.table[service[:5]][1]
        there = wanted[:2] in destinations
        if command == message.DEL_DEST:
            return 0 if destinations.pop(wanted[:2], None) else errno.ENOENT
        if there is (command == message.NEW_DEST):
            return errno.EEXIST if there else errno.ENOENT
        if not 0 <= wanted.weight <= 65535 or wanted.lower > wanted.upper:
            return errno.ERANGE
        if len(wanted.address) != (16 if service.family == 6 else 4) and wanted.method != message.TUNNEL:
            return errno.EINVAL
        destinations[wanted[:2]] = wanted
        return 0

    def _daemon(self, command: int, data: bytes) -> int:
        wanted = message.read_daemon(data)
        assert wanted is not None
        if command == message.DEL_DAEMON:
            return 0 if self.running.pop(wanted.state, None) else errno.ESRCH
        if wanted.state in self.running:
            return errno.EEXIST
        if wanted.interface == "nowhere":
            return errno.ENODEV
        chosen = (wanted.max_length or 1472, wanted.port or 8848, wanted.ttl or 1)
        group = wanted.group or b"\xe0\x00\x00\x51"
        self.running[wanted.state] = Daemon(wanted.state, wanted.interface, wanted.sync_id, *chosen, group)
        return 0

    def services(self) -> Iterator[Tuple[Service, Usage]]:
        for service, _destinations in self.table.values():
            yield service, self.usage

    def destinations(self, service: Service) -> Iterator[Tuple[Destination, Usage]]:
        for destination in self.table[service[:5]][1].values():
            yield destination, self.usage

    def daemons(self) -> List[Daemon]:
        return list(self.running.values())

    def time_limits(self) -> TimeLimits:
        return self.limits

    def close(self) -> None:
        pass
