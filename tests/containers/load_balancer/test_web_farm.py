# SPDX-License-Identifier: GPL-3.0-or-later
"""A web farm under steady requests: whatever dies, no more of them fail than its stated bound."""

from __future__ import annotations

import json
import math
from typing import Any, Callable, Dict, Iterator, List

import pytest

from tests.containers.answers import EVERY_S, Answers, requests, served_by
from tests.containers.lab import Lab, Node, wait_until

WEB, OTHER = 80, 8080
DIRECT = "198.18.6.200"
"""An address that a server is given for DR."""
SLACK_S = 0.4
"""What a busy machine may add to a check, a takeover or a change of the table."""
IN_FLIGHT = 3
"""Requests that are under way at the moment of the event."""
SHARES = {"web1": 0.5, "web2": 0.25, "web3": 0.25}


class Farm:
    """The lab with its web servers, and what may fail when one of its parts dies."""

    def __init__(self, lab: Lab, tell: Callable[[str, object], None]) -> None:
        self.lab = lab
        self._tell = tell
        inventory = lab.data
        common = inventory["vars"]
        self.servers = [
            Node(name, {**common, **variables})
            for name, variables in inventory["children"]["web"]["hosts"].items()
        ]
        self.words: Dict[str, Any] = inventory["children"]["vrrp"]["vars"]
        self.address = lab.addresses[0]

    def server(self, name: str) -> Node:
        return next(node for node in self.servers if node.hostname == name)

    def verdict_s(self, hangs: bool) -> float:
        """From the death of a server to the verdict of its check, at the worst.

        The next check begins after delay_loop, and there is a pause before each further try. A try lasts
        connect_timeout where the server hangs; where it is dead it is refused at once.
        """
        check = self.words["web_check"]
        service = self.words["vrrp_config"]["virtual_server"][f"{self.address} {WEB}"]
        retry = int(check["retry"])
        waiting_s = (retry + 1) * float(check["connect_timeout"]) if hangs else 0.0
        return float(service["delay_loop"]) + retry * float(check["delay_before_retry"]) + waiting_s

    def server_bound(self, share: float, hangs: bool = False) -> int:
        """How many requests may fail because a server with that share has died."""
        return math.ceil((self.verdict_s(hangs) + SLACK_S) / EVERY_S * share) + IN_FLIGHT

    def director_bound(self, successor: Node) -> int:
        """How many may fail because the director has died: all, until the other one has taken over."""
        down_s = max(one.down_ms(successor) for one in self.lab.instances) / 1e3
        return math.ceil((down_s + SLACK_S) / EVERY_S) + IN_FLIGHT

    def judge(self, answers: Answers, bound: int, what: str) -> None:
        """Hold the failed requests against the bound, and print both."""
        told = f"{what}: {answers.told()}; bound {bound}"
        self._tell("outage", told)
        assert len(answers.failed) <= bound, f"{told}\n{answers.failed[:5]} ... {answers.failed[-5:]}"
        assert answers.requests, "nothing was asked"

    def wait_for(self, *names: str, timeout_s: float = 15.0) -> None:
        """Exactly these servers answer, and each request is answered."""
        last: List[Answers] = []

        def right() -> bool:
            last.append(served_by(self.lab, self.address))
            return not last[-1].failed and set(last[-1].shares) == set(names)

        try:
            wait_until(f"answers from {', '.join(names)}", right, timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; last {dict(last[-1].shares)}, {last[-1].told()}") from None


@pytest.fixture
def farm(settled: Lab, record_property: Callable[[str, object], None]) -> Iterator[Farm]:
    """Both directors and all servers are well."""
    farm = Farm(settled, record_property)
    farm.wait_for(*SHARES)
    yield farm
    for node in farm.servers:
        node.run("systemctl", "start", "nginx")


def test_requests_are_shared_by_weight(farm: Farm) -> None:
    answers = served_by(farm.lab, farm.address, count=200)
    assert not answers.failed, answers.told()
    for name, share in SHARES.items():
        assert abs(answers.shares[name] / 200 - share) <= 0.05, answers.shares


def test_status_says_which_servers_are_up_and_at_what_weight(farm: Farm) -> None:
    status = farm.lab.status(farm.lab.nodes[0])
    web = next(one for one in status["services"] if one["name"] == f"[{farm.address}]:tcp:{WEB}")
    assert (web["state"], status["balancing"]["backend"]) == ("up", "nftables")
    assert [(one["state"], one["weight"]) for one in web["servers"]] == [("up", 2), ("up", 1), ("up", 1)]


def way_back_of(server: Node, farm: Farm) -> bool:
    """Both of its routes lead through the directors."""
    halves = ("0.0.0.0/1", "128.0.0.0/1")
    return all(server.ip("route", "show", "exact", half, "via", farm.lab.addresses[1]) for half in halves)


def test_a_real_server_keeps_its_way_back_over_a_reboot(farm: Farm) -> None:
    server = farm.server("web3")
    server.crash()
    server.start()
    wait_until("the way back", lambda: way_back_of(server, farm), 20)
    farm.wait_for(*SHARES, timeout_s=20)


def test_a_server_of_dr_is_silent_about_its_address_and_forgets_it_without_a_trace(farm: Farm) -> None:
    server, neighbour = farm.server("web3"), farm.server("web2")
    direct = {"method": "DR", "addresses": [DIRECT, "2001:db8:6::200"]}

    def heard() -> bool:
        return ", 0% packet loss" in neighbour.run("ping", "-c1", "-W1", DIRECT, check=False)

    before = server.run("sysctl", "net.ipv4.conf.all.arp_ignore", "net.ipv4.conf.all.arp_announce")
    way_back = {"method": "NAT", "gateway": farm.lab.addresses[1]}
    try:
        assert farm.lab.ad_hoc(server, "real_server", **direct)
        assert not farm.lab.ad_hoc(server, "real_server", **direct)
        assert server.holds(DIRECT) and not heard()
        server.run("sysctl", "-w", "net.ipv4.conf.all.arp_ignore=0")
        assert heard(), "the address would not be heard anyway"
        assert farm.lab.ad_hoc(server, "real_server", **direct)
        neighbour.run("ip", "neighbour", "flush", "to", DIRECT)
        assert not heard()
    finally:
        assert farm.lab.ad_hoc(server, "real_server", **way_back)
    assert not server.holds(DIRECT)
    assert before == server.run("sysctl", "net.ipv4.conf.all.arp_ignore", "net.ipv4.conf.all.arp_announce")
    assert way_back_of(server, farm)


def test_a_web_server_that_dies_costs_no_more_than_its_check_allows(farm: Farm) -> None:
    with requests(farm.lab, farm.address) as client:
        farm.server("web1").run("systemctl", "kill", "--signal=KILL", "nginx")
        farm.wait_for("web2", "web3")
        answers = client.answers
    farm.judge(answers, farm.server_bound(SHARES["web1"]), "web server killed")


def test_a_server_that_hangs_costs_no_more_either(farm: Farm) -> None:
    server = farm.server("web2")
    try:
        with requests(farm.lab, farm.address) as client:
            server.pause()
            farm.wait_for("web1", "web3")
            answers = client.answers
    finally:
        server.unpause()
    farm.judge(answers, farm.server_bound(SHARES["web2"], hangs=True), "server hung")


def test_a_server_that_comes_back_costs_nothing(farm: Farm) -> None:
    server = farm.server("web1")
    server.run("systemctl", "stop", "nginx")
    farm.wait_for("web2", "web3")
    with requests(farm.lab, farm.address) as client:
        server.run("systemctl", "start", "nginx")
        farm.wait_for(*SHARES)
        answers = client.answers
    farm.judge(answers, 0, "server back")


def test_a_director_that_dies_costs_no_more_than_the_takeover(farm: Farm) -> None:
    lab = farm.lab
    first, second = lab.nodes
    with requests(lab, farm.address) as client:
        first.crash()
        lab.settle(second)
        farm.wait_for(*SHARES)
        answers = client.answers
    farm.judge(answers, farm.director_bound(second), "director killed")
    assert set(answers.shares) == set(SHARES)


def test_a_director_that_comes_back_finds_the_table_that_it_needs(farm: Farm) -> None:
    lab = farm.lab
    first, second = lab.nodes
    first.crash()
    lab.settle(second)
    with requests(lab, farm.address) as client:
        first.start()
        lab.settle(first)
        farm.wait_for(*SHARES)
        answers = client.answers
    farm.judge(answers, math.ceil(SLACK_S / EVERY_S) + IN_FLIGHT, "director back")


def test_a_server_and_then_the_director_die(farm: Farm) -> None:
    lab = farm.lab
    first, second = lab.nodes
    with requests(lab, farm.address) as client:
        farm.server("web1").run("systemctl", "kill", "--signal=KILL", "nginx")
        farm.wait_for("web2", "web3")
        first.crash()
        lab.settle(second)
        farm.wait_for("web2", "web3")
        answers = client.answers
    bound = farm.server_bound(SHARES["web1"]) + farm.director_bound(second)
    farm.judge(answers, bound, "server, then director killed")


def roll_out(farm: Farm, **variables: int) -> Answers:
    """Run the playbook with other variables under steady requests."""
    with requests(farm.lab, farm.address) as client:
        changed = farm.lab.roll_out("--extra-vars", json.dumps(variables))
        assert all(changed[node.name] for node in farm.lab.nodes), changed
        return client.answers


def test_a_server_is_drained_by_a_rollout_and_no_request_fails(farm: Farm) -> None:
    try:
        answers = roll_out(farm, web3_weight=0)
        farm.judge(answers, 0, "drained")
        farm.wait_for("web1", "web2")
    finally:
        farm.lab.roll_out()
    farm.wait_for(*SHARES)


def test_a_change_of_another_service_costs_nothing(farm: Farm) -> None:
    try:
        answers = roll_out(farm, other_delay_loop=2)
    finally:
        farm.lab.roll_out()
    farm.judge(answers, 0, "another service changed")


def test_both_services_of_an_address_are_served(farm: Farm) -> None:
    answers = served_by(farm.lab, farm.address, OTHER, count=100)
    assert not answers.failed, answers.told()
    assert set(answers.shares) == {"web1", "web2"}, answers.shares
    # rr is exact in namespaces. Here 16 requests were once 9 and 7, and nobody knows why yet.
    assert abs(answers.shares["web1"] - answers.shares["web2"]) <= 4, answers.shares
