# SPDX-License-Identifier: GPL-3.0-or-later
"""Agent and keepalived of three Debians share one group: each is active in turn, and gives way again."""

from __future__ import annotations

from typing import Any, Callable

from tests.containers.conftest import Outcome
from tests.containers.lab import Lab, Node

# As long as a story waits for a node to come back.
SETTLE_MS = 25_000.0

Host = Callable[[Node], Any]


def test_each_node_runs_the_engine_that_was_asked_for(settled: Lab, host: Host) -> None:
    engines = [node.engine for node in settled.nodes]
    assert sorted(set(engines)) == ["keepalived", "vrrp-agent"], engines
    for node, engine in zip(settled.nodes, engines):
        other = "keepalived" if engine == "vrrp-agent" else "vrrp-agent"
        assert host(node).service(engine).is_running
        assert not host(node).service(other).is_running


def take_turns(settled: Lab, outcome: Outcome) -> None:
    """The engines stop one after the other, then come back in reverse order; the client hardly notices."""
    nodes = settled.nodes
    engines = {node: node.engine for node in nodes}
    for leaving, successor in zip(nodes, nodes[1:]):
        limits = [instance.skew_ms(successor) for instance in settled.instances]
        with settled.watch() as watch:
            watch.event(leaving.run, "systemctl", "stop", engines[leaving])
            since = settled.settle(successor)
            report = watch.report
        outcome.within(report, limits)
        outcome.one_holder(report, successor, since)
        outcome.announced(report, successor, limits)
    for coming in reversed(nodes[:-1]):
        with settled.watch() as watch:
            watch.event(coming.run, "systemctl", "start", engines[coming])
            since = settled.settle(coming)
            report = watch.report
        outcome.within(report, [0, 0])
        outcome.one_holder(report, coming, since)
        outcome.announced(report, coming, [SETTLE_MS, SETTLE_MS])


def test_each_node_is_active_in_turn_and_gives_way_again(settled: Lab, outcome: Outcome) -> None:
    take_turns(settled, outcome)


def test_each_node_takes_over_from_one_that_dies(settled: Lab, outcome: Outcome) -> None:
    nodes = settled.nodes
    for dying, successor in zip(nodes, nodes[1:]):
        limits = [instance.down_ms(successor) for instance in settled.instances]
        with settled.watch() as watch:
            watch.event(dying.crash)
            since = settled.settle(successor)
            report = watch.report
        outcome.within(report, limits)
        outcome.one_holder(report, successor, since)
        outcome.announced(report, successor, limits)


def test_the_engines_change_places_one_node_at_a_time(settled: Lab, outcome: Outcome) -> None:
    nodes = settled.nodes
    engines = [node.engine for node in nodes]
    # The active node is the last to change, and says farewell.
    limits = [max(instance.skew_ms(node) for node in nodes) for instance in settled.instances]
    with settled.watch() as watch:
        assert settled.roll_out("-e", "lab_turn=1") == {node.name: 1 for node in nodes}
        settled.settle(nodes[0])
        report = watch.report
    outcome.within(report, limits)
    assert [node.engine for node in nodes] == [
        "keepalived" if engine == "vrrp-agent" else "vrrp-agent" for engine in engines
    ]


def test_each_node_is_active_in_turn_with_the_other_engine(settled: Lab, outcome: Outcome) -> None:
    take_turns(settled, outcome)
