# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual servers of a group: directors that differ and addresses that nobody holds are told as warnings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from plugins.module_utils._host import language
from plugins.module_utils.vrrp_agent.conf.model import Config
from plugins.module_utils.vrrp_agent.conf.parts.balancing import Member as Spoken
from plugins.module_utils.vrrp_agent.conf.parts.balancing import Persistence, SyncDaemon
from plugins.plugin_utils._group.member import Finding, Member
from plugins.plugin_utils._group.services import check_services
from tests.unit.ansible.samples import members, web
from tests.unit.ansible.services import config, server, service

BASE = language.compose({**web(priority=100)}, "", "agent", "n0", elsewhere=True).meaning or Config()
"""One instance, which holds 198.51.100.10."""
PAIR = members(None, None)


def findings(*configs: Config, group: list[Member] = PAIR) -> list[Finding]:
    return check_services(group, {member.name: one for member, one in zip(group, configs)})


def only(*configs: Config) -> Finding:
    (found,) = findings(*configs)
    assert found.warning and found.host == "n1"
    return found


def test_directors_that_say_the_same_have_nothing_to_tell() -> None:
    same = config(service(), base=BASE)
    assert findings(same, same) == []


def test_a_group_without_virtual_servers_is_not_looked_at() -> None:
    assert findings(BASE, BASE) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"scheduler": "rr"}, "lvs_sched"),
        ({"quorum": 2}, "quorum"),
        ({"persistence": Persistence(50, 32)}, "persistence_timeout"),
        (
            {"servers": (server("198.18.0.1"), server("198.18.0.2"))},
            "+ real_server [198.18.0.2]:tcp:80",
        ),
        ({"servers": ()}, "- real_server [198.18.0.1]:tcp:80"),
        ({"servers": (server("198.18.0.1", weight=3),)}, "weight of real_server [198.18.0.1]:tcp:80"),
    ],
)
def test_what_differs_is_named_in_keepalived_words(words: dict[str, Any], told: str) -> None:
    found = only(config(service(), base=BASE), config(replace(service(), **words), base=BASE))
    assert found.message == f"differs from n0: {told}"
    assert found.path == "vrrp_config.virtual_server.198.51.100.10 80"


def test_the_same_servers_in_another_order_are_told() -> None:
    one = service("198.51.100.10", "198.18.0.1", "198.18.0.2")
    other = service("198.51.100.10", "198.18.0.2", "198.18.0.1")
    assert "order" in only(config(one, base=BASE), config(other, base=BASE)).message


def test_a_service_that_one_director_does_not_have_is_gone_after_a_takeover() -> None:
    assert "n0 has it" in only(config(service(), base=BASE), BASE).message


def test_a_service_of_the_second_director_alone_is_told_of_the_first() -> None:
    (found,) = findings(BASE, config(service(), base=BASE))
    assert found.host == "n0"


def test_another_back_end_is_told() -> None:
    found = only(config(service(), base=BASE), config(service(), base=BASE, backend="nftables"))
    assert found.path == "vrrp_config.global_defs.agent_balance_backend"


def test_directors_that_do_not_hear_of_each_others_connections_are_told() -> None:
    first, second = (
        config(service(), base=BASE, sync_daemon=SyncDaemon("eth0", "WEB", number)) for number in (1, 2)
    )
    assert "id differs from n0" in only(first, second).message


def test_an_address_that_nobody_holds_is_told_for_each_host() -> None:
    both = config(service("198.51.100.101"), base=BASE)
    found = findings(both, both)
    assert [one.host for one in found] == ["n0", "n1"]
    assert "no vrrp_instance of the group holds 198.51.100.101" in found[0].message
    assert found[0].warning


def test_an_address_that_another_host_holds_is_held() -> None:
    assert findings(config(service()), config(service(), base=BASE)) == []


def test_of_a_range_each_address_has_to_be_held() -> None:
    both = config(service("198.51.100.10", count=9), base=BASE)
    message = findings(both, both)[0].message
    assert "198.51.100.11, 198.51.100.12, 198.51.100.13 and 5 more" in message


def test_directors_without_instances_have_their_addresses_elsewhere() -> None:
    assert findings(config(service()), config(service())) == []


def test_a_firewall_mark_is_held_by_nobody_and_that_is_all_right() -> None:
    marked = replace(service(), name="FWM 7", members=(Spoken(4, fwmark=7),))
    assert findings(config(marked, base=BASE), config(marked, base=BASE)) == []


def test_the_variable_of_one_host_is_named_where_it_stands() -> None:
    group = members(None, {"virtual_server": {"198.51.100.10 80": {"lvs_sched": "rr"}}})
    pair = (config(service(), base=BASE), config(service(scheduler="rr"), base=BASE))
    (found,) = findings(*pair, group=group)
    assert found.path == "vrrp_config_host.virtual_server.198.51.100.10 80"
