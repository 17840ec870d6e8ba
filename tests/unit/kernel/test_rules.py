# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests for policy rules, read back by another program's decoder."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from vrrp_agent.conf.model import Rule
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.kernel.messages import RTM_DELRULE, RTM_NEWRULE
from vrrp_agent.kernel.rules import add_request, decode_rule, key_of, remove_request

from tests.unit.daemon.host import packed

NET = (packed("198.18.1.0"), 24)


def read(request: bytes) -> Dict[str, Any]:
    message = fibmsg(request)
    message.decode()
    assert message["header"]["length"] == len(request)
    found = {
        name: message[name] for name in ("family", "dst_len", "src_len", "tos", "table", "action", "flags")
    }
    found.update(message["attrs"])
    return {**found, "kind": message["header"]["type"], "header_flags": message["header"]["flags"]}


def test_a_rule_with_a_source_and_a_table() -> None:
    found = read(add_request(Rule(4, table=100, priority=1000, source=NET)))
    assert (found["kind"], found["header_flags"]) == (RTM_NEWRULE, 0x601), "add it, and no second one"
    assert (found["family"], found["src_len"], found["table"], found["action"]) == (2, 24, 100, 1)
    assert (found["FRA_SRC"], found["FRA_PRIORITY"], found["FRA_PROTOCOL"]) == ("198.18.1.0", 1000, 18)


@pytest.mark.parametrize(
    "words, name, value",
    [
        ({"destination": NET}, "FRA_DST", "198.18.1.0"),
        ({"table": 1000}, "FRA_TABLE", 1000),
        ({"fwmark": (7, 255)}, "FRA_FWMARK", 7),
        ({"fwmark": (7, 255)}, "FRA_FWMASK", 255),
        ({"input_interface": "eth0"}, "FRA_IIFNAME", "eth0"),
        ({"output_interface": "eth1"}, "FRA_OIFNAME", "eth1"),
        ({"tunnel_id": 44}, "FRA_TUN_ID", 44),
        ({"uid_range": (100, 200)}, "FRA_UID_RANGE", "100:200"),
        ({"ip_protocol": 6}, "FRA_IP_PROTO", 6),
        ({"source_ports": (10, 20)}, "FRA_SPORT_RANGE", "10:20"),
        ({"destination_ports": (30, 30)}, "FRA_DPORT_RANGE", "30:30"),
        ({"l3mdev": True}, "FRA_L3MDEV", 1),
        ({"realms": 0x30004}, "FRA_FLOW", 0x30004),
        ({"suppress_prefix_length": 8}, "FRA_SUPPRESS_PREFIXLEN", 8),
        ({"suppress_group": 3}, "FRA_SUPPRESS_IFGROUP", 3),
        ({"action": "goto", "goto": 2000}, "FRA_GOTO", 2000),
        ({"protocol": 99, "no_track": True}, "FRA_PROTOCOL", 99),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_each_selector_and_setting_has_its_attribute(words: Dict[str, Any], name: str, value: Any) -> None:
    assert read(add_request(Rule(4, priority=1, **words)))[name] == value


@pytest.mark.parametrize(
    "action, number", [("goto", 2), ("nop", 3), ("blackhole", 6), ("unreachable", 7), ("prohibit", 8)]
)
def test_actions_other_than_a_table(action: str, number: int) -> None:
    found = read(add_request(Rule(6, action=action, priority=1, goto=9 if action == "goto" else None)))
    assert (found["action"], found["table"], found["family"]) == (number, 0, 10)


def test_not_and_tos_are_in_the_head() -> None:
    found = read(add_request(Rule(4, priority=1, tos=0x10, invert=True)))
    assert (found["tos"], found["flags"]) == (0x10, 2)


def test_any_selects_nothing() -> None:
    found = read(add_request(Rule(4, priority=1, source=(bytes(4), 0))))
    assert "FRA_SRC" not in found


RULES = [
    Rule(4, table=100, priority=1000, source=NET),
    Rule(6, table=1000, priority=5, destination=(packed("2001:db8::"), 32), input_interface="eth0"),
    Rule(4, action="goto", goto=9, priority=5, fwmark=(7, 255), output_interface="eth1", tos=4),
    Rule(4, l3mdev=True, priority=8),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.family} {rule.action} {rule.priority}")
def test_news_of_a_rule_are_recognised(rule: Rule) -> None:
    for make, kind in ((add_request, RTM_NEWRULE), (remove_request, RTM_DELRULE)):
        event = decode_rule(kind, make(rule))
        assert event is not None
        assert (event.key, event.removed) == (key_of(rule), kind == RTM_DELRULE)


def test_another_rule_of_the_same_priority_is_not_taken_for_ours() -> None:
    ours, other = Rule(4, table=100, priority=1000, source=NET), Rule(4, table=101, priority=1000, source=NET)
    assert key_of(ours) != key_of(other)


def test_a_value_that_does_not_fit_is_an_error_and_not_the_end() -> None:
    for wrong in ({"priority": 2**40}, {"tos": 300}, {"action": "nonsense"}, {"source_ports": (1, 70000)}):
        with pytest.raises(KernelError, match="no netlink request can say"):
            add_request(Rule(4, **wrong))  # type: ignore[arg-type]
