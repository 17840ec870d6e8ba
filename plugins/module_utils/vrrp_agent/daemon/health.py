# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why an instance cannot take part, and how far trackers move its priority."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Set, Tuple

from ..conf.model import Instance
from .interfaces import Interfaces
from .prepared import placed

OWNER = 255


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


def judge(instance: Instance, interfaces: Interfaces, virtual: Set[bytes]) -> Verdict:
    """Look at the interfaces that ``instance`` needs. ``virtual``: every virtual address of this host."""
    faults: List[str] = []
    parts: List[Part] = []
    link = interfaces.get(instance.interface)
    if link is None:
        faults.append(f"interface {instance.interface} does not exist")
    elif instance.track_primary and not link.up:
        faults.append(f"interface {instance.interface} is down")
    source = _source(instance, interfaces, virtual)
    if source is None and link is not None:
        kind = "IPv4" if instance.family == 4 else "link-local IPv6"
        faults.append(f"interface {instance.interface} has no {kind} address to send from")
    for name in _address_devices(instance):
        if not interfaces.up(name):
            faults.append(f"interface {name} of a virtual address is down")
    for tracked in instance.track_interfaces:
        good = interfaces.up(tracked.name) != tracked.reverse
        if tracked.weight == 0:
            if not good:
                faults.append(f"tracked interface {tracked.name} is {'up' if tracked.reverse else 'down'}")
        elif good == (tracked.weight > 0):
            # keepalived: a positive weight is added while good, a negative one while bad
            parts.append(Part(f"interface {tracked.name}", tracked.weight))
    return Verdict(source or b"", tuple(faults), _effective(instance.priority, parts), tuple(parts))


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
    return found


def _address_devices(instance: Instance) -> List[str]:
    """Other interfaces that must be up for a virtual address; keepalived's no_track opts out."""
    names: List[str] = []
    for address, device in placed(instance):
        if device != instance.interface and not address.no_track and device not in names:
            names.append(device)
    return names


def _effective(base: int, parts: List[Part]) -> int:
    """keepalived: the sum within 1..254; an address owner stays at 255 whatever happens."""
    if base == OWNER:
        return OWNER
    return max(1, min(254, base + sum(part.change for part in parts)))
