# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process that tells others: it takes events from the agent and gives each to scripts, pipes and mail."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Optional

from ..conf.model import Command, Fifo, Notify
from ..loop.alarm import Alarm
from ..loop.channel import Channel
from ..loop.events import CHECKED, INSTANCE, SERVICE, Happening
from ..loop.log import Log
from ..loop.loop import Loop
from ..loop.side import Worker
from .fifo import Pipe
from .letters import Occasions
from .post import Post
from .scripts import Scripts, Turn
from .setup import Goodbye, Repeat, Setup
from .words import PRIORITIES, as_told, line

_MS_NS = 1_000_000
REPORT_NS = 500 * _MS_NS
"""The agent hears of changed numbers so often at most."""
PATIENCE_NS = 1000 * _MS_NS
"""keepalived gives the scripts of a stop one second. Here, what began before gets it too ..."""
LAST_NS = 3000 * _MS_NS
"""... and this is when everything ends that has not ended."""
_TURN_S = 0.01
_PLAIN = Notify()


class Notifier(Worker):
    """Scripts, pipes and mail of one agent."""

    def __init__(self, loop: Loop, channel: Channel, log: Log) -> None:
        self._loop = loop
        self._channel = channel
        self._log = log
        self._setup = Setup()
        self._occasions = Occasions()
        self._scripts = Scripts(loop, log, self._changed)
        self._post: Optional[Post] = None
        self._pipes: Dict[str, Pipe] = {}
        self._report = Alarm(loop, self._send_report)
        self._begun = f"{time.time_ns() // _MS_NS:x}"
        self._events = 0
        self._goodbye = False

    def take(self, value: Any) -> None:
        """A Setup, a Happening, a Repeat or a Goodbye, or a list of them."""
        if isinstance(value, list):
            for one in value:
                self.take(one)
        elif isinstance(value, Happening):
            self._tell(value)
        elif isinstance(value, Setup):
            self._configure(value)
        elif isinstance(value, Repeat):
            for happening in value.happenings:
                self._write(happening)
        elif isinstance(value, Goodbye):
            self._goodbye = True
            self._loop.stop()

    def end(self) -> None:
        """Give what is under way a moment, then leave nothing behind."""
        for pipe in self._pipes.values():
            pipe.leave(remove=self._goodbye)
        begin_ns = self._loop.clock()
        self._turn_until(begin_ns + PATIENCE_NS)
        self._scripts.hurry()
        for reader in self._readers():
            reader.end()
        self._turn_until(begin_ns + LAST_NS)
        self._scripts.kill()
        for reader in self._readers():
            reader.kill()
        self._turn_until(self._loop.clock() + PATIENCE_NS)

    def _turn_until(self, moment_ns: int) -> None:
        while not self._done() and self._loop.clock() < moment_ns:
            self._loop.turn(_TURN_S)

    def _done(self) -> bool:
        post = self._post
        mailed = post is None or post.idle or post.hopeless
        return self._scripts.idle and mailed and not self._readers()

    def _readers(self) -> List[Any]:
        return [pipe.reader for pipe in self._pipes.values() if pipe.reader is not None]

    # Configurations.

    def _configure(self, setup: Setup) -> None:
        before, self._setup = self._setup, setup
        self._scripts.policy = setup.policy
        self._scripts.limit_ns = setup.telling.script_limit_ns
        self._occasions.forget(list(setup.subjects))
        self._set_pipes(setup)
        if self._post is not None:
            self._post.take(setup.telling.mail)
        known = set() if before.policy != setup.policy else set(_commands(before))
        new = [command for command in _commands(setup) if command not in known]

        def look() -> bool:
            if new:
                self._scripts.look_at([new.pop(0)])
            return bool(new)

        self._loop.add_job(look)
        self._changed()

    def _set_pipes(self, setup: Setup) -> None:
        every = (*setup.pipes(INSTANCE), *setup.pipes(SERVICE))
        wanted: Dict[str, Fifo] = {fifo.path: fifo for fifo in every}
        for path in [path for path in self._pipes if path not in wanted]:
            pipe = self._pipes.pop(path)
            pipe.leave(remove=True)
            if pipe.reader is not None:
                pipe.reader.end()
        for path, fifo in wanted.items():
            present = self._pipes.get(path)
            if present is None:
                self._pipes[path] = Pipe(fifo, setup.policy, self._loop, self._log, self._changed)
            else:
                present.take(fifo, setup.policy)

    # Events.

    def _tell(self, happening: Happening) -> None:
        notify = self._setup.subjects.get(happening.subject, _PLAIN)
        told = as_told(happening, notify)
        if told is None or (told.event in PRIORITIES and not notify.priority_changes):
            return
        self._events += 1
        event_id = f"{self._begun}-{self._events}"
        if told.event != CHECKED:
            self._scripts.add(Turn(happening, told, notify, event_id))
            self._write(told)
        if notify.mail and told.event not in PRIORITIES:
            self._mail(told, event_id)

    def _write(self, told: Happening) -> None:
        """Each pipe hears of it once, also one that two words name."""
        for path in dict.fromkeys(fifo.path for fifo in self._setup.pipes(told.kind)):
            self._pipes[path].write(line(told))

    def _mail(self, told: Happening, event_id: str) -> None:
        mail = self._setup.telling.mail
        letter = self._occasions.letter(told, event_id, self._setup.router_id, mail.faults)
        if letter is None:
            return
        if self._post is None:
            self._post = Post(self._loop, self._log, self._changed)
            self._post.take(mail)
        self._post.add(letter)

    # Status.

    def _changed(self) -> None:
        if self._report.deadline is None:
            self._report.set_in(REPORT_NS)

    def _send_report(self) -> None:
        post = self._post
        self._channel.send(
            {
                "events": self._events,
                "scripts": self._scripts.status(),
                "pipes": [pipe.status() for pipe in self._pipes.values()],
                "mail": post.status() if post is not None else None,
            }
        )


def _commands(setup: Setup) -> List[Command]:
    found = [command for notify in setup.subjects.values() for command in notify.commands]
    return list(dict.fromkeys(found))
