# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what a host is to a real server, or back: by difference, so that no other address goes away.

Private to the collection.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from . import files, systemd
from .host import Host, HostError
from .real_server import NAME, PATH, WANTED, Part, Settings, parts, settings_in, unit_text
from .systemd import Unit


@dataclass(frozen=True)
class Found:
    """What a host is like."""

    text: Optional[str]
    """The unit of an earlier run."""
    unit: Unit
    parts: Tuple[Part, ...] = ()
    """What that unit does."""
    readable: bool = True
    """False when that unit was changed so that nobody can tell what it does."""


@dataclass(frozen=True)
class Plan:
    """What has to be done, in this order."""

    text: Optional[str] = None
    """The unit as it should be; None: there should be none."""
    stop: bool = False
    undo: Tuple[Part, ...] = ()
    do: Tuple[Part, ...] = ()
    write: bool = False
    remove: bool = False
    enable: bool = False
    start: bool = False

    @property
    def steps(self) -> List[str]:
        """As the module reports them."""
        return [
            *(["stop"] if self.stop else []),
            *(f"no more: {part.what}" for part in self.undo),
            *(["write the systemd unit"] if self.write else []),
            *(part.what for part in self.do),
            *(["start with the host"] if self.enable else []),
            *(["start"] if self.start else []),
            *(["remove the systemd unit"] if self.remove else []),
        ]


def survey(host: Host) -> Found:
    """Look at the host, and change nothing. Raises HostError."""
    text = files.read_text(host, PATH)
    before = settings_in(text)
    return Found(
        text,
        systemd.show(host, [NAME])[NAME],
        parts(before) if before is not None else (),
        text is None or (before is not None and unit_text(before) == text),
    )


def doubts(found: Found) -> List[str]:
    """What a stop of the unit cannot undo any more."""
    if found.text is not None or found.unit.exists or not found.unit.running:
        return []
    return [
        f"{PATH} was removed while its unit ran, and systemd has forgotten how to undo it: what it did may "
        "stay until the next boot. Look at 'ip address show dev lo', 'ip route' and the links rs-*"
    ]


def decide(host: Host, found: Found, wanted: Optional[Settings]) -> Plan:
    """What is to do. ``wanted`` is None when the host is no real server any more. Raises HostError."""
    new = parts(wanted) if wanted is not None else ()
    if wanted is None or not new:
        # A unit whose file somebody removed may still run: systemd knows how to stop it.
        there = found.text is not None or found.unit.running
        return Plan(stop=found.unit.running, remove=there)
    text = unit_text(wanted)
    write = text != found.text
    enable = not found.unit.enabled
    if not found.unit.running or not found.readable:
        return Plan(text, found.unit.running, write=write, enable=enable, start=True)
    undo = tuple(part for part in reversed(found.parts) if part not in new)
    do: List[Part] = []
    for part in new:
        # What is on a link that is made anew went with the old one.
        renewed = any(one.link and one.link == part.on for one in do)
        if renewed or part not in found.parts or not present(host, part):
            do.append(part)
    return Plan(text, undo=undo, do=tuple(do), write=write, enable=enable)


def present(host: Host, part: Part) -> bool:
    """False when somebody has taken away what the unit did."""
    path, value = part.sysctl
    if path and (files.read_text(host, "/proc/sys/" + path) or "").strip() != value:
        return False
    if part.link and not os.path.isdir(host.path("/sys/class/net/" + part.link)):
        return False
    if part.address:
        listing = host.run(["ip", "-o", "address", "show", "dev", part.on])
        if not any(f" {part.address}/" in line for line in listing.stdout.splitlines()):
            return False
    if part.route:
        family = "-6" if ":" in part.gateway else "-4"
        route = ["ip", family, "route", "show", "exact", part.route, "via", part.gateway]
        route.extend(["dev", part.on] if part.on else [])
        return bool(host.run(route).stdout.strip())
    return True


def perform(host: Host, found: Found, plan: Plan) -> None:
    """Do it. A host on which it fails gets its former unit back. Raises HostError."""
    begun: List[Part] = []
    try:
        _perform(host, plan, begun)
    except HostError as error:
        back = _back(host, found, begun) if plan.text is not None else "The unit is still there"
        raise HostError("{}. {}".format(str(error).rstrip("."), back), **error.evidence) from error


def _perform(host: Host, plan: Plan, begun: List[Part]) -> None:
    """``begun`` becomes the parts that may be there in the end, be it by half."""

    def begin(part: Part) -> None:
        begun.append(part)
        _shell(host, part.do, part.what)

    if plan.stop or plan.remove:
        # Where somebody removed the file, systemd knows how to undo it until it reloads, as with a disable.
        whole = plan.remove and files.read_text(host, PATH) is not None
        systemd.tell(host, *(("disable", "--now") if whole else ("stop",)), NAME)
    # Silent first: a host must never answer for a virtual address while it has it.
    silence = [part for part in plan.do if _is_silence(part)]
    for part in silence:
        begin(part)
    for part in plan.undo:
        _shell(host, part.undo, f"undoing {part.what}")
    if plan.write:
        files.write_text(host, PATH, plan.text or "", 0o644)
        systemd.tell(host, "daemon-reload")
    for part in plan.do:
        if part not in silence:
            begin(part)
    if plan.enable:
        systemd.tell(host, "enable", NAME)
    if plan.start:
        systemd.tell(host, "start", NAME)
    if plan.remove:
        files.remove(host, PATH)
        files.remove(host, WANTED)
        systemd.tell(host, "daemon-reload")


def _is_silence(part: Part) -> bool:
    return "/arp_" in part.sysctl[0]


def _shell(host: Host, command: str, why: str) -> None:
    host.must_run(["/bin/sh", "-c", command], why)


def _back(host: Host, found: Found, begun: Sequence[Part]) -> str:
    """What the unit of before does not know is undone, and that unit started anew.

    Says in a sentence how that went.
    """
    try:
        # Silent first, as above: the addresses of before are still there.
        again = [part.do for part in found.parts if found.unit.running and _is_silence(part)]
        for command in (*again, *(part.undo for part in reversed(begun) if part not in found.parts)):
            host.run(["/bin/sh", "-c", command])
        if found.text is None:
            systemd.tell(host, "disable", "--now", NAME)
            files.remove(host, PATH)
            systemd.tell(host, "daemon-reload")
            return "What was done is undone"
        files.write_text(host, PATH, found.text, 0o644)
        systemd.tell(host, "daemon-reload")
        if found.unit.running:
            systemd.tell(host, "restart", NAME)
        return "The unit of before is back"
    except HostError as error:
        return f"Going back failed too: {error}"
