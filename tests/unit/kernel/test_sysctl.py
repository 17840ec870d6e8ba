# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel parameters that are lent: what was there comes back, also after a kill."""

from __future__ import annotations

from pathlib import Path

import pytest
from vrrp_agent.kernel import sysctl

NAME = "net/ipv4/conf/eth0/arp_ignore"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc/sys of its own, with one parameter that is 0."""
    place = tmp_path / "sys"
    (place / NAME).parent.mkdir(parents=True)
    (place / NAME).write_text("0\n")
    monkeypatch.setattr(sysctl, "_ROOT", f"{place}/")
    return place


def value(root: Path) -> str:
    return (root / NAME).read_text().strip()


def test_a_parameter_is_set_and_given_back(root: Path, tmp_path: Path) -> None:
    kept = sysctl.Sysctls(str(tmp_path / "sysctls"))
    assert kept.want({NAME: "1"}) == []
    assert value(root) == "1"
    assert kept.original(NAME) == "0"
    kept.give_back()
    assert value(root) == "0"
    assert not (tmp_path / "sysctls").exists()


def test_what_is_right_already_is_not_ours(root: Path, tmp_path: Path) -> None:
    (root / NAME).write_text("1")
    kept = sysctl.Sysctls(str(tmp_path / "sysctls"))
    kept.want({NAME: "1"})
    (root / NAME).write_text("2")
    kept.give_back()
    assert value(root) == "2"


def test_what_nobody_wants_any_more_is_given_back_at_once(root: Path, tmp_path: Path) -> None:
    kept = sysctl.Sysctls(str(tmp_path / "sysctls"))
    kept.want({NAME: "1"})
    kept.want({})
    assert value(root) == "0"


def test_a_value_that_somebody_else_has_set_meanwhile_stays(root: Path, tmp_path: Path) -> None:
    kept = sysctl.Sysctls(str(tmp_path / "sysctls"))
    kept.want({NAME: "1"})
    (root / NAME).write_text("8")
    kept.give_back()
    assert value(root) == "8"


def test_the_process_after_a_killed_one_gives_back_what_was_there_first(root: Path, tmp_path: Path) -> None:
    sysctl.Sysctls(str(tmp_path / "sysctls")).want({NAME: "1"})
    after = sysctl.Sysctls(str(tmp_path / "sysctls"))
    after.want({NAME: "1"})
    after.give_back()
    assert value(root) == "0"


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1}', '{"a": ["0"]}'])
def test_a_damaged_file_is_as_good_as_none(root: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "sysctls").write_text(text)
    kept = sysctl.Sysctls(str(tmp_path / "sysctls"))
    kept.want({NAME: "1"})
    kept.give_back()
    assert value(root) == "0"


def test_a_parameter_that_does_not_exist_is_passed_over(root: Path, tmp_path: Path) -> None:
    kept = sysctl.Sysctls(str(tmp_path / "sysctls"))
    assert kept.want({"net/ipv4/conf/away0/arp_ignore": "1"}) == []


def test_a_parameter_that_cannot_be_set_is_named_once(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sysctl, "write", lambda name, value: f"cannot set {name}")
    kept = sysctl.Sysctls(str(tmp_path / "sysctls"))
    assert kept.want({NAME: "1"}) == [f"cannot set {NAME}"]
    assert kept.want({NAME: "1"}) == []
