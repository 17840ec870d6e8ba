# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines, calls and environments of events: keepalived's words, by a table."""

from __future__ import annotations

from typing import List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.model import Command, Notify
from vrrp_agent.loop import events
from vrrp_agent.loop.events import GROUP, INSTANCE, Happening
from vrrp_agent.notify.words import as_told, calls, environment, line


def run(name: str) -> Command:
    return Command((f"/{name}",))


ALL = Notify(
    active=run("active"),
    backup=run("backup"),
    fault=run("fault"),
    stop=run("stop"),
    deleted=run("deleted"),
    lower_priority=run("lower"),
    every=run("every"),
    report_deleted=True,
)
WORDS = [
    (events.MASTER, ["notify_master", "notify"]),
    (events.BACKUP, ["notify_backup", "notify"]),
    (events.FAULT, ["notify_fault", "notify"]),
    (events.STOP, ["notify_stop", "notify"]),
    (events.DELETED, ["notify_deleted", "notify"]),
    (events.LOWER_PRIORITY, ["notify_master_rx_lower_pri"]),
    (events.MASTER_PRIORITY, []),
    (events.BACKUP_PRIORITY, []),
    ("SOMETHING_NEW", []),
]


def happening(
    event: str, previous: str = events.BACKUP, kind: str = INSTANCE, priority: int = 90
) -> Happening:
    return Happening(kind, "VI_1", event, priority, previous, "because", 1_700_000_000.25)


@pytest.mark.parametrize(("event", "expected"), WORDS)
def test_which_scripts_run_for_an_event_and_in_which_order(event: str, expected: List[str]) -> None:
    one = happening(event)
    assert [call.word for call in calls(one, one, ALL)] == expected
    assert calls(one, one, Notify()) == []


def test_only_notify_gets_arguments_and_keeps_its_own_before_them() -> None:
    one = happening(events.MASTER)
    first, second = calls(one, one, ALL)
    assert first.arguments == ()
    assert second.arguments == ("INSTANCE", "VI_1", "MASTER", "90")
    group = happening(events.FAULT, kind=GROUP, priority=0)
    assert calls(group, group, ALL)[1].arguments == ("GROUP", "VI_1", "FAULT", "0")


@pytest.mark.parametrize(
    ("report", "previous", "told"),
    [
        (True, events.MASTER, events.DELETED),
        (True, events.FAULT, events.DELETED),
        (False, events.MASTER, events.FAULT),
        (False, events.BACKUP, events.FAULT),
        (False, events.FAULT, None),
    ],
)
def test_a_removed_instance_is_in_fault_unless_notify_deleted_stands_there(
    report: bool, previous: str, told: Optional[str]
) -> None:
    found = as_told(happening(events.DELETED, previous), Notify(report_deleted=report))
    assert (found.event if found is not None else None) == told


def test_a_removed_instance_does_not_run_notify_fault() -> None:
    """Like keepalived, which looks for the script before it changes the state."""
    notify = Notify(fault=run("fault"), every=run("every"))
    gone = happening(events.DELETED)
    told = as_told(gone, notify)
    assert told is not None
    assert [(call.word, call.arguments[2:3]) for call in calls(gone, told, notify)] == [
        ("notify", ("FAULT",))
    ]


def test_the_line_of_a_pipe_is_keepaliveds() -> None:
    assert line(happening(events.MASTER)) == b'INSTANCE "VI_1" MASTER 90\n'
    assert line(happening(events.BACKUP, kind=GROUP, priority=0)) == b'GROUP "VI_1" BACKUP 0\n'


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), min_size=1), st.integers(0, 255))
def test_a_line_is_one_line_whatever_the_name(name: str, priority: int) -> None:
    made = line(Happening(INSTANCE, name, events.MASTER, priority))
    assert made.count(b"\n") == 1
    assert made.endswith(f'" MASTER {priority}\n'.encode())
    assert name.encode() in made


def test_the_environment_says_all_that_is_known() -> None:
    assert environment(happening(events.MASTER), "id-7") == {
        "VRRP_KIND": "INSTANCE",
        "VRRP_NAME": "VI_1",
        "VRRP_EVENT": "MASTER",
        "VRRP_STATE": "MASTER",
        "VRRP_PREVIOUS": "BACKUP",
        "VRRP_PRIORITY": "90",
        "VRRP_REASON": "because",
        "VRRP_EVENT_ID": "id-7",
        "VRRP_TIME": "2023-11-14T22:13:20.250Z",
    }


def test_the_environment_of_the_first_state_and_of_an_event_that_is_no_state() -> None:
    assert environment(happening(events.BACKUP, events.STOP), "")["VRRP_PREVIOUS"] == "INIT"
    lower = environment(happening(events.LOWER_PRIORITY), "")
    assert (lower["VRRP_EVENT"], lower["VRRP_STATE"]) == ("MASTER_RX_LOWER_PRI", "MASTER")
