# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables of one virtual router (RFC 9568 6.1, 6.2), on which conditions and steps work."""

from __future__ import annotations

from enum import Enum
from typing import Optional, Tuple

from .actions import Actions, SendAdvert
from .announce import AnnounceSchedule
from .settings import RouterSettings, State
from .timers import NEVER, down_interval_ns, skew_ns

NO_PRIORITY = -1
"""A priority that no advert carries."""
OWNER_STEPPED_DOWN = 254
"""What an owner falls to while another one is about (keepalived)."""


class Heard(Enum):
    """What a backup knows about the router it heard last."""

    NOBODY = 0
    FOLLOWED = 1
    LOWER = 2
    """Its priority is lower than ours and does not stop the takeover."""
    GONE = 3
    """It resigned."""


class Occasion:
    """One event with its facts. The advert's fields mean nothing for other events."""

    __slots__ = ("interval_ns", "now", "priority", "source")

    def __init__(
        self, now: int, priority: int = NO_PRIORITY, source: bytes = b"", interval_ns: int = 0
    ) -> None:
        self.now = now
        self.priority = priority
        self.source = source
        self.interval_ns = interval_ns


class Partners:
    """What the rules ask of a sync group. ``sync.SyncGroup`` answers."""

    def ready(self, asker: Memory) -> bool:
        """True when every other member is active or wants to be."""
        raise NotImplementedError

    def starts_active(self) -> bool:
        """True when every member is an address owner without a fault."""
        raise NotImplementedError


class Memory:
    """Plain values, and what follows from them. Nothing here decides anything."""

    __slots__ = (
        "active_interval_ns",
        "active_priority",
        "active_source",
        "deadline",
        "down_ns",
        "effective_priority",
        "faults",
        "group",
        "group_fault",
        "heard",
        "heard_ns",
        "heard_priority",
        "heard_source",
        "hold_until_ns",
        "own_advert",
        "preempt_at_ns",
        "reason",
        "rival_adverts",
        "rival_interval_ns",
        "rival_until_ns",
        "schedule",
        "settings",
        "since_ns",
        "source",
        "state",
        "timer_is_skew",
        "timer_ns",
        "told",
        "took_over_from",
        "usual_priority",
        "wants_active",
    )

    def __init__(self, settings: RouterSettings) -> None:
        self.settings = settings
        self.source = settings.source
        self.state = State.INITIALIZE
        self.reason = "not started"
        self.since_ns = 0
        self.faults: Tuple[str, ...] = ()
        """What this router itself needs and has not got."""
        self.group: Optional[Partners] = None
        """The sync group (keepalived vrrp_sync_group) that this router is a member of."""
        self.group_fault = ""
        """Why another member of the group is in fault."""
        self.wants_active = False
        """A backup that would be active if its group were ready (keepalived's wantstate)."""
        self.told = ""
        """Why a caller wants it to change its state, for a person."""

        self.deadline: Optional[int] = None
        """When ``timer`` is to be called next; None when nothing is pending."""
        self.timer_ns = NEVER
        """Active_Down_Timer of a backup, Adver_Timer of an active router."""
        self.timer_is_skew = False
        """Active_Down_Timer was set to Skew_Time, not to Active_Down_Interval."""
        self.hold_until_ns = 0
        """End of the startup delay: what happens earlier is timed as if it happened then."""
        self.schedule = AnnounceSchedule(settings.garp)

        self.active_source: Optional[bytes] = None
        """The active router as last heard, or this one; None when there is none to our knowledge."""
        self.active_priority: Optional[int] = None
        self.active_interval_ns = settings.advert_int_ns
        """Active_Adver_Interval."""

        self.heard = Heard.NOBODY
        self.heard_source = b""
        self.heard_priority = NO_PRIORITY
        self.heard_ns = 0
        self.usual_priority = NO_PRIORITY
        """Of the adverts that only restart the timer: see VirtualRouter.receive."""
        self.took_over_from = Heard.NOBODY
        """What was known of the active router when this one took over last."""
        self.preempt_at_ns: Optional[int] = None
        """End of preempt_delay; None while its clock stands."""

        self.rival_adverts = 0
        """Own adverts to be sent before another owner counts as one that stays (keepalived)."""
        self.rival_interval_ns = 0
        self.rival_until_ns: Optional[int] = None

        self.effective_priority = settings.priority
        self.down_ns = 0
        self.own_advert: Actions = ()
        self.priority_changed()

    def priority_changed(self) -> None:
        """Bring up to date what follows from the effective priority."""
        self.own_advert = (SendAdvert(self.effective_priority),)
        self.interval_changed()

    def interval_changed(self) -> None:
        """Bring up to date what follows from Active_Adver_Interval."""
        settings = self.settings
        self.down_ns = down_interval_ns(
            settings.version, self._skew_priority(), self.active_interval_ns, settings.down_timer_adverts
        )
        self.usual_priority = NO_PRIORITY

    def skew_ns(self) -> int:
        """Skew_Time."""
        return skew_ns(self.settings.version, self._skew_priority(), self.active_interval_ns)

    def begin(self, now: int) -> int:
        """When a timer that is started at ``now`` begins to run."""
        return max(now, self.hold_until_ns)

    def find_deadline(self) -> None:
        """Make ``deadline`` the nearest of all pending timers."""
        nearest = min(self.timer_ns, self.schedule.next_ns)
        self.deadline = None if nearest == NEVER else nearest

    def _skew_priority(self) -> int:
        # An owner that stepped down to 254 keeps its own skew, as in keepalived.
        return self.settings.priority if self.settings.owner else self.effective_priority
