# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When an active router tells the network where its addresses are (gratuitous ARP, unsolicited NA).

keepalived's five occasions: at once when it becomes active (RFC 9568 6.4.2), again after
garp_master_delay, every garp_master_refresh, when it hears an advert that loses to its own
(garp_lower_prio_*): the other router may have announced itself to the hosts meanwhile; and every
garp_extra_if on the interfaces that carry no adverts, where switches would forget a virtual MAC.
"""

from __future__ import annotations

from ..conf.model import GarpPolicy
from .timers import NEVER


class AnnounceSchedule:
    """The times of the bursts to come. ``next_ns`` is the nearest one, NEVER when there is none.

    The methods return how many announcements of each address are to be sent now.
    """

    __slots__ = ("_again_ns", "_elsewhere_ns", "_lower_ns", "_policy", "_refresh_ns", "_running", "next_ns")

    def __init__(self, policy: GarpPolicy) -> None:
        self._policy = policy
        self.stop()

    def begin(self, now: int) -> int:
        """The router is active since ``now``."""
        policy = self._policy
        self.stop()
        self._running = True
        if policy.master_delay_ns and policy.master_repeat:
            self._again_ns = now + policy.master_delay_ns
        if policy.master_refresh_ns and policy.master_refresh_repeat:
            self._refresh_ns = now + policy.master_delay_ns + policy.master_refresh_ns
        if policy.extra_interval_ns:
            self._elsewhere_ns = now + policy.master_delay_ns + policy.extra_interval_ns
        self._find_next()
        return policy.master_repeat

    def lower_priority_heard(self, now: int) -> int:
        """An advert that loses to ours came at ``now``.

        The delayed burst is one timer that every such advert starts anew: what lies between is
        covered by the burst at each advert.
        """
        policy = self._policy
        if policy.lower_prio_repeat and policy.lower_prio_delay_ns:
            self._lower_ns = now + policy.lower_prio_delay_ns
            self._find_next()
        return policy.lower_prio_repeat

    def due(self, now: int) -> int:
        """Bursts due at ``now`` are over; the largest of them is what must be sent."""
        policy = self._policy
        repeat = 0
        if self._again_ns <= now:
            self._again_ns = NEVER
            repeat = policy.master_repeat
        if self._lower_ns <= now:
            self._lower_ns = NEVER
            repeat = max(repeat, policy.lower_prio_repeat)
        if self._refresh_ns <= now:
            following = self._refresh_ns + policy.master_refresh_ns
            self._refresh_ns = following if following > now else now + policy.master_refresh_ns
            repeat = max(repeat, policy.master_refresh_repeat)
        self._find_next()
        return repeat

    def elsewhere_due(self, now: int) -> bool:
        """True when the other interfaces are to be served at ``now``; ``due`` is called next."""
        if self._elsewhere_ns > now:
            return False
        following = self._elsewhere_ns + self._policy.extra_interval_ns
        self._elsewhere_ns = following if following > now else now + self._policy.extra_interval_ns
        return True

    def stop(self) -> None:
        """The router is no longer active."""
        self._running = False
        self._again_ns = self._lower_ns = self._refresh_ns = self._elsewhere_ns = self.next_ns = NEVER

    def reconfigure(self, policy: GarpPolicy, now: int) -> None:
        """Go on with another policy. Bursts under way stay; only what is periodic is timed anew."""
        old, self._policy = self._policy, policy
        if not self._running:
            return
        if not (policy.master_refresh_ns and policy.master_refresh_repeat):
            self._refresh_ns = NEVER
        elif policy.master_refresh_ns != old.master_refresh_ns or self._refresh_ns == NEVER:
            self._refresh_ns = now + policy.master_refresh_ns
        if policy.extra_interval_ns != old.extra_interval_ns:
            self._elsewhere_ns = now + policy.extra_interval_ns if policy.extra_interval_ns else NEVER
        self._find_next()

    def _find_next(self) -> None:
        self.next_ns = min(self._again_ns, self._lower_ns, self._refresh_ns, self._elsewhere_ns)
