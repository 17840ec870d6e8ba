# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the agent sends to the process that tells others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Dict, NamedTuple, Tuple

from ..conf.model import Config, Notify, ScriptPolicy, Telling
from ..loop.events import GROUP, INSTANCE, Happening

Subject = Tuple[str, str]
"""Kind and name: INSTANCE or GROUP, and what it is called."""


@dataclass(frozen=True)
class Setup:
    """All that the process needs of a configuration. Equal setups mean that nothing has to be done."""

    router_id: str = ""
    """Empty: the host's name."""
    policy: ScriptPolicy = field(default_factory=ScriptPolicy)
    telling: Telling = field(default_factory=Telling)
    subjects: Dict[Subject, Notify] = field(default_factory=dict)
    """Those that have a word about scripts, mail or priorities."""

    @property
    def wanted(self) -> bool:
        """True when there is anybody to tell."""
        return self.pipes or any(speaks(notify) for notify in self.subjects.values())

    @property
    def pipes(self) -> bool:
        """True when there is a pipe, which hears of everything."""
        return self.telling.fifo is not None or self.telling.vrrp_fifo is not None


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
                subjects[(kind, member.name)] = member.notify
    settings = config.settings
    policy = settings.scripts
    if policy.umask is None:
        policy = replace(policy, umask=settings.operations.umask)
    return Setup(settings.router_id, policy, settings.telling, subjects)


def speaks(notify: Notify) -> bool:
    """True when scripts or mails are wanted."""
    return notify.mail or notify.report_deleted or bool(notify.commands)
