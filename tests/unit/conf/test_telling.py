# SPDX-License-Identifier: GPL-3.0-or-later
"""Words about scripts, pipes and mail become values, and what cannot work is pointed out."""

from __future__ import annotations

from typing import List

import pytest
from vrrp_agent.conf.model import SECOND_NS, Command, Fifo, Notify

from tests.unit.conf.texts import config_of, instance, load_text, the_instance

RUN = Command(("/bin/run",))


def in_global(*lines: str) -> str:
    return "global_defs {\n" + "\n".join(lines) + "\n}\n"


def messages(text: str) -> List[str]:
    return [problem.message for problem in load_text(text).problems]


def test_an_instance_that_says_nothing_tells_nobody() -> None:
    assert the_instance().notify == Notify()
    telling = config_of(instance()).settings.telling
    assert (telling.fifo, telling.vrrp_fifo, telling.mail.recipients) == (None, None, ())
    assert telling.script_limit_ns == 60 * SECOND_NS


def test_every_notify_word_of_an_instance() -> None:
    notify = the_instance(
        "notify_master \"/bin/a 'b c' d\"\nnotify_backup /bin/b nobody\nnotify_fault /bin/c nobody staff\n"
        "notify_stop /bin/d\nnotify_deleted /bin/e\nnotify_master_rx_lower_pri /bin/f\nnotify /bin/g"
    ).notify
    assert notify == Notify(
        active=Command(("/bin/a", "b c", "d")),
        backup=Command(("/bin/b",), "nobody"),
        fault=Command(("/bin/c",), "nobody", "staff"),
        stop=Command(("/bin/d",)),
        deleted=Command(("/bin/e",)),
        lower_priority=Command(("/bin/f",)),
        every=Command(("/bin/g",)),
        report_deleted=True,
    )


def test_notify_deleted_may_stand_alone() -> None:
    notify = the_instance("notify_deleted").notify
    assert (notify.report_deleted, notify.deleted) == (True, None)


def test_the_first_script_counts_as_in_keepalived_and_the_second_is_pointed_out() -> None:
    text = instance("notify /bin/first\nnotify /bin/second")
    assert config_of(text).instances[0].notify.every == Command(("/bin/first",))
    assert any("the first one counts" in message for message in messages(text))


@pytest.mark.parametrize(
    ("words", "own", "expected"),
    [
        ("", "", False),
        ("smtp_alert", "", True),
        ("smtp_alert off", "", False),
        ("smtp_alert\nsmtp_alert_vrrp off", "", False),
        ("smtp_alert off\nsmtp_alert_vrrp", "", True),
        ("smtp_alert", "smtp_alert off", False),
        ("", "smtp_alert", True),
        ("smtp_alert_checker", "", False),
    ],
)
def test_smtp_alert_comes_from_the_block_or_else_from_global_defs(
    words: str, own: str, expected: bool
) -> None:
    loaded = load_text(in_global(words) + instance(own), lenient=True)
    assert loaded.config is not None
    assert loaded.config.instances[0].notify.mail is expected


@pytest.mark.parametrize(
    ("words", "group", "own", "expected"),
    [
        ("", "", "", False),
        ("vrrp_notify_priority_changes", "", "", True),
        ("vrrp_notify_priority_changes", "notify_priority_changes off", "", False),
        ("", "notify_priority_changes", "", True),
        ("", "notify_priority_changes", "notify_priority_changes no", False),
    ],
)
def test_priority_changes_come_from_the_instance_its_group_or_global_defs(
    words: str, group: str, own: str, expected: bool
) -> None:
    text = in_global(words) + f"vrrp_sync_group G {{\ngroup {{\nVI_1\n}}\n{group}\n}}\n" + instance(own)
    assert config_of(text).instances[0].notify.priority_changes is expected


def test_a_group_has_scripts_and_mail_of_its_own() -> None:
    words = "notify_master /bin/a\nnotify_stop /bin/b\nnotify /bin/c\nsmtp_alert"
    text = f"vrrp_sync_group G {{\ngroup {{\nVI_1\n}}\n{words}\n}}\n" + instance()
    group = config_of(text).groups[0]
    assert group.notify == Notify(
        active=Command(("/bin/a",)), stop=Command(("/bin/b",)), every=Command(("/bin/c",)), mail=True
    )


def test_pipes_with_their_scripts() -> None:
    text = in_global(
        "notify_fifo /run/all nobody staff",
        'notify_fifo_script "/bin/run"',
        "vrrp_notify_fifo /run/vrrp",
        "fifo_write_vrrp_states_on_reload",
        "agent_notify_timeout 5",
    )
    telling = config_of(text + instance()).settings.telling
    assert telling.fifo == Fifo("/run/all", "nobody", "staff", RUN)
    assert telling.vrrp_fifo == Fifo("/run/vrrp")
    assert telling.repeat_on_reload
    assert telling.script_limit_ns == 5 * SECOND_NS


def test_one_pipe_for_both_is_one_pipe() -> None:
    text = in_global("vrrp_notify_fifo /run/p", "notify_fifo /run/p", "vrrp_notify_fifo_script /bin/x")
    telling = config_of(text + instance()).settings.telling
    assert (telling.fifo, telling.vrrp_fifo) == (Fifo("/run/p"), None)
    assert any("ignored" in message for message in messages(text + instance()))


def test_mail_with_every_word() -> None:
    text = in_global(
        'notification_email {\na@example.org b@example.org\n"C D <c@example.org>"\n}',
        "notification_email_from ha@example.org",
        "smtp_server relay.example.org 2525",
        "smtp_helo_name me",
        "smtp_connect_timeout 7",
        "no_email_faults",
        "agent_smtp_starttls",
        "agent_smtp_ca_file /etc/ca.pem",
        "agent_smtp_user robot@example.org",
        "agent_smtp_password_file credential:mail",
    )
    mail = config_of(text + instance()).settings.telling.mail
    assert mail.recipients == ("a@example.org", "b@example.org", "C D <c@example.org>")
    assert (mail.sender, mail.server, mail.port, mail.helo) == (
        "ha@example.org",
        "relay.example.org",
        2525,
        "me",
    )
    assert (mail.timeout_ns, mail.faults, mail.starttls) == (7 * SECOND_NS, False, True)
    assert (mail.ca_file, mail.user, mail.password) == ("/etc/ca.pem", "robot@example.org", "")
    assert mail.password_file == "credential:mail"


def test_the_password_is_in_no_repr_and_in_no_message() -> None:
    words = ["agent_smtp_user robot", 'agent_smtp_password "hush hush"', "agent_smtp_starttls"]
    loaded = load_text(in_global(*words) + instance())
    assert loaded.config is not None
    assert loaded.config.settings.telling.mail.password == "hush hush"
    assert "hush" not in repr(loaded.config)
    bad = load_text(in_global("agent_smtp_user robot", "agent_smtp_password hush hush") + instance())
    assert bad.config is None
    assert "hush" not in str([(one.message, one.hint) for one in bad.problems])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["agent_smtp_user x"], "needs a password"),
        (["agent_smtp_password x"], "needs agent_smtp_user"),
        (["agent_smtp_password_file /x"], "needs agent_smtp_user"),
        (["agent_smtp_user x", "agent_smtp_password y", "agent_smtp_password_file /z"], "both given"),
    ],
)
def test_a_login_that_cannot_work_is_an_error(lines: List[str], said: str) -> None:
    loaded = load_text(in_global(*lines) + instance())
    assert loaded.config is None
    assert any(said in problem.message for problem in loaded.problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (in_global("smtp_alert") + instance(), "notification_email and smtp_server are missing"),
        (instance("smtp_alert"), "notification_email and smtp_server are missing"),
        (in_global("smtp_server 192.0.2.1") + instance("smtp_alert"), "notification_email is missing"),
        (in_global("notify_fifo_script /bin/x") + instance(), "no effect without notify_fifo"),
        (in_global("vrrp_notify_fifo_script /bin/x") + instance(), "no effect without vrrp_notify_fifo"),
        (in_global("agent_smtp_ca_file /x") + instance(), "no effect without agent_smtp_starttls"),
        (in_global("agent_smtp_user x", "agent_smtp_password y") + instance(), "in clear"),
    ],
)
def test_what_has_no_effect_is_a_warning(text: str, said: str) -> None:
    loaded = load_text(text)
    assert loaded.config is not None
    assert any(said in problem.message for problem in loaded.problems)


def test_mail_that_nobody_asks_for_needs_no_server() -> None:
    assert messages(in_global("smtp_alert", "smtp_server 192.0.2.1") + instance("smtp_alert off")) == []


@pytest.mark.parametrize("word", ["notify", "notify_master", "notify_deleted"])
def test_a_command_that_cannot_be_split_is_an_error_at_its_place(word: str) -> None:
    loaded = load_text(instance(f'{word} "/bin/a \'b"'))
    assert loaded.config is None
    (problem,) = loaded.problems
    assert "not closed" in problem.message and problem.line > 1
