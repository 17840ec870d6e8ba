# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of docs/health-checks.md: text and YAML are good, and mean the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List, Tuple

import pytest
import yaml
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.text.render import render
from vrrp_agent.conf.yaml.form import from_yaml

from tests.unit.conf.texts import load_text

PAGE = Path(__file__).parents[3] / "docs" / "health-checks.md"
EXAMPLES: List[Tuple[str, str]] = [
    (match.group(1), match.group(2))
    for match in re.finditer(
        r"```\n((?:virtual_server|global_defs|track_file).*?)```\n\n```yaml\n(.*?)```",
        PAGE.read_text(),
        re.DOTALL,
    )
]


def test_every_kind_of_check_has_an_example() -> None:
    text = "".join(one for one, _yaml in EXAMPLES)
    for kind in ("SSL_GET", "TCP", "UDP", "PING", "SMTP", "DNS", "MISC", "FILE"):
        assert f"{kind} {{" in text or f"{kind}_CHECK {{" in text


@pytest.mark.parametrize(("text", "data"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_text_and_yaml_mean_the_same(text: str, data: str) -> None:
    found = from_yaml(yaml.safe_load(data)["vrrp_config"], SECTIONS)
    assert not found.problems
    said, written = load_text(text), load_text(render(found.tree, SECTIONS))
    assert said.config is not None, said.problems
    assert written.config is not None, written.problems
    assert said.config.services == written.config.services
    assert all(server.checks for service in said.config.services for server in service.servers)
