# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventories and configurations in YAML on the pages are planned without a complaint."""

from __future__ import annotations

import pathlib
import re
import subprocess
from typing import Any

import pytest
import yaml

from plugins.module_utils._host.language import compose
from plugins.modules.real_server import ARGUMENTS, wanted_settings
from plugins.plugin_utils._group.member import Finding
from plugins.plugin_utils._group.plan import GroupPlan, plan_group
from plugins.plugin_utils._group.variables import DEFAULTS, member

DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"


def shown(page: str, kind: str = "example") -> dict[str, str]:
    """The marked blocks of YAML on a page."""
    return dict(re.findall(rf"<!-- {kind}: (\w+) -->\n```yaml\n(.*?)```", page, re.DOTALL))


PAGE = (DOCS / "role.md").read_text()
EXAMPLES = shown(PAGE)
PLAYBOOKS = shown(PAGE, "playbook")
BALANCING = (DOCS / "load-balancing.md").read_text()
FARMS = shown(BALANCING)
REAL_SERVERS = shown(BALANCING, "real servers")


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
    assert set(EXAMPLES) == {"pair", "three", "both", "routers"}
    assert set(PLAYBOOKS) == {"routers"}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_of_the_page_works(name: str) -> None:
    assert [str(finding) for finding in plan(EXAMPLES[name]).findings] == []


def test_the_file_on_the_page_is_the_one_that_is_written() -> None:
    composed = plan(EXAMPLES["pair"]).hosts["lb1.example.com"].composed
    written = re.search(r"```\n(global_defs.*?)```", PAGE, re.DOTALL)
    assert written is not None
    assert composed.text.endswith(written[1])


def test_the_playbook_on_the_page_brings_every_script_before_the_routers() -> None:
    meaning = plan(EXAMPLES["routers"]).hosts["gw1.example.com"].composed.meaning
    assert meaning is not None
    (group,) = meaning.groups
    commands = [one.command for one in meaning.scripts] + list(group.notify.commands)
    copies, routers = yaml.safe_load(PLAYBOOKS["routers"])
    copied = {task["ansible.builtin.copy"]["dest"]: task["ansible.builtin.copy"] for task in copies["tasks"]}
    assert sorted(copied) == sorted(command.argv[0] for command in commands)
    assert {copies["hosts"], routers["vars"]["vrrp_hosts"]} == set(yaml.safe_load(EXAMPLES["routers"]))
    for copy in copied.values():
        assert copy["mode"] == "0755"
        subprocess.run(["sh", "-n", "-c", copy["content"]], check=True)


@pytest.mark.parametrize("name", ["tracking", "notify"])
def test_a_configuration_in_yaml_on_another_page_works(name: str) -> None:
    config = yaml.safe_load(shown((DOCS / f"{name}.md").read_text())[name])["vrrp_config"]
    assert [str(one) for one in compose(config, "", "agent", "n1", elsewhere=True).problems] == []


def test_the_error_on_the_page_is_the_one_that_is_told() -> None:
    inventory = yaml.safe_load(EXAMPLES["pair"])
    inventory["vrrp"]["hosts"] = {
        "lb1": None,
        "lb2": {"vrrp_config_host": {"vrrp_instance": {"WEB": {"priority": 200}}}},
    }
    told = str(plan(yaml.safe_dump(inventory, sort_keys=False)).findings[0])
    assert told in re.sub(r"\s+", " ", PAGE)


@pytest.mark.parametrize("name", sorted(FARMS))
def test_an_example_of_load_balancing_works(name: str) -> None:
    assert {"farm", "direct", "drained"} == set(FARMS)
    assert [str(finding) for finding in plan(FARMS[name]).findings] == []


@pytest.mark.parametrize("name", sorted(REAL_SERVERS))
def test_real_servers_of_the_page_fit_their_directors(name: str) -> None:
    group = yaml.safe_load(REAL_SERVERS[name])["web"]
    directors = plan(FARMS[name]).hosts["lb1.example.com"].composed.meaning if name in FARMS else None
    for own in group["hosts"].values():
        words = {
            key.removeprefix("real_server_"): value for key, value in {**group["vars"], **(own or {})}.items()
        }
        defaults = {key: spec.get("default") for key, spec in ARGUMENTS.items()}
        settings = wanted_settings({**defaults, **words})
        assert settings is not None and set(words) <= set(ARGUMENTS)
        if directors is not None:
            (service,) = directors.services
            assert {one.forwarding.method for one in service.servers} == {settings.method}
            assert len(service.servers) == len(group["hosts"])


def test_the_readme_shows_a_virtual_server_that_works() -> None:
    readme = (DOCS.parent / "README.md").read_text()
    (config,) = shown(readme, "virtual server").values()
    composed = compose(yaml.safe_load(config)["vrrp_config"], "", "agent", "n1", elsewhere=True)
    assert [str(one) for one in composed.problems] == []
    assert composed.meaning is not None and len(composed.meaning.services[0].servers) == 2
