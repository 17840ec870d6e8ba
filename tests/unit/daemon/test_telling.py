# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent tells: which events leave it, in which order, and to whom. Nothing runs here but the agent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, ClassVar, Iterable, List, Tuple

import pytest
from vrrp_agent.conf.model import (
    Command,
    Fifo,
    GlobalSettings,
    Notify,
    Operations,
    SyncGroup,
    Telling,
    Tracked,
)
from vrrp_agent.daemon.sides import telling as module
from vrrp_agent.loop.events import Happening
from vrrp_agent.notify.setup import Goodbye, Repeat, Setup

from tests.unit.daemon.make import datagram, instance
from tests.unit.daemon.stage import Stage

SCRIPT = Notify(every=Command(("/bin/true",)))
PIPE = GlobalSettings(telling=Telling(vrrp_fifo=Fifo("/run/p")))
REPEATING = GlobalSettings(telling=Telling(vrrp_fifo=Fifo("/run/p"), repeat_on_reload=True))


class FakeSide:
    """A process that is always there, or has just died."""

    made: ClassVar[List[FakeSide]] = []

    def __init__(
        self, name: str, make: Any, loop: Any, log: Any, hello: Callable[[], Iterable[Any]], on: Any
    ) -> None:
        self.sent: List[Any] = []
        self.running = False
        self.may_start = True
        """No other one is still ending."""
        self.stopped = self.retired = False
        self.pid, self.restarts = 4711, 0
        self.report = on
        self._hello = hello
        FakeSide.made.append(self)

    def start(self) -> None:
        if self.may_start:
            self.running = True
            self.sent += self._hello()

    def send(self, value: Any) -> bool:
        assert self.running
        self.sent += value
        return True

    def stop(self, patience_ns: int) -> None:
        self.stopped = True

    def retire(self) -> None:
        self.retired, self.running = True, False

    def told(self) -> List[Tuple[str, str, int]]:
        """Name, event and priority of what was said."""
        return [(one.name, one.event, one.priority) for one in self.sent if isinstance(one, Happening)]


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> List[FakeSide]:
    FakeSide.made = []
    monkeypatch.setattr(module, "Side", FakeSide)
    return FakeSide.made


@pytest.fixture
def stage(tmp_path: Path, sides: List[FakeSide]) -> Stage:
    return Stage(tmp_path)


def test_nobody_to_tell_means_no_process(stage: Stage, sides: List[FakeSide]) -> None:
    stage.start_active(instance("VI_1"))
    stage.agent.stop()
    assert sides == []
    assert all("telling" not in line for line in stage.lines_of_status())


def test_an_instance_that_speaks_is_heard_and_a_silent_one_is_not(
    stage: Stage, sides: List[FakeSide]
) -> None:
    stage.start_active(instance("VI_1", notify=SCRIPT), instance("VI_2", "198.51.100.101/24", vrid=11))
    assert sides[0].told() == [("VI_1", "BACKUP", 100), ("VI_1", "MASTER", 100)]
    assert isinstance(sides[0].sent[0], Setup)
    first = sides[0].sent[1]
    assert (first.kind, first.previous, first.reason) == (
        "INSTANCE",
        "STOP",
        "started, listening for an active router",
    )
    assert first.wall_time_s > 0


def test_a_pipe_hears_of_everything(stage: Stage, sides: List[FakeSide]) -> None:
    stage.start_active(instance("VI_1"), instance("VI_2", "198.51.100.101/24", vrid=11), settings=PIPE)
    assert len(sides[0].told()) == 4
    stage.hear(datagram(priority=1))
    assert sides[0].told()[4:] == [("VI_1", "MASTER_RX_LOWER_PRI", 100)]


def test_changes_of_priority_are_told(stage: Stage, sides: List[FakeSide]) -> None:
    one = instance("VI_1", track_interfaces=(Tracked("eth1", 10),))
    stage.start_active(one, settings=PIPE)
    assert sides[0].told()[0] == ("VI_1", "BACKUP_PRIORITY", 110)
    stage.host.add_link(3, "eth1", flags=0)
    stage.wait(0.1)
    assert sides[0].told()[-1] == ("VI_1", "MASTER_PRIORITY", 100)


def test_a_reload_says_what_goes_before_the_new_words_and_nothing_of_what_stays(
    stage: Stage, sides: List[FakeSide]
) -> None:
    one, two = instance("VI_1", notify=SCRIPT), instance("VI_2", "198.51.100.101/24", vrid=11, notify=SCRIPT)
    stage.start_active(one, two)
    sides[0].sent.clear()
    stage.apply(one)
    gone, setup = sides[0].sent
    assert (gone.name, gone.event, gone.previous) == ("VI_2", "DELETED", "MASTER")
    assert list(setup.subjects) == [("INSTANCE", "VI_1", 0)]
    stage.apply(one)
    assert len(sides[0].sent) == 2, "the same again is not said again"


def test_states_are_repeated_after_a_reload_without_those_that_were_just_told(
    stage: Stage, sides: List[FakeSide]
) -> None:
    one = instance("VI_1")
    group = SyncGroup("G", ("VI_1",))
    stage.start_active(one, settings=REPEATING, groups=(group,))
    sides[0].sent.clear()
    stage.apply(one, instance("VI_2", "198.51.100.101/24", vrid=11), settings=REPEATING, groups=(group,))
    (repeat,) = [value for value in sides[0].sent if isinstance(value, Repeat)]
    assert [(h.kind, h.name, h.event, h.priority) for h in repeat.happenings] == [
        ("GROUP", "G", "MASTER", 0),
        ("INSTANCE", "VI_1", "MASTER", 100),
    ]
    assert sides[0].told() == [("VI_2", "BACKUP", 100)]


def test_the_last_word_removed_sends_the_process_home_and_nobody_waits(
    stage: Stage, sides: List[FakeSide]
) -> None:
    stage.start_active(instance("VI_1", notify=SCRIPT))
    stage.apply(instance("VI_1"))
    assert sides[0].sent[-1] == Goodbye() and sides[0].retired and not sides[0].stopped
    stage.agent.stop()
    assert sides[0].stopped, "at the end it is waited for"


def test_the_next_process_is_the_heir_of_the_one_that_was_sent_home(
    stage: Stage, sides: List[FakeSide]
) -> None:
    """It is the same Side, which starts no process before the last one has ended: scripts stay in order."""
    stage.start_active(instance("VI_1", notify=SCRIPT))
    stage.apply(instance("VI_1"))
    sides[0].may_start = False
    sides[0].report({"mail": {"last_error": "of the last one"}})
    stage.apply(instance("VI_1", notify=SCRIPT))
    sides[0].sent.clear()
    stage.hear(datagram(priority=200))
    assert len(sides) == 1 and sides[0].sent == []
    sides[0].may_start = True
    sides[0].start()
    assert isinstance(sides[0].sent[0], Setup)
    assert sides[0].told() == [("VI_1", "BACKUP", 100)]
    assert stage.agent._teller.status()["mail"] is None  # type: ignore[index]


def test_what_happens_while_the_process_is_dead_waits_for_the_next_one(
    stage: Stage, sides: List[FakeSide]
) -> None:
    stage.start_active(instance("VI_1", notify=SCRIPT))
    side = sides[0]
    side.sent.clear()
    side.running = False
    stage.hear(datagram(priority=200))
    assert side.sent == []
    side.start()
    assert isinstance(side.sent[0], Setup)
    assert side.told() == [("VI_1", "BACKUP", 100)]


def test_at_the_end_the_addresses_go_first_and_the_process_is_waited_for(
    stage: Stage, sides: List[FakeSide]
) -> None:
    stage.start_active(instance("VI_1", notify=SCRIPT))
    stage.agent.stop()
    assert sides[0].told()[-1] == ("VI_1", "STOP", 100)
    assert sides[0].sent[-1] == Goodbye() and sides[0].stopped


def test_status_shows_what_the_process_reported(stage: Stage, sides: List[FakeSide]) -> None:
    stage.start_active(instance("VI_1", notify=SCRIPT))
    sides[0].report({"mail": {"last_error": "down"}})
    (shown,) = [line["telling"] for line in stage.lines_of_status() if "telling" in line]
    assert shown["pid"] == 4711
    assert shown["mail"] == {"last_error": "down"}


def test_the_umask_of_the_file_is_that_of_pipes_and_scripts(stage: Stage, sides: List[FakeSide]) -> None:
    settings = replace(PIPE, operations=Operations(umask=0o022))
    stage.start_active(instance("VI_1"), settings=settings)
    assert sides[0].sent[0].policy.umask == 0o022
