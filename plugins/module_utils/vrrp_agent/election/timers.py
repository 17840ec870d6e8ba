# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The protocol's time spans, in whole nanoseconds. A fraction is rounded up: a timer never ends early."""

from __future__ import annotations

NEVER = 1 << 63
"""Later than every time of a monotonic clock in nanoseconds."""

_V2_SKEW_STEP_NS = 3_906_250  # a second / 256, exactly


def skew_ns(version: int, priority: int, interval_ns: int) -> int:
    """Skew_Time: how much later than the best one a backup of ``priority`` takes over.

    Version 2 counts in parts of a second whatever the interval (RFC 3768 6.1), version 3 in parts of
    the active router's interval ``interval_ns`` (RFC 9568 6.1).
    """
    steps = 256 - priority
    if version == 2:
        return steps * _V2_SKEW_STEP_NS
    return -(-steps * interval_ns // 256)


def down_interval_ns(version: int, priority: int, interval_ns: int, adverts: int = 3) -> int:
    """Active_Down_Interval (RFC 9568 6.1; RFC 3768 6.1 Master_Down_Interval).

    ``adverts`` is 3 in the RFCs; keepalived's down_timer_adverts sets another number.
    """
    return adverts * interval_ns + skew_ns(version, priority, interval_ns)


def next_advert_ns(due_ns: int, interval_ns: int, now: int) -> int:
    """When the Adver_Timer that was due at ``due_ns`` and is served at ``now`` is due again (RFC 9568 6.4.3).

    Counted from the due time, so that late wake-ups do not add up. Counted from ``now`` when it was
    served early (the next gap must not be longer than an interval), and when a whole interval was
    missed (what is lost is not sent in a burst).
    """
    following = due_ns + interval_ns
    if now < due_ns or now >= following:
        return now + interval_ns
    return following
