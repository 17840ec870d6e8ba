# SPDX-License-Identifier: GPL-3.0-or-later
"""Routers with an inside and an outside network: both sides move together, or not at all."""

from __future__ import annotations

import time
from typing import Dict, List, Sequence, Tuple, Type

import pytest

from tests.lab import config
from tests.lab.engines import Agent, Engine, Keepalived
from tests.lab.lan import VIP4, VIP6, Lan, Node
from tests.lab.plugin import MakeLan, debian_root
from tests.lab.roots import HOST
from tests.lab.shell import stays, wait_until

INSIDE, OUTSIDE = VIP4, "198.18.0.100"
BOTH = (INSIDE, OUTSIDE)
ADVERT_INT_S = 0.1
QUIET = ["garp_master_delay 0"]


def outside_of(node: Node) -> str:
    """The node's address on the outer network."""
    return f"198.18.0.{node.number}"


def text(node: Node, priority: int, *, group: bool = True, lines: Sequence[str] = (), more: str = "") -> str:
    """A router with VI_1 inside, on eth0, and VI_2 outside, on eth1."""
    words = [*QUIET, *lines]
    parts = [
        config.instance("VI_1", priority=priority, advert_int=ADVERT_INT_S, lines=words),
        config.instance(
            "VI_2",
            vrid=52,
            interface="eth1",
            priority=priority,
            advert_int=ADVERT_INT_S,
            addresses=[f"{OUTSIDE}/24"],
            lines=words,
        ),
    ]
    if group:
        parts.insert(0, config.block("vrrp_sync_group G", [config.block("group", ["VI_1", "VI_2"]), more]))
    return config.file(node, *parts)


class Routers:
    """One engine on each node, the first with priority 200, the others 50 lower each."""

    def __init__(self, lan: Lan, *kinds: Type[Engine], group: bool = True, lines: Sequence[str] = ()) -> None:
        self.lan = lan
        self.engines: Dict[str, Engine] = {}
        for at, (name, node) in enumerate(lan.nodes.items()):
            node.add_interface("eth1", bridged=True)
            node.ip("address", "add", f"{outside_of(node)}/24", "dev", "eth1")
            kind = kinds[at] if at < len(kinds) else Agent
            root = debian_root("bookworm") if kind is Keepalived else HOST
            self.engines[name] = kind(node, text(node, 200 - 50 * at, group=group, lines=lines), root)

    def start(self) -> None:
        """All run, and the first is active."""
        for engine in self.engines.values():
            engine.start()
        self.settle("a")

    def holders(self, *addresses: str) -> Tuple[str, ...]:
        return self.lan.holders(*addresses)

    def settle(self, holder: str, timeout_s: float = 20) -> None:
        """Both addresses are on this node, and nowhere else."""
        wait_until(
            f"{holder} to hold both sides alone",
            lambda: [self.holders(one) for one in BOTH] == [(holder,), (holder,)],
            timeout_s,
        )

    def agent(self, name: str) -> Agent:
        engine = self.engines[name]
        assert isinstance(engine, Agent)
        return engine

    def group(self, name: str) -> Dict[str, object]:
        """What ``status`` says about the only group."""
        (found,) = self.agent(name).status()["groups"]
        return dict(found)

    def first_adverts(self, name: str, since_ns: int) -> List[int]:
        """When a node first sent adverts of each virtual router."""
        wire = self.lan.wire
        return [wire.wait_for_adverts(port, since_ns=since_ns)[0].at_ns for port in (name, f"{name}-outside")]


def kinds_of(name: str) -> List[Type[Engine]]:
    """``ak`` is the agent with priority 200 beside keepalived with 150."""
    return [Agent if letter == "a" else Keepalived for letter in name]


@pytest.fixture(params=["aa", "ak", "ka"])
def pair(request: pytest.FixtureRequest, make_lan: MakeLan) -> Routers:
    """Two routers in one group of hosts, both agents or one of each kind."""
    return Routers(make_lan("a", "b"), *kinds_of(request.param))


@pytest.mark.parametrize("cable", ["eth0", "eth1"])
def test_both_sides_move_when_one_cable_is_pulled_and_return_with_it(pair: Routers, cable: str) -> None:
    pair.start()
    pair.lan.a.pull_cable(cable)
    pair.settle("b")
    pair.lan.a.plug_cable(cable)
    pair.settle("a")


def test_both_sides_move_when_a_router_dies(pair: Routers) -> None:
    pair.start()
    pair.engines["a"].kill()
    wait_until("b to hold both sides", lambda: pair.lan.b.holds(*BOTH), 10)
    if isinstance(pair.engines["a"], Agent):
        pair.engines["a"].start()
        pair.settle("a")


def test_both_sides_move_at_once_when_a_router_stops(pair: Routers) -> None:
    pair.start()
    pair.engines["a"].stop()
    pair.settle("b")


def test_a_router_that_is_killed_and_comes_back_at_once_keeps_both_sides(make_lan: MakeLan) -> None:
    routers = Routers(make_lan("a", "b"), lines=["down_timer_adverts 20"])
    routers.start()
    routers.engines["a"].kill()
    routers.engines["a"].start()
    for name in ("VI_1", "VI_2"):
        routers.agent("a").wait_for_state("active", name)
    reasons = {one["reason"] for one in routers.agent("a").status()["instances"]}
    assert reasons == {"continues what the process before it was doing"}
    assert routers.group("a")["state"] == "active"
    assert [routers.holders(one) for one in BOTH] == [("a",), ("a",)]


def test_a_side_that_is_taken_by_somebody_else_keeps_the_other_side_free(make_lan: MakeLan) -> None:
    """One router without a group takes the outside: the group of a lets both go, and so does b's."""
    routers = Routers(make_lan("a", "b"))
    routers.start()
    routers.engines["b"].stop()
    lone = Agent(
        routers.lan.b,
        config.file(
            routers.lan.b,
            config.instance(
                "VI_2", vrid=52, interface="eth1", priority=250, advert_int=0.1, addresses=[f"{OUTSIDE}/24"]
            ),
        ),
    )
    lone.start()
    wait_until("b to hold the outside", lambda: routers.holders(OUTSIDE) == ("b",), 10)
    wait_until("nobody to hold the inside", lambda: routers.holders(INSIDE) == (), 10)
    stays("the inside to be free", lambda: routers.holders(INSIDE) == (), 1)
    status = routers.agent("a").instance("VI_1")
    assert (status["state"], status["group"], status["waits_for_group"]) == ("backup", "G", True)
    lone.stop()
    routers.settle("a")


def test_three_routers_hand_both_sides_on(make_lan: MakeLan) -> None:
    routers = Routers(make_lan("a", "b", "c"))
    routers.start()
    routers.lan.a.pull_cable("eth1")
    routers.settle("b")
    routers.lan.b.pull_cable("eth0")
    routers.settle("c")
    routers.lan.a.plug_cable("eth1")
    routers.settle("a")
    routers.engines["a"].kill()
    wait_until("c to hold both sides", lambda: routers.lan.c.holds(*BOTH), 10)


def test_nobody_takes_one_side_before_the_other(make_lan: MakeLan) -> None:
    """b hears a on the inside only: it waits, and takes both in one instant when a is silent."""
    routers = Routers(make_lan("a", "b"))
    for name in ("a", "b"):
        routers.lan.wire.watch(f"{name}-eth1", f"{name}-outside")
    routers.start()
    routers.agent("a").signal(19)  # SIGSTOP: it falls silent on both sides, and keeps its addresses
    begin_ns = time.time_ns()
    wait_until("b to hold both sides", lambda: routers.lan.b.holds(*BOTH), 10)
    inside, outside = routers.first_adverts("b", begin_ns)
    assert abs(inside - outside) < 50_000_000, "the sides moved more than 50 ms apart"
    routers.agent("a").signal(18)
    routers.settle("a")


def test_both_families_move_together(make_lan: MakeLan) -> None:
    """A group of an IPv4 and an IPv6 router on one interface: what one of them lacks moves both."""
    lan = make_lan("a", "b")
    agents = []
    for node, priority in ((lan.a, 200), (lan.b, 150)):
        words = config.file(
            node,
            config.block("vrrp_sync_group G", [config.block("group", ["VI_1", "VI_6"])]),
            config.instance("VI_1", priority=priority, lines=QUIET),
            config.instance("VI_6", priority=priority, family=6, lines=QUIET),
        )
        agents.append(Agent(node, words))
        agents[-1].start()

    def settle(holder: str) -> None:
        wait_until(
            f"{holder} to hold both families alone",
            lambda: [lan.holders(one) for one in (VIP4, VIP6)] == [(holder,), (holder,)],
            20,
        )

    settle("a")
    lan.a.ip("address", "del", f"{lan.a.link_local}/64", "dev", "eth0")
    settle("b")
    assert agents[0].instance()["faults"] == ["VI_6 of sync group G is in fault"]
    lan.a.ip("address", "add", f"{lan.a.link_local}/64", "dev", "eth0", "nodad")
    settle("a")


def test_status_tells_the_group_and_why(make_lan: MakeLan) -> None:
    routers = Routers(make_lan("a", "b"))
    routers.start()
    group = routers.group("a")
    assert (group["name"], group["state"], group["members"]) == ("G", "active", ["VI_1", "VI_2"])
    routers.lan.a.pull_cable("eth1")
    routers.agent("a").wait_for_state("fault")
    status = routers.agent("a").instance("VI_1")
    assert status["faults"] == ["VI_2 of sync group G is in fault"]
    assert routers.group("a")["reason"] == "VI_2: interface eth1 is down"
    agent = routers.agent("a")
    shown = agent.ask("status", "--runtime-dir", agent.seen(agent.runtime))
    assert "sync group G: fault" in shown.stdout, shown.stderr


def test_a_group_that_a_reload_makes_of_split_routers_comes_together(make_lan: MakeLan) -> None:
    """Without a group each side is where its cable is; with one both go to the router that has both."""
    routers = Routers(make_lan("a", "b"), group=False)
    routers.start()
    routers.lan.a.pull_cable("eth1")
    wait_until("the outside to move", lambda: routers.holders(OUTSIDE) == ("b",), 10)
    assert routers.holders(INSIDE) == ("a",)
    for name, priority in (("a", 200), ("b", 150)):
        routers.engines[name].reload(text(routers.lan.nodes[name], priority))
    routers.settle("b")
    routers.lan.a.plug_cable("eth1")
    routers.settle("a")
    for name, priority in (("a", 200), ("b", 150)):
        routers.engines[name].reload(text(routers.lan.nodes[name], priority, group=False))
    wait_until("the group to go", lambda: routers.agent("a").status()["groups"] == [], 10)
    routers.lan.a.pull_cable("eth1")
    wait_until("the outside to move alone", lambda: routers.holders(OUTSIDE) == ("b",), 10)
    assert routers.holders(INSIDE) == ("a",)


def test_a_reload_that_makes_a_group_of_active_routers_sends_nothing(make_lan: MakeLan) -> None:
    routers = Routers(make_lan("a", "b"), group=False)
    routers.start()
    routers.engines["a"].reload(text(routers.lan.a, 200))
    wait_until("the group to be there", lambda: routers.agent("a").status()["groups"], 10)
    assert routers.group("a")["state"] == "active"
    stays("both sides to stay", lambda: [routers.holders(one) for one in BOTH] == [("a",), ("a",)], 1)
    steps = [one["to"] for one in routers.agent("a").instance("VI_1")["transitions"]]
    assert steps == ["backup", "active"]
