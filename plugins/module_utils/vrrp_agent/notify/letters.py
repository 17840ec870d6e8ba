# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Mails about events: when there is one, what it says, and how it looks. keepalived's subjects and texts.

Source: keepalived/vrrp/vrrp_notify.c, keepalived/check/ipwrapper.c and keepalived/core/smtp.c.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Sequence, Tuple

from ..loop import events
from ..loop.events import GROUP, Happening
from .setup import SERVICES, Subject
from .words import names

MAILER = "Keepalived"
_LONGEST_LINE = 998
"""Characters of a line (RFC 5322 2.1.1)."""

_SUBJECTS = {
    events.MASTER: "Entering MASTER state",
    events.BACKUP: "Entering BACKUP state",
    events.FAULT: "Entering FAULT state",
    events.STOP: "Stopping",
    events.DELETED: "Deleted",
}
_INSTANCE_TEXTS = {
    events.MASTER: "=> VRRP Instance is now owning VRRP VIPs <=",
    events.BACKUP: "=> VRRP Instance is no longer owning VRRP VIPs <=",
    events.FAULT: "=> VRRP Instance is no longer owning VRRP VIPs <=",
    events.STOP: "=> VRRP Instance stopping <=",
    events.DELETED: "=> VRRP Deleted at reload <=",
}
_GROUP_TEXTS = {
    events.MASTER: "=> All VRRP group instances are now in MASTER state <=",
    events.BACKUP: "=> All VRRP group instances are now in BACKUP state <=",
    events.FAULT: "=> All VRRP group instances are now in FAULT state <=",
    events.STOP: "=> All VRRP group instances are now stopping <=",
}


class Letter(NamedTuple):
    """A mail that is to be sent: without addresses, which are those of the time of sending."""

    router_id: str
    """Empty: the host's name."""
    title: str
    text: str
    wall_time_s: float
    event_id: str
    """Makes the Message-ID: the same one when a letter has to be sent again."""


class Occasions:
    """Which events are worth a mail: each state once, until another one has been mailed (keepalived).

    Of virtual and real servers every event is.
    """

    def __init__(self) -> None:
        self._last: Dict[Subject, str] = {}

    def letter(self, told: Happening, event_id: str, router_id: str, faults: bool) -> Optional[Letter]:
        """The letter about an event, or None. ``faults`` is False under no_email_faults."""
        if told.kind in SERVICES:
            return _about_service(told, event_id, router_id)
        subject = _SUBJECTS.get(told.event)
        if subject is None or (told.event == events.FAULT and not faults):
            return None
        who = told.subject
        if self._last.get(who) == told.event:
            return None
        group = told.kind == GROUP
        text = (_GROUP_TEXTS if group else _INSTANCE_TEXTS).get(told.event)
        if text is None:
            return None
        self._last[who] = told.event
        title = "VRRP Group" if group else "VRRP Instance"
        if told.reason:
            text += f"\n\n{told.reason}"
        return Letter(router_id, f"{title} {told.name} - {subject}", text, told.wall_time_s, event_id)

    def forget(self, keep: Sequence[Subject]) -> None:
        """Only these exist."""
        wanted = set(keep)
        self._last = {who: state for who, state in self._last.items() if who in wanted}


def _about_service(told: Happening, event_id: str, router_id: str) -> Optional[Letter]:
    """A virtual or real server; a check that leaves its server as it is has a mail too (CHECKED).

    None where keepalived has no text: a first state that rs_init_notifies wants told.
    """
    if told.details is None or not told.details.text:
        return None
    server, service = names(told)
    state = told.previous if told.event == events.CHECKED else told.event
    who = f"Realserver {server} of virtual server {service}" if server else f"Virtualserver {service}"
    text = f"=> {told.details.text} <=" + (f"\n\n{told.reason}" if told.reason else "")
    return Letter(router_id, f"{who} - {state}", text, told.wall_time_s, event_id)


def message(letter: Letter, sender: str, recipients: Sequence[str], host: str) -> bytes:
    """The mail as it goes over the wire, with CRLF. For the sender only: it imports a lot."""
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import formatdate

    # A relay need not know 8BITMIME, nor a program that reads mails folded headers (keepalived has none).
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit", max_line_length=_LONGEST_LINE))
    mail["Date"] = formatdate(letter.wall_time_s, localtime=True)
    mail["From"] = header_address(sender)
    mail["Subject"] = _one_line(f"[{letter.router_id or host}] {letter.title}")
    mail["X-Mailer"] = MAILER
    mail["To"] = ", ".join(header_address(one) for one in recipients)
    mail["Message-ID"] = f"<{letter.event_id}@{_one_line(host)}>"
    mail.set_content(letter.text + "\n")
    return bytes(mail)


def split_address(text: str) -> Tuple[str, str]:
    """The name and the bare address in ``Name <user@host>``; without <> all of it is the address."""
    name, bracket, rest = text.rpartition("<")
    if bracket and rest.endswith(">"):
        return name.strip().strip('"'), rest[:-1]
    return "", text


def header_address(text: str) -> str:
    """An address for a header: a name with marks in it is put in quotes, as keepalived does."""
    name, address = split_address(_one_line(text))
    if not name:
        return address
    if any(mark in name for mark in '()<>[]:;@\\,."'):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>"


def _one_line(text: str) -> str:
    """A header cannot be broken into two by a name."""
    return " ".join(text.split())
