# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails: when there is one, what it says, and that nothing can break it."""

from __future__ import annotations

import email
import email.policy
from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.loop import events
from vrrp_agent.loop.events import GROUP, INSTANCE, Happening
from vrrp_agent.notify.letters import Letter, Occasions, header_address, message, split_address

STATES = [events.MASTER, events.BACKUP, events.FAULT, events.STOP, events.DELETED]


def subjects(states: List[str], faults: bool = True) -> List[str]:
    occasions = Occasions()
    letters = [occasions.letter(Happening(INSTANCE, "V", state, 9), "1", "r", faults) for state in states]
    return [one.title.partition(" - ")[2] for one in letters if one is not None]


@pytest.mark.parametrize(
    ("kind", "event", "subject", "text"),
    [
        (INSTANCE, events.MASTER, "Entering MASTER state", "VRRP Instance is now owning VRRP VIPs"),
        (INSTANCE, events.BACKUP, "Entering BACKUP state", "VRRP Instance is no longer owning VRRP VIPs"),
        (INSTANCE, events.FAULT, "Entering FAULT state", "VRRP Instance is no longer owning VRRP VIPs"),
        (INSTANCE, events.STOP, "Stopping", "VRRP Instance stopping"),
        (INSTANCE, events.DELETED, "Deleted", "VRRP Deleted at reload"),
        (GROUP, events.MASTER, "Entering MASTER state", "All VRRP group instances are now in MASTER state"),
        (GROUP, events.BACKUP, "Entering BACKUP state", "All VRRP group instances are now in BACKUP state"),
        (GROUP, events.FAULT, "Entering FAULT state", "All VRRP group instances are now in FAULT state"),
        (GROUP, events.STOP, "Stopping", "All VRRP group instances are now stopping"),
    ],
)
def test_the_words_are_keepaliveds(kind: str, event: str, subject: str, text: str) -> None:
    letter = Occasions().letter(Happening(kind, "V", event, 9, reason="so"), "1", "r", True)
    assert letter is not None
    title = "VRRP Group" if kind == GROUP else "VRRP Instance"
    assert (letter.router_id, letter.title) == ("r", f"{title} V - {subject}")
    assert letter.text == f"=> {text} <=\n\nso"


def test_other_events_are_no_occasion() -> None:
    for event in (events.LOWER_PRIORITY, events.MASTER_PRIORITY, events.BACKUP_PRIORITY):
        assert subjects([event]) == []


def test_a_state_is_mailed_once_until_another_one_was() -> None:
    """keepalived's last_email_state: with no_email_faults a short fault between two states stays unseen."""
    assert subjects([events.MASTER, events.MASTER]) == ["Entering MASTER state"]
    assert subjects([events.MASTER, events.FAULT, events.MASTER], faults=False) == ["Entering MASTER state"]
    assert len(subjects([events.MASTER, events.FAULT, events.MASTER])) == 3


@given(st.lists(st.sampled_from(STATES)), st.booleans())
def test_no_two_mails_in_a_row_say_the_same(states: List[str], faults: bool) -> None:
    said = subjects(states, faults)
    assert all(first != second for first, second in zip(said, said[1:]))
    assert faults or "Entering FAULT state" not in said


def test_what_no_longer_exists_is_forgotten() -> None:
    occasions = Occasions()
    one = Happening(INSTANCE, "V", events.MASTER, 9)
    assert occasions.letter(one, "1", "r", True)
    occasions.forget([(INSTANCE, "V", 0)])
    assert occasions.letter(one, "2", "r", True) is None
    occasions.forget([])
    assert occasions.letter(one, "3", "r", True)


def test_the_message_has_keepaliveds_headers_and_an_id_that_stays() -> None:
    letter = Letter("lb1", "VRRP Instance V - Stopping", "=> x <=", 1_700_000_000.0, "7f-1")
    data = message(letter, "ha@example.org", ["A. B <a@example.org>", "c@example.org"], "lb1.example.org")
    assert data == message(
        letter, "ha@example.org", ["A. B <a@example.org>", "c@example.org"], "lb1.example.org"
    )
    read = email.message_from_bytes(data, policy=email.policy.default)
    assert list(read.keys())[:5] == ["Date", "From", "Subject", "X-Mailer", "To"]
    assert read["Subject"] == "[lb1] VRRP Instance V - Stopping"
    assert read["X-Mailer"] == "Keepalived"
    assert read["To"] == '"A. B" <a@example.org>, c@example.org'
    assert read["Message-ID"] == "<7f-1@lb1.example.org>"
    assert b"\r\n" in data and b"\n" not in data.replace(b"\r\n", b"")


def test_without_a_router_id_the_host_stands_in_the_subject() -> None:
    data = message(Letter("", "T", "x", 0.0, "1"), "a@b", ["c@d"], "host")
    assert b"Subject: [host] T\r\n" in data


def test_a_long_subject_stays_in_one_line_as_keepaliveds() -> None:
    title = "Realserver [2001:db8::1]:tcp:8080 of virtual server [2001:db8:1:2:3:4:5:6]:tcp:80 - DOWN"
    data = message(Letter("lb1.example.org", title, "=> x <=", 0.0, "1"), "a@b", ["c@d"], "host")
    assert f"Subject: [lb1.example.org] {title}\r\n".encode() in data


@given(st.text(), st.text(), st.text(), st.text())
def test_no_text_can_add_a_header_or_break_the_message(router: str, title: str, text: str, name: str) -> None:
    letter = Letter(router, title, text.encode("utf-8", "replace").decode(), 0.0, "1")
    data = message(letter, "a@b", [f"{name.encode('utf-8', 'replace').decode()} <c@d.e>"], "host")
    head = data.partition(b"\r\n\r\n")[0]
    read = email.message_from_bytes(data, policy=email.policy.compat32)
    assert set(read.keys()) <= {
        "Date",
        "From",
        "Subject",
        "X-Mailer",
        "To",
        "Message-ID",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    }
    assert data.isascii() and b"\0" not in head


@pytest.mark.parametrize(
    ("text", "parts", "header"),
    [
        ("a@b", ("", "a@b"), "a@b"),
        ("root", ("", "root"), "root"),
        ("Ops <a@b>", ("Ops", "a@b"), "Ops <a@b>"),
        ("Mr. X <a@b>", ("Mr. X", "a@b"), '"Mr. X" <a@b>'),
        ('"Mr. X" <a@b>', ("Mr. X", "a@b"), '"Mr. X" <a@b>'),
        ("<a@b>", ("", "a@b"), "a@b"),
    ],
)
def test_addresses_with_names(text: str, parts: object, header: str) -> None:
    assert split_address(text) == parts
    assert header_address(text) == header
