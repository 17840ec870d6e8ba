# SPDX-License-Identifier: GPL-3.0-or-later
"""static_ipaddress and static_routes: there while the agent runs, whatever the elections say."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest
from vrrp_agent.conf.model import GlobalSettings, NextHop, Route, Rule

from tests.unit.daemon.host import packed
from tests.unit.daemon.make import OURS, address, instance
from tests.unit.daemon.stage import Stage

STATIC = address("203.0.113.1/24", device="eth1")
OTHER = address("203.0.113.2/24", device="eth1")
ROUTE = Route(4, packed("192.0.2.0"), 24, next_hops=(NextHop(packed("203.0.113.254"), "eth1"),))
DEFAULT = Route(4, None, 0, next_hops=(NextHop(packed("203.0.113.253"), "eth7"),))
RULE = Rule(4, table=100, priority=1000, source=(packed("192.0.2.0"), 24))
LATE = GlobalSettings(dynamic_interfaces=True)


def test_static_addresses_come_with_the_start_and_go_with_the_end(stage: Stage) -> None:
    stage.apply(static_addresses=(STATIC,))
    assert stage.host.holds(3) == ["203.0.113.1/24"]
    stage.agent.stop()
    assert stage.host.holds(3) == []


def test_a_reload_changes_what_differs(stage: Stage) -> None:
    stage.apply(static_addresses=(STATIC,))
    stage.host.done.clear()
    stage.apply(static_addresses=(STATIC, OTHER))
    stage.apply(static_addresses=(OTHER,))
    assert [(done.verb, done.address) for done in stage.host.done] == [
        ("add", "203.0.113.2/24"),
        ("remove", "203.0.113.1/24"),
    ]


def test_a_static_address_waits_for_its_interface(stage: Stage) -> None:
    stage.apply(static_addresses=(address("203.0.113.7/24", device="eth7"),), settings=LATE)
    assert stage.log.having("static address 203.0.113.7 waits for interface eth7")
    stage.host.add_link(7, "eth7")
    stage.wait(0)
    assert stage.host.holds(7) == ["203.0.113.7/24"]


def test_a_static_address_that_somebody_removes_is_put_back(stage: Stage) -> None:
    stage.apply(static_addresses=(STATIC,))
    stage.host.remove_address(3, "203.0.113.1/24")
    stage.wait(0)
    assert stage.host.holds(3) == ["203.0.113.1/24"]


def test_removing_what_is_not_there_any_more_is_no_error(stage: Stage) -> None:
    stage.apply(static_addresses=(STATIC,))
    del stage.host.addresses[3, STATIC.packed, 24]
    stage.agent.stop()
    assert stage.log.having("cannot") == []


def test_routes_come_and_go_with_the_configuration(stage: Stage) -> None:
    stage.apply(static_routes=(ROUTE,))
    assert stage.host.routes == ["add"]
    stage.apply(static_routes=(ROUTE,))
    assert stage.host.routes == ["add"]
    stage.apply()
    assert stage.host.routes == ["add", "remove"]


def test_a_route_waits_for_its_interface(stage: Stage) -> None:
    stage.apply(static_routes=(DEFAULT,), settings=LATE)
    assert stage.host.routes == []
    assert stage.log.having("static route to default waits: interface eth7 does not exist")
    stage.host.add_link(7, "eth7")
    stage.wait(0)
    assert stage.host.routes == ["add"]
    stage.agent.stop()
    assert stage.host.routes == ["add", "remove"]


def test_a_route_that_the_kernel_dropped_with_the_link_comes_back_with_it(stage: Stage) -> None:
    stage.apply(static_routes=(ROUTE,))
    stage.host.add_link(3, "eth1", flags=0x1)
    stage.wait(0)
    assert stage.host.routes == ["add"]
    stage.host.add_link(3, "eth1")
    stage.wait(0)
    assert stage.host.routes == ["add", "add"]


def test_a_refusal_is_said_once_and_tried_again_quietly(stage: Stage) -> None:
    stage.host.refuse_routes = errno.ENETUNREACH
    stage.apply(static_routes=(ROUTE,))
    for number in range(5):
        stage.host.add_address(3, f"203.0.113.{10 + number}/24")
        stage.wait(0)
    assert stage.host.routes == ["add"] * 6
    assert stage.log.having("cannot add static route to 192.0.2.0/24: Network is unreachable")
    assert len(stage.log.having("cannot")) == 1
    stage.host.refuse_routes = errno.EPERM
    stage.host.add_address(3, "203.0.113.99/24")
    stage.wait(0)
    assert len(stage.log.having("cannot")) == 2, "another reason is news"


def test_rules_come_and_go_with_the_configuration(stage: Stage) -> None:
    stage.apply(static_rules=(RULE,))
    assert stage.host.rules == ["add"]
    stage.apply(static_rules=(RULE,))
    assert stage.host.rules == ["add"]
    stage.agent.stop()
    assert stage.host.rules == ["add", "remove"]


def test_static_routes_and_rules_that_another_program_removes_are_put_back(stage: Stage) -> None:
    stage.apply(static_routes=(ROUTE,), static_rules=(RULE,))
    stage.host.remove_way(ROUTE)
    stage.host.remove_way(RULE)
    stage.wait(0)
    assert len(stage.host.ways) == 2
    assert len(stage.log.having("another program removed static")) == 2


def test_no_track_leaves_a_static_item_to_those_who_removed_it(stage: Stage) -> None:
    route, rule = replace(ROUTE, no_track=True), replace(RULE, no_track=True)
    stage.apply(instance(), static_routes=(route,), static_rules=(rule,))
    stage.host.remove_way(route)
    stage.host.remove_way(rule)
    stage.wait(0)
    assert stage.host.ways == {}


@pytest.mark.parametrize("what", ["address", "route", "rule"])
def test_the_instances_of_its_track_group_step_down_when_a_static_item_is_removed(
    stage: Stage, what: str
) -> None:
    stage.start_active(
        instance("VI_1"),
        instance("VI_2", "203.0.113.99/32", vrid=11),
        static_addresses=(replace(STATIC, track_group="G"),),
        static_routes=(replace(ROUTE, track_group="G"),),
        static_rules=(replace(RULE, track_group="G"),),
        track_groups=(("G", ("VI_2",)),),
    )
    if what == "address":
        stage.host.remove_address(3, "203.0.113.1/24")
    else:
        stage.host.remove_way(ROUTE if what == "route" else RULE)
    stage.wait(0)
    assert [one["state"] for one in stage.status()] == ["active", "backup"]
    assert f"another program removed static {what}" in stage.status()[1]["reason"]
    assert len(stage.host.ways) == 2
    assert stage.host.holds(3) == ["203.0.113.1/24"]


def test_static_items_leave_the_rest_of_the_host_alone(stage: Stage) -> None:
    stage.apply(static_addresses=(STATIC,))
    stage.agent.stop()
    assert stage.host.holds(2) == [f"{OURS}/24", "fe80::1/64"]
