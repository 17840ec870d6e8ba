# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is counted, for an instance and for an interface."""

from __future__ import annotations

from typing import Dict


class Counters:
    """Counters of one instance, in the words of the MIBs where they have one (RFC 6527, RFC 2787)."""

    __slots__ = (
        "addr_list_mismatches",
        "adverts_received",
        "adverts_sent",
        "adverts_unsigned",
        "became_active",
        "discards",
        "interval_mismatches",
        "late_adverts",
        "priority_zero_received",
        "priority_zero_sent",
        "released_active",
        "send_errors",
    )

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin (again) at 0: at the start, and on keepalived's STATS_CLEAR."""
        self.adverts_received = 0
        self.adverts_sent = 0
        self.adverts_unsigned = 0
        self.priority_zero_received = 0
        self.priority_zero_sent = 0
        self.became_active = 0
        self.released_active = 0
        self.interval_mismatches = 0
        self.addr_list_mismatches = 0
        self.late_adverts = 0
        self.send_errors = 0
        self.discards: Dict[str, int] = {}

    def discard(self, reason: str) -> None:
        """A packet was discarded for ``reason``."""
        self.discards[reason] = self.discards.get(reason, 0) + 1

    def as_dict(self) -> Dict[str, object]:
        """For ``status``."""
        result: Dict[str, object] = {
            name: getattr(self, name) for name in sorted(self.__slots__) if name != "discards"
        }
        result["discards"] = dict(sorted(self.discards.items()))
        return result
