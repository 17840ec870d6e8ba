# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails about events, taken by a real server: keepalived's words, and patience with one that is not well."""

from __future__ import annotations

import email.utils
import time
from typing import Any, Dict, Tuple

import pytest

from tests.lab import config
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.engines import Agent, Keepalived
from tests.lab.lan import VIP4_SECOND
from tests.lab.plugin import MakeBench, MakeLan, debian_root
from tests.lab.records import Script
from tests.lab.relay import Certificate, Mail, Relay, drop_connections
from tests.lab.shell import wait_until

ACTIVE = "[d] VRRP Instance VI_1 - Entering MASTER state"
BACKUP = "[d] VRRP Instance VI_1 - Entering BACKUP state"
STOPPING = "[d] VRRP Instance VI_1 - Stopping"
PASSWORD = "pa55 'word'"
LONG_S = 25


def use(
    bench: Bench, *lines: str, more: str = "", block: str = "", recipients: str = "ops@example.org"
) -> None:
    """D writes to ``recipients`` by the relay on T."""
    bench.global_lines = [
        config.block("notification_email", recipients.split(",")),
        "notification_email_from ha@example.org",
        f"smtp_server {bench.t.ipv4}",
        "smtp_helo_name node-d.example.org",
        *[line for line in more.splitlines() if line],
    ]
    blocks = [block] if block else []
    bench.agent.write(bench.config(*blocks, lines=["smtp_alert", *lines, *NO_BURST_LATER]))


def mail_status(bench: Bench) -> Dict[str, Any]:
    """What status says about mail."""
    return bench.agent.status()["telling"]["mail"] or {}


def test_each_change_is_a_mail_in_keepaliveds_words(make_bench: MakeBench) -> None:
    bench = make_bench()
    use(bench, recipients='ops@example.org,"The N. Boss <boss@example.org>"')
    with Relay(bench.t) as relay:
        bench.start_active()
        wait_until("two mails", lambda: len(relay.mails) == 2)
        bench.d.pull_cable()
        bench.agent.wait_for_state("fault")
        bench.d.plug_cable()
        wait_until("three more", lambda: len(relay.mails) == 5, LONG_S)
        bench.agent.stop()
    assert relay.subjects() == [
        BACKUP,
        ACTIVE,
        "[d] VRRP Instance VI_1 - Entering FAULT state",
        BACKUP,
        ACTIVE,
        STOPPING,
    ]
    first, second = relay.mails[:2]
    assert (first.sender, first.recipients) == ("ha@example.org", ["ops@example.org", "boss@example.org"])
    assert first.helo == "node-d.example.org"
    assert first.message["From"] == "ha@example.org"
    assert first.message["To"] == 'ops@example.org, "The N. Boss" <boss@example.org>'
    assert first.message["X-Mailer"] == "Keepalived"
    assert abs(email.utils.parsedate_to_datetime(str(first.message["Date"])).timestamp() - time.time()) < 60
    assert first.text.startswith("=> VRRP Instance is no longer owning VRRP VIPs <=\n")
    assert second.text.startswith("=> VRRP Instance is now owning VRRP VIPs <=\n")
    assert "no advert from any router" in second.text, "ours: the reason"
    assert second.message["Message-ID"] != first.message["Message-ID"]


def test_a_group_writes_for_all_and_no_email_faults_is_heeded(make_bench: MakeBench) -> None:
    bench = make_bench()
    second = config.instance("VI_2", vrid=52, addresses=[f"{VIP4_SECOND}/24"], lines="smtp_alert off")
    members = config.block("group", ["VI_1", "VI_2"])
    group = config.block("vrrp_sync_group G", [members])
    use(bench, "smtp_alert off", more="smtp_alert\nno_email_faults", block=f"{second}\n{group}")
    with Relay(bench.t) as relay:
        bench.start_active()
        wait_until("two mails", lambda: len(relay.mails) == 2)
        bench.d.pull_cable()
        bench.agent.wait_for_state("fault")
        bench.d.plug_cable()
        wait_until("two more", lambda: len(relay.mails) == 4, LONG_S)
        bench.agent.stop()
    title = "[d] VRRP Group G - "
    subjects = [f"{title}Entering {state} state" for state in ("BACKUP", "MASTER", "BACKUP", "MASTER")]
    assert relay.subjects() == [*subjects, f"{title}Stopping"]
    assert relay.mails[1].text.startswith("=> All VRRP group instances are now in MASTER state <=")


def test_login_over_tls_with_a_password_that_is_never_shown(make_bench: MakeBench) -> None:
    """The password stands in a file; neither the log nor status ever holds it."""
    bench = make_bench()
    certificate = Certificate.make(bench.lan.scratch, bench.t.ipv4)
    secret = bench.lan.scratch / "secret"
    secret.write_text("wrong" + "\n")
    use(
        bench,
        more=f"agent_smtp_starttls\nagent_smtp_ca_file {certificate.certificate}\n"
        f"agent_smtp_user robot\nagent_smtp_password_file {secret}",
    )
    with Relay(bench.t, certificate=certificate, password=PASSWORD) as relay:
        bench.start_active()
        wait_until("a refusal", lambda: "login" in mail_status(bench).get("last_error", ""), LONG_S)
        assert not relay.mails
        secret.write_text(PASSWORD + "\n")  # read again for each attempt
        wait_until("two mails", lambda: len(relay.mails) == 2, LONG_S)
    assert all(mail.tls and mail.user == "robot" for mail in relay.mails)
    shown = bench.agent.log() + str(bench.agent.status())
    assert PASSWORD not in shown and "wrong" not in shown


@pytest.mark.parametrize("trouble", ["no STARTTLS", "another certificate"])
def test_without_the_asked_for_tls_nothing_is_sent(make_bench: MakeBench, trouble: str) -> None:
    bench = make_bench()
    certificate = Certificate.make(bench.lan.scratch, bench.t.ipv4)
    trusted = "" if trouble == "another certificate" else f"\nagent_smtp_ca_file {certificate.certificate}"
    password = "\nagent_smtp_user robot\nagent_smtp_password never-in-clear"
    use(bench, more=f"agent_smtp_starttls{trusted}{password}")
    offered = certificate if trouble == "another certificate" else None
    with Relay(bench.t, certificate=offered) as relay:
        bench.start_active()
        error = wait_until("an error", lambda: mail_status(bench).get("last_error"), LONG_S)
        assert ("certificate" if offered else "STARTTLS") in str(error)
        assert not relay.mails
    assert "never-in-clear" not in bench.agent.log() + str(bench.agent.status())


def test_a_server_that_is_down_gets_every_mail_when_it_is_back(make_bench: MakeBench) -> None:
    """In order, and adverts leave on time meanwhile."""
    bench = make_bench()
    use(bench)
    bench.start_active()
    begin_ns = time.time_ns()
    wait_until("a refused connection", lambda: "refused" in mail_status(bench).get("last_error", ""))
    bench.stays_active(0.5, begin_ns)
    with Relay(bench.t) as relay:
        wait_until("both mails", lambda: relay.subjects() == [BACKUP, ACTIVE], LONG_S)
        wait_until("the numbers", lambda: mail_status(bench)["sent"] == 2)
    assert bench.agent.log().count("tried again") == 1, "one line for one trouble"
    bench.agent.wait_for_log("goes again")


@pytest.mark.parametrize("silence", ["accepts and says nothing", "answers nothing at all"])
def test_a_slow_server_disturbs_nothing(make_bench: MakeBench, silence: str) -> None:
    """Neither adverts, nor scripts, nor another takeover, nor the end of the agent."""
    bench = make_bench()
    told = Script(bench.lan.scratch)
    bench.lan.witnesses.append(told)
    use(bench, f'notify "{told.path}"', more="smtp_connect_timeout 30")
    if silence == "answers nothing at all":
        drop_connections(bench.t)
    with Relay(bench.t, silent=True) as relay:
        bench.start_active()
        begin_ns = time.time_ns()
        if silence == "accepts and says nothing":
            wait_until("a connection", lambda: relay.connections)
        bench.stays_active(1.0, begin_ns)
        bench.tester.send(priority=200)
        bench.agent.wait_for_state("backup")
        bench.agent.wait_for_state("active")
        wait_until("mails to wait", lambda: mail_status(bench)["waiting"] >= 4)
        wait_until("the scripts", lambda: [one.event for one in told.calls()] == ["BACKUP", "MASTER"] * 2)
        began = time.monotonic()
        bench.agent.stop()
        assert time.monotonic() - began < 6


def test_a_silent_server_is_given_up_after_smtp_connect_timeout(make_bench: MakeBench) -> None:
    bench = make_bench()
    use(bench, more="smtp_connect_timeout 1")
    with Relay(bench.t, silent=True) as relay:
        bench.start_active()
        wait_until("another attempt", lambda: relay.connections >= 2, LONG_S)
        assert "timed out" in str(mail_status(bench)["last_error"])


def test_a_refused_recipient_does_not_keep_the_mail_from_the_others(make_bench: MakeBench) -> None:
    """keepalived gives the whole mail up; here it goes to all that the server takes, once."""
    bench = make_bench()
    use(bench, recipients="gone@example.org,ops@example.org,busy@example.org")
    with Relay(bench.t) as relay:
        relay.refused = ["gone@example.org"]
        relay.later = ["busy@example.org"]
        bench.start_active()
        wait_until("the first", lambda: relay.mails)
        relay.later = []
        wait_until("all four", lambda: len(relay.mails) >= 3, LONG_S)
        wait_until("none to wait", lambda: not mail_status(bench)["waiting"], LONG_S)
    reached = [(mail.subject, to) for mail in relay.mails for to in mail.recipients]
    both = ("ops@example.org", "busy@example.org")
    assert sorted(reached) == sorted((subject, to) for subject in (BACKUP, ACTIVE) for to in both)
    bench.agent.wait_for_log("gone@example.org (550")


def test_a_mail_that_the_server_will_never_take_does_not_hold_up_the_next(make_bench: MakeBench) -> None:
    bench = make_bench()
    use(bench)
    with Relay(bench.t) as relay:
        relay.refused = ["ops@example.org"]
        bench.start_active()
        bench.agent.wait_for_log("Entering MASTER state", LONG_S)
        relay.refused = []
        bench.agent.stop()
        wait_until("the last one", lambda: relay.subjects() == [STOPPING])


def test_another_server_after_a_reload_gets_what_waits(make_bench: MakeBench) -> None:
    bench = make_bench("relay")
    use(bench)
    bench.start_active()
    wait_until("trouble", lambda: mail_status(bench).get("waiting") == 2)
    with Relay(bench.lan.relay) as relay:
        better = bench.agent.config.replace(
            f"smtp_server {bench.t.ipv4}", f"smtp_server {bench.lan.relay.ipv4}"
        )
        bench.agent.reload(better)
        wait_until("both mails", lambda: relay.subjects() == [BACKUP, ACTIVE], LONG_S)


def test_the_mails_are_those_of_keepalived(make_lan: MakeLan) -> None:
    """The same file and the same faults, first for keepalived, then for the agent.

    keepalived sends in parallel, so the order of arrival says nothing.
    """
    root = debian_root("bookworm")
    lan = make_lan("d", "t")
    lan.d.add_interface("eth1")
    members = config.block("group", ["VI_1", "VI_2"])
    second = config.instance("VI_2", vrid=52, addresses=[f"{VIP4_SECOND}/24"], lines="smtp_alert")
    words = [
        config.block("notification_email", ["ops@example.org", "ab@example.org"]),
        "notification_email_from ha@example.org",
        f"smtp_server {lan.t.ipv4}",
        "smtp_helo_name me.example.org",
        "smtp_alert",
    ]
    text = config.file(
        lan.d,
        config.block("vrrp_sync_group G", [members]),
        config.instance(lines=config.block("track_interface", ["eth1"])),
        second,
        global_lines=words,
    )
    said = []
    for kind in (Keepalived, Agent):
        with Relay(lan.t) as relay:
            engine = kind(lan.d, text, root)
            engine.start()
            wait_until("the start", lambda: len(relay.mails) == 6, LONG_S)
            lan.d.pull_cable("eth1")
            wait_until("the fault", lambda: len(relay.mails) == 9, LONG_S)
            lan.d.plug_cable("eth1")
            wait_until("the return", lambda: len(relay.mails) == 15, LONG_S)
            said.append(sorted(as_sent(mail) for mail in relay.mails))
            engine.stop()  # keepalived connects for the mails of the stop, and ends before they are sent
    assert said[1] == said[0]


def as_sent(mail: Mail) -> Tuple[str, ...]:
    """What must be the same; the reason in the second paragraph is ours."""
    headers = [str(mail.message[name]) for name in ("Subject", "From", "To", "X-Mailer")]
    return (*headers, mail.text.split("\n")[0], mail.sender, ",".join(mail.recipients), mail.helo)
