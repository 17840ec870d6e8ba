# SPDX-License-Identifier: GPL-3.0-or-later
"""A router of three hosts loses one side, or all of a host: both sides move together, or not at all."""

from __future__ import annotations

from typing import Callable, Iterator

import pytest

from tests.containers.conftest import SLACK_MS, Outcome
from tests.containers.lab import Lab, Node, Report, sh

SERVER = "198.18.3.50"
INSIDE = "198.18.3.0/24"


@pytest.fixture
def routed(settled: Lab) -> Iterator[Lab]:
    """The client's way in and the server's way out lead through the virtual addresses."""
    outside, inside = settled.addresses
    settled.client.run("ip", "route", "replace", INSIDE, "via", outside)
    sh("podman", "exec", "vrrp-sync_group-server", "ip", "route", "replace", "default", "via", inside)
    yield settled


def never_split(report: Report, lab: Lab, limit_ms: float) -> None:
    """No two hosts held one side each for longer than the protocol needs to hear of it."""
    split_since = None
    for sample in report.data["samples"]:
        sides = [sample["who"][address] for address in lab.addresses]
        holders = {name for names in sides for name in names}
        apart = len(holders) > 1 and any(len(names) == 1 for names in sides) and sides[0] != sides[1]
        if not apart:
            split_since = None
            continue
        split_since = split_since or sample["at"]
        lasted_ms = (sample["until"] - split_since) * 1e3
        assert lasted_ms <= limit_ms + SLACK_MS, f"split for {lasted_ms:.0f} ms: {sides}"


def moves(lab: Lab, outcome: Outcome, event: Callable[[], object], to: Node, limits_ms: list[float]) -> None:
    """After ``event`` both sides are on ``to``, and the client reaches the server through it in time."""
    with lab.watch(SERVER) as watch:
        watch.event(event)
        since = lab.settle(to)
        report = watch.report
    outcome.within(report, limits_ms)
    outcome.one_holder(report, to, since)
    through_ms = report.outage_ms(SERVER)
    assert through_ms <= max(limits_ms) + SLACK_MS, f"the server was away for {through_ms:.0f} ms"
    never_split(report, lab, max(limits_ms))


def test_the_client_reaches_the_server_through_the_first_router(routed: Lab, outcome: Outcome) -> None:
    first = routed.nodes[0]
    with routed.watch(SERVER) as watch:
        since = routed.settle(first, steady_s=1.0)
        report = watch.report
    outcome.one_holder(report, first, since)
    assert report.lost(SERVER) == 0


@pytest.mark.parametrize("side", ["eth0", "eth1"])
def test_both_sides_leave_a_router_that_loses_one(routed: Lab, outcome: Outcome, side: str) -> None:
    first, second, _third = routed.nodes
    limits = [instance.down_ms(second) for instance in routed.instances]
    try:
        moves(routed, outcome, lambda: first.cut_cable(side), second, limits)
    finally:
        first.mend_cable(side)
    routed.settle(first)


def test_a_mended_side_brings_both_back_unnoticed(routed: Lab, outcome: Outcome) -> None:
    first, second, _third = routed.nodes
    first.cut_cable("eth1")
    try:
        routed.settle(second)
    finally:
        first.mend_cable("eth1")
    with routed.watch(SERVER) as watch:
        since = routed.settle(first)
        report = watch.report
    outcome.one_holder(report, first, since)
    assert report.outage_ms(SERVER) <= SLACK_MS


def test_the_third_router_takes_over_when_two_are_gone(routed: Lab, outcome: Outcome) -> None:
    first, second, third = routed.nodes
    try:
        moves(routed, outcome, first.crash, second, [one.down_ms(second) for one in routed.instances])
        moves(routed, outcome, second.crash, third, [one.down_ms(third) for one in routed.instances])
    finally:
        for node in (first, second):
            if not node.pid:
                node.start()
    routed.settle(first)


def test_routers_that_lose_one_side_each_leave_both_to_the_third(routed: Lab, outcome: Outcome) -> None:
    first, second, third = routed.nodes
    try:
        first.cut_cable("eth0")
        routed.settle(second)
        second.cut_cable("eth1")
        routed.settle(third)
    finally:
        first.mend_cable("eth0")
        second.mend_cable("eth1")
    routed.settle(first)
