# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's releases on a host."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

from plugins.module_utils._host import release
from plugins.module_utils._host.host import Host, HostError

MAIN = 'import sys\nprint("release", sys.argv[1:])\n'


def artifact(directory: pathlib.Path, version: str = "0.1.0", build: str = "4f1c2a90b7de") -> str:
    path = directory / f"agent-{build}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__main__.py", MAIN)
        archive.writestr("vrrp_agent/version.py", f'VERSION = "{version}"\n')
        archive.writestr("vrrp_agent/version.pyc", b"of another Python")
        archive.writestr("vrrp_agent/build_id.txt", build)
    path.write_bytes(b"#!/bin/sh\necho a prelude\n" + path.read_bytes())
    return str(path)


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Host:
    (tmp_path / "root").mkdir()
    return Host(str(tmp_path / "root"))


def install(host: Host, path: str) -> str:
    name = release.release_name(path)
    release.unpack(host, path, name)
    release.switch(host, name)
    release.prune(host)
    return name


def test_a_release_is_named_by_version_and_build(tmp_path: pathlib.Path) -> None:
    assert release.release_name(artifact(tmp_path)) == "0.1.0-4f1c2a90b7de"


def test_a_release_is_unpacked_compiled_and_current(host: Host, tmp_path: pathlib.Path) -> None:
    name = install(host, artifact(tmp_path))
    current = pathlib.Path(host.path(release.CURRENT)).resolve()
    assert current.name == name
    assert list(current.glob("vrrp_agent/__pycache__/version.*.pyc"))
    assert not (current / "vrrp_agent" / "version.pyc").exists()
    done = subprocess.run(
        [sys.executable, "-IS", str(current), "hello"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "release ['hello']\n"


def test_the_old_release_stays_for_the_way_back_and_older_ones_go(host: Host, tmp_path: pathlib.Path) -> None:
    names = [install(host, artifact(tmp_path, build=digit * 12)) for digit in "abc"]
    found = release.installed(host)
    assert (found.current, found.previous) == (names[2], names[1])
    assert found.releases == (names[1], names[2])


def test_switching_to_what_is_current_keeps_the_previous_one(host: Host, tmp_path: pathlib.Path) -> None:
    first = install(host, artifact(tmp_path, build="a" * 12))
    second = install(host, artifact(tmp_path, build="b" * 12))
    release.switch(host, second)
    assert release.installed(host).previous == first
    release.switch(host, first)
    assert release.installed(host).current == first
    assert release.installed(host).previous == second


def test_a_release_that_does_not_compile_leaves_nothing_behind(host: Host, tmp_path: pathlib.Path) -> None:
    path = artifact(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("vrrp_agent/broken.py", "def :\n")
    with pytest.raises(HostError, match="byte-compiling"):
        release.unpack(host, path, "0.1.0-4f1c2a90b7de")
    assert os.listdir(host.path(release.RELEASES)) == []


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\necho no zip\n", b"PK\x03\x04 cut short"])
def test_something_else_is_no_artefact(tmp_path: pathlib.Path, content: bytes) -> None:
    path = tmp_path / "thing"
    path.write_bytes(content)
    with pytest.raises(HostError, match="is no vrrp-agent"):
        release.release_name(str(path))


def test_a_name_that_would_leave_the_directory_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(HostError, match="is no vrrp-agent"):
        release.release_name(artifact(tmp_path, version="../../etc"))


def test_removal_takes_everything(host: Host, tmp_path: pathlib.Path) -> None:
    install(host, artifact(tmp_path))
    assert release.remove(host)
    assert not os.path.lexists(host.path(release.ENTRY))
    assert not os.path.lexists(host.path(release.LIBRARY))
    assert not release.remove(host)
