# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories told in containers that a molecule scenario has started: `tools/molecule SCENARIO`."""

from __future__ import annotations

import os
import pathlib
from typing import Any, Callable, Generator, Iterator, List

import pytest
import testinfra

from tests.containers.lab import Lab, Node, Report, Watch

TOP = pathlib.Path(__file__).parents[2]
# What a busy machine may add to a takeover in containers.
SLACK_MS = 100.0


@pytest.fixture(scope="session")
def lab() -> Lab:
    scenario = os.environ.get("MOLECULE_SCENARIO_NAME", "default")
    lab = Lab(TOP / "molecule" / scenario / "inventory" / "hosts.yml")
    if not lab.client.pid:
        pytest.skip(f"the containers do not run: tools/molecule {scenario} starts them")
    return lab


@pytest.fixture
def settled(lab: Lab) -> Iterator[Lab]:
    """Every story begins with all nodes well and the first of them active."""
    for node in lab.nodes:
        if not node.pid:
            node.start()
    lab.settle(lab.nodes[0])
    yield lab


@pytest.fixture
def host() -> Callable[[Node], Any]:
    """The testinfra host of a node."""
    return lambda node: testinfra.get_host(f"podman://{node.name}")


class Outcome:
    """Says what must hold after a takeover, for every address of the lab."""

    def __init__(self, lab: Lab, tell: Callable[[str, object], None]) -> None:
        self.lab = lab
        self._tell = tell

    def one_holder(self, report: Report, node: Node, since: float) -> None:
        """At every sample from then on that node and no other holds each address."""
        for address in self.lab.addresses:
            seen = report.holders(address, since)
            assert seen
            assert all(who == [node.hostname] for who in seen), f"holders of {address}: {seen}"

    def within(self, report: Report, limits_ms: List[float]) -> None:
        """No address was silent for longer than its limit and the slack."""
        for address, limit in zip(self.lab.addresses, limits_ms):
            outage = report.outage_ms(address)
            self._tell("outage", f"{address} {outage:.0f} of {limit:.0f} ms")
            assert outage <= limit + SLACK_MS, (
                f"{address} was silent for {outage:.0f} ms, the limit is {limit:.0f}"
            )

    def announced(self, report: Report, node: Node, limits_ms: List[float]) -> None:
        """The node announced each address (gratuitous ARP, neighbour advertisement) in time."""
        for address, limit in zip(self.lab.addresses, limits_ms):
            after = report.announced_ms(address, node)
            assert after <= limit + SLACK_MS, (
                f"{node} announced {address} after {after:.0f} ms, limit {limit:.0f}"
            )


@pytest.fixture
def outcome(lab: Lab, record_property: Callable[[str, object], None]) -> Outcome:
    return Outcome(lab, record_property)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """The measured outages of each story; and when it failed, what the nodes have to say."""
    outcome = yield
    report = outcome.get_result()
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.when == "call" and report.failed and lab is not None:
        for node in lab.nodes:
            text = node.journal() if node.pid else "(down)"
            addresses = node.run("ip", "-br", "addr", check=False) if node.pid else ""
            report.sections.append((f"{node.hostname}: addresses and journal", addresses + text))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show what was measured beside what the protocol allows."""
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        told = [str(value) for name, value in report.user_properties if name == "outage"]
        if told:
            terminalreporter.write_line(f"{report.nodeid.split('::')[-1]}: {', '.join(told)}")


__all__ = ["Outcome", "Watch"]
