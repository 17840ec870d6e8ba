# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written in two places says the same in both."""

from __future__ import annotations

import importlib
import pathlib
from typing import Any

import pytest
import yaml

from plugins.plugin_utils._group.variables import DEFAULTS

TOP = pathlib.Path(__file__).resolve().parents[3]
ROLE = TOP / "roles" / "vrrp"
SPECS: dict[str, Any] = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]
ROLE_DEFAULTS: dict[str, Any] = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
TYPES = {"dict": dict, "str": str, "bool": bool, "float": float, "raw": object, "path": str}


@pytest.mark.parametrize("entry", sorted(SPECS))
def test_the_role_documents_exactly_its_defaults(entry: str) -> None:
    documented = {name: option["default"] for name, option in SPECS[entry]["options"].items()}
    assert documented == ROLE_DEFAULTS


def test_the_plugins_know_the_same_defaults() -> None:
    assert DEFAULTS == ROLE_DEFAULTS


@pytest.mark.parametrize("name", sorted(ROLE_DEFAULTS))
def test_each_default_has_the_type_that_is_documented(name: str) -> None:
    option = SPECS["main"]["options"][name]
    assert isinstance(option["default"], TYPES[option["type"]])
    assert option["description"]


def test_every_entry_point_has_its_tasks() -> None:
    assert {path.stem for path in (ROLE / "tasks").glob("*.yml")} == set(SPECS)


@pytest.mark.parametrize("name", ["config", "agent", "apply"])
def test_each_module_documents_exactly_its_arguments(name: str) -> None:
    module = importlib.import_module(f"plugins.modules.{name}")
    documented = dict(yaml.safe_load(module.DOCUMENTATION)["options"])
    for fragment in yaml.safe_load(module.DOCUMENTATION)["extends_documentation_fragment"]:
        part = importlib.import_module(
            "plugins.doc_fragments." + fragment.rsplit(".", 1)[1]
        ).ModuleDocFragment
        documented.update(yaml.safe_load(part.DOCUMENTATION)["options"])
    assert set(documented) == set(module.ARGUMENTS)
    for option, spec in module.ARGUMENTS.items():
        assert documented[option]["type"] == spec["type"]
        assert documented[option].get("default") == spec.get("default")
        assert documented[option].get("choices") == spec.get("choices")


@pytest.mark.parametrize(
    "path", sorted((ROLE / "tasks").glob("*.yml")) + sorted((TOP / "playbooks").glob("*.yml"))
)
def test_no_task_hides_behind_no_log(path: pathlib.Path) -> None:
    assert "no_log" not in path.read_text()
