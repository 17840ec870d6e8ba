# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From single runs of a script to its result: how many good or bad ones it takes. Pure."""

from __future__ import annotations

from typing import Optional


class RiseFall:
    """keepalived's counter: 0 .. rise - 1 is bad, rise .. rise + fall - 1 is good.

    It begins one good run short of good, and not known: one run decides, whichever way it goes. With
    ``init_fail`` it begins as bad, and needs ``rise`` good runs.
    """

    def __init__(self, rise: int, fall: int, init_fail: bool = False) -> None:
        self.rise, self.fall = rise, fall
        self.count = 0 if init_fail else rise - 1
        self.known = init_fail

    @property
    def good(self) -> Optional[bool]:
        """The result; None while nothing has run."""
        return self.count >= self.rise if self.known else None

    def take(self, good: bool) -> bool:
        """One run has ended. True when the result has changed, or is known now."""
        before = self.good
        if good:
            self.count = self.count + 1 if self.count < self.rise - 1 else self.rise + self.fall - 1
        else:
            self.count = self.count - 1 if self.count > self.rise else 0
        self.known = True
        return self.good != before

    def change(self, rise: int, fall: int) -> None:
        """Other settings: how far it is from the top, or from good, stays what it was."""
        if not self.known:
            self.count = rise - 1
        elif self.count >= self.rise:
            top = self.count == self.rise + self.fall - 1
            most = rise + fall - 1
            self.count = most if top else min(rise + self.count - self.rise, most)
        elif self.count:
            self.count = max(rise - (self.rise - self.count), 0)
        self.rise, self.fall = rise, fall

    def resume(self, count: int) -> None:
        """Go on where another process left off."""
        self.count = max(0, min(count, self.rise + self.fall - 1))
        self.known = True
