# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""promote_secondaries: the other addresses of a subnet stay when the first one is removed."""

from __future__ import annotations

from typing import AbstractSet, Sequence, Set

from ...conf.model import Instance
from ...kernel.sysctl import Sysctls
from ...loop.log import Log


class Promotion:
    """Sets the sysctl of the interfaces whose instances want it, and gives back what it was."""

    def __init__(self, path: str, log: Log) -> None:
        self._sysctls = Sysctls(path)
        self._log = log
        self._names: Set[str] = set()

    def apply(self, instances: Sequence[Instance]) -> None:
        """For these instances from now on."""
        self._names = {instance.interface for instance in instances if instance.promote_secondaries}
        self._want()

    def interfaces_changed(self, names: AbstractSet[str]) -> None:
        """An interface that came late, or came back, begins with the host's default."""
        if not self._names.isdisjoint(names):
            self._want()

    def give_back(self) -> None:
        """The agent ends."""
        self._sysctls.give_back()

    def _want(self) -> None:
        wanted = {f"net/ipv4/conf/{name}/promote_secondaries": "1" for name in sorted(self._names)}
        for problem in self._sysctls.want(wanted):
            self._log.warning(problem)
