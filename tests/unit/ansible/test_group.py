# SPDX-License-Identifier: GPL-3.0-or-later
"""What only shows when all hosts of a group are looked at together. Host, key and fix are named."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils._group.member import Finding, Member
from plugins.plugin_utils._group.plan import plan_group
from tests.unit.ansible.samples import members, own, web

PASS = {"auth_type": "PASS", "auth_pass": "s3cret"}


def findings(group: list[Member]) -> list[Finding]:
    return list(plan_group(group).findings)


def only(group: list[Member]) -> Finding:
    found = findings(group)
    assert len(found) == 1, [str(one) for one in found]
    return found[0]


def test_a_good_pair_has_nothing_to_tell() -> None:
    plan = plan_group(members(None, None))
    assert plan.findings == ()
    assert "priority 200" in plan.hosts["n0"].composed.text
    assert "priority 190" in plan.hosts["n1"].composed.text
    assert plan.hosts["n0"].composed.addresses == ("198.51.100.10",)


SIX = {
    "vrrp_instance": {
        "WEB": {},
        "SIX": {
            "interface": "eth0",
            "virtual_router_id": 51,
            "virtual_ipaddress": ["fe80::1/64", "2001:db8::10/64"],
        },
    }
}


def test_one_vrid_may_serve_both_families() -> None:
    config = {"vrrp_instance": {**web()["vrrp_instance"], "SIX": SIX["vrrp_instance"]["SIX"]}}
    assert findings(members(None, None, config=config)) == []


@pytest.mark.parametrize(
    ("mine", "key", "words"),
    [
        (own(virtual_router_id=52), "virtual_router_id", ["is 52 here and 51 on n0", "both would be active"]),
        (
            own(virtual_ipaddress=["198.51.100.11/24"]),
            "virtual_ipaddress",
            ["+198.51.100.11", "-198.51.100.10"],
        ),
        (own(advert_int=2), "advert_int", ["2 s here and 1 s on n0", "both would be active"]),
        (own(version=3), "version", ["is 3 here and 2 on n0"]),
        (own(priority=200), "priority", ["200 is also the priority of n0"]),
        (
            own(authentication={"auth_pass": "other"}),
            "authentication",
            ["n0 refuses", "the password differs"],
        ),
    ],
)
def test_a_host_that_differs_is_named_with_its_own_variable(
    mine: dict[str, Any], key: str, words: list[str]
) -> None:
    finding = only(members(None, mine, config=web(authentication=PASS) if key == "authentication" else None))
    assert finding.host == "n1"
    assert finding.path == f"vrrp_config_host.vrrp_instance.WEB.{key}" and not finding.warning
    assert finding.hint
    for word in words:
        assert word in finding.message


def test_the_odd_one_of_three_is_the_one_named() -> None:
    assert only(members(own(advert_int=3), None, None)).host == "n0"


def test_a_password_is_in_no_message() -> None:
    group = members(None, own(authentication={"auth_pass": "hunter2x"}), config=web(authentication=PASS))
    shown = plan_group(group)
    told = str(shown.findings) + str([one.shown() for one in shown.hosts.values()])
    assert "s3cret" not in told
    assert "hunter2x" not in told


def test_a_password_that_is_too_long_is_in_no_message_either() -> None:
    group = members(None, None, config=web(authentication={"auth_type": "PASS", "auth_pass": "far too long"}))
    found = findings(group)
    assert found
    assert "far too long" not in str(found)


def test_equal_priorities_are_all_right_when_nobody_preempts() -> None:
    assert findings(members(None, None, config=web(priority=100, nopreempt=True))) == []


def test_nopreempt_beside_state_master_is_told() -> None:
    found = findings(members(own(state="MASTER"), None, config=web(nopreempt=True)))
    assert any("nopreempt" in one.message and one.host == "n0" for one in found)


def test_two_names_for_one_vrid_are_refused() -> None:
    other = {
        "vrrp_instance": {
            "DB": {"interface": "eth0", "virtual_router_id": 51, "virtual_ipaddress": ["198.51.100.20/24"]}
        }
    }
    group = members(None, None)
    group[1] = Member("n1", 1, "n1", config=other, addresses=("198.51.100.2",))
    errors = [one for one in findings(group) if not one.warning]
    assert [one.host for one in errors] == ["n1"]
    assert "VRID 51 on eth0 is already WEB of n0" in errors[0].message


def test_one_address_in_two_instances_is_refused() -> None:
    config = {
        "vrrp_instance": {
            **web()["vrrp_instance"],
            "DB": {"interface": "eth0", "virtual_router_id": 52, "virtual_ipaddress": ["198.51.100.10/24"]},
        }
    }
    assert any("198.51.100.10" in one.message for one in findings(members(None, None, config=config)))


def test_a_unicast_group_is_derived_without_a_word() -> None:
    assert findings(members(None, None, None, unicast=True)) == []


def test_the_own_address_among_the_peers_is_refused() -> None:
    mine = own(unicast_src_ip="198.51.100.2", unicast_peer=["198.51.100.1", "198.51.100.2"])
    found = findings(members(None, mine, unicast=True))
    assert any(one.host == "n1" and "own" in one.message for one in found)


def test_a_peer_that_is_forgotten_is_refused() -> None:
    found = findings(members(None, own(unicast_peer=["198.51.100.1"]), None, unicast=True))
    assert [one.host for one in found] == ["n1"]
    assert "198.51.100.3 of n2 is missing" in found[0].message


def test_unicast_beside_multicast_is_refused() -> None:
    mine = own(unicast_src_ip="198.51.100.2", unicast_peer=["198.51.100.1"])
    found = [one for one in findings(members(None, mine, None)) if not one.warning]
    assert "by unicast here and by multicast on n0" in found[0].message


def test_a_weight_too_small_to_move_anything_is_a_warning() -> None:
    finding = only(members(own(track_interface=["eth1 weight -5"]), None))
    assert finding.warning
    assert "10 below" in finding.message


def test_so_is_a_weight_of_a_script() -> None:
    words = {
        **web(),
        "global_defs": {"enable_script_security": True},
        "vrrp_script": {"chk": {"script": "/bin/true"}},
    }
    finding = only(members(own(track_script=["chk weight -5"]), own(track_script=["chk"]), config=words))
    assert finding.warning
    assert "losing chk changes the priority by -5" in finding.message


def test_an_instance_that_only_one_host_has_is_a_warning() -> None:
    finding = only(members(None))
    assert finding.warning and "nobody would take over" in finding.message


def test_what_all_hosts_have_in_common_is_told_once() -> None:
    finding = only(members(None, None, None, config=web(prioritty=3)))
    assert finding.host == "n0, n1, n2"
    assert finding.path == "vrrp_config.vrrp_instance.WEB.prioritty"
    assert "'priority'" in finding.hint


@pytest.mark.parametrize(
    ("config", "path", "word"),
    [
        (web(virtual_router_id="51"), "vrrp_config.vrrp_instance.WEB.virtual_router_id", "without quotes"),
        (web(virtual_router_id=256), "vrrp_config.vrrp_instance.WEB.virtual_router_id", "255"),
        (web(priority="high"), "vrrp_config.vrrp_instance.WEB.priority", "number"),
        (web(virtual_ipaddress="198.51.100.10"), "vrrp_config.vrrp_instance.WEB.virtual_ipaddress", "list"),
        ({"vrrp_instances": {}}, "vrrp_config.vrrp_instances", "'vrrp_instance'"),
        ({"vrrp_instance": ["WEB"]}, "vrrp_config.vrrp_instance", "mapping"),
    ],
)
def test_wrong_yaml_is_told_with_its_key_and_what_to_write(
    config: dict[str, Any], path: str, word: str
) -> None:
    errors = [one for one in findings(members(None, None, config=config)) if not one.warning]
    assert errors[0].path == path
    assert word in errors[0].message + errors[0].hint


def test_a_problem_in_raw_text_is_told_with_its_line() -> None:
    finding = only(members(None, None, raw="global_defs {\n    bogus 3\n}\n"))
    assert finding.path == "vrrp_config_raw line 2"


def test_a_word_that_the_agent_does_not_do_yet_is_all_right_for_keepalived() -> None:
    raw = "bfd_instance web {\n    neighbor_ip 198.51.100.9\n}\n"
    assert "not supported yet" in only(members(None, None, raw=raw)).message
    assert findings(members(None, None, raw=raw, engine="keepalived")) == []


def test_a_word_of_the_agents_own_is_refused_for_keepalived() -> None:
    """Where it stands makes no difference: in the data or in raw text."""
    raw = "global_defs {\n    agent_notify_timeout 5\n}\n"
    assert findings(members(None, None, raw=raw)) == []
    found = only(members(None, None, raw=raw, engine="keepalived"))
    assert found.message == "'agent_notify_timeout' is a word of the agent's own: keepalived does not know it"
    assert "let the agent run" in found.hint
    assert not found.warning


def test_scripts_need_not_be_where_the_plan_is_made() -> None:
    raw = 'global_defs {\n    startup_script "/nowhere/on/this/machine" nobody_here\n}\n'
    assert findings(members(None, None, raw=raw)) == []


def test_files_that_only_the_host_has_are_no_problem_of_the_plan() -> None:
    raw = "include /etc/keepalived/only-there.conf\n"
    assert findings(members(None, None, raw=raw)) == []


def test_an_absent_host_is_planned_to_be_absent() -> None:
    group = members(None, None)
    group[1] = Member("n1", 1, present=False)
    plan = plan_group(group)
    assert plan.errors == []
    assert plan.hosts["n1"].shown()["state"] == "absent"
    assert plan.hosts["n1"].shown()["text"] == ""
