# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said of one event: the line of a pipe, the calls of scripts, their environment. keepalived's words.

Sources: keepalived.conf(5), "notify" and "notify_fifo"; keepalived/vrrp/vrrp_notify.c and
keepalived/check/ipwrapper.c.
"""

from __future__ import annotations

import time
from typing import Dict, List, NamedTuple, Optional, Tuple

from ..conf.model import Command, Notify
from ..loop import events
from ..loop.events import SERVER, SERVICE, Happening
from .setup import SERVICES

INIT = "INIT"
"""The state before the first one, for scripts."""
STATES = frozenset((events.MASTER, events.BACKUP, events.FAULT, events.STOP, events.DELETED))
PRIORITIES = frozenset((events.MASTER_PRIORITY, events.BACKUP_PRIORITY))


class Call(NamedTuple):
    """One script to run for an event."""

    word: str
    """The word of the file that asks for it."""
    command: Command
    arguments: Tuple[str, ...] = ()
    """What is added to the command's own arguments."""


def as_told(happening: Happening, notify: Notify) -> Optional[Happening]:
    """The event as others hear of it; None when they do not.

    An instance that a reload has removed is in FAULT, unless notify_deleted says that others know DELETED.
    One that was in FAULT already has nothing new to say.
    """
    if happening.event != events.DELETED or notify.report_deleted:
        return happening
    if happening.previous == events.FAULT:
        return None
    return happening._replace(event=events.FAULT)


def line(happening: Happening) -> bytes:
    """The line that a pipe receives.

    No NUL follows that of a virtual or real server: no release of keepalived has written one, only its
    development after 2.4.3 does.
    """
    kind, name, event, priority = happening[:4]
    if kind in SERVICES:
        return f"{kind} {name} {event}\n".encode("utf-8", "surrogateescape")
    return f'{kind} "{name}" {event} {priority}\n'.encode("utf-8", "surrogateescape")


def calls(happening: Happening, told: Happening, notify: Notify) -> List[Call]:
    """The scripts to run for ``told``, which is ``as_told`` of ``happening``, in their order.

    notify_fault is not run for a removed instance although it counts as FAULT: so does keepalived.
    """
    if happening.event in PRIORITIES:
        return []
    of_service = happening.kind == SERVICE
    by_event = {
        events.MASTER: ("notify_master", notify.active),
        events.BACKUP: ("notify_backup", notify.backup),
        events.FAULT: ("notify_fault", notify.fault),
        events.STOP: ("notify_stop", notify.stop),
        events.DELETED: ("notify_deleted", notify.deleted if notify.report_deleted else None),
        events.LOWER_PRIORITY: ("notify_master_rx_lower_pri", notify.lower_priority),
        events.UP: ("quorum_up" if of_service else "notify_up", notify.up),
        events.DOWN: ("quorum_down" if of_service else "notify_down", notify.down),
    }
    word, command = by_event.get(happening.event, ("", None))
    found = [Call(word, command)] if command is not None else []
    if notify.every is not None and told.event in STATES:
        extra = (told.kind, told.name, told.event, str(told.priority))
        found.append(Call("notify", notify.every, extra))
    return found


def environment(told: Happening, event_id: str) -> Dict[str, str]:
    """What a script finds in its environment, besides what the agent has there."""
    state = told.event
    if state == events.LOWER_PRIORITY:
        state = events.MASTER
    server, service = names(told)
    found = {"VRRP_SERVICE": service} if told.kind == SERVER else {}
    if told.kind not in SERVICES:
        found["VRRP_PRIORITY"] = str(told.priority)
    return {
        **found,
        "VRRP_KIND": told.kind,
        "VRRP_NAME": server or told.name,
        "VRRP_EVENT": told.event,
        "VRRP_STATE": state,
        "VRRP_PREVIOUS": INIT if told.previous in ("", events.STOP) else told.previous,
        "VRRP_REASON": told.reason,
        "VRRP_EVENT_ID": event_id,
        "VRRP_TIME": stamp(told.wall_time_s),
    }


def names(told: Happening) -> Tuple[str, str]:
    """The names of a real server and of its virtual server; the first is empty for other kinds."""
    if told.kind != SERVER:
        return "", told.name
    server, _blank, service = told.name.partition(" ")
    return server, service


def stamp(wall_time_s: float) -> str:
    """A moment as ISO 8601 in UTC, to the millisecond."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall_time_s))
    return f"{whole}.{int(wall_time_s % 1 * 1000):03d}Z"
