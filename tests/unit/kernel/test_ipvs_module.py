# SPDX-License-Identifier: GPL-3.0-or-later
"""Generic netlink families are found by name, and a missing one has its module loaded within bounds."""

from __future__ import annotations

import pathlib
import time

import pytest
from vrrp_agent.kernel.generic_netlink import GenericSocket, NoFamily
from vrrp_agent.kernel.ipvs import load_module

CONTROL, CONTROL_VERSION = 16, 2
"""nlctrl, the one family that every kernel has (linux/genetlink.h)."""


def test_a_family_is_found_by_its_name() -> None:
    control = GenericSocket("nlctrl", CONTROL_VERSION)
    assert control.family == CONTROL
    families = control.answers(3, dump=True)
    assert len(families) >= 1
    control.close()


def test_a_family_that_the_kernel_has_not_is_an_error_of_its_own() -> None:
    with pytest.raises(NoFamily, match="nosuchfamily"):
        GenericSocket("nosuchfamily", 1)


def loader(room: pathlib.Path, text: str) -> str:
    path = room / "modprobe"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_module_is_asked_for_by_its_name(tmp_path: pathlib.Path) -> None:
    assert load_module([loader(tmp_path, f'echo "$*" > {tmp_path}/asked')]) == ""
    assert (tmp_path / "asked").read_text() == "-q -- ip_vs\n"


def test_a_kernel_without_the_module_is_said(tmp_path: pathlib.Path) -> None:
    assert load_module([loader(tmp_path, "exit 1")]) == "modprobe ip_vs exit 1"
    assert load_module([str(tmp_path / "nothing")]) == "there is no modprobe"


def test_a_loader_that_hangs_is_ended_with_all_that_it_started(tmp_path: pathlib.Path) -> None:
    path = loader(tmp_path, "sleep 60 & sleep 60")
    start = time.monotonic()
    assert "took longer" in load_module([path], patience_ms=1000)
    assert time.monotonic() - start < 30
