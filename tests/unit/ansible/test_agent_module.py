# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that installs the agent and nothing else."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from plugins.module_utils._host import release
from plugins.module_utils._host.host import Host, HostError
from plugins.modules.agent import ARGUMENTS, install
from tests.unit.ansible.test_release import artifact


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Host:
    (tmp_path / "root").mkdir()
    return Host(str(tmp_path / "root"))


def run(host: Host, agent: str = "", check_mode: bool = False, **options: Any) -> dict[str, Any]:
    params = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
    named = {"artifact": agent, "release": release.release_name(agent)} if agent else {}
    return install(host, {**params, **named, **options}, check_mode)


def test_it_is_installed_once(host: Host, tmp_path: pathlib.Path) -> None:
    agent = artifact(tmp_path)
    assert run(host, agent)["changed"]
    assert not run(host, agent)["changed"]


def test_check_mode_tells_the_same_and_touches_nothing(host: Host, tmp_path: pathlib.Path) -> None:
    agent = artifact(tmp_path)
    told = run(host, agent, check_mode=True)
    assert list(pathlib.Path(host.root).iterdir()) == []
    assert told == run(host, agent)


def test_without_the_file_it_is_asked_for(host: Host) -> None:
    assert run(host, release="0.1.0-aaaaaaaaaaaa") == {"changed": False, "needs_artifact": True}


def test_there_is_a_way_back(host: Host, tmp_path: pathlib.Path) -> None:
    old, new = (artifact(tmp_path, build=digit * 12) for digit in "ab")
    run(host, old)
    assert run(host, new)["previous"] == release.release_name(old)
    told = run(host, state="previous")
    assert (told["release"], told["previous"]) == (release.release_name(old), release.release_name(new))


def test_without_a_previous_release_there_is_no_way_back(host: Host, tmp_path: pathlib.Path) -> None:
    run(host, artifact(tmp_path))
    with pytest.raises(HostError, match="no previous release"):
        run(host, state="previous")


def test_absent_removes_it(host: Host, tmp_path: pathlib.Path) -> None:
    run(host, artifact(tmp_path))
    assert run(host, state="absent")["changed"]
    assert not run(host, state="absent")["changed"]
