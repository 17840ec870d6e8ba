# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the agent is told for ``status``: whole rows of what has changed, a few at a time, never in a hurry.

The agent sends adverts and unpickles what it is sent between two of them, so that no message is large, and
the more there is to report the longer is the pause after it.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Set

from ..loop.alarm import Alarm
from ..loop.channel import Channel
from ..loop.loop import Loop
from .keeper import TableKeeper
from .messages import Counts, Report
from .rows import Amounts, amounts_of
from .services import Key, Services

_SECOND_NS = 1_000_000_000
_FIRST_NS = 50_000_000
"""News that come together are reported together."""
_SHORT_PAUSE_NS = 200_000_000
_LONG_PAUSE_NS = 2 * _SECOND_NS
"""Between two reports: of one service, and of many."""
_PIECE_NS = 20_000_000
_MOST_SERVERS = 256
"""Rows of so many servers go with one message."""
_LEAST_COUNTING_NS = _SECOND_NS
_COUNTING_SHARE = 50
"""Counting may take 2 % of one core at most."""

Make = Callable[[List[Key]], Report]


class Reporter:
    """Sends Report and Counts. ``make`` gives the report of some services."""

    def __init__(self, loop: Loop, channel: Channel, services: Services, make: Make) -> None:
        self._loop, self._channel, self._services, self._make = loop, channel, services, make
        self._alarm = Alarm(loop, self._send_some)
        self._next_ns = 0
        self._waiting: List[Key] = []

    def news(self) -> None:
        """Something has changed."""
        if self._alarm.deadline is None:
            self._alarm.set_at(max(self._loop.clock() + _FIRST_NS, self._next_ns))

    def finish(self) -> None:
        """Send all that is not sent yet, at once."""
        self._alarm.cancel()
        self._gather()
        self._channel.send(self._make(self._waiting))
        self._waiting = []

    def _send_some(self) -> None:
        if not self._waiting:
            self._gather()
        piece, servers = [], 0
        decisions = self._services.decisions
        while self._waiting and servers < _MOST_SERVERS:
            key = self._waiting.pop(0)
            if key in decisions:
                piece.append(key)
                servers += 1 + len(decisions[key].servers)
        self._channel.send(self._make(piece))
        now = self._loop.clock()
        share = min(servers / _MOST_SERVERS, 1)
        self._next_ns = now + max(_SHORT_PAUSE_NS, int(_LONG_PAUSE_NS * share))
        if self._waiting:
            self._alarm.set_at(now + _PIECE_NS)
        elif self._services.changed:
            self._alarm.set_at(self._next_ns)

    def _gather(self) -> None:
        self._waiting += [key for key in self._services.changed if key not in self._waiting]
        self._services.changed.clear()


class Counting:
    """Reads counters now and then, and sends those that have changed."""

    def __init__(self, loop: Loop, channel: Channel, services: Services) -> None:
        self._loop, self._channel, self._services = loop, channel, services
        self._alarm = Alarm(loop, self._send_some)
        self._told: Dict[Key, Amounts] = {}
        self._waiting: Dict[Key, Amounts] = {}

    def count(self, keeper: TableKeeper) -> int:
        """Read all counters. Returns what it took, in nanoseconds. Raises KernelError."""
        began = self._loop.clock()
        counted = keeper.backend.counters()
        present: Set[Key] = set()
        for key, decision in self._services.decisions.items():
            amounts = amounts_of(decision, self._services.keys[key], counted)
            if amounts is not None:
                present.add(key)
                if self._told.get(key) != amounts:
                    self._waiting[key] = amounts
        for gone in [key for key in self._told if key not in present]:
            del self._told[gone]
        if self._waiting and self._alarm.deadline is None:
            self._send_some()
        return self._loop.clock() - began

    def _send_some(self) -> None:
        piece: Dict[Key, Any] = {}
        servers = 0
        while self._waiting and servers < _MOST_SERVERS:
            key = next(iter(self._waiting))
            piece[key] = self._told[key] = self._waiting.pop(key)
            servers += 1 + len(piece[key][1])
        self._channel.send(Counts(piece))
        if self._waiting:
            self._alarm.set_in(_PIECE_NS)


def counting_pause_ns(age_ns: int, took_ns: int) -> int:
    """When to count again: counters that are ``age_ns`` old are young enough, and counting costs little."""
    return max(age_ns, _LEAST_COUNTING_NS, took_ns * _COUNTING_SHARE)
