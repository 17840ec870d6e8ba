# SPDX-License-Identifier: GPL-3.0-or-later
"""Both families on virtual MACs, in one sync group: they move together, and no client learns anything new."""

from __future__ import annotations

from typing import Dict

from tests.containers.conftest import Outcome
from tests.containers.lab import Lab, Node

VIRTUAL = {4: "00:00:5e:00:01:33", 6: "00:00:5e:00:02:33"}


def neighbours(lab: Lab) -> Dict[str, str]:
    """What MAC the client has for each virtual address, after it has spoken with it."""
    found = {}
    for address in lab.addresses:
        lab.client.run("ping", "-c1", "-W2", address)
        (entry,) = lab.client.ip("neigh", "show", "to", address)
        found[address] = entry["lladdr"]
    return found


def expected(lab: Lab) -> Dict[str, str]:
    return {address: VIRTUAL[6 if ":" in address else 4] for address in lab.addresses}


def virtual_links(node: Node) -> Dict[str, str]:
    """The virtual links of a node and their MACs."""
    return {one["ifname"]: one["address"] for one in node.ip("link") if one["ifname"].startswith("vrrp")}


def test_each_family_has_a_virtual_mac_of_its_own(settled: Lab) -> None:
    for node in settled.nodes:
        assert sorted(virtual_links(node).values()) == sorted(VIRTUAL.values())
    assert neighbours(settled) == expected(settled)


def test_both_families_leave_a_node_that_dies_and_the_client_learns_nothing(
    settled: Lab, outcome: Outcome
) -> None:
    first, second = settled.nodes
    assert neighbours(settled) == expected(settled)
    limits = [instance.down_ms(second) for instance in settled.instances]
    with settled.watch() as watch:
        watch.event(first.crash)
        since = settled.settle(second)
        report = watch.report
    outcome.within(report, limits)
    outcome.one_holder(report, second, since)
    assert neighbours(settled) == expected(settled)

    with settled.watch() as watch:
        first.start()
        watch.node_is_back(first)
        since = settled.settle(first)
        report = watch.report
    outcome.one_holder(report, first, since)
    assert neighbours(settled) == expected(settled)


def test_both_families_leave_a_node_whose_cable_is_cut(settled: Lab, outcome: Outcome) -> None:
    first, second = settled.nodes
    limits = [instance.down_ms(second) for instance in settled.instances]
    with settled.watch() as watch:
        watch.event(first.cut_cable)
        try:
            since = settled.settle(second)
            report = watch.report
        finally:
            first.mend_cable()
    outcome.within(report, limits)
    outcome.one_holder(report, second, since)


def test_a_killed_agent_keeps_both_families_where_they_are(settled: Lab, outcome: Outcome) -> None:
    first = settled.nodes[0]
    limits = [instance.down_ms(settled.nodes[1]) for instance in settled.instances]
    with settled.watch() as watch:
        watch.event(first.run, "systemctl", "kill", "--signal=KILL", "vrrp-agent")
        since = settled.settle(first, steady_s=max(limits) / 1e3 + 0.5)
        report = watch.report
    outcome.within(report, limits)
    outcome.one_holder(report, first, since)
    assert neighbours(settled) == expected(settled)


def test_nothing_is_left_of_the_virtual_links_after_a_stop(settled: Lab) -> None:
    second = settled.nodes[1]
    second.run("systemctl", "stop", "vrrp-agent")
    try:
        assert virtual_links(second) == {}
    finally:
        second.run("systemctl", "start", "vrrp-agent")
