# SPDX-License-Identifier: GPL-3.0-or-later
"""Every name that is looked up on the way to a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import List

import pytest
from vrrp_agent.kernel.way import MOST_STEPS, way


def below(folder: Path, path: str) -> List[str]:
    """The steps inside ``folder``, from its own name."""
    inside = str(folder) + "/"
    return [step.path[len(inside) :] for step in way(path) if step.path.startswith(inside)]


@pytest.fixture(name="folder")
def make_folder(tmp_path: Path) -> Path:
    return Path(os.path.realpath(tmp_path))


def test_each_link_is_a_step_and_so_is_what_lies_between(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    (folder / "b" / "file").touch()
    (folder / "a" / "first").symlink_to("../middle")
    (folder / "middle").symlink_to(folder / "b" / "file")
    assert below(folder, f"{folder}/a/first") == ["a", "a/first", "middle", "b", "b/file"]


def test_two_dots_after_a_link_lead_to_the_parent_of_its_target(folder: Path) -> None:
    """path_resolution(7): what the kernel opens is not what a clean-up of the text makes of it."""
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "file").touch()
    (folder / "link").symlink_to("deep/er")
    assert below(folder, f"{folder}/link/../file") == ["link", "deep", "deep/er", "deep/file"]


def test_it_ends_at_what_is_not_there(folder: Path) -> None:
    assert below(folder, f"{folder}/none/at/all") == ["none"]


def test_a_path_may_begin_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "file").touch()
    assert below(folder, "./file") == ["file"]


def test_links_that_lead_in_a_ring_have_an_end(folder: Path) -> None:
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    assert len(way(f"{folder}/one/x")) == MOST_STEPS
