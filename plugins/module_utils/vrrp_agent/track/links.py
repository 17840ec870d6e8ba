# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Polls the links of interfaces whose drivers do not report them (keepalived linkbeat_interfaces)."""

from __future__ import annotations

from typing import Callable, Dict, Iterable

from ..conf.model import Linkbeat
from ..kernel.linkbeat import ETHTOOL, IOCTL, MII, LinkProbe
from ..loop.alarm import Alarm
from ..loop.log import Log
from ..loop.loop import Loop
from .messages import LINK, Reading

_POLL_NS = 1_000_000_000
"""keepalived asks once a second."""
_ORDER = {"": (MII, ETHTOOL), MII: (MII,), ETHTOOL: (ETHTOOL, MII), IOCTL: ()}
"""By what the file says: which ways are tried; the flags are asked in any case."""


class LinkPoller:
    """Asks for all the links. ``say`` is called with a Reading for each, at first and when it is new."""

    def __init__(self, loop: Loop, log: Log, say: Callable[[Reading], None]) -> None:
        self._log, self._say = log, say
        self._probe = LinkProbe()
        self._wanted: Dict[str, Linkbeat] = {}
        self._methods: Dict[str, str] = {}
        self._up: Dict[str, bool] = {}
        self._alarm = Alarm(loop, self._poll)

    def use(self, wanted: Iterable[Linkbeat]) -> None:
        """Ask for these from now on."""
        new = {one.interface: one for one in wanted}
        for name in list(self._up):
            if new.get(name) != self._wanted.get(name):
                self._up.pop(name)
                self._methods.pop(name, None)
        self._wanted = new
        self._poll()

    def _poll(self) -> None:
        for name, one in self._wanted.items():
            up = self._ask(one)
            if self._up.get(name) != up:
                self._up[name] = up
                method = self._methods.get(name, IOCTL)
                self._say(Reading(LINK, name, up, 0, f"{'up' if up else 'down'} by {method}"))
        if self._wanted:
            self._alarm.set_in(_POLL_NS)
        else:
            self._alarm.cancel()

    def _ask(self, one: Linkbeat) -> bool:
        name = one.interface
        method = self._methods.get(name)
        up = None
        if method is None:
            for method in _ORDER[one.method]:
                up = self._probe.ask(name, method)
                if up is not None:
                    break
            else:
                method = IOCTL
            self._methods[name] = method
            if one.method and one.method != method:
                self._log.warning(f"interface {name}: its driver has no {one.method}; {method} is used")
        elif method != IOCTL:
            up = self._probe.ask(name, method)
        # keepalived: a card that no longer answers counts as down until it does
        return up is not False and (up is True or method == IOCTL) and bool(self._probe.flags(name))
