# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Interfaces whose links flap: a change counts when it has lasted (keepalived interface_up_down_delays)."""

from __future__ import annotations

from functools import partial
from typing import AbstractSet, Callable, Dict, Sequence, Set

from ...conf.model import LinkDelay
from ...loop.alarm import Alarm
from ...loop.log import Log
from ...loop.loop import Loop
from .interfaces import Interfaces

_SECOND_NS = 1_000_000_000


class _Held:
    """One interface: what it is taken for, and until when."""

    def __init__(self, delay: LinkDelay, alarm: Alarm) -> None:
        self.delay = delay
        self.alarm = alarm
        self.seen_up = False
        """keepalived: the first time it comes up is not held back."""


class Damper:
    """Decides which interfaces count as up. ``on_change`` is called when a delay is over."""

    def __init__(
        self, loop: Loop, log: Log, interfaces: Interfaces, on_change: Callable[[AbstractSet[str]], None]
    ) -> None:
        self._loop, self._log, self._interfaces = loop, log, interfaces
        self._on_change = on_change
        self._held: Dict[str, _Held] = {}

    def use(self, delays: Sequence[LinkDelay]) -> None:
        """These interfaces are held back from now on; a change that is waited out goes on as it is."""
        wanted = {delay.interface: delay for delay in delays}
        for name in set(self._held) - set(wanted):
            self._held.pop(name).alarm.cancel()
            self._interfaces.taken_for.pop(name, None)
        for name, delay in wanted.items():
            held = self._held.get(name)
            if held is None:
                self._held[name] = _Held(delay, Alarm(self._loop, partial(self._over, name)))
                self._be(name)
            else:
                held.delay = delay

    def look(self, names: AbstractSet[str]) -> None:
        """These interfaces have changed; those that are held back are still what they were taken for."""
        for name in names & set(self._held):
            self._look(name)

    def _look(self, name: str) -> None:
        held = self._held[name]
        up = self._interfaces.up_now(name)
        if self._interfaces.get(name) is None:
            held.alarm.cancel()
            self._be(name)  # keepalived: what is gone is down at once
            return
        if up == self._interfaces.up(name):
            if held.alarm.deadline is not None:
                held.alarm.cancel()
                self._log.info(f"interface {name} is {_word(up)} again: nothing has changed")
            return
        delay_ns = held.delay.up_ns if up else held.delay.down_ns
        if not held.seen_up or not delay_ns:
            held.alarm.cancel()
            self._be(name)
        elif held.alarm.deadline is None:
            held.alarm.set_in(delay_ns)
            seconds = delay_ns / _SECOND_NS
            self._log.info(f"interface {name} is {_word(up)}: it counts if it lasts {seconds:g} s")

    def _be(self, name: str) -> None:
        up = self._interfaces.up_now(name)
        self._interfaces.taken_for[name] = up
        self._held[name].seen_up |= up

    def _over(self, name: str) -> None:
        changed: Set[str] = {name}
        self._be(name)
        self._on_change(changed)


def _word(up: bool) -> str:
    return "up" if up else "down"
