# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of MISC_CHECK that cannot be ended. Each test runs a real one, on a clock that the story moves."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path
from typing import Callable, Iterator, List

import pytest
from vrrp_agent.check.misc import MiscProbe, let_none_outlive
from vrrp_agent.check.probe import Context, Outcome
from vrrp_agent.conf.parts.checks import MiscCheck, Timing, TlsFiles
from vrrp_agent.conf.parts.tracking import Account, Command, ScriptPolicy
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop

SECOND = 1_000_000_000
PATIENCE_S = 20
SLEEPS = Command(("/bin/sleep", "1000"))


class Scene:
    """One check whose program sleeps, and what it has said."""

    def __init__(self, log: Path) -> None:
        self.ahead_ns = 0
        self.loop = Loop(lambda: time.monotonic_ns() + self.ahead_ns)
        self.said: List[Outcome] = []
        self._log = open(log, "w+", encoding="utf-8")  # noqa: SIM115
        policy = ScriptPolicy(account=Account(str(os.geteuid())))
        context = Context(self.loop, Log(descriptor=self._log.fileno()), policy, TlsFiles())
        check = MiscCheck(Timing(), SLEEPS, 3 * SECOND)
        self.probe = MiscProbe(check, context, self.said.append)

    def later(self, seconds: float) -> None:
        """So much later; what is due then is done."""
        self.ahead_ns += int(seconds * SECOND)
        self.loop.turn(0)

    def try_again(self) -> Outcome:
        """What the next try says at once."""
        before = len(self.said)
        self.probe.start()
        assert len(self.said) == before + 1, "a second run was begun"
        return self.said[-1]

    def lines(self) -> List[str]:
        self._log.seek(0)
        return self._log.read().splitlines()

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, f"in vain; said: {self.said}"
            self.loop.turn(0.02)

    def close(self) -> None:
        let_none_outlive(self.loop)
        self.until(lambda: self.probe._alive is None)
        self.loop.close()
        self._log.close()


@pytest.fixture(name="scene")
def make_scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path / "log")
    yield scene
    scene.close()


def refuse(_group: int, _number: int) -> None:
    """As the kernel does with the program of another user, for a root without CAP_KILL."""
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


def test_a_program_that_may_not_be_ended_keeps_the_check_bad(scene: Scene) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "killpg", refuse)
        scene.probe.start()
        scene.later(1.5)
        assert scene.said == []
        scene.later(1.6)
        why = "SIGTERM: Operation not permitted"
        assert scene.said == [Outcome(False, f"timed out after 3 s, and cannot be ended: {why}")]
        assert scene.try_again() == Outcome(False, f"the run before cannot be ended: {why}")
        scene.later(2.1)
        assert scene.try_again() == Outcome(
            False, "the run before cannot be ended: SIGKILL: Operation not permitted"
        )
        assert len(scene.said) == 3, "one outcome for each try"
    (line,) = scene.lines()
    assert "/bin/sleep cannot be ended: SIGTERM: Operation not permitted; give the agent CAP_KILL" in line


def test_when_it_has_ended_at_last_the_program_is_run_again(scene: Scene) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "killpg", refuse)
        scene.probe.start()
        scene.later(3.1)
        assert not scene.try_again().good
    first = scene.probe._alive
    assert first is not None
    os.kill(first.program.pid, signal.SIGKILL)
    scene.until(lambda: scene.probe._alive is None)
    assert len(scene.said) == 2, "the run that had failed already says nothing more"
    scene.probe.start()
    assert scene.probe._alive is not None
    assert len(scene.said) == 2


def test_a_program_that_does_not_end_though_it_was_killed_keeps_the_check_bad(scene: Scene) -> None:
    """As one that waits in the kernel for a disk that does not answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "killpg", lambda _group, _number: None)
        scene.probe.start()
        scene.later(3.1)
        scene.probe.stop()  # what is done with a try at its limit
        assert scene.try_again() == Outcome(False, "the run before has not ended yet", asked=False)
        scene.later(2.1)
        assert not scene.try_again().asked, "it has just been killed"
        scene.later(1.1)
        assert scene.try_again() == Outcome(False, "the run before does not end, though it was killed")
