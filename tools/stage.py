# SPDX-License-Identifier: GPL-3.0-or-later
"""Lay the collection out where Ansible looks for it: DIRECTORY/ansible_collections/linuxha/vrrp.

    stage.py DIRECTORY [--shipped]

A copy of what git knows of the tree, with build/vrrp-agent, once it is built, where the role looks for it.
Files that are no longer in the tree go away; what did not change is not touched. `--shipped` leaves out what
only a clone needs (galaxy.yml's build_ignore).
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import pathlib
import shutil
import subprocess
import sys

import yaml

TOP = pathlib.Path(__file__).resolve().parent.parent
AGENT = TOP / "build" / "vrrp-agent"
AGENT_IN_ROLE = "roles/vrrp/files/vrrp-agent"


def tree() -> dict[str, pathlib.Path]:
    """The files of the work tree, new ones included, ignored ones not."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = [name for name in listed.split("\0") if name]
    return {name: TOP / name for name in names if (TOP / name).is_file()}


def shipped(files: dict[str, pathlib.Path]) -> dict[str, pathlib.Path]:
    """Without what galaxy.yml keeps out of the artefact; what ansible-test must know of the rest stays."""
    ignored = yaml.safe_load((TOP / "galaxy.yml").read_text())["build_ignore"]

    def is_ignored(name: str) -> bool:
        return any(fnmatch.fnmatch(name.split("/")[0], pattern) for pattern in ignored)

    return {
        name: path for name, path in files.items() if not is_ignored(name) or name.startswith("tests/sanity/")
    }


def stage(directory: pathlib.Path, files: dict[str, pathlib.Path]) -> pathlib.Path:
    target = directory / "ansible_collections" / "linuxha" / "vrrp"
    for name, source in files.items():
        copy = target / name
        try:
            if (
                copy.stat().st_mtime == source.stat().st_mtime
                and copy.stat().st_size == source.stat().st_size
            ):
                continue
        except OSError:
            copy.parent.mkdir(parents=True, exist_ok=True)
        # Renamed into place, as another run may be reading it.
        fresh = copy.with_name(f".{copy.name}.{os.getpid()}")
        shutil.copy2(source, fresh)
        fresh.replace(copy)
    for path in sorted(target.rglob("*"), reverse=True):
        if ".git" in path.relative_to(target).parts:
            continue
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(target).as_posix() not in files:
            path.unlink()
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--shipped", action="store_true")
    args = parser.parse_args()
    files = shipped(tree()) if args.shipped else tree()
    if AGENT.exists():
        files[AGENT_IN_ROLE] = AGENT
    print(stage(args.directory, files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
