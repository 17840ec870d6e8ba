# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why an instance cannot take part, and how far trackers move its priority."""

from __future__ import annotations

from typing import List, Mapping, NamedTuple, Optional, Set, Tuple

from ...conf.model import Instance, Tracked
from ...conf.parts.link_names import links_of
from ...track.messages import FILE, PROCESS, SCRIPT, Key, Reading
from ...wire.address import link_local_of, text
from ..prepared import placed
from ..ways import tracked_devices, ways_of
from .interfaces import Interfaces

OWNER = 255
FILE_FAULT = -254
"""keepalived: a number times its weight that is as low as this means FAULT."""
FILE_MOST = 253
"""keepalived: no file raises the priority by more."""


class Part(NamedTuple):
    """One contribution to the effective priority."""

    what: str
    change: int


class Verdict(NamedTuple):
    """What the state of the host means for one instance."""

    source: bytes
    """Where adverts come from; empty when there is no such address."""
    faults: Tuple[str, ...]
    """Reasons for FAULT, for a person; empty when there are none."""
    priority: int
    """The effective priority."""
    parts: Tuple[Part, ...]
    waiting: Tuple[str, ...] = ()
    """What is not known yet, and must be before the instance begins."""


def judge(
    instance: Instance,
    interfaces: Interfaces,
    virtual: Set[bytes],
    known: Optional[Mapping[Key, Reading]] = None,
) -> Verdict:
    """Look at all that ``instance`` needs. ``virtual``: every virtual address of this host.

    ``known`` is what is known of scripts, files and processes. Raises nothing.
    """
    faults: List[str] = []
    link = interfaces.get(instance.interface)
    if link is None:
        faults.append(f"interface {instance.interface} does not exist")
    elif instance.track_primary and not interfaces.up(instance.interface):
        faults.append(f"interface {instance.interface} is down")
    source = _source(instance, interfaces, virtual)
    faults.extend(_source_faults(instance, interfaces, source))
    if instance.strict and instance.unicast and link is not None and link.multicast:
        # keepalived refuses the instance
        faults.append(f"strict mode: unicast_peer, and interface {instance.interface} can do multicast")
    if instance.unicast_fault_no_peer:
        faults.append("unicast without a peer")
    for name in _address_devices(instance):
        if not interfaces.up(name):
            faults.append(f"interface {name} of a virtual address is down")
    for name in tracked_devices(ways_of(instance)):
        if name != instance.interface and not interfaces.up(name):
            faults.append(f"interface {name} of a virtual route or rule is down")
    readings = {} if known is None else known
    found = _Found(faults, [], [])
    _judge_interfaces(instance, interfaces, found)
    _judge_scripts(instance, readings, found)
    _judge_files(instance, readings, found)
    _judge_processes(instance, readings, found)
    priority = _effective(instance.priority, found.parts)
    return Verdict(source or b"", tuple(faults), priority, tuple(found.parts), tuple(found.waiting))


class _Found(NamedTuple):
    """What the trackers have come to, as it is collected."""

    faults: List[str]
    parts: List[Part]
    waiting: List[str]


def _judge_interfaces(instance: Instance, interfaces: Interfaces, found: _Found) -> None:
    for tracked in instance.track_interfaces:
        up = interfaces.up(tracked.name)
        if tracked.weight == 0:
            if up == tracked.reverse:
                found.faults.append(f"tracked interface {tracked.name} is {'up' if up else 'down'}")
        else:
            _add(found.parts, f"interface {tracked.name}", tracked, up)


def _judge_scripts(instance: Instance, readings: Mapping[Key, Reading], found: _Found) -> None:
    for tracked in instance.track_scripts:
        reading = readings.get((SCRIPT, tracked.name))
        what = f"script {tracked.name}"
        # keepalived: a script that has not run yet holds up nothing when it only moves the priority
        waiting = f"{what} has not run yet" if tracked.weight == 0 else ""
        ended = "succeeded" if reading is not None and reading.good else "failed"
        _judge_good_or_bad(found, tracked, reading, what, waiting, f"{what} {ended}")


def _judge_processes(instance: Instance, readings: Mapping[Key, Reading], found: _Found) -> None:
    for tracked in instance.track_processes:
        reading = readings.get((PROCESS, tracked.name))
        what = f"process {tracked.name}"
        _judge_good_or_bad(
            found, tracked, reading, what, f"{what} has not been counted yet", f"tracked {what}"
        )


def _judge_good_or_bad(
    found: _Found, tracked: Tracked, reading: Optional[Reading], what: str, waiting: str, fault: str
) -> None:
    """``waiting`` is said while nothing is known (empty: that does not matter), ``fault`` with the reason."""
    if reading is not None and reading.disabled:
        return  # keepalived: what must not or cannot be run does not count
    if reading is None or reading.good is None:
        if waiting:
            found.waiting.append(waiting)
    elif tracked.weight:
        _add(found.parts, what, tracked, reading.good)
    elif reading.good == tracked.reverse:
        found.faults.append(f"{fault}: {reading.why}")


def _judge_files(instance: Instance, readings: Mapping[Key, Reading], found: _Found) -> None:
    for tracked in instance.track_files:
        reading = readings.get((FILE, tracked.name))
        what = f"file {tracked.name}"
        if reading is not None and reading.disabled:
            continue
        if reading is None or reading.good is None:
            found.waiting.append(f"{what} has not been read yet")
            continue
        number = reading.value
        if tracked.weight == 0:
            if bool(number) != tracked.reverse:
                found.faults.append(f"tracked {what} holds {number}")
            continue
        change = number * tracked.weight * (-1 if tracked.reverse else 1)
        if change <= FILE_FAULT:
            found.faults.append(f"tracked {what} holds {number}: {change:+d} is {FILE_FAULT} or lower")
        elif change:
            found.parts.append(Part(what, min(change, FILE_MOST)))


def _add(parts: List[Part], what: str, tracked: Tracked, good: bool) -> None:
    """keepalived: a positive weight counts while it is good, a negative one while it is bad."""
    if good == (tracked.weight > 0):
        parts.append(Part(what, -tracked.weight if tracked.reverse else tracked.weight))


def _source_faults(instance: Instance, interfaces: Interfaces, source: Optional[bytes]) -> List[str]:
    """What is wrong with the address that adverts come from."""
    if interfaces.get(instance.interface) is None:
        return []
    if source is None:
        kind = "IPv4" if instance.family == 4 else "link-local IPv6"
        return [f"interface {instance.interface} has no {kind} address to send from"]
    if instance.track_source and not interfaces.held(instance.interface, source):
        return [f"interface {instance.interface} does not have the source address {text(source)}"]
    return []


def _source(instance: Instance, interfaces: Interfaces, virtual: Set[bytes]) -> Optional[bytes]:
    if instance.unicast and instance.unicast_source is not None:
        return instance.unicast_source
    if not instance.unicast and instance.multicast_source is not None:
        return instance.multicast_source
    found = interfaces.primary(instance.interface, instance.family, virtual)
    if found is None and instance.priority == OWNER:
        # The owner's own address is a virtual one (RFC 9568 6.1), and may be its only one.
        others = virtual - {address.packed for address, _device in placed(instance)}
        found = interfaces.primary(instance.interface, instance.family, others)
    link = interfaces.get(instance.interface)
    if found is None and link is not None and instance.family == 6 and instance.virtual_link is not None:
        found = link_local_of(link.mac)  # keepalived makes one as well
    return found


def _address_devices(instance: Instance) -> List[str]:
    """Other interfaces that must be up for a virtual address; keepalived's no_track opts out."""
    names: List[str] = []
    own = [link.name for link in links_of(instance)]  # VirtualLinks says what is wrong with these
    for address, device in placed(instance):
        if device != instance.interface and not address.no_track and device not in (*names, *own):
            names.append(device)
    return names


def _effective(base: int, parts: List[Part]) -> int:
    """keepalived: the sum within 1..254; an address owner stays at 255 whatever happens."""
    if base == OWNER:
        return OWNER
    return max(1, min(254, base + sum(part.change for part in parts)))
