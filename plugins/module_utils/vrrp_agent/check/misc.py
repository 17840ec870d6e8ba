# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MISC_CHECK: a program that ends with 0, or with misc_dynamic says the weight of the server."""

from __future__ import annotations

from typing import Optional, Set

from ..conf.parts.checks import Check, MiscCheck
from ..kernel.accounts import UnknownAccount
from ..kernel.errors import KernelError
from ..kernel.executable import Executable, ProgramRefused, examine, look_again
from ..kernel.program import Ended, start
from ..loop.log import WARNING
from ..loop.loop import Loop
from ..loop.running import KILL_AFTER_NS, Running
from .probe import Context, Done, Outcome, not_asked

_SPARE_NS = 15_000_000_000
_LEAST_WEIGHT_CODE, _WEIGHT_OFFSET = 2, 2
_REFUSED_NS = 60_000_000_000
"""So often it is said that a program may not be ended."""
_END_S = 1.0
"""keepalived: at the end programs have so long to end before they are killed."""
_alive: Set[Running] = set()
"""Every program of this process that has not ended."""


def judge(check: MiscCheck, ended: Ended, told: bool, limit_ns: int) -> Outcome:
    """What the end of the program says. ``told``: it was told to end, because its time was up."""
    if told:
        return Outcome(False, f"timed out after {limit_ns / 1e9:g} s")
    code = ended.code
    if check.dynamic and code is not None and code >= _LEAST_WEIGHT_CODE:
        weight = code - _WEIGHT_OFFSET
        return Outcome(True, f"{ended}: weight {weight}", weight=weight)
    return Outcome(ended.good, str(ended))


def let_none_outlive(loop: Loop) -> None:
    """At the end of this process: tell all programs to end, wait for a second, kill what is left."""
    for running in tuple(_alive):
        running.end()
    give_up_ns = loop.clock() + int(_END_S * 1e9)
    while _alive and loop.clock() < give_up_ns:
        loop.turn(0.02)
    for running in _alive:
        running.kill()


class MiscProbe:
    """The runs of one program. It is told to end at misc_timeout, and killed 2 s later, as in keepalived."""

    def __init__(self, check: Check, context: Context, done: Done) -> None:
        self._done = done
        self.renew(check, context)
        self._running: Optional[Running] = None
        """The run of this try."""
        self._alive: Optional[Running] = None
        """The same, or one that was given up and has not ended yet."""
        self._refused = ""
        """Why that one cannot be ended, when it should have."""

    def renew(self, check: Check, context: Context) -> None:
        """The same program, with other timing or policy: a run that was given up may still be on its way."""
        if not isinstance(check, MiscCheck):
            raise TypeError(f"{check.kind} is no MISC_CHECK")
        self._check, self._context = check, context
        self._run_ns = check.timeout_ns or check.timing.delay_loop_ns
        self.limit_ns = self._run_ns + KILL_AFTER_NS + _SPARE_NS
        self._executable: Optional[Executable] = None

    def start(self) -> None:
        """Run it, unless the run before has still not ended: no two runs of one check at a time.

        One that was told to end is given time for it. One that cannot be ended never says that the server
        is good.
        """
        if self._alive is not None:
            if self._refused:
                self._done(Outcome(False, f"the run before cannot be ended: {self._refused}"))
            elif self._alive.undying:
                self._done(Outcome(False, "the run before does not end, though it was killed"))
            else:
                self._done(not_asked("the run before has not ended yet"))
            return
        try:
            executable = self._executable or self._examined()
        except (ProgramRefused, UnknownAccount) as error:
            # keepalived too goes on without a check whose program is missing or not safe
            self._done(not_asked(f"{error}; {error.hint}"))
            return
        policy = self._context.policy
        try:
            look_again(executable, policy)
            program = start(executable.path, executable.argv, executable.identity, umask=policy.umask)
        except KernelError as error:
            self._done(Outcome(False, str(error)))
            return
        loop = self._context.loop
        self._running = self._alive = Running(program, loop, self._run_ns, self._ended, self._cannot_end)
        _alive.add(self._running)

    def stop(self) -> None:
        """Tell it to end; it is killed when it does not."""
        running, self._running = self._running, None
        if running is not None:
            running.end()

    def _examined(self) -> Executable:
        found = examine(self._check.command, self._context.policy)
        for warning in found.warnings:
            self._context.log.warning(f"MISC_CHECK: {warning}")
        self._executable = found
        return found

    def _cannot_end(self, why: str) -> None:
        """A program of another user, and this process has no CAP_KILL: its time is up all the same."""
        self._refused = why
        argv = self._check.command.argv
        text = f"MISC_CHECK: {argv[0]} cannot be ended: {why}; give the agent CAP_KILL"
        log, now = self._context.log, self._context.loop.clock()
        log.limited(WARNING, f"MISC_CHECK {argv}", "refused", text, now, _REFUSED_NS)
        running, self._running = self._running, None
        if running is not None:
            self._done(
                Outcome(False, f"timed out after {self._run_ns / 1e9:g} s, and cannot be ended: {why}")
            )

    def _ended(self, ended: Ended, told: bool) -> None:
        if self._alive is not None:
            _alive.discard(self._alive)
            self._alive, self._refused = None, ""
        running, self._running = self._running, None
        if running is not None:
            self._done(judge(self._check, ended, told, self._run_ns))
