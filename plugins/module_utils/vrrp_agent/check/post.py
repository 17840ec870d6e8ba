# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the process that checks sends to the agent, in portions that hold up no advert.

A switch that dies takes hundreds of servers with it in the same instant. The agent hands each result on,
so it gets a few at a time; the first ones at once.
"""

from __future__ import annotations

from typing import Container, Dict, List, Mapping

from ..loop.alarm import Alarm
from ..loop.channel import Channel
from ..loop.loop import Loop
from ..loop.results import CheckKey, CheckResult, CheckRun
from .runner import Runner

_MILLISECOND_NS = 1_000_000
RESULTS = 10
"""So many results at once, then a pause of so long:"""
PAUSE_NS = 5 * _MILLISECOND_NS
RUNS = 25
"""So many runs at once."""
ROUND_NS = 5000 * _MILLISECOND_NS
"""The agent hears how each check went as often, and only of those that were made since."""
FIRST_NS = 1000 * _MILLISECOND_NS


class Post:
    """Sends results soon, and runs now and then."""

    def __init__(self, loop: Loop, channel: Channel) -> None:
        self._loop, self._channel = loop, channel
        self._waiting: Dict[CheckKey, CheckResult] = {}
        self._runners: Mapping[CheckKey, Runner] = {}
        self._turn: List[Runner] = []
        self._told: Dict[CheckKey, int] = {}
        self._next_round_ns = self._portion_ns = 0
        self._pause = Alarm(loop, self._send_results)
        self._summary = Alarm(loop, self._send_runs)

    def use(self, runners: Mapping[CheckKey, Runner], wanted: Container[CheckKey]) -> None:
        """Tell how these go. What is still to be said of checks that nobody wants is not said."""
        self._runners = runners
        self._turn, self._told = [], {}
        self._waiting = {key: result for key, result in self._waiting.items() if key in wanted}
        if runners:
            self._summary.set_in(FIRST_NS)
        else:
            self._summary.cancel()

    def add(self, result: CheckResult) -> None:
        """Send this as soon as it can be read."""
        self._waiting.pop(result.key, None)
        self._waiting[result.key] = result
        if self._pause.deadline is None:
            self._send_results()

    def _send_results(self) -> None:
        now = list(self._waiting)[:RESULTS]
        if now:
            self._channel.send([self._waiting.pop(key) for key in now])
            self._pause.set_in(PAUSE_NS)

    def _send_runs(self) -> None:
        now = self._loop.clock()
        if not self._turn:
            told = self._told
            self._turn = [one for one in self._runners.values() if told.get(one.order.key) != one.runs]
            portions = max(1, -(-len(self._turn) // RUNS))
            self._next_round_ns, self._portion_ns = now + ROUND_NS, ROUND_NS // portions
        news: List[CheckRun] = []
        while self._turn and len(news) < RUNS:
            run = self._turn.pop().run()
            self._told[run.key] = run.runs
            news.append(run)
        if news:
            self._channel.send(news)
        self._summary.set_at(now + self._portion_ns if self._turn else self._next_round_ns)
