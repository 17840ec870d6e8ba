# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Is this advert new? Sequence numbers that are sent and heard. Pure: clocks are asked by the caller.

The authentication header (keepalived ``auth_type AH``) has one counter for the whole group: whoever speaks
counts on from the highest number heard.  auth_hmac (keepalived 2.4) has a counter for each sender that
follows its wall clock, so that nothing need be kept over a restart.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Optional

MOST_SENDERS = 16
"""Senders that are remembered where no list of peers names them. A group has one that speaks, for a moment
a few more; who is not remembered is only held to the time window."""

_WORD, _HALF = 1 << 64, 1 << 63
_SECONDS, _HALF_SECONDS = 1 << 32, 1 << 31


class GroupSequence:
    """The counter of an authentication header: 32 bits, shared by all the routers of a group."""

    def __init__(self, floor: int, most: int) -> None:
        """``floor``: the first number sent is no lower. keepalived begins with 1 after each start, and its
        peers do not believe it before it has heard them; with the seconds of the clock they do."""
        self.last = 0
        """The highest number sent or heard."""
        self._floor = min(floor, most)
        self._most = most

    def next(self) -> int:
        """The number of the next advert. After the last one it begins anew, and so do the others in turn:
        they hear nothing new, become active and begin anew themselves."""
        if self.last >= self._most:
            self.last = 0
        self.last = max(self.last + 1, self._floor)
        self._floor = 0
        return self.last

    def accept(self, sequence: int) -> bool:
        """True when ``sequence``, from a genuine advert, is new; it counts as heard then."""
        if sequence <= self.last:
            return False
        self.last = sequence
        return True


class ClockSequence:
    """The numbers that one sender gives its auth_hmac trailers."""

    def __init__(self) -> None:
        self.last = 0

    def next(self, clock: int, window_s: Optional[int]) -> int:
        """The number of the next advert: that of the ``clock`` (``hmac_trailer.clock_sequence``), or one more
        than the last when the clock stands or went back. ``window_s`` is None for ``anti_replay monotonic``;
        otherwise a clock that went back further than receivers would accept is followed at once.
        """
        stranded = window_s is not None and skew_s(self.last >> 32, clock >> 32) > window_s
        if stranded or after(clock, self.last):
            self.last = clock
        else:
            self.last = (self.last + 1) % _WORD
        return self.last


class Marks:
    """The highest number heard of each sender of auth_hmac trailers."""

    def __init__(self) -> None:
        self._last: OrderedDict[bytes, int] = OrderedDict()

    def accept(self, source: bytes, sequence: int, clock_s: int, window_s: Optional[int]) -> bool:
        """True when ``sequence``, from a genuine and fresh advert, is new; it counts as heard then.

        With a window, a mark outside of it says nothing any more: a sender whose clock was put back is
        believed again after the window.
        """
        last = self._last.get(source)
        if last is not None and window_s is not None and stale(last >> 32, clock_s, window_s):
            last = None
        if last is not None and not after(sequence, last):
            return False
        self._last[source] = sequence
        self._last.move_to_end(source)
        if len(self._last) > MOST_SENDERS:
            self._last.popitem(last=False)
        return True


def after(one: int, other: int) -> bool:
    """Serial number arithmetic (RFC 1982) over 64 bits: ``one`` comes later, past the wrap too."""
    return 0 < (one - other) % _WORD < _HALF


def skew_s(one_s: int, other_s: int) -> int:
    """``one_s`` less ``other_s``, both in seconds modulo 2^32."""
    difference = (one_s - other_s) % _SECONDS
    return difference if difference < _HALF_SECONDS else difference - _SECONDS


def stale(made_s: int, clock_s: int, window_s: int) -> bool:
    """True when what was made at ``made_s`` is older than the window, or further in the future."""
    return abs(skew_s(clock_s, made_s)) > window_s
