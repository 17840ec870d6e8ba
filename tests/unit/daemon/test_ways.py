# SPDX-License-Identifier: GPL-3.0-or-later
"""virtual_routes and virtual_rules: with the active router, and only with it."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any

from vrrp_agent.conf.model import GlobalSettings, Instance, NextHop, Route, Rule
from vrrp_agent.daemon.ways import describe
from vrrp_agent.kernel.routes import RouteKey

from tests.unit.daemon.host import packed
from tests.unit.daemon.make import VIP, datagram, instance
from tests.unit.daemon.stage import Stage

ROUTE = Route(4, packed("192.0.2.0"), 24, next_hops=(NextHop(packed("198.51.100.2"), "eth0"),))
ROUTE6 = Route(6, packed("2001:db8:20::"), 64, next_hops=(NextHop(None, "eth0"),))
OTHER = Route(4, packed("203.0.113.0"), 24, next_hops=(NextHop(None, "eth1"),))
RULE = Rule(4, table=100, priority=1000, source=(packed("192.0.2.0"), 24))
DOWN = 0x1


def router(*routes: Route, **words: Any) -> Instance:
    words.setdefault("name", "VI_1")
    return instance(routes=routes or (ROUTE,), rules=words.pop("rules", (RULE,)), **words)


def test_they_come_with_the_active_state_and_go_with_it(stage: Stage) -> None:
    stage.apply(router())
    assert stage.host.ways == {}
    stage.wait(5)
    assert len(stage.host.ways) == 2
    one = stage.one()
    assert one["routes_and_rules"] == ["route to 192.0.2.0/24", "rule 1000 from 192.0.2.0/24 table 100"]
    assert one["routes_and_rules_held"] == one["routes_and_rules"]
    stage.hear(datagram(priority=200))
    assert stage.host.ways == {}
    assert stage.one()["routes_and_rules_held"] == []


def test_they_go_when_the_agent_stops(stage: Stage) -> None:
    stage.start_active(router())
    stage.agent.stop()
    assert stage.host.ways == {}


def test_what_a_killed_predecessor_left_is_removed_at_the_start(stage: Stage) -> None:
    stage.host.add_way(ROUTE)
    stage.host.add_way(RULE)
    stage.apply(router())
    assert stage.host.ways == {}


def test_a_router_that_loses_a_route_steps_down_and_takes_everything_again(stage: Stage) -> None:
    stage.start_active(router())
    stage.host.remove_way(ROUTE)
    stage.wait(0)
    one = stage.one()
    assert (one["state"], one["reason"]) == ("backup", "another program removed route to 192.0.2.0/24")
    assert stage.host.ways == {}
    stage.wait(5)
    assert stage.one()["state"] == "active"
    assert len(stage.host.ways) == 2


def test_a_router_that_loses_a_rule_steps_down(stage: Stage) -> None:
    stage.start_active(router())
    stage.host.remove_way(RULE)
    stage.wait(0)
    assert stage.one()["reason"] == "another program removed rule 1000 from 192.0.2.0/24 table 100"


def test_a_router_that_loses_an_address_steps_down(stage: Stage) -> None:
    stage.start_active(router())
    stage.host.remove_address(2, f"{VIP}/24")
    stage.wait(0)
    assert (stage.one()["state"], stage.one()["reason"]) == ("backup", f"another program removed {VIP}")


def test_with_agent_restore_they_are_back_at_once(stage: Stage) -> None:
    stage.start_active(router(restore=True))
    stage.host.remove_way(ROUTE)
    stage.host.remove_way(RULE)
    stage.wait(0)
    assert stage.one()["state"] == "active"
    assert len(stage.host.ways) == 2
    assert stage.log.having("another program removed route to 192.0.2.0/24, rule 1000")


def test_what_is_removed_and_comes_back_in_one_go_is_no_loss(stage: Stage) -> None:
    stage.start_active(router())
    stage.host.remove_way(ROUTE)
    stage.host.add_way(ROUTE)
    stage.wait(0)
    assert stage.one()["state"] == "active"


def test_no_track_neither_steps_down_nor_puts_back(stage: Stage) -> None:
    route, rule = replace(ROUTE, no_track=True), replace(RULE, no_track=True)
    stage.start_active(router(route, rules=(rule,)))
    assert stage.host.followed == frozenset(), "nobody wants news of them"
    stage.host.remove_way(route)
    stage.host.remove_way(rule)
    stage.wait(5)
    assert stage.one()["state"] == "active"
    assert stage.host.ways == {}


def test_what_the_kernel_itself_removes_is_put_back(stage: Stage) -> None:
    stage.start_active(router(ROUTE6))
    stage.host.remove_way(ROUTE6, port=0)
    stage.wait(0)
    assert stage.one()["state"] == "active"
    assert len(stage.host.ways) == 2
    assert stage.log.having("route to 2001:db8:20::/64 had gone; put back")


def test_a_route_whose_time_is_over_stays_away(stage: Stage) -> None:
    route = replace(ROUTE6, expires_s=5)
    stage.start_active(router(route))
    stage.host.remove_way(route, port=0)
    stage.wait(5)
    assert stage.one()["state"] == "active"
    assert stage.one()["routes_and_rules_held"] == ["rule 1000 from 192.0.2.0/24 table 100"]


def test_the_interface_of_a_route_must_be_up(stage: Stage) -> None:
    stage.start_active(router(OTHER))
    stage.host.add_link(3, "eth1", flags=DOWN)
    stage.host.remove_way(OTHER, quiet=True)
    stage.wait(0)
    assert stage.one()["reason"] == "interface eth1 of a virtual route or rule is down"
    stage.host.add_link(3, "eth1")
    stage.wait(5)
    assert stage.one()["state"] == "active"
    assert len(stage.host.ways) == 2


def test_with_no_track_a_route_only_goes_and_comes_with_its_interface(stage: Stage) -> None:
    route = replace(OTHER, no_track=True)
    stage.start_active(router(route))
    stage.host.add_link(3, "eth1", flags=DOWN)
    stage.host.remove_way(route, quiet=True)
    stage.wait(0)
    assert (stage.one()["state"], len(stage.host.ways)) == ("active", 1)
    stage.host.add_link(3, "eth1")
    stage.wait(0)
    assert (stage.one()["state"], len(stage.host.ways)) == ("active", 2)


def test_a_reload_takes_away_and_adds_what_differs(stage: Stage) -> None:
    stage.start_active(router(ROUTE, OTHER))
    stage.host.routes.clear()
    stage.apply(router(OTHER, ROUTE6))
    assert stage.one()["state"] == "active"
    assert stage.host.routes.count("remove") == 1
    assert stage.one()["routes_and_rules_held"] == [describe(one) for one in (OTHER, ROUTE6, RULE)]
    stage.apply(instance())
    assert stage.host.ways == {}
    assert stage.one()["state"] == "active"
    assert stage.log.having("another program") == []


def test_a_reload_that_changes_nothing_asks_for_nothing(stage: Stage) -> None:
    stage.start_active(router())
    stage.host.routes.clear()
    stage.host.rules.clear()
    stage.apply(router())
    assert stage.host.routes == stage.host.rules == []


def test_a_reload_of_a_backup_moves_nothing(stage: Stage) -> None:
    stage.apply(router())
    stage.hear(datagram(priority=200))
    stage.host.routes.clear()
    stage.apply(router(OTHER))
    assert "add" not in stage.host.routes


def test_a_route_that_the_kernel_refuses_is_told_and_tried_again_with_news_of_interfaces(
    stage: Stage,
) -> None:
    stage.host.refuse_routes = errno.ENETUNREACH
    stage.apply(router())
    stage.wait(5)
    one = stage.one()
    assert one["routes_and_rules_refused"] == {"route to 192.0.2.0/24": "Network is unreachable"}
    assert one["routes_and_rules_held"] == ["rule 1000 from 192.0.2.0/24 table 100"]
    assert len(stage.log.having("VI_1: cannot add route to 192.0.2.0/24: Network is unreachable")) == 1
    stage.host.refuse_routes = 0
    stage.host.add_address(3, "203.0.113.77/24")
    stage.wait(0)
    assert stage.one()["routes_and_rules_refused"] == {}
    assert len(stage.host.ways) == 2


def test_a_route_waits_for_an_interface_that_comes_later(stage: Stage) -> None:
    late = Route(4, packed("192.0.2.0"), 24, next_hops=(NextHop(None, "eth7"),), no_track=True)
    stage.start_active(router(late), settings=GlobalSettings(dynamic_interfaces=True))
    assert stage.one()["routes_and_rules_refused"] == {
        "route to 192.0.2.0/24": "interface eth7 does not exist"
    }
    stage.host.add_link(7, "eth7")
    stage.wait(0)
    assert len(stage.host.ways) == 2


def test_news_that_were_lost_are_made_good_by_asking_for_everything(stage: Stage) -> None:
    stage.start_active(router())
    stage.host.lost_news = True
    stage.host.remove_way(ROUTE)
    stage.wait(0)
    stage.host.lost_news = False
    assert stage.one()["state"] == "active"
    assert len(stage.host.ways) == 2


def test_a_route_that_two_routers_share_stays_with_the_one_that_is_active(stage: Stage) -> None:
    first = router(name="VI_1")
    second = instance("VI_2", "203.0.113.99/32", vrid=11, routes=(ROUTE,))
    stage.start_active(first, second)
    stage.hear(datagram(priority=200))
    assert [one["state"] for one in stage.status()] == ["backup", "active"]
    assert stage.status()[1]["routes_and_rules_held"] == ["route to 192.0.2.0/24"]
    assert len(stage.host.ways) == 1
    stage.apply(second)
    assert len(stage.host.ways) == 1
    stage.apply(first, second)
    assert len(stage.host.ways) == 1, "a new router takes its leftovers away, and not what another has"


def test_a_route_goes_to_the_table_of_its_vrf(stage: Stage) -> None:
    route = replace(ROUTE, vrf="blue")
    stage.apply(router(route), settings=GlobalSettings(dynamic_interfaces=True))
    stage.wait(5)
    assert stage.one()["routes_and_rules_refused"] == {
        "route to 192.0.2.0/24 vrf blue": "there is no VRF blue"
    }
    stage.host.add_link(9, "blue", kind="vrf", mode=1009)
    stage.wait(0)
    assert [key.table for key in stage.host.ways if isinstance(key, RouteKey)] == [1009]
    assert "route to 192.0.2.0/24 vrf blue" in stage.one()["routes_and_rules_held"]
    stage.host.add_link(3, "eth1", flags=DOWN)
    stage.wait(0)
    assert stage.one()["state"] == "active", "the VRF itself is not tracked"


def test_an_interface_of_another_kind_is_no_vrf(stage: Stage) -> None:
    stage.start_active(router(replace(ROUTE, vrf="eth1")))
    assert stage.one()["routes_and_rules_refused"] == {
        "route to 192.0.2.0/24 vrf eth1": "there is no VRF eth1"
    }


def test_words_for_people() -> None:
    assert describe(Route(4, None, 0, metric=5, table=100)) == "route to default metric 5 table 100"
    assert (
        describe(Rule(6, action="blackhole", priority=9, input_interface="eth0"))
        == "rule 9 iif eth0 blackhole"
    )
