# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent makes of the news of the process that watches. No such process is started here."""

from __future__ import annotations

from pathlib import Path
from typing import AbstractSet, Any, List, Set

import pytest
from vrrp_agent.conf.model import Command, Config, Linkbeat, Script, Tracked, WatchedFile
from vrrp_agent.daemon.host.interfaces import Interfaces
from vrrp_agent.daemon.sides import trackers as module
from vrrp_agent.daemon.sides.trackers import Trackers, keys_of
from vrrp_agent.daemon.status import tracker_status
from vrrp_agent.loop.loop import Loop
from vrrp_agent.track import notebook
from vrrp_agent.track.messages import FILE, LINK, SCRIPT, Key, Orders, Reading, Run

from tests.unit.daemon.host import Lines
from tests.unit.daemon.make import instance


class QuietSide:
    """A side that keeps what it is sent."""

    pid = 7

    def __init__(self, name: str, make: Any, loop: Loop, log: Any, hello: Any, on_value: Any) -> None:
        self.sent: List[Orders] = []
        self.running = False
        self.hello, self.say = hello, on_value

    def start(self) -> None:
        self.running = True
        self.sent.extend(self.hello())

    def send(self, orders: Orders) -> bool:
        self.sent.append(orders)
        return True

    def retire(self) -> None:
        self.running = False

    def die(self) -> None:
        self.running = False


class Scene:
    def __init__(self, path: Path) -> None:
        self.log = Lines()
        self.interfaces = Interfaces()
        self.changed: List[Set[Key]] = []
        self.trackers = Trackers(
            Loop(),
            self.log,
            lambda keys: self.changed.append(set(keys)),
            self.interfaces,
            (str(path), "boot"),
        )
        self.side: QuietSide = self.trackers._side  # type: ignore[assignment]

    def _note(self, keys: AbstractSet[Key]) -> None:
        self.changed.append(set(keys))

    def say(self, *arguments: Any) -> None:
        self.side.say(Reading(*arguments))


@pytest.fixture(name="scene")
def make_scene(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    monkeypatch.setattr(module, "Side", QuietSide)
    return Scene(tmp_path / "readings")


def config(command: str = "/bin/s", *, scripts: bool = True, **words: Any) -> Config:
    tracked = (Tracked("s"),) if scripts else ()
    return Config(
        instances=(instance(track_scripts=tracked, track_files=(Tracked("f"),)),),
        scripts=(Script("s", Command((command,))), Script("nobody", Command(("/bin/n",)))),
        files=(WatchedFile("f", "/run/f"),),
        **words,
    )


BOTH = {(SCRIPT, "s"), (FILE, "f")}


def test_only_what_somebody_tracks_is_watched(scene: Scene) -> None:
    scene.trackers.apply(Config(instances=(instance(),)))
    assert not scene.side.running, "there is nothing to do"
    scene.trackers.apply(config())
    assert set(scene.side.sent[0].identities()) == BOTH == keys_of(config().instances[0])


def test_the_process_goes_when_nobody_tracks_anything_and_comes_again(scene: Scene) -> None:
    scene.trackers.apply(config())
    scene.trackers.apply(Config(instances=(instance(),)))
    assert not scene.side.running and scene.trackers.pid == 0
    scene.trackers.apply(config())
    assert scene.side.running
    assert [orders.first for orders in scene.side.sent] == [True, False]


def test_the_first_process_only_writes_initial_numbers(scene: Scene) -> None:
    scene.trackers.apply(config())
    scene.side.die()
    scene.side.start()
    assert [orders.first for orders in scene.side.sent] == [True, False]


def test_news_change_something_only_when_they_are_news(scene: Scene) -> None:
    scene.trackers.apply(config())
    scene.say(SCRIPT, "s")
    scene.say(SCRIPT, "s", True, 1, "exit 0")
    scene.say(SCRIPT, "s", True, 2, "exit 0")
    scene.say(SCRIPT, "s", False, 0, "exit 1")
    scene.say(SCRIPT, "s", False, 0, "exit 2")
    scene.say(FILE, "f", True, 5, "holds 5")
    scene.say(FILE, "f", True, 6, "holds 6")
    scene.say(FILE, "stranger", True, 6)
    assert len(scene.changed) == 6, "not known, good, bad, bad for another reason, two numbers"
    assert scene.log.having("script s: bad (exit 1)") and not scene.log.having("stranger")
    assert not scene.log.having("unknown")


def test_another_process_hears_what_the_last_one_knew(scene: Scene) -> None:
    scene.trackers.apply(config())
    scene.say(SCRIPT, "s", True, 3, "exit 0")
    scene.say(FILE, "f")
    scene.side.die()
    scene.side.start()
    assert set(scene.side.sent[-1].known) == {(SCRIPT, "s")}
    scene.say(SCRIPT, "s")
    assert scene.trackers.readings[(SCRIPT, "s")].good, "it is still what it was"


def test_a_reload_sends_orders_when_they_differ_or_something_could_not_run(scene: Scene) -> None:
    scene.trackers.apply(config())
    scene.trackers.apply(config())
    assert len(scene.side.sent) == 1
    scene.say(SCRIPT, "s", None, 0, "", "it is not there")
    scene.trackers.apply(config())
    assert len(scene.side.sent) == 2
    scene.trackers.apply(config("/bin/other"))
    assert len(scene.side.sent) == 3


def test_status_says_why_a_script_that_ran_before_is_disabled(scene: Scene) -> None:
    scene.trackers.apply(config())
    scene.say(SCRIPT, "s", True, 1, "exit 0")
    scene.side.say([Run("s", 5, "exit 0", 0.0, 1, 0, 0)])
    scene.say(SCRIPT, "s", None, 0, "", "it is not there")
    told = tracker_status(scene.trackers, (SCRIPT, "s"))
    assert (told["state"], told["last"], told["runs"]) == ("disabled", "it is not there", 1)


def test_what_is_gone_is_forgotten_and_what_changed_is_not(scene: Scene) -> None:
    scene.trackers.apply(config())
    scene.say(SCRIPT, "s", False, 0, "exit 1")
    scene.side.say([Run("s", 5, "exit 1", 0.0, 1, 1, 0), Run("stranger", 5, "", 0.0, 1, 1, 0)])
    assert set(scene.trackers.runs) == {"s"}
    scene.trackers.apply(config("/bin/other"))
    assert scene.trackers.readings[(SCRIPT, "s")].good is False
    scene.trackers.apply(config(scripts=False))
    assert not scene.trackers.readings and not scene.trackers.runs


def test_a_polled_link_is_what_the_poll_says(scene: Scene) -> None:
    scene.trackers.apply(config(linkbeats=(Linkbeat("eth9"),)))
    scene.say(LINK, "eth9", False, 0, "down by MII")
    assert scene.trackers.links_among(scene.changed[-1]) == {"eth9"}
    assert scene.interfaces.polled == {"eth9": False}
    scene.trackers.apply(config())
    assert scene.interfaces.polled == {}


@pytest.mark.parametrize("go_on", [True, False])
def test_the_notebook_is_read_by_an_agent_that_goes_on(scene: Scene, tmp_path: Path, go_on: bool) -> None:
    known = Reading(SCRIPT, "s", True, 2, "exit 0")
    same = {known.key: repr(Command(("/bin/s",)))}
    notebook.write(str(tmp_path / "readings"), "boot", [known], same)
    scene.trackers.apply(config(), go_on)
    assert scene.trackers.readings == ({known.key: known} if go_on else {})
    assert dict(scene.side.sent[0].known) == scene.trackers.readings
