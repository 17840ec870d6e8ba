# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""keepalived on a host: its package, and its own opinion of a configuration. Private to the collection."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import List, Tuple

from .host import Host, HostError

PACKAGE = "keepalived"
INSTALLERS = (
    (
        "/usr/bin/apt-get",
        ("apt-get", "-qq", "install", "-y", "--no-install-recommends", PACKAGE),
        ("apt-get", "-qq", "update"),
    ),
    ("/usr/bin/dnf", ("dnf", "-q", "-y", "install", PACKAGE), ()),
    ("/usr/bin/zypper", ("zypper", "-q", "-n", "install", PACKAGE), ()),
)
"""Program, what installs, and what to do once when that fails."""


@dataclass(frozen=True)
class Verdict:
    """What ``keepalived -t`` means."""

    usable: bool
    """keepalived can run this file."""
    tested: bool
    """The test could be made."""
    messages: Tuple[str, ...] = ()


def judge(rc: int, output: str) -> Verdict:
    """Read the exit code of ``keepalived -t``, which differs from its manual and between versions.

    4 cannot run, 5 wrong lines that it passes over, 6 script security, 2 a missing argument. 143 is the 2.2.7
    of Debian 12 ending itself when scripts name a user, 127 is no keepalived: no test then.
    """
    said = messages_of(output)
    if rc == 0:
        return Verdict(True, True, said)
    if rc in (5, 6):
        return Verdict(True, True, said or (f"keepalived -t ended with {rc}",))
    if rc in (124, 127, 143, -15):
        why = (
            "keepalived is not there"
            if rc == 127
            else f"keepalived -t ended with {rc}, which says nothing about the file"
        )
        return Verdict(True, False, (why,))
    return Verdict(False, True, said or (f"keepalived -t ended with {rc}",))


def messages_of(output: str) -> Tuple[str, ...]:
    """The lines of its output that say something about the file, each once."""
    seen: List[str] = []
    for line in output.splitlines():
        text = line.strip()
        noise = not text or text.startswith(
            (
                "Starting Keepalived",
                "Running on Linux",
                "Command line",
                "Opening file",
                "Configuration file",
                "Starting VRRP child",
                "Starting Healthcheck child",
            )
        )
        if not noise and text not in seen:
            seen.append(text)
    return tuple(seen)


def test_text(host: Host, text: str, path: str) -> Verdict:
    """Ask the host's keepalived about a text that is to become the file at ``path``.

    It is tried where the file will be (includes are relative to it), under a name that no include matches.
    """
    directory = os.path.dirname(path)
    if not os.path.isdir(host.path(directory)):
        directory = "/tmp"
    descriptor, trial = tempfile.mkstemp(prefix=".", suffix=".trial", dir=host.path(directory))
    try:
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            stream.write(text)
        done = host.run(["keepalived", "-t", "-f", trial])
    finally:
        os.unlink(trial)
    return judge(done.rc, (done.stdout + "\n" + done.stderr).replace(trial, path))


def ask(host: Host, text: str, path: str, warnings: List[str]) -> None:
    """The host's keepalived has a say about what it is to run. Mere complaints go to ``warnings``.

    Raises HostError when it cannot run the text.
    """
    verdict = test_text(host, text, path)
    if not verdict.usable:
        raise HostError(
            "this host's keepalived cannot run the configuration: {}".format("; ".join(verdict.messages)),
            messages=list(verdict.messages),
        )
    if verdict.tested:
        warnings.extend("keepalived: " + message for message in verdict.messages)


def install(host: Host) -> None:
    """Install the package without starting it: the sample configuration that comes with some must never run.

    Raises HostError.
    """
    for program, command, refresh in INSTALLERS:
        if not os.path.exists(host.path(program)):
            continue
        host.must_run(
            ["systemctl", "--quiet", "mask", "keepalived.service"], "keeping keepalived from starting"
        )
        try:
            if host.run(command).rc != 0:
                if refresh:
                    host.must_run(refresh, "refreshing the package lists")
                host.must_run(command, "installing the package keepalived")
        finally:
            host.run(["systemctl", "--quiet", "unmask", "keepalived.service"])
        return
    raise HostError(
        "the package keepalived is not installed, and there is no apt-get, dnf or zypper to install it with"
    )
