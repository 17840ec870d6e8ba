# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's releases on a host: laid side by side, one of them current. Private to the collection.

/usr/local/lib/vrrp-agent/releases/0.1.0-4f1c2a90b7de/    the unpacked artefact, byte-compiled
/usr/local/lib/vrrp-agent/current  -> releases/...        switched in one step
/usr/local/lib/vrrp-agent/previous -> releases/...        what was current before
/usr/local/sbin/vrrp-agent                                starts what is current
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import zipfile
from dataclasses import dataclass
from typing import Tuple

from . import files
from .host import Host, HostError

LIBRARY = "/usr/local/lib/vrrp-agent"
RELEASES = LIBRARY + "/releases"
CURRENT = LIBRARY + "/current"
PREVIOUS = LIBRARY + "/previous"
ENTRY = "/usr/local/sbin/vrrp-agent"
SYSTEM_PYTHON = "/usr/bin/python3"

VERSION_LINE = re.compile(r'^VERSION = "(\S+)"$', re.MULTILINE)
RELEASE_NAME = re.compile(r"^[0-9][0-9A-Za-z.+]*-[0-9a-f]{12}$")

ENTRY_TEXT = """\
#!/bin/sh
# Written by the Ansible collection linuxha.vrrp: starts the current release of the VRRP agent.
# The release is named in full, so that ps shows what runs.
exec {python} -IS "$(readlink -f {current})" "$@"
"""


@dataclass(frozen=True)
class Installed:
    """What lies on the host."""

    current: str = ""
    previous: str = ""
    releases: Tuple[str, ...] = ()
    entry: str = ""
    """The text of the command that starts it."""


def installed(host: Host) -> Installed:
    """Look at the host."""
    directory = host.path(RELEASES)
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    releases = tuple(name for name in names if not name.startswith("."))

    def target(link: str) -> str:
        path = host.path(link)
        name = os.path.basename(os.readlink(path)) if os.path.islink(path) else ""
        return name if name in releases else ""

    return Installed(target(CURRENT), target(PREVIOUS), releases, files.read_text(host, ENTRY) or "")


def entry_text(host: Host) -> str:
    """The command for this host."""
    return ENTRY_TEXT.format(python=python_of(host), current=CURRENT)


def python_of(host: Host) -> str:
    """The Python that runs the agent. The system's outlives an upgrade of the distribution."""
    return SYSTEM_PYTHON if os.path.exists(host.path(SYSTEM_PYTHON)) else sys.executable


def release_name(artifact: str) -> str:
    """What the release of an artefact is called: its version and the id of its build.

    Raises HostError when the file is no artefact of the agent.
    """
    try:
        with zipfile.ZipFile(artifact) as archive:
            if "__main__.py" not in archive.namelist():
                raise HostError(f"{artifact} is no vrrp-agent: it has no __main__.py")
            version = VERSION_LINE.search(archive.read("vrrp_agent/version.py").decode("utf-8"))
            build = archive.read("vrrp_agent/build_id.txt").decode("ascii").strip()
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise HostError(f"{artifact} is no vrrp-agent: {error}") from error
    name = "{}-{}".format(version.group(1) if version else "", build)
    if not RELEASE_NAME.match(name):
        raise HostError(f"{artifact} is no vrrp-agent: its version and build read {name!r}")
    return name


def unpack(host: Host, artifact: str, name: str) -> None:
    """Lay a release beside the others. Nothing runs it yet.

    ``artifact`` is a file that this process can read. Byte-compiled by the Python that will run it, as the
    unit may not write there. Raises HostError.
    """
    final = host.path(RELEASES + "/" + name)
    part = host.path(RELEASES + "/." + name)
    if os.path.isdir(final):
        return
    shutil.rmtree(part, ignore_errors=True)
    try:
        os.makedirs(part, mode=0o755)
        with zipfile.ZipFile(artifact) as archive:
            archive.extractall(part, [member for member in archive.namelist() if not member.endswith(".pyc")])
        host.must_run(
            [
                python_of(host),
                "-m",
                "compileall",
                "-q",
                "-s",
                part,
                "-p",
                host.path(RELEASES + "/" + name),
                part,
            ],
            "byte-compiling the agent",
        )
        os.rename(part, final)
    except (OSError, zipfile.BadZipFile) as error:
        raise HostError(f"release {name} cannot be laid down: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def after_switch(before: Installed, name: str) -> Installed:
    """What will lie on the host when ``name`` is current and the rest is pruned."""
    previous = before.current if before.current and before.current != name else before.previous
    kept = {name, previous} - {""}
    return Installed(name, previous, tuple(sorted(kept)), before.entry)


def switch(host: Host, name: str) -> None:
    """Make a release the current one, and remember the one before."""
    before = installed(host)
    if before.current and before.current != name:
        files.switch_link(host, PREVIOUS, "releases/" + before.current)
    if before.current != name:
        files.switch_link(host, CURRENT, "releases/" + name)
    text = entry_text(host)
    if before.entry != text or files.mode_of(host, ENTRY) != 0o755:
        files.write_text(host, ENTRY, text, 0o755)


def prune(host: Host) -> None:
    """Remove the releases that are neither current nor previous."""
    found = installed(host)
    for name in found.releases:
        if name not in (found.current, found.previous):
            shutil.rmtree(host.path(RELEASES + "/" + name), ignore_errors=True)


def remove(host: Host) -> bool:
    """Remove every release and the command. Returns False when there was nothing."""
    removed = [files.remove(host, path) for path in (ENTRY, LIBRARY)]
    return any(removed)
