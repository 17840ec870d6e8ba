# SPDX-License-Identifier: GPL-3.0-or-later
"""What need not be written down."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils._group.derive import derive, origin, priority_of
from plugins.plugin_utils._group.member import Member

WEB: dict[str, Any] = {
    "vrrp_instance": {
        "WEB": {"interface": "eth0", "virtual_router_id": 51, "virtual_ipaddress": ["198.51.100.10/24"]},
    },
}


def group(*changes: dict[str, Any]) -> list[Member]:
    return [
        Member(
            **{
                "name": f"n{number}",
                "position": number,
                "router_id": f"n{number}",
                "config": WEB,
                "addresses": (f"198.51.100.{number + 1}",),
                **change,
            }
        )
        for number, change in enumerate(changes)
    ]


def test_ten_lines_are_enough() -> None:
    derived, findings = derive(group({}, {}))
    assert findings == []
    assert derived["n0"] == {
        "global_defs": {"router_id": "n0"},
        "vrrp_instance": {"WEB": {**WEB["vrrp_instance"]["WEB"], "priority": 200}},
    }
    assert derived["n1"]["vrrp_instance"]["WEB"]["priority"] == 190


def test_what_is_written_is_not_derived() -> None:
    own = {"global_defs": {"router_id": "mine"}, "vrrp_instance": {"WEB": {"priority": 7}}}
    derived, _findings = derive(group({"own_config": own}, {}))
    assert derived["n0"]["global_defs"] == {"router_id": "mine"}
    assert derived["n0"]["vrrp_instance"]["WEB"]["priority"] == 7
    assert derived["n0"]["vrrp_instance"]["WEB"]["interface"] == "eth0"


def test_unicast_peers_are_the_others_and_never_oneself() -> None:
    derived, findings = derive(group(*[{"unicast": True}] * 3))
    assert findings == []
    for number in range(3):
        web = derived[f"n{number}"]["vrrp_instance"]["WEB"]
        own = f"198.51.100.{number + 1}"
        assert web["unicast_src_ip"] == own
        assert len(web["unicast_peer"]) == 2
        assert own not in web["unicast_peer"]


def test_peers_of_another_family_are_taken_for_an_ipv6_instance() -> None:
    six = {"vrrp_instance": {"SIX": {"virtual_ipaddress": ["fe80::1/64", "2001:db8::10/64"]}}}
    both = [
        {"unicast": True, "config": six, "addresses": (f"198.51.100.{n}", f"2001:db8::{n}")} for n in (1, 2)
    ]
    derived, findings = derive(group(*both))
    assert findings == []
    assert derived["n0"]["vrrp_instance"]["SIX"]["unicast_peer"] == ["2001:db8::2"]


def test_a_host_that_gives_no_address_is_named_with_the_variable_to_set() -> None:
    _derived, findings = derive(group({"unicast": True}, {"unicast": True, "addresses": ()}))
    assert {(one.host, one.path) for one in findings} == {("n1", "vrrp_address")}
    assert "ansible_host" in findings[0].hint


def test_unicast_without_a_peer_is_refused_and_never_falls_back_to_multicast() -> None:
    _derived, findings = derive(group({"unicast": True}))
    assert "no peer" in findings[0].message


def test_an_absent_host_is_no_peer_and_keeps_the_priorities_of_the_others() -> None:
    derived, findings = derive(
        group({"unicast": True, "present": False}, {"unicast": True}, {"unicast": True})
    )
    assert findings == []
    assert set(derived) == {"n1", "n2"}
    assert derived["n1"]["vrrp_instance"]["WEB"]["priority"] == 190
    assert derived["n1"]["vrrp_instance"]["WEB"]["unicast_peer"] == ["198.51.100.3"]


@pytest.mark.parametrize("size", [2, 3, 20, 21, 100, 199])
def test_priorities_fall_from_200_and_stay_apart(size: int) -> None:
    priorities = [priority_of(position, size) for position in range(size)]
    assert priorities[0] == 200
    numbers = [number for number in priorities if number is not None]
    assert len(set(numbers)) == size
    assert sorted(numbers, reverse=True) == numbers
    assert min(numbers) >= 2


def test_a_group_too_large_for_priorities_says_so() -> None:
    assert priority_of(0, 300) is None
    _derived, findings = derive(group(*[{}] * 250))
    assert "no room" in findings[0].message


def test_a_wrong_shape_is_left_for_the_language_to_tell() -> None:
    derived, findings = derive(group({"config": {"vrrp_instance": ["WEB"], "global_defs": "x"}}, {}))
    assert findings == []
    assert derived["n0"] == {"vrrp_instance": ["WEB"], "global_defs": "x"}


def test_a_key_is_told_with_the_variable_that_it_comes_from() -> None:
    member = Member("n0", config=WEB, own_config={"vrrp_instance": {"WEB": {"priority": "high"}}})
    assert origin(member, "vrrp_instance.WEB.priority") == "vrrp_config_host.vrrp_instance.WEB.priority"
    assert origin(member, "vrrp_instance.WEB.interface") == "vrrp_config.vrrp_instance.WEB.interface"
