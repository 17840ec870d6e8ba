# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which url of HTTP_GET or SSL_GET is asked for next. Pure.

keepalived's rule: one url a turn, and the check is good when the last one was. A url that fails is asked for
again until it is good; if the check had failed by then, all of them are asked for once more before it counts
as good again. So a check with one url needs two good answers to recover.
"""

from __future__ import annotations


class UrlTurns:
    """The place of a check among its urls. ``retry``: so many failures in a row are forgiven."""

    def __init__(self, urls: int, retry: int) -> None:
        self.place = 0
        self._urls, self._retry = urls, retry
        self._failures = 0
        self._known = False
        """Before a check is known to be good, its first failure counts."""

    def good(self) -> bool:
        """The url at ``place`` was good: True when the whole check is."""
        failed = self._failures > (self._retry if self._known else 0)
        self._failures = 0
        if failed:
            self.place = 0
            self._known = False
            return False
        self.place = (self.place + 1) % self._urls
        self._known = self._known or self.place == 0
        return self.place == 0

    def bad(self) -> None:
        """It was not: the same one is next."""
        self._failures += 1
