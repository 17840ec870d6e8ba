# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a raw socket to the right election: checks, counters, and a short way for what comes again and again.

An active router says the same bytes for weeks.  A datagram that has passed every check is remembered,
and when it comes again it goes straight to its election: a thousand adverts a second must not cost
a thousand decodings.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, List, Optional, Set, Tuple

from ...conf.model import Instance
from ...election.admit import Admission, Observation
from ...kernel.advert_socket import AdvertSocket
from ...kernel.errors import KernelError
from ...loop import log as logging
from ...loop.log import Log
from ...loop.loop import Loop
from ...wire import advert as wire_advert
from ...wire import ah, hmac_trailer, ip
from ...wire.address import is_multicast, text
from ...wire.discard import DecodeError, Discard
from ..hands import LIMIT_WINDOW_NS
from ..live import Live
from .guard import NO_PROOF, Guard, Proof, TrailerGuard

_MOST_PER_TURN = 1024
_MOST_REMEMBERED = 2048
_VERSION_AND_LENGTH = 0x45  # IPv4 without options

_Known = Tuple[Live, int, bytes, int]
"""Who it is for, priority, source, interval in ns."""


OnRefused = Callable[["Receiver", Optional[Live], Discard, int], None]
"""Hears of each packet that was discarded, for which router and why, and when."""


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
        self._header_socket: Optional[AdvertSocket] = None
        self._buffer_bytes = 0
        self.datagram: Optional[ip.Datagram] = None
        """The one that was looked at last."""
        self.on_refused: Optional[OnRefused] = None
        loop.add_reader(socket.fileno(), self._drain_ipv4 if socket.family == 4 else self._drain_ipv6)

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self.socket.fileno())
        self.socket.close()
        self._close_header_socket()

    def join(self, group: bytes) -> None:
        """Hear what is sent to the multicast ``group``. Raises KernelError."""
        if group not in self._groups:
            self.socket.join(group)
            if self._header_socket is not None:
                self._header_socket.join(group)
            self._groups.add(group)

    def hear_headers(self, open_socket: Callable[[], AdvertSocket]) -> None:
        """Hear adverts inside an authentication header too: they are another protocol of IP.

        Raises KernelError.
        """
        if self._header_socket is not None:
            return
        opened = open_socket()
        try:
            for group in self._groups:
                opened.join(group)
        except KernelError:
            opened.close()
            raise
        self._header_socket = opened
        self._loop.add_reader(opened.fileno(), self._drain_headers)

    def size_buffers(self, size: int) -> None:
        """Room for received adverts in bytes; 0 is as much as the agent likes."""
        if size != self._buffer_bytes:
            self._buffer_bytes = size
            self.socket.set_receive_buffer(size)
            if self._header_socket is not None:
                self._header_socket.set_receive_buffer(size)

    def _close_header_socket(self) -> None:
        if self._header_socket is not None:
            self._loop.remove_reader(self._header_socket.fileno())
            self._header_socket.close()
            self._header_socket = None

    def serve(self, lives: List[Live], log_unknown_vrids: bool) -> None:
        """These are the instances of this interface and family now, with their present settings."""
        self._lives = {live.instance.vrid: live for live in lives}
        self._admissions = {live.instance.vrid: Admission(live.instance) for live in lives}
        self._log_unknown_vrids = log_unknown_vrids
        self._known = {}
        if not any(live.instance.auth_header for live in lives):
            self._close_header_socket()

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

    def _drain_headers(self) -> None:
        """Adverts inside an authentication header. Each has a new number, so that none is remembered."""
        now = self._loop.clock()
        sock = self._header_socket
        for _turn in range(_MOST_PER_TURN):
            data = sock.receive_ipv4() if sock is not None else None
            if data is None:
                return
            try:
                datagram = ip.parse_ipv4(data)
                header = ah.parse(datagram.payload)
            except DecodeError as error:
                self._refuse(None, error.reason, error.detail, now, quiet=True)  # it may be anybody's
                continue
            if header.next_protocol == wire_advert.PROTOCOL:
                whole = data[: int.from_bytes(data[2:4], "big")]
                inside = replace(datagram, payload=datagram.payload[ah.LENGTH :])
                self._examine(inside, None, now, Proof(whole, header))
        self._loop.leave_unread()

    def _examine(
        self, datagram: ip.Datagram, key: Optional[object], now: int, proof: Proof = NO_PROOF
    ) -> None:
        self.datagram = datagram
        payload, source, destination = datagram.payload, datagram.source, datagram.destination
        live = self._lives.get(payload[1]) if len(payload) > 1 else None
        if live is not None and live.router.source == source:
            self._refuse(live, Discard.OWN_ADVERT, f"our own advert from {text(source)} came back", now)
            return
        multicast = is_multicast(destination)
        if multicast and datagram.ttl != ip.TTL:  # before anything is believed: RFC 9568 7.1
            self._refuse(live, Discard.TTL, f"TTL {datagram.ttl} from {text(source)}, 255 expected", now)
            return
        if live is not None and (proof.header is not None) is not live.instance.auth_header:
            with_header = "an" if proof.header is not None else "no"
            line = f"{with_header} authentication header from {text(source)}"
            self._refuse(live, Discard.AUTH_TYPE_MISMATCH, line, now)
            return
        guard = live.hands.guard if live is not None else None
        if isinstance(guard, TrailerGuard):
            payload, trailer = hmac_trailer.split(payload, len(source))
            proof = Proof(trailer=trailer)
            key = None  # each carries a new number: one that comes again is a replay
        try:
            advert, old = self._decode(live, payload, source, destination, proof.trailer)
        except DecodeError as error:
            self._refuse(live, error.reason, f"{error.detail}, from {text(source)}", now)
            return
        if live is None:
            detail = f"VRID {advert.vrid} from {text(source)} is not configured here"
            self._refuse(None, Discard.UNKNOWN_VRID, detail, now, quiet=not self._log_unknown_vrids)
            return
        if not self._admit(live, advert, datagram, now):
            return
        if guard is not None and not self._is_genuine(live, guard, payload, source, proof, now):
            return
        if old and not live.hands.old_checksum:
            who = text(source)
            self._log.notice(f"{live.instance.name}: {who} sums as keepalived 1.3.6 did, and so do we now")
            live.hands.use_old_checksum()
        admission = self._admissions[advert.vrid]
        observations = admission.observe(advert, same_router=source == live.router.active_source)
        for seen in observations:
            self._observe(live, seen, admission.difference(seen, advert, source), now)
        if advert.priority == 0:
            live.counters.priority_zero_received += 1
        elif key is not None and datagram.ttl == ip.TTL and not observations:
            self._remember(key, (live, advert.priority, source, advert.interval_ns))
        live.heard(advert.priority, source, advert.interval_ns, now)

    def _admit(self, live: Live, advert: wire_advert.Advert, datagram: ip.Datagram, now: int) -> bool:
        """False when the configuration says that this advert is not for us."""
        admission = self._admissions[advert.vrid]
        source, destination = datagram.source, datagram.destination
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
        return reason is None

    def _is_genuine(
        self, live: Live, guard: Guard, message: bytes, source: bytes, proof: Proof, now: int
    ) -> bool:
        """False when the signature is wrong, or was heard before. The last check: it remembers the number."""
        refusal = guard.refusal(message, source, proof)
        if refusal is not None:
            self._refuse(live, *refusal, now)
            return False
        if isinstance(guard, TrailerGuard):
            if guard.late:
                self._warn(live, "auth_ext_clock_skew", f"{text(source)}: {guard.late}", now)
            if not proof.trailer:
                live.counters.adverts_unsigned += 1
                if guard.signs:  # in the last sweep but one of a change-over, when everybody should
                    line = f"{text(source)} does not sign its adverts; mode enforce would refuse them"
                    self._warn(live, "adverts_unsigned", line, now)
        return True

    @staticmethod
    def _decode(
        live: Optional[Live], payload: bytes, source: bytes, destination: bytes, trailer: bytes
    ) -> Tuple[wire_advert.Advert, bool]:
        """The advert, and whether it sums with the multicast group although it is unicast.

        keepalived 1.3.6 and older did that in version 3 (old_unicast_checksum). Raises DecodeError.
        """
        empty = live is not None and not live.instance.addresses
        try:
            advert = wire_advert.decode(payload, source, destination, allow_empty=empty, trailer=trailer)
            return advert, False
        except DecodeError as error:
            if live is None or error.reason is not Discard.CHECKSUM or not _may_be_old(live.instance):
                raise
            try:
                group = live.instance.multicast_group
                return wire_advert.decode(payload, source, group, allow_empty=empty), True
            except DecodeError:
                raise error from None

    def _remember(self, key: object, known: _Known) -> None:
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = known

    def _observe(self, live: Live, seen: Observation, detail: str, now: int) -> None:
        if seen is Observation.INTERVAL_DIFFERS:
            live.counters.interval_mismatches += 1
        else:
            live.counters.addr_list_mismatches += 1
        self._warn(live, seen.value, detail, now)

    def _warn(self, live: Live, kind: str, detail: str, now: int) -> None:
        name = live.instance.name
        self._log.limited(logging.WARNING, name, kind, f"{name}: {detail}", now, LIMIT_WINDOW_NS)

    def _refuse(
        self, live: Optional[Live], reason: Discard, detail: str, now: int, quiet: bool = False
    ) -> None:
        """Count one packet by its reason, and say so now and then (RFC 9568 7.1)."""
        if live is not None:
            live.counters.discard(reason.value)
        else:
            self.discards[reason.value] = self.discards.get(reason.value, 0) + 1
        if self.on_refused is not None:
            self.on_refused(self, live, reason, now)
        if quiet:
            return
        who = live.instance.name if live is not None else self.socket.interface
        line = f"{who}: packet discarded ({reason.value}): {detail}"
        self._log.limited(logging.WARNING, who, reason.value, line, now, LIMIT_WINDOW_NS)


def _may_be_old(instance: Instance) -> bool:
    """True where keepalived 1.3.6 and older had a checksum of their own."""
    version3 = instance.family == 4 and instance.version == 3
    return version3 and instance.unicast and instance.old_unicast_checksum != "never"
