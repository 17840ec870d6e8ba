# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an election asks its caller to do, in the order in which it must be done.

Every method of ``VirtualRouter`` returns a tuple of these. Equal actions may be one shared object, so
a caller may compare with ``is`` on its fast path but must not count on a new object each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple, Union

from .settings import State


@dataclass(frozen=True)
class SendAdvert:
    """Send one advert with this priority to the group or to every peer; 0 resigns (RFC 9568 5.2.4)."""

    priority: int


@dataclass(frozen=True)
class Announce:
    """Send ``repeat`` gratuitous ARPs or unsolicited NAs for every virtual address (RFC 9568 6.4.2)."""

    repeat: int


@dataclass(frozen=True)
class AnnounceElsewhere:
    """Send one announcement on each interface that carries no adverts (keepalived garp_extra_if)."""


@dataclass(frozen=True)
class AddAddresses:
    """Install every virtual address. Those that are there already stay as they are."""


@dataclass(frozen=True)
class RemoveAddresses:
    """Remove every virtual address."""


@dataclass(frozen=True)
class StateChanged:
    """The state is another one now. The last action of its tuple, except for notes."""

    old: State
    new: State
    reason: str
    """Why, for a person: one line without a full stop."""
    at_ns: int
    """When, on the monotonic clock of the caller."""


@dataclass(frozen=True)
class LowerHeard:
    """An active router heard an advert that loses to its own (keepalived MASTER_RX_LOWER_PRI)."""


@dataclass(frozen=True)
class Note:
    """An event that deserves a line in the log but changes no state."""

    text: str
    kind: str = ""
    """Notes of one kind may be held back together when they come too fast; by default those of one text."""
    warning: bool = False
    """Someone should look at it."""


Action = Union[
    SendAdvert, Announce, AnnounceElsewhere, AddAddresses, RemoveAddresses, StateChanged, LowerHeard, Note
]
Actions = Tuple[Action, ...]

NOTHING: Actions = ()
ADD_ADDRESSES = AddAddresses()
REMOVE_ADDRESSES = RemoveAddresses()
RESIGNATION = SendAdvert(0)
ANNOUNCE_ELSEWHERE = AnnounceElsewhere()
LOWER_HEARD = LowerHeard()
