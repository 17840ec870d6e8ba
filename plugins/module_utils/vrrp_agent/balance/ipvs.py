# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The back end on the kernel's IPVS."""

from __future__ import annotations

import errno
from typing import Dict, List, Optional, Sequence

from ..conf.parts.balancing import SyncDaemon, Timeouts
from ..kernel import ipvs_messages as message
from ..kernel.errors import KernelError
from ..kernel.ipvs import Ipvs, Request
from ..kernel.ipvs_messages import Daemon, TimeLimits, Usage
from .backend import (
    Change,
    Counted,
    Counters,
    DestinationKey,
    Placed,
    Refusal,
    ServiceKey,
    ServiceWords,
    Table,
)
from .ipvs_errors import refused, why
from .ipvs_words import (
    destination_of,
    placed_destination,
    placed_service,
    service_of,
)

_ADD, _SET, _REMOVE = "add", "set", "remove"
_COMMANDS = {
    (_ADD, False): message.NEW_SERVICE,
    (_SET, False): message.SET_SERVICE,
    (_REMOVE, False): message.DEL_SERVICE,
    (_ADD, True): message.NEW_DEST,
    (_SET, True): message.SET_DEST,
    (_REMOVE, True): message.DEL_DEST,
}
_GONE = frozenset((errno.ENOENT, errno.ESRCH))


class IpvsBackend:
    """``Backend`` on the IPVS of one network namespace (net_namespace_ipvs)."""

    name = "ipvs"

    def __init__(self, kernel: Ipvs) -> None:
        self._kernel = kernel
        self.replaced: Optional[Timeouts] = None

    def read(self) -> Table:
        """Every service of the namespace, whoever made it. Raises KernelError."""
        table: Table = {}
        for service, _usage in self._kernel.services():
            key, words = placed_service(service)
            found = (placed_destination(one) for one, _usage in self._kernel.destinations(service))
            table[key] = Placed(words, dict(found))
        return table

    def apply(self, changes: Sequence[Change]) -> List[Refusal]:
        """Take the steps in their order, many with one system call."""
        requests: List[Request] = []
        taken: List[Change] = []
        refusals: List[Refusal] = []
        for change in changes:
            try:
                requests.append(_request(change))
            except KernelError as error:
                refusals.append(Refusal(change, str(error)))
            else:
                taken.append(change)
        for change, number in zip(taken, self._kernel.submit(requests)):
            number = self._again(change, number) if number else 0
            if number:
                refusals.append(Refusal(change, why(change, number)))
        return refusals

    def _again(self, change: Change, number: int) -> int:
        """The table is not as it was thought to be: what is there already is set, what is gone is added."""
        if change.what == _REMOVE:
            return 0 if number in _GONE else number
        if change.what == _ADD and number == errno.EEXIST:
            return self._kernel.submit([_request(change._replace(what=_SET))])[0]
        gone = errno.ESRCH if change.destination is None else errno.ENOENT
        if change.what == _SET and number == gone:
            return self._kernel.submit([_request(change._replace(what=_ADD))])[0]
        return number

    def flush(self) -> None:
        """Empty the whole table (lvs_flush). Raises KernelError."""
        self._must(Request(message.FLUSH, b""), "emptying the table")

    def counters(self) -> Dict[ServiceKey, Counted]:
        """Of every service. Raises KernelError."""
        counted: Dict[ServiceKey, Counted] = {}
        for service, usage in self._kernel.services():
            destinations: Dict[DestinationKey, Counters] = {}
            for one, used in self._kernel.destinations(service):
                destinations[placed_destination(one)[0]] = Counters(*used)
            counted[placed_service(service)[0]] = Counted(_total(usage, destinations), destinations)
        return counted

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """lvs_timeouts; 0 is what it was before the first call. Raises KernelError."""
        wanted = _limits_of(timeouts)
        if self.replaced is None and not any(wanted):
            return
        before = self._kernel.time_limits() if self.replaced is None else _limits_of(self.replaced)
        limits = TimeLimits(*(mine or theirs for mine, theirs in zip(wanted, before)))
        self._must(Request(message.SET_CONFIG, message.time_limits(limits)), "setting lvs_timeouts")
        self.replaced = Timeouts(*before) if any(wanted) else None

    def start_sync(self, daemon: SyncDaemon, sends: bool) -> None:
        """Start a sync daemon of the kernel; one that runs already does no harm. Raises KernelError."""
        wanted = Daemon(
            message.SENDS if sends else message.RECEIVES,
            daemon.interface,
            daemon.sync_id,
            daemon.max_length,
            daemon.port,
            daemon.ttl,
            daemon.group,
        )
        request = Request(message.NEW_DAEMON, message.daemon(wanted))
        self._must(request, f"starting the sync daemon on {daemon.interface}", errno.EEXIST)

    def stop_sync(self, sends: bool) -> None:
        """Stop it. Raises KernelError."""
        state = message.SENDS if sends else message.RECEIVES
        # The kernel asks for a number, and looks at the state only.
        request = Request(message.DEL_DAEMON, message.daemon(Daemon(state)))
        self._must(request, "stopping the sync daemon", errno.ESRCH, errno.ENOENT)

    def sync_daemons(self) -> Dict[bool, SyncDaemon]:
        """Those that run, with what the kernel has chosen itself. Raises KernelError."""
        found: Dict[bool, SyncDaemon] = {}
        for one in self._kernel.daemons():
            values = (one.sync_id, one.max_length, one.port, one.ttl, one.group)
            found[one.state == message.SENDS] = SyncDaemon(one.interface, "", *values)
        return found

    def fitted(self, words: ServiceWords) -> ServiceWords:
        """IPVS can do all words. ``hashed`` says nothing: the kernel hashes every service itself."""
        if "hashed" not in words.flags:
            return words
        return words._replace(flags=tuple(flag for flag in words.flags if flag != "hashed"))

    def close(self) -> None:
        """Give the socket back; the table stays."""
        self._kernel.close()

    def _must(self, request: Request, doing: str, *harmless: int) -> None:
        (number,) = self._kernel.submit([request])
        if number and number not in harmless:
            raise refused(doing, number)


def _request(change: Change) -> Request:
    """Raises KernelError for what has no place in a message."""
    service = service_of(change.service, change.words)
    command = _COMMANDS[change.what, change.destination is not None]
    if change.destination is not None:
        destination = destination_of(change.destination, change.destination_words)
        whole = change.what != _REMOVE
        body = (message.whole_destination if whole else message.destination_key)(service, destination)
    else:
        body = (message.service_key if change.what == _REMOVE else message.whole_service)(service)
    return Request(command, body)


def _limits_of(timeouts: Timeouts) -> TimeLimits:
    return TimeLimits(timeouts.tcp_s, timeouts.tcp_fin_s, timeouts.udp_s)


def _total(usage: Usage, destinations: Dict[DestinationKey, Counters]) -> Counters:
    """The kernel counts connections by destination."""
    every = destinations.values()
    return Counters(
        sum(one.active_connections or 0 for one in every),
        sum(one.inactive_connections or 0 for one in every),
        sum(one.persistent_connections or 0 for one in every),
        *usage[3:],
    )
