# SPDX-License-Identifier: GPL-3.0-or-later
"""What nftables cannot carry: an error where the file asks for it, a warning where it may come to it."""

from __future__ import annotations

import pytest
from vrrp_agent.conf.grammar.virtual_server import SCHEDULERS
from vrrp_agent.conf.parts import nft_limits

from tests.unit.conf.service_texts import service
from tests.unit.conf.texts import instance, load_text, the_problem

NFTABLES = "global_defs {\n    agent_balance_backend nftables\n}\n"
WRR = "lb_algo wrr"


def test_every_scheduler_is_carried_or_has_one_that_is_near_to_it() -> None:
    for name in SCHEDULERS:
        assert nft_limits.scheduler(name) in nft_limits.SCHEDULERS, name
    assert not nft_limits.SCHEDULERS & set(nft_limits.NEAREST)


@pytest.mark.parametrize("name", sorted(nft_limits.SCHEDULERS))
def test_nothing_is_said_about_what_is_carried(name: str) -> None:
    for words in (name, f"{name}\nlvs_method DR", f"{name}\npersistence_timeout 50"):
        for before in ("", NFTABLES):
            assert not load_text(before + service(f"lb_algo {words}")).problems


@pytest.mark.parametrize("wanted, used", sorted(nft_limits.NEAREST.items()))
def test_a_scheduler_that_is_not_carried(wanted: str, used: str) -> None:
    found = the_problem(NFTABLES + service(f"lb_algo {wanted}"))
    assert (found.severity, found.keyword) == ("error", "lb_algo")
    assert found.hint == f"write lb_algo {used}, which is nearest"
    other = the_problem(service(f"lb_algo {wanted}"))
    assert other.severity == "warning" and f"on a host without it: {used} is used" in other.message


@pytest.mark.parametrize(
    "body, words, keyword, outcome",
    [
        (f"{WRR}\nlvs_method TUN", "", "lvs_method", "such a server gets nothing"),
        (WRR, "lvs_method TUN", "lvs_method", "such a server gets nothing"),
        (WRR, "uthreshold 5", "uthreshold", "not limited"),
        (f"{WRR}\npersistence_timeout\npersistence_engine sip", "", "persistence_engine", "its address"),
        (
            f"{WRR}\nsorry_server 198.18.0.9 80\nsorry_server_lvs_method TUN",
            "",
            "sorry_server_lvs_method",
            "gets nothing",
        ),
    ],
)
def test_a_word_that_is_not_carried(body: str, words: str, keyword: str, outcome: str) -> None:
    found = the_problem(NFTABLES + service(body, checks=words))
    assert (found.severity, found.keyword) == ("error", keyword) and found.hint
    found = the_problem(service(body, checks=words))
    assert (found.severity, found.keyword) == ("warning", keyword) and outcome in found.message


def test_every_packet_on_its_own_is_not_carried() -> None:
    text = service(f"{WRR}\nops", protocol="protocol UDP")
    assert the_problem(NFTABLES + text).severity == "error"
    assert "stay with one server" in the_problem(text).message


def test_a_mark_can_be_carried_by_nat_only() -> None:
    text = service(f"{WRR}\nlvs_method DR", head="fwmark 7", protocol="", server="198.18.0.1")
    assert "by firewall mark" in the_problem(NFTABLES + text).message
    assert not load_text(NFTABLES + text.replace("DR", "NAT")).problems


def test_one_service_has_one_method() -> None:
    other = "real_server 198.18.0.2 80 {\n    lvs_method DR\n}"
    text = service(f"{WRR}\n{other}", checks="lvs_method NAT")
    assert "NAT beside DR" in the_problem(NFTABLES + text).message
    assert the_problem(text).severity == "warning"
    assert not load_text(NFTABLES + text.replace("NAT", "DR")).problems


@pytest.mark.parametrize("word", ["lvs_timeouts tcp 9", "lvs_sync_daemon eth1"])
def test_words_of_global_defs_that_are_not_carried(word: str) -> None:
    text = f"global_defs {{\n    {word}\n}}\n" + service(WRR)
    assert the_problem(text).severity == "warning"
    assert the_problem(NFTABLES + text).severity == "error"


def test_without_services_and_with_ipvs_nothing_is_said() -> None:
    word = "global_defs {\n    lvs_timeouts tcp 9\n}\n"
    assert not load_text(word + instance()).problems
    assert not load_text("global_defs {\n    agent_balance_backend ipvs\n}\n" + word + service()).problems


def test_a_service_of_very_many_addresses_is_slow_to_change() -> None:
    def text(length: int) -> str:
        group = f"virtual_server_group WEB {{\n    198.18.0.0/{length} 80\n}}\n"
        return group + service(WRR, head="group WEB", server="198.51.100.21 80")

    found = the_problem(NFTABLES + text(20))
    assert found.severity == "warning"
    assert "4096 addresses: nftables is slow" in found.message
    assert not load_text(NFTABLES + text(24)).problems
    assert not load_text("global_defs {\n    agent_balance_backend ipvs\n}\n" + text(20)).problems


def test_it_is_said_once_for_many_services() -> None:
    many = "".join(service(head=f"198.51.100.{number} 80") for number in range(1, 31))
    found = the_problem(many)
    assert "here and in 29 more places" in found.message


def test_nothing_is_said_for_keepalived() -> None:
    assert not load_text(service("lvs_method TUN"), for_keepalived=True).problems
