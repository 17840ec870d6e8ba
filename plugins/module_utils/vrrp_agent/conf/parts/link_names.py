# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The virtual links of an instance, and the names that keepalived gives them.

The daemon needs this too, so it stands apart from what makes values of words.
"""

from __future__ import annotations

from dataclasses import replace
from typing import AbstractSet, Callable, Iterator, List, MutableSet, Sequence, Tuple

from ..model import Instance
from .links import VirtualLink

MAX_NAME_BYTES = 15
NameOf = Callable[[VirtualLink], str]
"""The name of a link that stands already and would do, or an empty text."""


def no_link_yet(_link: VirtualLink) -> str:
    """What ``name_links`` assumes of a host that it cannot see."""
    return ""


def name_links(
    instances: Sequence[Instance], taken: AbstractSet[str] = frozenset(), standing: NameOf = no_link_yet
) -> Tuple[Instance, ...]:
    """Give every virtual link a name that no other has, as keepalived does.

    ``taken``: names of the host's other interfaces. ``standing`` finds a link of a predecessor: its name
    is kept.
    """
    used = {link.name for instance in instances for link in links_of(instance) if not link.prefix}
    named: List[Instance] = []
    for instance in instances:
        own = instance.virtual_link
        if own is not None:
            own = _named(own, taken, used, standing)
        address_links = tuple(_named(link, taken, used, standing) for link in instance.address_links)
        named.append(replace(instance, virtual_link=own, address_links=address_links))
    return tuple(named)


def links_of(instance: Instance) -> List[VirtualLink]:
    """Every virtual link of an instance; the one of its adverts first."""
    own = [instance.virtual_link] if instance.virtual_link is not None else []
    return [*own, *instance.address_links]


def _named(
    link: VirtualLink, taken: AbstractSet[str], used: MutableSet[str], standing: NameOf
) -> VirtualLink:
    if not link.prefix:
        return link
    name = standing(link)
    if not name or name in used:
        name = next((one for one in candidates(link) if one not in used and one not in taken), "")
    used.add(name)
    return replace(link, name=name)


def candidates(link: VirtualLink) -> Iterator[str]:
    """keepalived's names: vrrp.51, then vrrp6.51 for IPv6, vrrp1.51, vrrp2.51 ..."""
    yield _name(link.prefix, "", link.vrid)
    if link.family == 6:
        yield _name(link.prefix, "6", link.vrid)
    for number in range(1, 65536):
        if link.family == 4 or number != 6:
            yield _name(link.prefix, str(number), link.vrid)


def _name(prefix: str, number: str, vrid: int) -> str:
    """The prefix is cut when the whole would be too long for an interface."""
    end = f"{number}.{vrid}"
    return prefix.encode()[: MAX_NAME_BYTES - len(end)].decode("utf-8", "ignore") + end
