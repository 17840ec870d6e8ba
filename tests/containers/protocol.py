# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits that the protocol sets, computed apart from the agent: a test holds them against it."""

from __future__ import annotations


def skew_s(priority: int, advert_int_s: float, version: int) -> float:
    """RFC 9568 6.1 (version 3, scaled by the interval) and RFC 3768 6.1 (version 2, by one second)."""
    return (256 - priority) / 256 * (advert_int_s if version == 3 else 1.0)


def master_down_s(priority: int, advert_int_s: float, version: int) -> float:
    """How long a backup of that priority waits for a silent active router: Master_Down_Interval."""
    return 3 * advert_int_s + skew_s(priority, advert_int_s, version)
