# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's side of telling others: events go to a process that runs scripts, fills pipes and sends mail.

Without a word about them in the configuration there is no such process.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any, Deque, Dict, Iterable, Iterator, Optional, Set

from ...conf.model import Config, Notify
from ...loop import events
from ...loop.alarm import Alarm
from ...loop.events import GROUP, INSTANCE, Happening
from ...loop.log import WARNING, Log
from ...loop.loop import Loop
from ...loop.side import Side
from ...notify.setup import SERVICES, Goodbye, Repeat, Setup, Subject, setup_of
from ..groups import LiveGroup
from ..hands import LIMIT_WINDOW_NS
from ..live import WORDS, Live

NAME = "notify"
MOST_WAITING = 10_000
"""Events that wait while a process that has died is started again."""
AT_ONCE = 50
"""Events that are sent in one go, between adverts."""
PATIENCE_NS = 5_000_000_000
"""At the agent's end. The process itself ends after 4 s (notify/worker.py), with all that it has started."""
PARTING_NS = 30_000_000_000
"""The process that balances has told by then what a reload has taken away."""
_NOTHING_YET: Dict[str, Any] = {"events": 0, "scripts": {}, "pipes": [], "mail": None}
STATES = frozenset((events.MASTER, events.BACKUP, events.FAULT, events.STOP, events.DELETED))


class Teller:
    """Starts the process when somebody is to be told, and feeds it."""

    def __init__(self, loop: Loop, log: Log) -> None:
        self._loop = loop
        self._log = log
        self._setup = Setup()
        """What the process works with."""
        self._own = Setup()
        """What the configuration says."""
        self._parting: Dict[Subject, Notify] = {}
        """Virtual and real servers that a reload has removed: they are told of by their own words, soon."""
        self._parted = Alarm(loop, self._forget_parted)
        self._side: Optional[Side] = None
        self._retired: Optional[Side] = None
        """One that was sent home by a reload: the next one begins when it has ended, with all that waits."""
        self._waiting: Deque[Any] = deque()
        """What is not sent yet."""
        self._flushing = False
        """A job of the loop will send it."""
        self._lost = 0
        self._told: Set[Subject] = set()
        """Whose state was told since the last ``apply``."""
        self._report = dict(_NOTHING_YET)

    def apply(self, config: Config) -> None:
        """A start or a reload: everything that is told from now on is told by the new words."""
        self._told.clear()
        before, self._own = self._own, setup_of(config)
        wanted = self._own.subjects
        self._parting.update(before.subjects)
        self._parting = {
            subject: notify
            for subject, notify in self._parting.items()
            if subject[0] in SERVICES and subject not in wanted
        }
        if self._parting:
            self._parted.set_in(PARTING_NS)
        self._use(replace(self._own, subjects={**self._parting, **wanted}))

    def _forget_parted(self) -> None:
        self._parting = {}
        self._use(self._own)

    def _use(self, setup: Setup) -> None:
        if setup == self._setup:
            return
        self._setup = setup
        if not setup.wanted:
            self._dismiss()
        elif self._side is not None:
            self._post(setup)
        else:
            side = self._retired or Side(NAME, _make, self._loop, self._log, self._hello, self._heard)
            self._side, self._retired = side, None
            side.start()

    def tell(self, happening: Happening) -> None:
        """Something has happened. Costs nothing when nobody wants to know."""
        if self._side is None:
            return
        details = happening.details
        if details is not None and details.quiet:
            return
        if happening.event in STATES:
            self._told.add(happening.subject)
        if self._setup.concerns(happening):
            self._post(happening)

    def repeat(self, states: Iterable[Happening]) -> None:
        """After a reload: states that were not told of go to the pipes (fifo_write_vrrp_states_on_reload)."""
        if self._side is None or not self._setup.telling.repeat_on_reload or not self._setup.pipes(INSTANCE):
            return
        quiet = tuple(one for one in states if one.subject not in self._told)
        if quiet:
            self._post(Repeat(quiet))

    def stop(self, patience_ns: int = PATIENCE_NS) -> None:
        """The agent ends, its addresses are given away: wait for the last scripts and mails, but not long."""
        self._parted.cancel()
        if self._side is not None:
            self._post(Goodbye())
            self._flush()
            self._side.stop(patience_ns)
        elif self._retired is not None:
            self._retired.stop(patience_ns)
        self._side = self._retired = None

    def status(self) -> Optional[Dict[str, Any]]:
        """For ``status``; None without a process."""
        side = self._side
        if side is None:
            return None
        own = {"pid": side.pid, "restarts": side.restarts, "lost_events": self._lost}
        return {**own, **self._report}

    def _dismiss(self) -> None:
        """Nobody wants to know any more: the process finishes its work, and the agent goes on meanwhile."""
        if self._side is None:
            return
        self._post(Goodbye())
        self._flush()
        self._side.retire()
        self._side, self._retired = None, self._side
        self._report = dict(_NOTHING_YET)
        untold = sum(isinstance(one, Happening) for one in self._waiting)
        if untold:
            self._lose(untold)  # there was no process between two reloads
        self._waiting.clear()

    def _heard(self, report: Dict[str, Any]) -> None:
        if self._side is not None:
            self._report.update(report)

    def _hello(self) -> Iterator[Any]:
        yield self._setup
        yield from self._waiting
        self._waiting.clear()

    def _post(self, value: Any) -> None:
        """Send it when no advert is due: a takeover of many instances is not held up by its news."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self._lose(1)
        self._waiting.append(value)
        if not self._flushing:
            self._flushing = True
            self._loop.add_job(self._send_some)

    def _send_some(self) -> bool:
        side = self._side
        if side is None or not self._running():
            self._flushing = False  # a new process gets all that waits
            return False
        some = [self._waiting.popleft() for turn in range(min(AT_ONCE, len(self._waiting)))]
        if some and not side.send(some):
            if self._running():
                self._lose(len(some))  # it does not read
            else:
                self._waiting.extendleft(reversed(some))
        self._flushing = bool(self._waiting) and self._running()
        return self._flushing

    def _flush(self) -> None:
        while self._waiting and self._running():
            self._send_some()

    def _running(self) -> bool:
        return self._side is not None and self._side.running

    def _lose(self, number: int) -> None:
        self._lost += number
        now = self._loop.clock()
        line = f"the process {NAME} does not take events: some are lost"
        self._log.limited(WARNING, NAME, "lost", line, now, LIMIT_WINDOW_NS)


def states(groups: Iterable[LiveGroup], lives: Iterable[Live]) -> Iterator[Happening]:
    """The present states: groups first, as keepalived repeats them."""
    for group in groups:
        yield Happening(GROUP, group.sync.name, WORDS[group.sync.state], 0)
    for live in lives:
        router = live.router
        yield Happening(INSTANCE, live.instance.name, WORDS[router.state], router.effective_priority)


def _make(loop: Loop, channel: Any, log: Log) -> Any:
    """In the process itself: only there is the worker's code needed."""
    from ...notify.worker import Notifier

    return Notifier(loop, channel, log)
