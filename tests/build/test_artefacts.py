# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make agent` and `make build` leave in build/, and that a stranger can use it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tarfile
import time
import zipfile

import pytest

TOP = pathlib.Path(__file__).parents[2]
AGENT = TOP / "build" / "vrrp-agent"


def run(*command: str | pathlib.Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Built from this very tree."""
    run(TOP / "tools" / "build")
    (found,) = (TOP / "build").glob("linuxha-vrrp-*.tar.gz")
    return found


def test_the_same_tree_gives_the_same_agent_byte_for_byte(tmp_path: pathlib.Path) -> None:
    for name in ("one", "two"):
        run(sys.executable, TOP / "tools" / "build_agent.py", "--output", tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_agent_runs_from_anywhere_and_needs_nothing_beside_it(tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "another name"
    copy.write_bytes(AGENT.read_bytes())
    copy.chmod(0o755)
    assert run(copy, "--version", PYTHONPATH="/nowhere").startswith("vrrp-agent 0.")


def test_the_agent_starts_in_less_than_a_tenth_of_a_second() -> None:
    def once() -> float:
        start = time.perf_counter()
        run(AGENT, "--version")
        return time.perf_counter() - start

    assert min(once() for _ in range(10)) < 0.1


def test_the_agent_holds_the_licences_of_what_is_inside() -> None:
    names = zipfile.ZipFile(AGENT).namelist()
    assert "LICENSE" in names
    assert any(name.startswith("pyroute2/LICENSE") for name in names)


def test_the_artefact_holds_the_agent_and_nothing_that_only_a_clone_needs(artefact: pathlib.Path) -> None:
    with tarfile.open(artefact) as archive:
        names = archive.getnames()
        packed = archive.extractfile("roles/vrrp/files/vrrp-agent")
        assert packed is not None
        assert packed.read() == AGENT.read_bytes()
    tops = {name.split("/")[0] for name in names}
    assert {"plugins", "roles", "playbooks", "meta", "LICENSE"} <= tops
    assert tops & {"tests", "tools", "molecule", "build", ".git", "Makefile"} == set()
    assert not [name for name in names if "__pycache__" in name]


def test_the_artefact_installs_and_its_plugins_document_themselves(
    artefact: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    bin_dir = pathlib.Path(sys.executable).parent
    path = str(tmp_path)
    install = ("collection", "install", "--offline", "-p", path, artefact)
    run(bin_dir / "ansible-galaxy", *install, ANSIBLE_COLLECTIONS_PATH=path)
    listed = run(bin_dir / "ansible-doc", "--list", "linuxha.vrrp", ANSIBLE_COLLECTIONS_PATH=path)
    assert "linuxha.vrrp.apply" in listed
    # The scenarios and the demo run the role from such a place.
    assert (tmp_path / "ansible_collections/linuxha/vrrp/roles/vrrp/files/vrrp-agent").stat().st_size
