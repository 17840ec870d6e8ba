# SPDX-License-Identifier: GPL-3.0-or-later
"""What the state of the host means for one instance: faults in words, and priorities in parts."""

from __future__ import annotations

from typing import Any, List, Optional, Set, Tuple

import pytest
from vrrp_agent.conf.model import Tracked, UnicastPeer
from vrrp_agent.daemon.host.health import Part, Verdict, judge
from vrrp_agent.daemon.host.interfaces import Interfaces
from vrrp_agent.kernel.addresses import HeldAddress
from vrrp_agent.kernel.links import Link
from vrrp_agent.track.messages import FILE, PROCESS, SCRIPT, Reading

from tests.unit.daemon.host import LINK_SCOPE, UP, packed
from tests.unit.daemon.make import OURS, OURS6, PEER, VIP, VIP6, address, instance

DOWN = 0x1


def host(eth0: int = UP, eth1: int = UP, *, extra: str = "", with_address: bool = True) -> Interfaces:
    """eth0 and eth1 with these flags (-1: not there); eth0 has our addresses."""
    interfaces = Interfaces()
    links = [
        Link(index, name, flags, bytes(6), 1500)
        for index, name, flags in ((2, "eth0", eth0), (3, "eth1", eth1))
        if flags >= 0
    ]
    texts = ([OURS, OURS6] if with_address else []) + ([extra] if extra else [])
    interfaces.replace(
        links,
        [HeldAddress(2, packed(text), 24, LINK_SCOPE if ":" in text else 0, 0) for text in texts],
    )
    return interfaces


def verdict(interfaces: Interfaces, **words: Any) -> Verdict:
    virtual: Set[bytes] = {packed(VIP), packed(VIP6)}
    return judge(instance(**words), interfaces, virtual)


def test_on_a_healthy_host_there_is_nothing_to_say() -> None:
    assert verdict(host()) == Verdict(packed(OURS), (), 100, ())


FAULTS = [
    ("it does not exist", host(eth0=-1), {}, "interface eth0 does not exist"),
    ("it is down", host(eth0=DOWN), {}, "interface eth0 is down"),
    ("no address", host(with_address=False), {}, "interface eth0 has no IPv4 address to send from"),
    (
        "no link-local address",
        host(with_address=False),
        {"family": 6},
        "interface eth0 has no link-local IPv6 address to send from",
    ),
    (
        "the interface of an address is down",
        host(eth1=DOWN),
        {"addresses": (address(f"{VIP}/24", device="eth1"),)},
        "interface eth1 of a virtual address is down",
    ),
    (
        "the interface of an excluded address is away",
        host(eth1=-1),
        {"excluded_addresses": (address("203.0.113.1/32", device="eth1"),)},
        "interface eth1 of a virtual address is down",
    ),
    (
        "a tracked interface is down",
        host(eth1=DOWN),
        {"track_interfaces": (Tracked("eth1"),)},
        "tracked interface eth1 is down",
    ),
    (
        "a tracked interface is up, and should not be",
        host(),
        {"track_interfaces": (Tracked("eth1", reverse=True),)},
        "tracked interface eth1 is up",
    ),
]


@pytest.mark.parametrize(
    "interfaces, words, fault", [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_an_instance_is_in_fault_when(interfaces: Interfaces, words: Any, fault: str) -> None:
    assert verdict(interfaces, **words).faults == (fault,)


NO_FAULTS = [
    ("its own interface is not tracked", host(eth0=DOWN), {"track_primary": False}),
    (
        "the address says no_track",
        host(eth1=DOWN),
        {"addresses": (address(f"{VIP}/24", device="eth1", no_track=True),)},
    ),
    (
        "the tracked interface only has a weight",
        host(eth1=DOWN),
        {"track_interfaces": (Tracked("eth1", weight=-10),)},
    ),
    (
        "the configuration names the source",
        host(with_address=False),
        {"multicast_source": packed("203.0.113.9")},
    ),
]


@pytest.mark.parametrize(
    "interfaces, words", [row[1:] for row in NO_FAULTS], ids=[row[0] for row in NO_FAULTS]
)
def test_an_instance_is_not_in_fault_when(interfaces: Interfaces, words: Any) -> None:
    assert verdict(interfaces, **words).faults == ()


def test_every_fault_is_named() -> None:
    faults = verdict(
        host(eth0=DOWN, eth1=DOWN, with_address=False), track_interfaces=(Tracked("eth1"),)
    ).faults
    assert len(faults) == 3


# Where adverts come from.


def test_a_unicast_source_is_for_unicast_only() -> None:
    peers = (UnicastPeer(packed(PEER)),)
    named = packed("203.0.113.9")
    assert verdict(host(), unicast_source=named, unicast_peers=peers).source == named
    assert verdict(host(), unicast_source=named).source == packed(OURS)
    assert verdict(host(), unicast_peers=peers, multicast_source=named).source == packed(OURS)


def test_an_owner_whose_only_address_is_the_virtual_one_sends_from_it() -> None:
    only = host(with_address=False, extra=VIP)
    assert verdict(only).faults, "a router that is no owner must not"
    assert verdict(only, priority=255).source == packed(VIP)
    assert verdict(host(extra=VIP), priority=255).source == packed(OURS), "another address is better"


def test_an_owner_does_not_send_from_the_address_of_another_instance() -> None:
    other = host(with_address=False, extra=VIP)
    assert verdict(other, addresses=(address("203.0.113.1/24"),), priority=255).faults


# Priorities: keepalived adds a positive weight while all is well, and a negative one while it is not.

WEIGHTS = [
    (10, UP, False, 110),
    (10, DOWN, False, 100),
    (-10, UP, False, 100),
    (-10, DOWN, False, 90),
    (10, UP, True, 90),
    (10, DOWN, True, 100),
    (-10, UP, True, 100),
    (-10, DOWN, True, 110),
    (253, UP, False, 254),
    (-253, DOWN, False, 1),
]


@pytest.mark.parametrize("weight, flags, reverse, expected", WEIGHTS)
def test_a_weight_moves_the_priority(weight: int, flags: int, reverse: bool, expected: int) -> None:
    tracked = (Tracked("eth1", weight, reverse),)
    found = verdict(host(eth1=flags), track_interfaces=tracked)
    assert found.priority == expected
    change = -weight if reverse else weight
    assert found.parts == ((Part("interface eth1", change),) if expected != 100 else ())


def test_weights_add_up_before_they_are_clipped() -> None:
    tracked = (Tracked("eth1", 200), Tracked("eth0", -200))
    assert verdict(host(eth0=DOWN), track_interfaces=tracked).priority == 100


def test_an_owner_keeps_its_priority_whatever_happens() -> None:
    found = verdict(host(eth1=DOWN), priority=255, track_interfaces=(Tracked("eth1", -50),))
    assert found.priority == 255


# Scripts, files and processes.


def reading(kind: str, good: Optional[bool], value: int = 0, why: str = "", disabled: str = "") -> Reading:
    return Reading(kind, "x", good, value, why, disabled)


Case = Tuple[str, Tracked, Optional[Reading], int, Tuple[str, ...], Tuple[str, ...]]
X = "x"
BAD, GOOD = reading(SCRIPT, False, why="exit 2"), reading(SCRIPT, True, why="exit 0")
FEW, ENOUGH = reading(PROCESS, False, 1, "1 running"), reading(PROCESS, True, 3, "3 running")


def number(value: int) -> Reading:
    return reading(FILE, True, value)


TRACKERS: List[Case] = [
    # what, how, what is known, priority (of 100), faults, what is waited for
    ("track_scripts", Tracked(X), GOOD, 100, (), ()),
    ("track_scripts", Tracked(X), BAD, 100, ("script x failed: exit 2",), ()),
    ("track_scripts", Tracked(X, 0, True), GOOD, 100, ("script x succeeded: exit 0",), ()),
    ("track_scripts", Tracked(X, 0, True), BAD, 100, (), ()),
    ("track_scripts", Tracked(X), None, 100, (), ("script x has not run yet",)),
    ("track_scripts", Tracked(X, 20), None, 100, (), ()),
    ("track_scripts", Tracked(X, 20), GOOD, 120, (), ()),
    ("track_scripts", Tracked(X, 20), BAD, 100, (), ()),
    ("track_scripts", Tracked(X, -20), GOOD, 100, (), ()),
    ("track_scripts", Tracked(X, -20), BAD, 80, (), ()),
    ("track_scripts", Tracked(X, 20, True), GOOD, 80, (), ()),
    ("track_scripts", Tracked(X, -20, True), BAD, 120, (), ()),
    ("track_scripts", Tracked(X, 253), GOOD, 254, (), ()),
    ("track_scripts", Tracked(X, -253), BAD, 1, (), ()),
    ("track_scripts", Tracked(X), reading(SCRIPT, None, disabled="unsafe"), 100, (), ()),
    ("track_files", Tracked(X, 2), None, 100, (), ("file x has not been read yet",)),
    ("track_files", Tracked(X, 2), number(5), 110, (), ()),
    ("track_files", Tracked(X, 2), number(-5), 90, (), ()),
    ("track_files", Tracked(X, 2, True), number(5), 90, (), ()),
    ("track_files", Tracked(X, 1), number(1000), 254, (), ()),
    ("track_files", Tracked(X, 1), number(-253), 1, (), ()),
    (
        "track_files",
        Tracked(X, 1),
        number(-254),
        100,
        ("tracked file x holds -254: -254 is -254 or lower",),
        (),
    ),
    ("track_files", Tracked(X, 0), number(0), 100, (), ()),
    ("track_files", Tracked(X, 0), number(3), 100, ("tracked file x holds 3",), ()),
    ("track_files", Tracked(X, 0, True), number(0), 100, ("tracked file x holds 0",), ()),
    ("track_files", Tracked(X, 0, True), number(3), 100, (), ()),
    ("track_processes", Tracked(X), None, 100, (), ("process x has not been counted yet",)),
    ("track_processes", Tracked(X), FEW, 100, ("tracked process x: 1 running",), ()),
    ("track_processes", Tracked(X), ENOUGH, 100, (), ()),
    ("track_processes", Tracked(X, 0, True), ENOUGH, 100, ("tracked process x: 3 running",), ()),
    ("track_processes", Tracked(X, -30), FEW, 70, (), ()),
    ("track_processes", Tracked(X, 30), ENOUGH, 130, (), ()),
]


@pytest.mark.parametrize(("words", "tracked", "known", "priority", "faults", "waiting"), TRACKERS)
def test_what_a_reading_does(
    words: str,
    tracked: Tracked,
    known: Optional[Reading],
    priority: int,
    faults: Tuple[str, ...],
    waiting: Tuple[str, ...],
) -> None:
    readings = {known.key: known} if known is not None else {}
    router = instance(**{words: (tracked,)})
    found = judge(router, host(), set(), readings)
    assert (found.priority, found.faults, found.waiting) == (priority, faults, waiting)
    owner = judge(instance(priority=255, **{words: (tracked,)}), host(), set(), readings)
    assert owner.priority == 255, "an owner stays one"
