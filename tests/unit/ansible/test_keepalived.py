# SPDX-License-Identifier: GPL-3.0-or-later
"""keepalived's own test of a configuration, and its package."""

from __future__ import annotations

import pathlib

import pytest

from plugins.module_utils._host import keepalived
from plugins.module_utils._host.host import Completed, HostError
from tests.unit.ansible.machine import KEEPALIVED_UNIT, Machine

CONF = "/etc/keepalived/keepalived.conf"


@pytest.mark.parametrize(
    ("rc", "usable", "tested"),
    [
        (0, True, True),
        (5, True, True),
        (6, True, True),
        (2, False, True),
        (4, False, True),
        (1, False, True),
        (143, True, False),
        (-15, True, False),
        (127, True, False),
        (124, True, False),
    ],
)
def test_every_exit_code_has_its_meaning(rc: int, usable: bool, tested: bool) -> None:
    verdict = keepalived.judge(rc, "")
    assert (verdict.usable, verdict.tested) == (usable, tested)


def test_what_is_printed_three_times_is_told_once() -> None:
    output = "Starting Keepalived v2.2.7\n" + 3 * "(Line 3) unknown keyword\n\n"
    assert keepalived.judge(5, output).messages == ("(Line 3) unknown keyword",)


def test_a_complaint_that_does_not_stop_keepalived_is_a_warning(tmp_path: pathlib.Path) -> None:
    machine = Machine(tmp_path)
    machine.keepalived_verdict = Completed(6, "", "SECURITY VIOLATION - scripts are being executed")
    warnings: list[str] = []
    keepalived.ask(machine.host, "text", CONF, warnings)
    assert warnings == ["keepalived: SECURITY VIOLATION - scripts are being executed"]


def test_a_file_that_keepalived_cannot_run_is_an_error_and_leaves_no_trial(tmp_path: pathlib.Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "etc" / "keepalived").mkdir(parents=True)
    machine.keepalived_verdict = Completed(4, "", "cannot run")
    with pytest.raises(HostError, match="cannot run"):
        keepalived.ask(machine.host, "text", CONF, [])
    assert list((tmp_path / "etc" / "keepalived").iterdir()) == []


def test_the_package_never_starts_what_it_brings(tmp_path: pathlib.Path) -> None:
    machine = Machine(tmp_path)
    machine.write("/usr/bin/apt-get", "")
    keepalived.install(machine.host)
    assert machine.log[0] == f"mask {KEEPALIVED_UNIT}"
    assert "install" in machine.log[1]
    assert machine.log[-1] == f"unmask {KEEPALIVED_UNIT}"


def test_a_package_that_does_not_install_is_tried_again_with_fresh_lists(tmp_path: pathlib.Path) -> None:
    machine = Machine(tmp_path)
    machine.write("/usr/bin/apt-get", "")
    machine.package_fails = True
    with pytest.raises(HostError, match="no such package"):
        keepalived.install(machine.host)
    assert any("update" in line for line in machine.log)
    assert machine.log[-1] == f"unmask {KEEPALIVED_UNIT}"


def test_a_host_without_a_known_package_manager_says_so(tmp_path: pathlib.Path) -> None:
    with pytest.raises(HostError, match="apt-get, dnf or zypper"):
        keepalived.install(Machine(tmp_path).host)
