# SPDX-License-Identifier: GPL-3.0-or-later
"""Announcements: round by round, at once or with the pauses that an interface asks for."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any, Iterator, List, cast

import pytest
from vrrp_agent.conf.model import GarpGroup, GarpPolicy, VirtualLink
from vrrp_agent.daemon.announcer import Announcer, elsewhere
from vrrp_agent.daemon.prepared import Frame
from vrrp_agent.loop.loop import Loop

from tests.unit.daemon.host import Clock, FakeHost, Lines, run_until
from tests.unit.daemon.make import instance

MS = 1_000_000
A, B, OTHER = (Frame("eth0", data, arp=True) for data in (b"a", b"b", b"other"))
OTHER = replace(OTHER, interface="eth1")
NA = Frame("eth0", b"na", arp=False)
AT_ONCE = GarpPolicy()
SLOW = GarpPolicy(arp_interval_ns=100 * MS)


class Story:
    def __init__(self) -> None:
        self.clock = Clock(0)
        self.loop = Loop(self.clock)
        self.log = Lines()
        self.host = FakeHost()
        self.announcer = Announcer(self.loop, cast(Any, self.host), self.log)

    def announce(self, *frames: Frame, repeat: int = 1, policy: GarpPolicy = AT_ONCE) -> None:
        self.announcer.announce(frames, repeat, policy, self.clock.now)

    def wait(self, milliseconds: int) -> None:
        run_until(self.loop, self.clock, self.clock.now + milliseconds * MS)

    def sent(self) -> List[bytes]:
        found = [data for _interface, data in self.host.frames]
        self.host.frames.clear()
        return found


@pytest.fixture
def story() -> Iterator[Story]:
    found = Story()
    yield found
    found.loop.close()


def test_every_address_is_announced_before_any_is_repeated(story: Story) -> None:
    story.announce(A, B, repeat=3)
    assert story.sent() == [b"a", b"b"] * 3
    assert story.announcer.sent == 6
    assert story.loop.schedule.next_deadline() is None


def test_frames_leave_one_by_one_with_the_pause_between_them(story: Story) -> None:
    story.announce(A, B, repeat=2, policy=SLOW)
    story.wait(0)
    assert story.sent() == [b"a"]
    story.wait(99)
    assert story.sent() == []
    story.wait(1)
    assert story.sent() == [b"b"]
    story.wait(200)
    assert story.sent() == [b"a", b"b"]


def test_the_pause_holds_for_what_comes_later_too(story: Story) -> None:
    story.announce(A, policy=SLOW)
    story.wait(0)
    assert story.sent() == [b"a"]
    story.wait(50)
    story.announce(B, policy=SLOW)
    story.wait(49)
    assert story.sent() == []
    story.wait(1)
    assert story.sent() == [b"b"]


def test_after_a_long_silence_the_next_frame_leaves_at_once(story: Story) -> None:
    story.announce(A, policy=SLOW)
    story.wait(1000)
    story.sent()
    story.announce(B, policy=SLOW)
    story.wait(0)
    assert story.sent() == [b"b"]


def test_interfaces_do_not_wait_for_each_other(story: Story) -> None:
    story.announce(A, OTHER, policy=SLOW)
    story.wait(0)
    assert sorted(story.sent()) == [b"a", b"other"]


def test_the_two_families_have_pauses_of_their_own(story: Story) -> None:
    policy = GarpPolicy(arp_interval_ns=100 * MS, na_interval_ns=30 * MS)
    story.announce(A, NA, repeat=3, policy=policy)
    story.wait(0)
    story.wait(60)
    assert sorted(story.sent()) == [b"a", b"na", b"na", b"na"]
    story.wait(140)
    assert story.sent() == [b"a", b"a"]


def test_what_waits_is_not_queued_again(story: Story) -> None:
    """vrrp_garp_master_refresh 1, vrrp_garp_interval 0.1, twenty addresses: 20 a second, and time for 10."""
    frames = [Frame("eth0", b"%d" % number, arp=True) for number in range(20)]
    for _second in range(60):
        story.announce(*frames, repeat=1, policy=SLOW)
        story.wait(1000)
    sent = story.sent()
    assert len(sent) == pytest.approx(600, abs=2)
    assert min(sent.count(frame.data) for frame in frames) >= 28, "all get their turn"
    story.wait(2000)
    assert len(story.sent()) <= 20, "nothing is left over of a minute"
    assert story.loop.schedule.next_deadline() is None


def test_more_repetitions_are_asked_for_while_fewer_wait(story: Story) -> None:
    story.announce(A, repeat=2, policy=SLOW)
    story.announce(A, B, repeat=3, policy=SLOW)
    story.wait(1000)
    assert story.sent() == [b"a", b"a", b"a", b"b", b"b", b"b"]


def test_an_address_that_was_given_up_is_not_announced_any_more(story: Story) -> None:
    story.announce(A, B, repeat=3, policy=SLOW)
    story.wait(0)
    story.announcer.drop([A])
    story.wait(1000)
    assert story.sent() == [b"a", b"b", b"b", b"b"]


def test_what_cannot_be_sent_is_said_once_a_while_and_stops_nothing(story: Story) -> None:
    story.host.frame_error = OSError(errno.ENETDOWN, "Network is down")
    story.announce(A, B, repeat=500)
    assert story.log.having("announcement on eth0 not sent: Network is down")
    assert len(story.log.lines) == 1
    story.announce(OTHER)
    assert len(story.log.lines) == 2, "another interface is another story"
    story.host.frame_error = None
    story.announce(A)
    assert story.sent() == [b"a"]


def test_interfaces_of_a_garp_group_take_turns(story: Story) -> None:
    """The pause of the group counts, not the one of the instance, and it is one for both interfaces."""
    story.announcer.use_groups([GarpGroup(("eth0", "eth1"), arp_interval_ns=200 * MS)])
    story.announce(A, OTHER, B, policy=SLOW)
    sent = []
    for _turn in range(6):
        story.wait(100)
        sent.append(story.sent())
    assert [frame for frames in sent for frame in frames] == [b"a", b"other", b"b"]
    assert [len(one) for one in sent].count(1) == 3


def test_a_garp_group_without_a_pause_for_a_family_lets_it_through(story: Story) -> None:
    story.announcer.use_groups([GarpGroup(("eth0",), arp_interval_ns=200 * MS)])
    story.announce(NA, repeat=3, policy=replace(SLOW, na_interval_ns=100 * MS))
    assert story.sent() == [b"na"] * 3


def test_without_its_garp_group_an_interface_has_its_own_pause_again(story: Story) -> None:
    story.announcer.use_groups([GarpGroup(("eth0", "eth1"), arp_interval_ns=200 * MS)])
    story.announcer.use_groups([])
    story.announce(A, OTHER)
    assert story.sent() == [b"a", b"other"]


def test_of_a_router_elsewhere_is_where_its_adverts_do_not_go() -> None:
    """Once on each interface, those of a VMAC only unless ``all`` is said."""
    on = {name: Frame(name, name.encode(), arp=True) for name in ("eth0", "eth1", "vrrp.51", "addr.51")}
    frames = [*on.values(), Frame("eth1", b"second", arp=True)]
    plain = instance()
    assert elsewhere(plain, frames) == []
    every = replace(plain, garp=GarpPolicy(extra_all=True))
    assert elsewhere(every, frames) == [on["eth1"], on["vrrp.51"], on["addr.51"]]
    link = VirtualLink("vrrp.51", mac=bytes(6))
    virtual = replace(plain, virtual_link=link)
    assert elsewhere(virtual, frames) == []
    on_base = replace(plain, virtual_link=replace(link, transmit_on_base=True))
    assert elsewhere(on_base, frames) == [on["vrrp.51"]]
