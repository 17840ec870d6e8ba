# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the agent sends to the process that tells others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Dict, Iterator, NamedTuple, Optional, Tuple

from ..conf.model import Command, Config, Fifo, Notify, ScriptPolicy, Telling
from ..loop.events import CHECKED, GROUP, INSTANCE, SERVER, SERVICE, Happening

Subject = Tuple[str, str, int]
"""``Happening.subject``: kind, name, and the family of a virtual or real server."""
SERVICES = frozenset((SERVICE, SERVER))
_MAIL = Notify(mail=True)


@dataclass(frozen=True)
class Setup:
    """All that the process needs of a configuration. Equal setups mean that nothing has to be done."""

    router_id: str = ""
    """Empty: the host's name."""
    policy: ScriptPolicy = field(default_factory=ScriptPolicy)
    telling: Telling = field(default_factory=Telling)
    subjects: Dict[Subject, Notify] = field(default_factory=dict)
    """Those that have a word about scripts, mail or priorities."""
    services_fifo: Optional[Fifo] = None
    """lvs_notify_fifo."""
    check_mails: bool = True
    """False is no_checker_emails."""

    @property
    def wanted(self) -> bool:
        """True when there is anybody to tell."""
        fifos = (self.telling.fifo, self.telling.vrrp_fifo, self.services_fifo)
        return any(fifos) or any(speaks(notify) for notify in self.subjects.values())

    def concerns(self, happening: Happening) -> bool:
        """True when somebody is to be told of it."""
        notify = self.subjects.get(happening.subject)
        if happening.event == CHECKED:
            return self.check_mails and notify is not None and notify.mail
        return notify is not None or bool(self.pipes(happening.kind))

    def pipes(self, kind: str) -> Tuple[Fifo, ...]:
        """The pipes that hear of such a thing: of every event, whatever words it has."""
        own = self.services_fifo if kind in SERVICES else self.telling.vrrp_fifo
        return tuple([fifo for fifo in (self.telling.fifo, own) if fifo is not None])


class Repeat(NamedTuple):
    """States that have not changed, for the pipes only (fifo_write_vrrp_states_on_reload)."""

    happenings: Tuple[Happening, ...]


class Goodbye(NamedTuple):
    """No more will come: finish what can be finished soon, and leave nothing behind."""


def setup_of(config: Config) -> Setup:
    """What concerns telling others in a configuration."""
    subjects: Dict[Subject, Notify] = {}
    for kind, members in ((INSTANCE, config.instances), (GROUP, config.groups)):
        for member in members:
            if speaks(member.notify) or member.notify.priority_changes:
                subjects[(kind, member.name, 0)] = member.notify
    settings = config.settings
    subjects.update(_services(config))
    policy = settings.scripts
    if policy.umask is None:
        policy = replace(policy, umask=settings.operations.umask)
    balancing = settings.balancing
    found = (settings.router_id, policy, settings.telling, subjects)
    return Setup(*found, services_fifo=balancing.fifo, check_mails=balancing.check_mails)


def _services(config: Config) -> Iterator[Tuple[Subject, Notify]]:
    """Virtual and real servers that have a script, or a mail that somebody can get.

    Mails about real servers are on by default (smtp_alert), so that alone is no reason for a process.
    """
    mails = config.settings.telling.mail.complete
    for service in config.services:
        own = _words(service.quorum_up, service.quorum_down, mails and service.mail)
        if own is not None:
            yield (SERVICE, service.name, service.family), own
        for server in service.servers:
            its = _words(server.notify_up, server.notify_down, mails and server.mail)
            if its is not None:
                yield (SERVER, f"{server.name} {service.name}", service.family), its


def _words(up: Optional[Command], down: Optional[Command], mail: bool) -> Optional[Notify]:
    """None without any. There may be ten thousand that only want mails: they share one value."""
    if up is None and down is None:
        return _MAIL if mail else None
    return Notify(up=up, down=down, mail=mail)


def speaks(notify: Notify) -> bool:
    """True when scripts or mails are wanted."""
    return notify.mail or notify.report_deleted or bool(notify.commands)
