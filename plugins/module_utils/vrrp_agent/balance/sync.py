# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lvs_sync_daemon: which of the kernel's two sync daemons is to run here, and makes it so."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Optional

from ..conf.parts.balancing import SyncDaemon
from ..kernel.errors import KernelError
from ..loop.log import Log
from .backend import Backend

_WORDS = {True: "sends", False: "receives"}


def directions(daemon: Optional[SyncDaemon], active: FrozenSet[str]) -> FrozenSet[bool]:
    """True: it sends, False: it receives. keepalived: the active director sends, others receive; with no
    instance named, both. Pure."""
    if daemon is None:
        return frozenset()
    if not daemon.instance:
        return frozenset((True, False))
    return frozenset((daemon.instance in active,))


class SyncKeeper:
    """The sync daemons of one back end."""

    def __init__(self, log: Log) -> None:
        self.problem = ""
        self._log = log
        self._daemon: Optional[SyncDaemon] = None
        self._running: FrozenSet[bool] = frozenset()
        self._left: Optional[SyncDaemon] = None
        self.noted: Optional[SyncDaemon] = None
        """For a successor: the settings of daemons of ours that may run."""

    def recall(self, left: Optional[SyncDaemon]) -> None:
        """A predecessor has noted this, and was killed."""
        self._left = self.noted = left

    def expect(self, daemon: Optional[SyncDaemon]) -> None:
        """``reach`` will be called with this daemon: for the notes, that are written first."""
        if daemon is not None:
            self.noted = _settings(daemon)

    def reach(self, backend: Backend, daemon: Optional[SyncDaemon], active: FrozenSet[str]) -> None:
        """Start and stop what differs. One with other settings is started anew."""
        wanted = directions(daemon, active)
        settings = None if daemon is None else _settings(daemon)
        if self._left is not None and self._left != settings:
            self._stop_left(backend, self._left)
        self._left, self.noted = None, settings
        if wanted == self._running and settings == self._daemon and not self.problem:
            return
        changed = settings != self._daemon
        self.problem = ""
        if not self._daemon and settings is not None:
            self._adopt(backend, settings)
            changed = False
        for sends in sorted(self._running):
            if changed or sends not in wanted:
                self._stop(backend, sends)
        self._daemon = settings
        if settings is not None:
            for sends in sorted(wanted - self._running):
                self._start(backend, settings, sends)

    def status(self) -> Dict[str, Any]:
        """For ``status``."""
        if self._daemon is None:
            return {}
        state = [_WORDS[sends] for sends in sorted(self._running, reverse=True)]
        return {
            "interface": self._daemon.interface,
            "sync_id": self._daemon.sync_id,
            "state": state,
            "problem": self.problem,
        }

    def _adopt(self, backend: Backend, settings: SyncDaemon) -> None:
        """One that a killed predecessor has left goes on when it is as it should be."""
        for sends, found in backend.sync_daemons().items():
            if _is(found, settings):
                self._running |= {sends}
            else:
                self._stop(backend, sends)

    def _stop_left(self, backend: Backend, left: SyncDaemon) -> None:
        """The word was taken out, or changed, before this process began."""
        for sends, found in backend.sync_daemons().items():
            if (found.interface, found.sync_id) == (left.interface, left.sync_id):
                self._stop(backend, sends)
                self._log.notice(f"the sync daemon on {left.interface} that was left is stopped")

    def _start(self, backend: Backend, settings: SyncDaemon, sends: bool) -> None:
        try:
            backend.start_sync(settings, sends)
        except KernelError as error:
            self.problem = f"the sync daemon that {_WORDS[sends]} does not start: {error}"
            self._log.error(self.problem)
        else:
            self._running |= {sends}
            self._log.notice(f"the sync daemon on {settings.interface} {_WORDS[sends]}")

    def _stop(self, backend: Backend, sends: bool) -> None:
        self._running -= {sends}
        try:
            backend.stop_sync(sends)
        except KernelError as error:
            self._log.warning(f"the sync daemon that {_WORDS[sends]} does not stop: {error}")


def _is(found: SyncDaemon, settings: SyncDaemon) -> bool:
    """True when a daemon that runs is as it should be, as far as can be told: where the kernel was left to
    choose, any choice is right. A length is not compared: the kernel cuts it to what the interface takes."""
    if (found.interface, found.sync_id) != (settings.interface, settings.sync_id):
        return False
    pairs = ((found.port, settings.port), (found.ttl, settings.ttl), (found.group, settings.group))
    return all(not has or not wanted or has == wanted for has, wanted in pairs)


def _settings(daemon: SyncDaemon) -> SyncDaemon:
    """What the kernel is told: whichever instance decides is no part of it."""
    return SyncDaemon(
        daemon.interface, "", daemon.sync_id, daemon.max_length, daemon.port, daemon.ttl, daemon.group
    )
