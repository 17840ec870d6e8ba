# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that writes keepalived.conf."""

from __future__ import annotations

import pathlib
import stat
from typing import Any

import pytest

from plugins.module_utils._host import files
from plugins.module_utils._host.host import Completed, HostError
from plugins.modules.config import ARGUMENTS, write
from tests.unit.ansible.machine import Machine
from tests.unit.ansible.samples import web

CONF = "/etc/keepalived/keepalived.conf"


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    return Machine(tmp_path)


def run(machine: Machine, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    params = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
    return write(machine.host, {**params, "config": web(), **options}, check_mode)


def test_the_file_is_written_and_a_second_run_changes_nothing(machine: Machine) -> None:
    assert run(machine)["changed"]
    assert machine.config is not None and "virtual_router_id 51" in machine.config
    assert stat.S_IMODE(machine.file(CONF).stat().st_mode) == 0o640
    assert not run(machine)["changed"]


def test_check_mode_tells_the_same_and_writes_nothing(machine: Machine) -> None:
    told = run(machine, check_mode=True)
    assert machine.config is None
    assert told["changed"]
    assert told["diff"] == run(machine)["diff"]


def test_a_mode_that_others_can_read_is_mended(machine: Machine) -> None:
    run(machine)
    machine.file(CONF).chmod(0o644)
    assert run(machine)["changed"]
    assert stat.S_IMODE(machine.file(CONF).stat().st_mode) == 0o640


def test_a_backup_is_kept_on_request(machine: Machine) -> None:
    machine.write(CONF, "old")
    told = run(machine, backup=True)
    assert machine.file(told["backup_file"]).read_text() == "old"


def test_an_error_writes_nothing_and_names_the_key(machine: Machine) -> None:
    machine.write(CONF, "old")
    with pytest.raises(HostError, match=r"config\.vrrp_instance\.WEB\.virtual_router_id") as caught:
        run(machine, config=web(virtual_router_id="51"))
    assert machine.config == "old"
    problems: Any = caught.value.evidence["problems"]
    assert problems[0]["hint"] == "write 51 without quotes"


def test_raw_text_is_appended_as_it_is(machine: Machine) -> None:
    raw = "# a comment of mine\nglobal_defs {\n    router_id  me\n}\n"
    run(machine, raw=raw)
    assert machine.config is not None and machine.config.endswith(raw)


def test_an_error_in_raw_text_is_told_with_its_line(machine: Machine) -> None:
    with pytest.raises(HostError, match="raw line 2"):
        run(machine, raw="global_defs {\n    bogus 3\n}\n")


def test_passwords_are_in_no_result(machine: Machine) -> None:
    config = web(authentication={"auth_type": "PASS", "auth_pass": "s3cret"})
    assert "s3cret" not in str(run(machine, config=config))
    assert machine.config is not None and "auth_pass s3cret" in machine.config


def test_what_keepalived_cannot_run_is_not_written(machine: Machine) -> None:
    machine.keepalived_verdict = Completed(4, "", "(eth9) interface does not exist")
    with pytest.raises(HostError, match="eth9"):
        run(machine, engine="keepalived")
    assert machine.config is None


def test_what_keepalived_grumbles_about_is_written_with_a_warning(machine: Machine) -> None:
    machine.keepalived_verdict = Completed(5, "", "(Line 3) something")
    assert run(machine, engine="keepalived")["warnings"] == ["keepalived: (Line 3) something"]
    assert machine.config is not None


def test_absent_removes_the_file_and_is_content_without_one(machine: Machine) -> None:
    run(machine)
    assert run(machine, state="absent")["changed"]
    assert machine.config is None
    assert not run(machine, state="absent")["changed"]


def test_a_directory_in_its_place_is_told(machine: Machine) -> None:
    machine.file(CONF).mkdir(parents=True)
    with pytest.raises(HostError, match="Is a directory"):
        run(machine)


def test_a_full_disk_leaves_the_old_file(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.write(CONF, "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(HostError, match="No space left"):
        run(machine)
    assert machine.config == "old"
    assert [path.name for path in machine.file(CONF).parent.iterdir()] == ["keepalived.conf"]
