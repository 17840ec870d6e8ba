# SPDX-License-Identifier: GPL-3.0-or-later
"""A pair loses its active node in every way there is, and a client watches."""

from __future__ import annotations

from typing import Any, Callable

from tests.containers.conftest import Outcome
from tests.containers.lab import Lab, Node, wait_until

Host = Callable[[Node], Any]


def test_the_agent_runs_on_both_nodes_and_keepalived_on_none(settled: Lab, host: Host) -> None:
    for node in settled.nodes:
        agent = host(node).service("vrrp-agent")
        assert agent.is_running and agent.is_enabled
        assert not host(node).service("keepalived").is_running


def test_the_configuration_is_readable_by_root_and_its_group_only(settled: Lab, host: Host) -> None:
    for node in settled.nodes:
        file = host(node).file("/etc/keepalived/keepalived.conf")
        assert (file.user, oct(file.mode)) == ("root", "0o640")


def test_the_journal_of_a_healthy_pair_has_no_error(settled: Lab) -> None:
    for node in settled.nodes:
        assert node.run("journalctl", "-u", "vrrp-agent", "-p", "err", "-q", "--no-pager") == ""


def test_a_check_of_a_converged_pair_reports_no_change(settled: Lab) -> None:
    assert settled.roll_out("--check", "--diff") == {node.name: 0 for node in settled.nodes}


def test_the_client_reaches_both_addresses_on_the_first_node(settled: Lab, outcome: Outcome) -> None:
    first = settled.nodes[0]
    with settled.watch() as watch:
        since = settled.settle(first, steady_s=1.0)
        report = watch.report
    outcome.one_holder(report, first, since)
    assert [report.lost(address) for address in settled.addresses] == [0, 0]


def test_the_service_survives_a_killed_agent(settled: Lab, outcome: Outcome) -> None:
    first, second = settled.nodes

    def main_pid() -> str:
        return first.run("systemctl", "show", "-P", "MainPID", "vrrp-agent").strip()

    killed = main_pid()
    limits = [instance.down_ms(second) for instance in settled.instances]
    with settled.watch() as watch:
        watch.event(first.run, "systemctl", "kill", "--signal=KILL", "vrrp-agent")
        wait_until("systemd starts the agent again", lambda: main_pid() not in ("0", killed))
        # Longer than any takeover would take: the one holder is there to stay.
        since = settled.settle(first, steady_s=max(limits) / 1e3 + 0.5)
        report = watch.report
    outcome.within(report, limits)
    outcome.one_holder(report, first, since)


def test_the_backup_takes_over_from_an_active_node_that_stops_in_order(
    settled: Lab, outcome: Outcome
) -> None:
    first, second = settled.nodes
    limits = [instance.skew_ms(second) for instance in settled.instances]
    with settled.watch() as watch:
        watch.event(first.run, "systemctl", "stop", "vrrp-agent")
        since = settled.settle(second)
        report = watch.report
    first.run("systemctl", "start", "vrrp-agent")
    outcome.within(report, limits)
    outcome.one_holder(report, second, since)
    outcome.announced(report, second, limits)


def test_the_backup_takes_over_from_a_paused_node(settled: Lab, outcome: Outcome) -> None:
    first, second = settled.nodes
    limits = [instance.down_ms(second) for instance in settled.instances]
    with settled.watch() as watch:
        watch.event(first.pause)
        try:
            # The paused node's kernel keeps the address, and nobody can ask it to let go.
            settled.settle(second, among=[second])
        finally:
            first.unpause()
        settled.settle(first)
        report = watch.report
    outcome.within(report, limits)
    outcome.announced(report, second, limits)


def test_the_backup_takes_over_when_the_cable_is_cut(settled: Lab, outcome: Outcome) -> None:
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
    outcome.announced(report, second, limits)


def test_a_mended_cable_brings_the_first_node_back_unnoticed(settled: Lab, outcome: Outcome) -> None:
    first, second = settled.nodes
    first.cut_cable()
    try:
        settled.settle(second)
        with settled.watch() as watch:
            watch.event(first.mend_cable)
            since = settled.settle(first)
            report = watch.report
    finally:
        first.mend_cable()
    outcome.within(report, [0, 0])
    outcome.one_holder(report, first, since)


def test_a_node_that_dies_is_replaced_and_comes_back_unnoticed(settled: Lab, outcome: Outcome) -> None:
    first, second = settled.nodes
    limits = [instance.down_ms(second) for instance in settled.instances]
    with settled.watch() as watch:
        watch.event(first.crash)
        since = settled.settle(second)
        report = watch.report
    outcome.within(report, limits)
    outcome.one_holder(report, second, since)
    outcome.announced(report, second, limits)

    with settled.watch() as watch:
        first.start()
        watch.node_is_back(first)
        since = settled.settle(first)
        report = watch.report
    outcome.within(report, [0, 0])
    outcome.one_holder(report, first, since)
