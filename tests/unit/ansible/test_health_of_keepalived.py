# SPDX-License-Identifier: GPL-3.0-or-later
"""When keepalived is well: all of its processes that the file needs run."""

from __future__ import annotations

import pathlib

import pytest

from plugins.module_utils._host import health, language
from plugins.module_utils._host.systemd import Unit
from plugins.module_utils.vrrp_agent.conf.model import Config
from tests.unit.ansible.machine import Machine
from tests.unit.ansible.samples import web
from tests.unit.ansible.services import config, service

RUNNING = Unit("keepalived.service", active="active", main_pid=7)


@pytest.mark.parametrize(
    ("options", "children", "with_services", "well"),
    [
        ("-D", "8", False, True),
        ("-D", "", False, False),
        ("-D", "8 9", True, True),
        ("-D", "8", True, False),
        ("-P", "8", False, True),
        ("-P", "8", True, False),
        ("--vrrp", "8 9", True, False),  # the other one speaks BFD
        ("-P\0-C", "8 9", True, True),
    ],
)
def test_a_file_with_virtual_servers_needs_the_checker(
    tmp_path: pathlib.Path, options: str, children: str, with_services: bool, well: bool
) -> None:
    machine = Machine(tmp_path)
    machine.write("/proc/7/task/7/children", children + "\n")
    machine.write("/proc/7/cmdline", f"/usr/sbin/keepalived\0-n\0{options}\0")
    base = language.compose(web(), "", "keepalived", "n1").meaning or Config()
    assert base.instances
    told = health.keepalived_complaint(
        machine.host, RUNNING, config(service(), base=base) if with_services else base
    )
    assert (told == "") is well, told
    if with_services and not well:
        assert "take -P or --vrrp out of the options" in told
