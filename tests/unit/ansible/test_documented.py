# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventories on the page about the role are planned without a complaint."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import pytest
import yaml

from plugins.plugin_utils._group.member import Finding
from plugins.plugin_utils._group.plan import GroupPlan, plan_group
from plugins.plugin_utils._group.variables import DEFAULTS, member

PAGE = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "role.md").read_text()
EXAMPLES = dict(re.findall(r"<!-- example: (\w+) -->\n```yaml\n(.*?)```", PAGE, re.DOTALL))


def plan(text: str) -> GroupPlan:
    inventory: dict[str, Any] = yaml.safe_load(text.replace("{{ edge_password }}", "s3cret"))
    group = next(iter(inventory.values()))
    findings: list[Finding] = []
    members = [
        member(host, position, {**DEFAULTS, **group["vars"], **(own or {})}, findings)
        for position, (host, own) in enumerate(group["hosts"].items())
    ]
    assert findings == []
    return plan_group(members)


def test_the_page_has_its_examples() -> None:
    assert set(EXAMPLES) == {"pair", "three", "both"}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_of_the_page_works(name: str) -> None:
    assert [str(finding) for finding in plan(EXAMPLES[name]).findings] == []


def test_the_file_on_the_page_is_the_one_that_is_written() -> None:
    composed = plan(EXAMPLES["pair"]).hosts["lb1.example.com"].composed
    shown = re.search(r"```\n(global_defs.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert composed.text.endswith(shown[1])


def test_the_error_on_the_page_is_the_one_that_is_told() -> None:
    inventory = yaml.safe_load(EXAMPLES["pair"])
    inventory["vrrp"]["hosts"] = {
        "lb1": None,
        "lb2": {"vrrp_config_host": {"vrrp_instance": {"WEB": {"priority": 200}}}},
    }
    told = str(plan(yaml.safe_dump(inventory, sort_keys=False)).findings[0])
    assert told in re.sub(r"\s+", " ", PAGE)
