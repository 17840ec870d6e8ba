# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of virtual servers on nf_tables: adopted, healed, changed by difference, and read by people."""

from __future__ import annotations

import json
import re
import time
from typing import Dict, Iterator, List

import pytest
from vrrp_agent.balance.backend import Change, DestinationKey, DestinationWords, ServiceKey
from vrrp_agent.balance.nftables import OWNER, TABLE
from vrrp_agent.conf.parts.balancing import DIRECT, TCP, UDP, Forwarding, Persistence

from tests.lab.farm import OTHER_PORT, SERVERS, VIP, Farm, add_service, packed, server, service
from tests.lab.plugin import MakeLan


@pytest.fixture
def farm(make_lan: MakeLan) -> Iterator[Farm]:
    one = Farm(make_lan("client", "director", *SERVERS))
    one.lan.witnesses.append(one)
    try:
        yield one
    finally:
        one.close()


def everything() -> List[Change]:
    """One of each kind."""
    web, name, mark, handed = (
        service(),
        service(53, family=6, protocol=UDP),
        service(fwmark=7),
        service(OTHER_PORT),
    )
    changes = [add_service(web, "wrr", (), Persistence(300, 24))]
    changes += [server(web, one, weight) for weight, one in enumerate(SERVERS)]
    changes += [add_service(name, "sh", ("flag-2",)), server(name, "s1", 3, port=0)]
    changes += [add_service(mark, "fo"), server(mark, "s2", port=8080)]
    changes += [add_service(handed, "dh"), server(handed, "s1", method=DIRECT)]
    return [*changes, add_service(service(1, protocol=132), "rr")]


def handles(farm: Farm) -> Dict[str, int]:
    """The handle of every rule: one that is made anew has another."""
    listed = json.loads(farm.nft("-j", "-a", "list", "ruleset"))["nftables"]
    rules = [one["rule"] for one in listed if "rule" in one]
    return {f"{rule['chain']} {rule['handle']}": rule["handle"] for rule in rules}


def test_a_successor_finds_the_same_and_touches_nothing(farm: Farm) -> None:
    assert farm.apply(*everything()) == []
    expected = farm.call(farm.backend.read)
    before = farm.nft("-a", "list", "ruleset")
    flow = farm.flow()
    first = flow.ask()
    successor = farm.new_backend()  # the first was killed: it has said nothing
    assert farm.call(successor.read) == expected
    assert len(expected) == 5
    assert farm.call(lambda: successor.apply([])) == []
    assert strip_counts(farm.nft("-a", "list", "ruleset")) == strip_counts(before)
    assert flow.ask() == first


def strip_counts(text: str) -> str:
    text = re.sub(r"packets \d+ bytes \d+", "", text)
    return re.sub(r"\t*elements = \{[^}]* expires [^}]*\}\n", "", text)


def test_what_did_not_change_is_not_touched(farm: Farm) -> None:
    farm.apply(*everything())
    before = handles(farm)
    farm.apply(server(service(), "s3", 7, what="set"))
    after = handles(farm)
    chain = f"tcp-{VIP[4]}-80"
    touched = {name.split(" ")[0] for name in before if name not in after}
    assert touched == {chain, f"{chain}/198.18.0.3-80"}


def test_what_another_program_removes_is_made_again_with_the_next_change(farm: Farm) -> None:
    farm.apply(*everything())
    expected = farm.call(farm.backend.read)
    farm.nft("flush", "ruleset")
    assert farm.call(farm.backend.counters) == {}
    assert farm.apply(server(service(), "s3", 7, what="set")) == []
    found = farm.call(farm.new_backend().read)
    assert set(found) == set(expected)
    assert farm.shares(3, service()) != {}


@pytest.mark.parametrize("comment", ["", 'comment "somebody else";', 'comment "vrrp-agent balance 0";'])
def test_a_table_of_another_form_is_replaced(farm: Farm, comment: str) -> None:
    farm.nft(f"add table ip {TABLE} {{ {comment} }}")
    farm.nft(f"add chain ip {TABLE} dispatch")
    assert farm.call(farm.backend.read) == {}
    farm.apply(add_service(service()), server(service(), "s1"))
    assert farm.ask() == "s1"
    assert OWNER in farm.nft("list", "tables") + farm.nft("list", "table", "ip", TABLE)


def test_a_table_that_cannot_be_read_is_made_anew(farm: Farm) -> None:
    farm.apply(add_service(service()), server(service(), "s1"))
    farm.nft("add", "rule", "ip", TABLE, "dispatch", "continue", "comment", '"service tcp 80"')
    successor = farm.backend = farm.new_backend()
    assert farm.call(successor.read) == {}
    assert farm.apply(add_service(service()), server(service(), "s2")) == []
    assert farm.ask() == "s2"
    assert "service tcp 80" not in farm.nft("list", "ruleset")


def test_other_tables_are_left_alone(farm: Farm) -> None:
    farm.nft("add table ip mine")
    farm.apply(*everything())
    farm.call(farm.backend.flush)
    assert farm.nft("list", "tables").split("\n") == ["table ip mine", ""]
    assert farm.call(farm.backend.read) == {}


def test_removing_the_services_one_by_one_leaves_nothing(farm: Farm) -> None:
    farm.apply(*everything())
    for key in list(farm.call(farm.backend.read)):
        assert farm.apply(Change("remove", key)) == []
        assert key not in farm.call(farm.new_backend().read)
    assert farm.nft("list", "ruleset") == ""


def test_people_and_nft_can_read_the_tables(farm: Farm) -> None:
    farm.apply(*everything())
    listed = farm.nft("list", "ruleset")
    web = next(line for line in listed.splitlines() if "numgen" in line and "vmap" in line)
    assert f'comment "service tcp {VIP[4]} port 80 scheduler wrr persistence 300/24/"' in web
    assert re.search(r"198.18.0.2:80 comment \"server 198.18.0.2 port 80 method NAT weight 1\"", listed)
    assert "@nh" not in listed and "@th" not in listed and "@ll" not in listed
    # what is listed can be loaded again, and says the same
    kept = farm.lan.scratch / "ruleset.nft"
    kept.write_text(listed)
    before = farm.call(farm.backend.read)
    farm.nft("flush", "ruleset")
    farm.nft("-f", str(kept))
    assert farm.call(farm.new_backend().read) == before


def test_a_step_that_cannot_be_taken_leaves_the_others(farm: Farm) -> None:
    key, other = service(), service(OTHER_PORT)
    refused = farm.apply(
        add_service(key),
        server(key, "s1", method="TUN"),
        server(key, "s2"),
        server(other, "s1"),
        Change("add", key, destination=DestinationKey(packed("2001:db8:18::1"), 80),
               destination_words=DestinationWords(1, Forwarding())),
    )  # fmt: skip
    assert [one.why.split(":")[0] for one in refused] == [
        "nftables cannot carry lvs_method TUN",
        "there is no such service",
        "the server's address is of another family than the service",
    ]
    assert farm.shares(2) == {"s2": 2}


def test_a_service_that_the_kernel_refuses_leaves_the_others(farm: Farm) -> None:
    """A chain of that name stands in the way: the transaction fails, and is tried without that service."""
    farm.apply(add_service(service()), server(service(), "s1"))
    farm.nft("add", "counter", "ip", TABLE, f"tcp-{VIP[4]}-{OTHER_PORT}/198.18.0.1-{OTHER_PORT}")
    farm.nft("add", "map", "ip", TABLE, "x", "{ type ipv4_addr : verdict; }")
    other, third = service(OTHER_PORT), service(82)
    farm.nft("add", "set", "ip", TABLE, f"tcp-{VIP[4]}-{OTHER_PORT}/198.18.0.1-{OTHER_PORT}/clients",
             "{ type ipv6_addr; }")  # fmt: skip
    refused = farm.apply(
        add_service(other, persistence=Persistence(5, 32)),
        server(other, "s1"),
        add_service(third),
        server(third, "s2", port=80),
    )
    assert {one.change.service for one in refused} == {other}
    assert "nf_tables refused the virtual servers" in refused[0].why
    assert farm.ask(third) == "s2"
    assert set(farm.call(farm.new_backend().read)) == {service(), third}


def test_a_thousand_services(farm: Farm) -> None:
    keys = [ServiceKey(4, TCP, packed(VIP[4]), port, 0) for port in range(1000, 2000)]
    changes = [add_service(key, "wrr") for key in keys]
    changes += [server(key, name, 1 + at, port=80) for key in keys for at, name in enumerate(SERVERS)]
    times = []
    for what in (changes, [server(keys[500], "s1", 0, what="set", port=80)]):
        begun = time.monotonic()
        assert farm.apply(*what) == []
        times.append(time.monotonic() - begun)
    begun = time.monotonic()
    found = farm.call(farm.new_backend().read)
    times.append(time.monotonic() - begun)
    made, changed, read = times
    print(f"1,000 services of 3 servers made in {made:.3f} s, one changed in {changed:.3f} s")
    print(f"all read in {read:.3f} s")
    assert len(found) == 1000
    assert found[keys[500]].destinations[server(keys[500], "s1", port=80).destination].weight == 0
    assert farm.shares(2, keys[999]).keys() <= set(SERVERS)
    begun = time.monotonic()
    farm.call(farm.backend.counters)
    counted = time.monotonic() - begun
    begun = time.monotonic()
    farm.call(farm.backend.flush)
    print(f"counted in {counted:.3f} s, removed in {time.monotonic() - begun:.3f} s")
    assert farm.nft("list", "tables") == ""


def test_what_keeps_packets_from_servers_is_said(farm: Farm) -> None:
    farm.director.sysctl("net.ipv4.ip_forward=0")
    farm.apply(add_service(service()), server(service(), "s1"))
    assert farm.backend.problem.startswith("net.ipv4.ip_forward is 0")
    farm.director.sysctl("net.ipv4.ip_forward=1")
    farm.call(farm.backend.counters)
    assert farm.backend.problem == ""
