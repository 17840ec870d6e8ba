# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What systemd says of a unit, and the few words said to it. Private to the collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Sequence

from .host import Host, HostError

PROPERTIES = "Id,LoadState,ActiveState,SubState,UnitFileState,MainPID,NRestarts"


@dataclass(frozen=True)
class Unit:
    """A unit as ``systemctl show`` tells it."""

    name: str
    load: str = "not-found"
    active: str = "inactive"
    sub: str = "dead"
    file_state: str = ""
    main_pid: int = 0
    restarts: int = 0

    @property
    def exists(self) -> bool:
        """True when a unit file was found."""
        return self.load not in ("not-found", "")

    @property
    def running(self) -> bool:
        """True from the moment its start begins until its stop has ended."""
        return self.active in ("active", "reloading", "activating", "deactivating")

    @property
    def enabled(self) -> bool:
        """True when it starts with the host."""
        return self.file_state in ("enabled", "enabled-runtime", "static", "alias", "linked")


def show(host: Host, names: Sequence[str]) -> Dict[str, Unit]:
    """The units of these names, in one call.

    Raises HostError where systemd does not answer.
    """
    done = host.must_run(
        ["systemctl", "show", "--property=" + PROPERTIES, *names], "asking systemd about its units"
    )
    units: Dict[str, Unit] = {name: Unit(name) for name in names}
    for block in done.stdout.split("\n\n"):
        said = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name = said.get("Id", "")
        if name in units:
            units[name] = Unit(
                name,
                said.get("LoadState", ""),
                said.get("ActiveState", ""),
                said.get("SubState", ""),
                said.get("UnitFileState", ""),
                int(said.get("MainPID") or 0),
                int(said.get("NRestarts") or 0),
            )
    return units


def tell(host: Host, *words: str) -> None:
    """Say something to systemd, such as ``tell(host, "reload", "vrrp-agent.service")``.

    Raises HostError with what systemd, and the unit's journal, say about it.
    """
    done = host.run(["systemctl", "--quiet", *words])
    if done.rc == 0:
        return
    journal = journal_tail(host, words[-1]) if words[-1].endswith(".service") else ""
    said = (done.stderr or done.stdout).strip()
    raise HostError("systemctl {} failed: {}".format(" ".join(words), said), rc=done.rc, journal=journal)


def journal_tail(host: Host, unit: str, lines: int = 30) -> str:
    """The last lines of a unit's journal, as evidence."""
    return host.run(
        ["journalctl", "--no-pager", "--quiet", "--output=cat", f"--lines={lines}", "--unit=" + unit]
    ).stdout
