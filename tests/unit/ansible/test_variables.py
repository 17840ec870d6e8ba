# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's variables of one host, as a member of its group."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils._group.member import Finding, Member
from plugins.plugin_utils._group.variables import DEFAULTS, member, plain


def made(**variables: Any) -> tuple[Member, list[Finding]]:
    findings: list[Finding] = []
    return member("n1.example", 1, {**DEFAULTS, **variables}, findings), findings


def test_the_defaults_are_all_right() -> None:
    one, findings = made()
    assert findings == []
    assert one.router_id == "n1"
    assert one.addresses == ()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"ansible_host": "198.51.100.1"}, ("198.51.100.1",)),
        ({"ansible_host": "n1.example"}, ()),
        ({"ansible_host": "198.51.100.1", "vrrp_address": "198.51.100.9"}, ("198.51.100.9",)),
        ({"vrrp_address": ["198.51.100.9", "2001:db8::9"]}, ("198.51.100.9", "2001:db8::9")),
    ],
)
def test_where_the_peers_reach_a_host(variables: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert made(**variables)[0].addresses == expected


@pytest.mark.parametrize(
    ("variables", "path", "word"),
    [
        ({"vrrp_config": "vrrp_instance WEB {}"}, "vrrp_config", "vrrp_config_raw"),
        ({"vrrp_config_host": ["WEB"]}, "vrrp_config_host", "mapping"),
        ({"vrrp_engine": "keepalive"}, "vrrp_engine", "agent or keepalived"),
        ({"vrrp_state": "started"}, "vrrp_state", "present or absent"),
        ({"vrrp_address": "198.51.100.1/24"}, "vrrp_address", "without a prefix"),
    ],
)
def test_a_variable_of_the_wrong_kind_is_told(variables: dict[str, Any], path: str, word: str) -> None:
    _one, findings = made(**variables)
    assert [finding.path for finding in findings] == [path]
    assert word in findings[0].message + findings[0].hint


class Tagged(str):
    """As templating hands text out."""

    __slots__ = ()


def test_what_templating_wraps_around_values_is_taken_off() -> None:
    value = plain({Tagged("a"): [Tagged("b"), 1, 2.5, True, None, (Tagged("c"),)]})
    assert value == {"a": ["b", 1, 2.5, True, None, ["c"]]}
    assert type(next(iter(value))) is str
    assert type(value["a"][0]) is str
