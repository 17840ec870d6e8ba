# SPDX-License-Identifier: GPL-3.0-or-later
"""Links that flap: what they are taken for, and when that changes."""

from __future__ import annotations

from typing import List, Set

import pytest
from vrrp_agent.conf.model import LinkDelay
from vrrp_agent.daemon.host.damping import Damper
from vrrp_agent.daemon.host.interfaces import Interfaces
from vrrp_agent.kernel.links import Link, LinkEvent
from vrrp_agent.loop.loop import Loop

from tests.unit.daemon.host import UP, Clock, Lines

S = 1_000_000_000
DOWN = 0x1


class Scene:
    """One interface, eth1, that is held back 2 s on its way down and 1 s on its way up."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.loop = Loop(self.clock)
        self.interfaces = Interfaces()
        self.changed: List[Set[str]] = []
        self.damper = Damper(
            self.loop, Lines(), self.interfaces, lambda names: self.changed.append(set(names))
        )

    def link(self, flags: int, removed: bool = False) -> None:
        event = LinkEvent(Link(2, "eth1", flags, bytes(6), 1500), removed)
        self.damper.look(self.interfaces.apply([event], set()).names)

    def wait(self, seconds: float) -> None:
        self.clock.now += int(seconds * S)
        self.loop.schedule.run_due(self.clock.now)

    @property
    def up(self) -> bool:
        return self.interfaces.up("eth1")


@pytest.fixture(name="scene")
def make_scene() -> Scene:
    scene = Scene()
    scene.link(UP)
    scene.damper.use([LinkDelay("eth1", 2 * S, S)])
    return scene


def test_a_short_absence_is_none(scene: Scene) -> None:
    scene.link(DOWN)
    scene.wait(1.9)
    assert scene.up
    scene.link(UP)
    scene.wait(5)
    assert scene.up and not scene.changed


def test_what_lasts_counts(scene: Scene) -> None:
    scene.link(DOWN)
    scene.wait(2)
    assert not scene.up and scene.changed == [{"eth1"}]
    scene.link(UP)
    assert not scene.up
    scene.wait(1)
    assert scene.up and scene.changed == [{"eth1"}, {"eth1"}]


def test_each_new_absence_is_counted_from_its_own_beginning(scene: Scene) -> None:
    for _turn in range(5):
        scene.link(DOWN)
        scene.wait(1.5)
        scene.link(UP)
        scene.wait(0.1)
    assert scene.up and not scene.changed


def test_the_first_time_up_is_not_held_back() -> None:
    scene = Scene()
    scene.link(DOWN)
    scene.damper.use([LinkDelay("eth1", 2 * S, S)])
    scene.link(UP)
    assert scene.up


def test_an_interface_that_is_gone_is_down_at_once(scene: Scene) -> None:
    scene.link(UP, removed=True)
    assert not scene.up


def test_what_is_no_longer_held_back_is_what_it_is(scene: Scene) -> None:
    scene.link(DOWN)
    assert scene.up
    scene.damper.use([])
    assert not scene.up
    scene.wait(5)
    assert not scene.changed


def test_a_polled_link_is_held_back_too(scene: Scene) -> None:
    scene.interfaces.polled["eth1"] = False
    scene.damper.look({"eth1"})
    assert scene.up
    scene.wait(2)
    assert not scene.up
