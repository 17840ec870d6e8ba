# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Processes beside the one that sends adverts: slow work is done there, and never holds up a packet.

A side is forked from the agent, has a loop of its own, and speaks with the agent over a channel. It
ends when the channel ends, so that it never outlives the agent. One that dies is started again, after
a pause that grows as keepalived's does (0, 1, 2, 4 ... 60 s; 0 again after a minute of life).
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import traceback
from typing import Any, Callable, Iterable, Optional

from ..kernel.process import MOST_DESCRIPTORS, be_ordinary, set_name
from .channel import Channel
from .log import Log
from .loop import Loop

_SECOND_NS = 1_000_000_000
_LONGEST_PAUSE_NS = 60 * _SECOND_NS
_LONG_LIFE_NS = 60 * _SECOND_NS
_REAP_NS = 20_000_000
_RETIREMENT_NS = 10 * _SECOND_NS
"""What a process that is no longer wanted has to finish its work; then it is killed."""


class Worker:
    """What a side does, in its own process. ``make`` gives one; the base class does nothing."""

    def take(self, value: Any) -> None:
        """A value came from the agent."""

    def end(self) -> None:
        """The agent is gone or wants no more: finish what must be finished, then the process ends."""


Maker = Callable[[Loop, Channel, Log], Worker]


class Side:
    """One process beside the agent, as the agent sees it.

    ``hello`` gives the values that a new process needs to know first, at every start; ``on_value`` is
    called with what it sends. Timer of the agent's schedule (restart and reaping).
    """

    slack_ns = 0

    def __init__(
        self,
        name: str,
        make: Maker,
        loop: Loop,
        log: Log,
        hello: Callable[[], Iterable[Any]],
        on_value: Callable[[Any], None],
    ) -> None:
        self.name = name
        self.pid = 0
        self.restarts = 0
        self.queued_ns: Optional[int] = None
        self.deadline: Optional[int] = None
        self._make = make
        self._loop = loop
        self._log = log
        self._hello = hello
        self._on_value = on_value
        self._channel: Optional[Channel] = None
        self._pause_ns = 0
        self._started_ns = 0
        self._wanted = False
        self._leaving: Optional[Channel] = None
        """That of a process that is to end, and has not ended yet."""
        self._give_up_ns: Optional[int] = None
        """When such a process is killed."""
        self._status = 0
        """What the last process ended with, as waitpid gives it."""

    @property
    def running(self) -> bool:
        """True while the process lives, as far as is known, and is to go on."""
        return self._channel is not None

    def start(self, at_once: bool = False) -> None:
        """Fork it, unless it runs. One that retires ends first: the two do not overtake each other.

        ``at_once``: without the pause after a death; for work that is left at the agent's own end.
        """
        self._wanted = True
        if at_once and self._channel is None and self._leaving is None:
            self._unschedule()
            self._reap_until(self._loop.clock())
        if self._channel is None and self.deadline is None:
            self._fork()

    def send(self, value: Any) -> bool:
        """Send a value; False when it was lost because no process could take it."""
        return self._channel is not None and self._channel.send(value)

    def stop(self, patience_ns: int = 5 * _SECOND_NS, hear_out: bool = False) -> bool:
        """End it: it may finish its work for so long, then it is killed. Blocks; for the agent's own end.

        Returns False when the last process has died, or had not finished in time.

        Where one still retires when the next is wanted already, each of them has that time. ``hear_out``: it
        has been told to go, ends by itself, and its last words count.
        """
        if self._wanted and self._give_up_ns is not None:
            self._await_retirement(self._loop.clock() + patience_ns)
        give_up_ns = self._loop.clock() + patience_ns
        self._wanted = False
        self._unschedule()
        while (self._sending or (hear_out and self.running)) and self._loop.clock() < give_up_ns:
            self._loop.turn(0.01)
        finished = not self._sending and not (hear_out and self.running)
        for channel in (self._channel, self._leaving):
            if channel is not None:
                channel.close()
        self._channel = self._leaving = None
        self._unschedule()
        self._reap_until(give_up_ns)
        return finished and self._status == 0

    def retire(self) -> None:
        """It is no longer wanted, and ends when it has read what it was sent. Nobody waits for it.

        ``stop`` does, and so does a new ``start``.
        """
        self._wanted = False
        self._pause_ns = 0
        now = self._loop.clock()
        if self._channel is not None:
            self._leaving, self._channel = self._channel, None
            self._give_up_ns = now + _RETIREMENT_NS
            self._wake_at(self._give_up_ns)
            self._leaving.finish()
        elif self.pid and self._leaving is None:
            self._wake_at(now + _REAP_NS)

    def expire(self, now: int) -> None:
        """Reap a dead process, or start the next one."""
        self.deadline = None
        if self.pid and not self._reaped():
            if self._give_up_ns is not None and now >= self._give_up_ns:
                os.kill(self.pid, signal.SIGKILL)
            self._wake_at(now + _REAP_NS)
            return
        self._give_up_ns = None
        if self._leaving is not None:
            self._leaving.close()
            self._leaving = None
        if self._wanted and self._channel is None:
            if now - self._started_ns < self._pause_ns:
                self._wake_at(self._started_ns + self._pause_ns)
            else:
                self._fork()

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            pid = os.fork()
        except OSError as error:
            ours.close()
            theirs.close()
            self._log.error(f"no process for {self.name}: {error.strerror}; trying again")
            self._pause()
            return
        if pid == 0:
            _live(self.name, self._make, theirs, self._log)
        theirs.close()
        self.pid, self._status = pid, 0
        self._started_ns = self._loop.clock()
        self._channel = Channel(ours, self._loop, self._take, self._lost)
        for value in self._hello():
            self._channel.send(value)

    def _take(self, value: Any) -> None:
        if self._leaving is None:  # the last words of a process that retires are for nobody
            self._on_value(value)

    @property
    def _sending(self) -> bool:
        channel = self._channel or self._leaving
        return channel is not None and channel.waiting

    def _await_retirement(self, give_up_ns: int) -> None:
        """The process that is wanted begins when that one has ended, and has work of its own to do."""
        self._give_up_ns = give_up_ns
        self._wake_at(self._loop.clock() + _REAP_NS)
        while self._give_up_ns is not None and self._loop.clock() < give_up_ns + _SECOND_NS:
            self._loop.turn(0.01)

    def _lost(self) -> None:
        self._channel = self._leaving = None
        now = self._loop.clock()
        if not self._wanted or self._give_up_ns is not None:
            self._wake_at(now + _REAP_NS)
            return
        if now - self._started_ns >= _LONG_LIFE_NS:
            self._pause_ns = 0
        seconds = self._pause_ns // _SECOND_NS
        self._log.error(f"the process {self.name} (pid {self.pid}) has died; started again in {seconds} s")
        self.restarts += 1
        self._pause()

    def _pause(self) -> None:
        now = self._loop.clock()
        if not self.pid:
            self._started_ns = now
        self._wake_at(now + (self._pause_ns or _REAP_NS))
        self._pause_ns = min(max(_SECOND_NS, self._pause_ns * 2), _LONGEST_PAUSE_NS)

    def _wake_at(self, moment_ns: int) -> None:
        self.deadline = moment_ns
        self._loop.schedule.refresh(self)

    def _unschedule(self) -> None:
        self._loop.schedule.forget(self)
        self.deadline = None

    def _reaped(self) -> bool:
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid, 0
        if pid:
            self.pid, self._status = 0, status
        return bool(pid)

    def _reap_until(self, give_up_ns: int) -> None:
        while self.pid and not self._reaped():
            if self._loop.clock() >= give_up_ns:
                os.kill(self.pid, signal.SIGKILL)
                self._status = os.waitpid(self.pid, 0)[1]
                self.pid = 0
                return
            self._loop.turn(0.01)


def _live(name: str, make: Maker, theirs: socket.socket, log: Log) -> None:
    """The child's whole life."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        # A service manager signals every process of the unit; a side ends when the agent lets go of it.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        descriptor = theirs.fileno()
        # The agent's own ends of other channels must be free at once should it die.
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, MOST_DESCRIPTORS)
        gc.enable()
        be_ordinary()
        set_name(f"vrrp-{name}")
        _work(make, theirs, log)
        status = 0
    except BaseException:  # nothing may return into the agent's code
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(status)


def _work(make: Maker, theirs: socket.socket, log: Log) -> None:
    loop = Loop()
    worker: Optional[Worker] = None

    def take(value: Any) -> None:
        if worker is not None:
            worker.take(value)

    agent_gone = False

    def leave() -> None:
        nonlocal agent_gone
        agent_gone = True
        loop.stop()

    channel = Channel(theirs, loop, take, leave)
    worker = make(loop, channel, log)
    if not agent_gone:  # the end is told once, and may have been while the worker was made
        loop.run()
    worker.end()
