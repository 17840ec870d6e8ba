# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server dies behind its check: the address moves; it recovers: the address comes back, or stays."""

from __future__ import annotations

from typing import Iterator

import pytest

from tests.containers.lab import Lab, Node, wait_until

CHECK_S, TIMEOUT_S = 1.0, 2.0
"""interval and timeout of the check, as the inventory has them."""
GRACE_S = 2.0


@pytest.fixture
def lab(lab: Lab) -> Iterator[Lab]:
    """Both web servers run, and both addresses are on the first node."""
    for node in lab.nodes:
        if not node.pid:
            node.start()
        node.run("systemctl", "start", "nginx")
    first, second = lab.nodes
    second.run("systemctl", "stop", "vrrp-agent")  # what stays where it is goes home only so
    lab.settle(first, among=[first])
    second.run("systemctl", "start", "vrrp-agent")
    lab.settle(first)
    yield lab


def get(lab: Lab, address: str) -> str:
    """What the client gets from the web server behind an address."""
    page = f"urlopen('http://{address}/', timeout=2).read().decode()"
    fetch = f"from urllib.request import urlopen; print({page})"
    return lab.client.run("python3", "-c", fetch, check=False).strip()


def is_on(lab: Lab, address: str, node: Node, timeout_s: float) -> None:
    """The address moves to the node, and the client is served from there."""
    wait_until(f"{address} on {node}", lambda: lab.holders(address) == [node], timeout_s)
    wait_until(f"{node} serves {address}", lambda: get(lab, address) == node.hostname, 5)


def down_s(lab: Lab, successor: Node) -> float:
    return max(one.down_ms(successor) for one in lab.instances) / 1e3


def test_the_client_is_served_by_the_first_node(lab: Lab) -> None:
    for address in lab.addresses:
        assert get(lab, address) == "n1"


def test_a_dead_service_moves_its_addresses_and_status_says_why(lab: Lab) -> None:
    first, second = lab.nodes
    first.run("systemctl", "kill", "--signal=KILL", "nginx")
    limit_s = CHECK_S + TIMEOUT_S + down_s(lab, second) + GRACE_S
    for address in lab.addresses:
        is_on(lab, address, second, limit_s)
    told = first.run("vrrp-agent", "status", check=False)
    assert "chk_nginx" in told and "fault" in told.lower(), told


def test_a_recovered_service_takes_back_what_preempts_and_leaves_what_does_not(lab: Lab) -> None:
    first, second = lab.nodes
    web, stay = lab.addresses
    first.run("systemctl", "stop", "nginx")
    for address in lab.addresses:
        is_on(lab, address, second, CHECK_S + TIMEOUT_S + down_s(lab, second) + GRACE_S)
    first.run("systemctl", "start", "nginx")
    is_on(lab, web, first, 2 * (CHECK_S + TIMEOUT_S) + down_s(lab, first) + GRACE_S)
    assert lab.holders(stay) == [second]
    assert get(lab, stay) == "n2"


def test_a_hung_service_counts_as_dead(lab: Lab) -> None:
    first, second = lab.nodes
    first.run("systemctl", "kill", "--kill-whom=all", "--signal=STOP", "nginx")
    try:
        for address in lab.addresses:
            is_on(lab, address, second, 2 * TIMEOUT_S + CHECK_S + down_s(lab, second) + GRACE_S)
    finally:
        first.run("systemctl", "kill", "--kill-whom=all", "--signal=CONT", "nginx")


def test_checks_run_as_the_account_of_the_file(lab: Lab) -> None:
    first = lab.nodes[0]
    first.run("rm", "-f", "/tmp/checked-by")
    seen = wait_until("a check", lambda: first.run("cat", "/tmp/checked-by", check=False), 10)
    assert seen == "nobody\n"
