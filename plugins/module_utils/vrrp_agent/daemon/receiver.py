# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a raw socket to the right election: checks, counters, and a short way for what comes again and again.

An active router says the same bytes for weeks.  A datagram that has passed every check is remembered,
and when it comes again it goes straight to its election: a thousand adverts a second must not cost
a thousand decodings.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Set, Tuple

from ..election.admit import Admission, Observation
from ..kernel.advert_socket import AdvertSocket
from ..loop import log as logging
from ..loop.log import Log
from ..loop.loop import Loop
from ..wire import advert as wire_advert
from ..wire import ip
from ..wire.address import is_multicast, text
from ..wire.discard import DecodeError, Discard
from .hands import LIMIT_WINDOW_NS
from .live import Live

_MOST_PER_TURN = 1024
_MOST_REMEMBERED = 2048
_VERSION_AND_LENGTH = 0x45  # IPv4 without options

_Known = Tuple[Live, int, bytes, int]
"""Who it is for, priority, source, interval in ns."""


class Receiver:
    """Everything that comes in on one interface in one family."""

    def __init__(self, socket: AdvertSocket, loop: Loop, log: Log) -> None:
        self.socket = socket
        self.discards: Dict[str, int] = {}
        """Packets for no instance of ours, by reason."""
        self._loop = loop
        self._log = log
        self._log_unknown_vrids = False
        self._lives: Dict[int, Live] = {}
        self._admissions: Dict[int, Admission] = {}
        self._known: Dict[object, _Known] = {}
        self._groups: Set[bytes] = set()
        loop.add_reader(socket.fileno(), self._drain_ipv4 if socket.family == 4 else self._drain_ipv6)

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self.socket.fileno())
        self.socket.close()

    def join(self, group: bytes) -> None:
        """Hear what is sent to the multicast ``group``. Raises KernelError."""
        if group not in self._groups:
            self.socket.join(group)
            self._groups.add(group)

    def serve(self, lives: List[Live], log_unknown_vrids: bool) -> None:
        """These are the instances of this interface and family now, with their present settings."""
        self._lives = {live.instance.vrid: live for live in lives}
        self._admissions = {live.instance.vrid: Admission(live.instance) for live in lives}
        self._log_unknown_vrids = log_unknown_vrids
        self._known = {}

    def forget_known(self) -> None:
        """Something that the checks depend on has changed."""
        self._known = {}

    def _drain_ipv4(self) -> None:
        now = self._loop.clock()
        receive, known = self.socket.receive_ipv4, self._known
        for _turn in range(_MOST_PER_TURN):
            data = receive()
            if data is None:
                return
            # Source, destination and payload in one key; TTL and header length looked at each time.
            seen = known.get(data[12:])
            if seen is not None and data[8] == ip.TTL and data[0] == _VERSION_AND_LENGTH:
                seen[0].heard(seen[1], seen[2], seen[3], now)
                continue
            try:
                datagram = ip.parse_ipv4(data)
            except DecodeError as error:
                self._refuse(None, error.reason, error.detail, now)
                continue
            self._examine(datagram, data[12:] if data[0] == _VERSION_AND_LENGTH else None, now)
        self._loop.leave_unread()

    def _drain_ipv6(self) -> None:
        now = self._loop.clock()
        receive, known = self.socket.receive_ipv6, self._known
        for _turn in range(_MOST_PER_TURN):
            received = receive()
            if received is None:
                return
            seen = known.get(received)
            if seen is not None:
                seen[0].heard(seen[1], seen[2], seen[3], now)
                continue
            datagram = ip.Datagram(
                received.source, received.destination, received.ttl, wire_advert.PROTOCOL, received.payload
            )
            self._examine(datagram, received, now)
        self._loop.leave_unread()

    def _examine(self, datagram: ip.Datagram, key: Optional[object], now: int) -> None:
        payload, source, destination = datagram.payload, datagram.source, datagram.destination
        live = self._lives.get(payload[1]) if len(payload) > 1 else None
        if live is not None and live.router.source == source:
            self._refuse(live, Discard.OWN_ADVERT, f"our own advert from {text(source)} came back", now)
            return
        multicast = is_multicast(destination)
        if multicast and datagram.ttl != ip.TTL:  # before anything is believed: RFC 9568 7.1
            self._refuse(live, Discard.TTL, f"TTL {datagram.ttl} from {text(source)}, 255 expected", now)
            return
        try:
            empty = live is not None and not live.instance.addresses
            advert = wire_advert.decode(payload, source, destination, allow_empty=empty)
        except DecodeError as error:
            self._refuse(live, error.reason, f"{error.detail}, from {text(source)}", now)
            return
        if live is None:
            detail = f"VRID {advert.vrid} from {text(source)} is not configured here"
            self._refuse(None, Discard.UNKNOWN_VRID, detail, now, quiet=not self._log_unknown_vrids)
            return
        admission = self._admissions[advert.vrid]
        reason = admission.check(
            advert,
            source,
            destination,
            datagram.ttl,
            own_source=live.router.source,
            effective_priority=live.router.effective_priority,
        )
        if reason is not None:
            evidence = admission.evidence(reason, advert, source, destination, datagram.ttl)
            self._refuse(live, reason, evidence, now)
            return
        same_router = source == live.router.active_source
        observations = admission.observe(advert, same_router=same_router)
        for seen in observations:
            self._observe(live, seen, admission.difference(seen, advert, source), now)
        if advert.priority == 0:
            live.counters.priority_zero_received += 1
        elif key is not None and datagram.ttl == ip.TTL and not observations:
            self._remember(key, (live, advert.priority, source, advert.interval_ns))
        live.heard(advert.priority, source, advert.interval_ns, now)

    def _remember(self, key: object, known: _Known) -> None:
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = known

    def _observe(self, live: Live, seen: Observation, detail: str, now: int) -> None:
        if seen is Observation.INTERVAL_DIFFERS:
            live.counters.interval_mismatches += 1
        else:
            live.counters.addr_list_mismatches += 1
        name = live.instance.name
        self._log.limited(logging.WARNING, name, seen.value, f"{name}: {detail}", now, LIMIT_WINDOW_NS)

    def _refuse(
        self, live: Optional[Live], reason: Discard, detail: str, now: int, quiet: bool = False
    ) -> None:
        """Count one packet by its reason, and say so now and then (RFC 9568 7.1)."""
        if live is not None:
            live.counters.discard(reason.value)
        else:
            self.discards[reason.value] = self.discards.get(reason.value, 0) + 1
        if quiet:
            return
        who = live.instance.name if live is not None else self.socket.interface
        line = f"{who}: packet discarded ({reason.value}): {detail}"
        self._log.limited(logging.WARNING, who, reason.value, line, now, LIMIT_WINDOW_NS)
