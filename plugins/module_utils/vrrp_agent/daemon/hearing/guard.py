# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What signs the adverts of one virtual router and tells genuine ones from others.

A guard outlives a reload, so that its sequence numbers go on.  A virtual router without AH and without
auth_hmac has none, and nothing on its way asks for one more than once.
"""

from __future__ import annotations

import time
from typing import Callable, NamedTuple, Optional, Tuple, Union

from ...conf.model import AuthHmac, Instance
from ...election.replay import ClockSequence, GroupSequence, Marks, skew_s, stale
from ...wire import ah, hmac_trailer
from ...wire.address import text
from ...wire.discard import Discard
from ...wire.keyed import Keyed

_SECOND_NS = 1_000_000_000

Clock = Callable[[], int]
"""Nanoseconds since 1970."""
Refusal = Tuple[Discard, str]
"""A reason, and the evidence for the log."""


class Proof(NamedTuple):
    """What came with a message beside the message itself."""

    datagram: bytes = b""
    """The whole datagram, for the authentication header in it."""
    header: Optional[ah.Header] = None
    trailer: bytes = b""


NO_PROOF = Proof()


class HeaderGuard:
    """``auth_type AH``: an IPsec authentication header around each advert."""

    def __init__(self, instance: Instance, clock: Clock) -> None:
        self._sequence = GroupSequence(clock() // _SECOND_NS, ah.MOST_SEQUENCE)
        self._identification = 0
        self.configure(instance)

    def configure(self, instance: Instance) -> None:
        """Work for these settings."""
        self._key = ah.make_key(instance.auth_password)
        self._unicast = instance.unicast

    def begin_advert(self) -> Tuple[int, int]:
        """The sequence number of an advert, and the identification of its datagrams (never 0)."""
        self._identification = self._identification % 0xFFFF + 1
        return self._sequence.next(), self._identification

    def seal(self, template: bytes, sequence: int, identification: int) -> bytes:
        """A datagram with its authentication header filled in."""
        return ah.seal(template, self._key, sequence, identification, unicast=self._unicast)

    def refusal(self, _message: bytes, source: bytes, proof: Proof) -> Optional[Refusal]:
        """Why a message is not believed, or None. One that is believed counts as heard."""
        header = proof.header
        if header is None:
            return Discard.AUTH_TYPE_MISMATCH, f"no authentication header from {text(source)}"
        if not ah.genuine(proof.datagram, self._key, unicast=self._unicast):
            return Discard.AUTH_FAILURE, f"wrong integrity value from {text(source)}: another password?"
        if header.spi != source:
            return Discard.AUTH_FAILURE, f"SPI {text(header.spi)} from {text(source)}, its address expected"
        if not self._sequence.accept(header.sequence):
            last = self._sequence.last
            return (
                Discard.AUTH_FAILURE,
                f"sequence number {header.sequence} from {text(source)}, more than {last} expected",
            )
        return None


class TrailerGuard:
    """``auth_hmac``: a signed trailer behind each advert."""

    def __init__(self, instance: Instance, clock: Clock) -> None:
        self._sequence = ClockSequence()
        self._marks = Marks()
        self._clock = clock
        self.configure(instance)

    def configure(self, instance: Instance) -> None:
        """Work for these settings."""
        settings = instance.auth_hmac or AuthHmac((), 0)
        window_ns = settings.time_window_ns or default_window_ns(instance.advert_int_ns)
        self._window_s = window_ns // _SECOND_NS if settings.anti_replay == "time" else None
        self._keys = {key.id: hmac_trailer.make_key(key.secret) for key in settings.keys}
        self._peers = frozenset(peer.packed for peer in instance.unicast_peers)
        self._enforce = settings.mode == "enforce"
        self.key_id = settings.active_key
        self.signs = settings.mode != "receive-only" and self.key_id in self._keys
        """False: adverts go out without a trailer."""
        self.skew_s = 0
        """How far the clock of the last sender was behind ours; 0 with ``anti_replay monotonic``."""

    def begin(self, message: bytes, source: bytes) -> Keyed:
        """What is the same in all the trailers behind ``message``."""
        return hmac_trailer.begin(self._keys[self.key_id], message, source)

    def sign(self, begun: Keyed) -> bytes:
        """The trailer of the next advert."""
        clock = hmac_trailer.clock_sequence(self._clock())
        return hmac_trailer.sign(begun, self.key_id, self._sequence.next(clock, self._window_s))

    @property
    def late(self) -> str:
        """A warning when the clocks are more than half a window apart, or nothing."""
        window_s = self._window_s
        if window_s is None or abs(self.skew_s) <= window_s // 2:
            return ""
        return f"its clock differs from ours by {-self.skew_s:+d} s; more than {window_s} s is refused"

    def refusal(self, message: bytes, source: bytes, proof: Proof) -> Optional[Refusal]:
        """Why a message is not believed, or None. One that is believed counts as heard.

        The order is keepalived's: what costs little comes first, and a mark moves only for a genuine advert.
        """
        self.skew_s = 0
        who = text(source)
        if not proof.trailer:
            return (Discard.AUTH_EXT_MISSING, f"no auth_hmac trailer from {who}") if self._enforce else None
        if self._peers and source not in self._peers:
            return Discard.UNKNOWN_PEER, f"{who} is not among the unicast peers"
        trailer = hmac_trailer.parse(proof.trailer)
        if not trailer.well_formed:
            return (
                Discard.AUTH_EXT_MALFORMED,
                f"trailer of type {trailer.kind} from {who}, {hmac_trailer.TYPE_SHA256} expected",
            )
        clock_s = self._clock() // _SECOND_NS
        window_s = self._window_s
        if window_s is not None:
            self.skew_s = skew_s(clock_s, trailer.seconds)
            if stale(trailer.seconds, clock_s, window_s):
                return (
                    Discard.AUTH_EXT_STALE,
                    f"trailer from {who} is {self.skew_s} s old by our clock, {window_s} s are accepted",
                )
        key = self._keys.get(trailer.key_id)
        if key is None:
            return Discard.AUTH_EXT_UNKNOWN_KEY, f"key {trailer.key_id} from {who} is not configured here"
        if not hmac_trailer.genuine(key, message, proof.trailer, source):
            return Discard.AUTH_EXT_INVALID_HMAC, f"wrong HMAC from {who}: another key {trailer.key_id}?"
        if not self._marks.accept(source, trailer.sequence, clock_s, window_s):
            return Discard.AUTH_EXT_REPLAY, f"an advert of {who} that was heard before"
        return None


Guard = Union[HeaderGuard, TrailerGuard]


def guard_for(instance: Instance, before: Optional[Guard], clock: Clock = time.time_ns) -> Optional[Guard]:
    """The guard of an instance: the one from ``before`` a reload where it is of the same kind."""
    kind = HeaderGuard if instance.auth_header else TrailerGuard if instance.auth_hmac else None
    if kind is None:
        return None
    if before is not None and isinstance(before, kind):
        before.configure(instance)
        return before
    return kind(instance, clock)


def default_window_ns(advert_int_ns: int) -> int:
    """keepalived: three adverts in whole seconds, at least 5 s and at most 300 s."""
    return min(max(3 * (advert_int_ns // _SECOND_NS), 5), 300) * _SECOND_NS
