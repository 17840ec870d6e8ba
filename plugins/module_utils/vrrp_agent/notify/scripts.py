# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Scripts in strict order: for one instance or group, the next one begins when the one before has ended.

Different instances do not wait for each other. A script that takes too long is ended, so that a queue goes
on; a queue that grows too long loses its oldest event, and says so.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional

from ..conf.model import Command, Notify, ScriptPolicy
from ..kernel.errors import KernelError
from ..kernel.executable import examine
from ..kernel.program import Ended, start
from ..loop import events
from ..loop.events import Happening
from ..loop.log import WARNING, Log
from ..loop.loop import Loop
from ..loop.running import Running
from .setup import Subject
from .words import Call, calls, environment

MOST_WAITING = 100
"""Events of one instance or group that may wait for their scripts."""
_LIMIT_WINDOW_NS = 10_000_000_000
_BURST = 5


class Turn(NamedTuple):
    """One event whose scripts are to run."""

    happening: Happening
    told: Happening
    notify: Notify
    event_id: str

    @property
    def last(self) -> bool:
        """True for the event of a stop: it is not given up for the sake of a quick end."""
        details = self.told.details
        return self.told.event == events.STOP or (details is not None and details.stopping)


class _Queue:
    """The events of one instance, group or server."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.waiting: Deque[Turn] = deque()
        self.turn: Optional[Turn] = None
        self.calls: List[Call] = []
        """What is left of the present turn."""
        self.running: Optional[Running] = None


class Scripts:
    """All queues. ``on_change`` is called when a number of ``status`` has changed."""

    def __init__(self, loop: Loop, log: Log, on_change: Callable[[], None]) -> None:
        self.policy = ScriptPolicy()
        self.limit_ns = 0
        self.done = self.failed = self.timed_out = self.lost = 0
        self._loop = loop
        self._log = log
        self._on_change = on_change
        self._queues: Dict[Subject, _Queue] = {}
        self._given_up = False

    def add(self, turn: Turn) -> None:
        """Run the scripts of an event, after those of the events before it."""
        if not calls(turn.happening, turn.told, turn.notify):
            return
        subject = turn.told.subject
        queue = self._queues.get(subject)
        if queue is None:
            queue = self._queues[subject] = _Queue(subject)
        if len(queue.waiting) >= MOST_WAITING:
            self._lose(queue, queue.waiting.popleft(), f"{MOST_WAITING} events wait already")
        queue.waiting.append(turn)
        if queue.turn is None:
            self._next(queue)
        self._on_change()

    def look_at(self, commands: List[Command]) -> None:
        """Say now what would keep a script from running at the moment it is needed."""
        for command in dict.fromkeys(commands):
            try:
                found = examine(command, self.policy)
            except KernelError as error:
                self._log.error(f"the script {command.argv[0]} will not run: {_with_hint(error)}")
            else:
                for line in found.warnings:
                    self._log.warning(line)

    @property
    def idle(self) -> bool:
        """True when nothing runs and nothing waits."""
        return not self._queues

    def hurry(self) -> None:
        """The agent ends: only the scripts of the stop still begin, and what runs is told to end."""
        for queue in list(self._queues.values()):
            late = [turn for turn in queue.waiting if not turn.last]
            for turn in late:
                self._lose(queue, turn, "the agent ends")
            queue.waiting = deque(turn for turn in queue.waiting if turn.last)
            if queue.running is not None and queue.turn is not None and not queue.turn.last:
                queue.calls.clear()
                queue.running.end()

    def kill(self) -> None:
        """No more time: everything ends now."""
        self._given_up = True
        for queue in list(self._queues.values()):
            for turn in queue.waiting:
                self._lose(queue, turn, "the agent ends")
            queue.waiting.clear()
            queue.calls.clear()
            if queue.running is not None:
                queue.running.kill()

    def status(self) -> Dict[str, Any]:
        """Numbers for ``status``."""
        return {
            "running": sum(1 for queue in self._queues.values() if queue.running is not None),
            "waiting": sum(len(queue.waiting) for queue in self._queues.values()),
            "done": self.done,
            "failed": self.failed,
            "timed_out": self.timed_out,
            "lost": self.lost,
        }

    def _next(self, queue: _Queue) -> None:
        """Start what comes next; a script that cannot be started does not stop those after it."""
        while queue.running is None:
            if queue.turn is not None and queue.calls:
                self._start(queue, queue.turn, queue.calls.pop(0))
            elif queue.waiting:
                turn = queue.turn = queue.waiting.popleft()
                queue.calls = calls(turn.happening, turn.told, turn.notify)
            else:
                self._queues.pop(queue.subject, None)
                return

    def _start(self, queue: _Queue, turn: Turn, call: Call) -> None:
        command = Command((*call.command.argv, *call.arguments), call.command.user, call.command.group)
        try:
            found = examine(command, self.policy)
            program = start(
                found.path,
                found.argv,
                found.identity,
                environment=environment(turn.told, turn.event_id),
                umask=self.policy.umask,
            )
        except KernelError as error:
            self.failed += 1
            self._complain(queue, f"{call.word}: {_with_hint(error)}")
            return

        def over(ended: Ended, told_to_end: bool) -> None:
            self._ended(queue, call, ended, told_to_end)

        queue.running = Running(program, self._loop, self.limit_ns, over)

    def _ended(self, queue: _Queue, call: Call, ended: Ended, told_to_end: bool) -> None:
        queue.running = None
        if told_to_end and not self._given_up:
            self.timed_out += 1
            self._complain(queue, f"{call.word} {call.command.argv[0]} took too long and was ended")
        elif ended.good:
            self.done += 1
        else:
            self.failed += 1
            self._complain(queue, f"{call.word} {call.command.argv[0]}: {ended}")
        self._next(queue)
        self._on_change()

    def _lose(self, queue: _Queue, turn: Turn, why: str) -> None:
        self.lost += 1
        self._complain(queue, f"scripts of the event {turn.told.event} are not run: {why}", "lost")

    def _complain(self, queue: _Queue, text: str, reason: str = "script") -> None:
        kind, name, _family = queue.subject
        now = self._loop.clock()
        self._log.limited(WARNING, f"{kind} {name}", reason, f"{name}: {text}", now, _LIMIT_WINDOW_NS, _BURST)


def _with_hint(error: KernelError) -> str:
    return f"{error}; {error.hint}" if error.hint else str(error)
