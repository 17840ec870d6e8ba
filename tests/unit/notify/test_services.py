# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual and real servers: who hears of them, and in which words. Those words are keepalived's."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any, Optional, Set, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.model import Command, Config, Fifo, GlobalSettings, Mail, Telling
from vrrp_agent.conf.parts.balancing import TCP, Balancing, Member, RealServer, VirtualServer
from vrrp_agent.loop import events
from vrrp_agent.loop.events import GROUP, INSTANCE, SERVER, SERVICE, Details, Happening
from vrrp_agent.notify.letters import Letter, Occasions
from vrrp_agent.notify.setup import Setup, setup_of
from vrrp_agent.notify.words import calls, environment, line

from tests.unit.conf.texts import config_of

RS, VS = "[198.18.0.1]:tcp:80", "[198.51.100.10]:tcp:80"
BOTH = f"{RS} {VS}"
RUN = Command(("/run", "it"))
MAIL = Mail(server="192.0.2.25", recipients=("a@example.org",))


def packed(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def server(**words: Any) -> RealServer:
    return RealServer(packed("198.18.0.1"), 80, RS, **{"mail": False, **words})


def service(*servers: RealServer, **words: Any) -> VirtualServer:
    member = Member(4, packed("198.51.100.10"), port=80)
    return VirtualServer(VS, 4, TCP, (member,), servers=servers, **words)


def config(
    *services: VirtualServer,
    mail: Optional[Mail] = None,
    fifo: Optional[Fifo] = None,
    lvs_fifo: Optional[Fifo] = None,
    vrrp_fifo: Optional[Fifo] = None,
) -> Config:
    telling = Telling(fifo=fifo, vrrp_fifo=vrrp_fifo, mail=mail or Mail())
    settings = GlobalSettings(telling=telling, balancing=Balancing(fifo=lvs_fifo))
    return Config(settings=settings, services=tuple(services))


def happening(kind: str, event: str, text: str = "", **words: Any) -> Happening:
    name = VS if kind == SERVICE else BOTH
    previous = words.pop("previous", events.DOWN if event == events.UP else events.UP)
    details = Details(4, text, **words)
    return Happening(kind, name, event, 0, previous, "because", 1_700_000_000.25, details)


# Who is told.


def test_nobody_is_told_without_a_word_about_it() -> None:
    assert not setup_of(config(service(server(mail=True), mail=True))).wanted


@pytest.mark.parametrize(
    ("one", "subject"),
    [
        (service(quorum_up=RUN), (SERVICE, VS, 4)),
        (service(quorum_down=RUN), (SERVICE, VS, 4)),
        (service(server(notify_up=RUN)), (SERVER, BOTH, 4)),
        (service(server(notify_down=RUN)), (SERVER, BOTH, 4)),
    ],
)
def test_a_script_of_one_server_is_reason_enough(one: VirtualServer, subject: Any) -> None:
    setup = setup_of(config(one))
    assert setup.wanted
    assert list(setup.subjects) == [subject]
    assert setup.subjects[subject].commands == (RUN,)


def test_mails_need_a_relay_and_somebody_who_gets_them() -> None:
    one = service(server(mail=True), mail=True)
    for mail in (Mail(server="192.0.2.25"), Mail(recipients=("a@example.org",))):
        assert not setup_of(config(one, mail=mail)).subjects
    assert list(setup_of(config(one, mail=MAIL)).subjects) == [(SERVICE, VS, 4), (SERVER, BOTH, 4)]


def test_the_two_families_of_one_mark_have_their_own_words() -> None:
    four = VirtualServer("FWM 7", 4, 0, (Member(4, fwmark=7),), quorum_up=RUN)
    six = replace(four, family=6, quorum_up=Command(("/six",)))
    subjects = setup_of(config(four, six)).subjects
    assert [one.up for one in subjects.values()] == [RUN, Command(("/six",))]
    told = Happening(SERVICE, "FWM 7", events.UP, 0, details=Details(6))
    assert subjects[told.subject].up == Command(("/six",))


def test_which_pipes_hear_of_what() -> None:
    every, lvs, vrrp = Fifo("/every"), Fifo("/lvs"), Fifo("/vrrp")
    setup = setup_of(config(fifo=every, lvs_fifo=lvs, vrrp_fifo=vrrp))
    assert [setup.pipes(kind) for kind in (SERVICE, SERVER)] == [(every, lvs)] * 2
    assert [setup.pipes(kind) for kind in (INSTANCE, GROUP)] == [(every, vrrp)] * 2
    assert setup_of(config(lvs_fifo=lvs)).wanted
    assert not Setup().pipes(SERVER)


# What is said.


def test_the_lines_of_a_pipe_are_those_of_keepaliveds_releases() -> None:
    assert line(happening(SERVICE, events.UP)) == b"VS [198.51.100.10]:tcp:80 UP\n"
    assert line(happening(SERVER, events.DOWN)) == b"RS [198.18.0.1]:tcp:80 [198.51.100.10]:tcp:80 DOWN\n"


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1),
    st.sampled_from([SERVICE, SERVER]),
)
def test_a_line_is_one_line_whatever_the_name(name: str, kind: str) -> None:
    made = line(Happening(kind, name, events.DOWN, 0, details=Details(4)))
    assert made == f"{kind} {name} DOWN\n".encode()


@pytest.mark.parametrize(
    ("kind", "event", "word"),
    [
        (SERVICE, events.UP, "quorum_up"),
        (SERVICE, events.DOWN, "quorum_down"),
        (SERVER, events.UP, "notify_up"),
        (SERVER, events.DOWN, "notify_down"),
    ],
)
def test_each_change_has_its_script_and_no_arguments_are_added(kind: str, event: str, word: str) -> None:
    one = service(
        server(notify_up=Command(("/notify_up",)), notify_down=Command(("/notify_down",))),
        quorum_up=Command(("/quorum_up",)),
        quorum_down=Command(("/quorum_down",)),
    )
    told = happening(kind, event)
    found = calls(told, told, setup_of(config(one)).subjects[told.subject])
    assert [(call.word, call.command.argv, call.arguments) for call in found] == [(word, (f"/{word}",), ())]


def test_a_check_that_changes_nothing_runs_no_script() -> None:
    told = happening(SERVER, events.CHECKED, previous=events.DOWN)
    notify = setup_of(config(service(server(notify_up=RUN, notify_down=RUN)))).subjects[told.subject]
    assert calls(told, told, notify) == []


def test_the_environment_names_server_and_service() -> None:
    assert environment(happening(SERVER, events.DOWN), "id-7") == {
        "VRRP_KIND": "RS",
        "VRRP_NAME": RS,
        "VRRP_SERVICE": VS,
        "VRRP_EVENT": "DOWN",
        "VRRP_STATE": "DOWN",
        "VRRP_PREVIOUS": "UP",
        "VRRP_REASON": "because",
        "VRRP_EVENT_ID": "id-7",
        "VRRP_TIME": "2023-11-14T22:13:20.250Z",
    }
    of_service = environment(happening(SERVICE, events.UP, previous=""), "id-7")
    assert (of_service["VRRP_KIND"], of_service["VRRP_NAME"]) == ("VS", VS)
    assert of_service["VRRP_PREVIOUS"] == "INIT"
    assert "VRRP_SERVICE" not in of_service


def letter(told: Happening, occasions: Optional[Occasions] = None) -> Letter:
    found = (occasions or Occasions()).letter(told, "1", "r", True)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("told", "title", "text"),
    [
        (
            happening(SERVICE, events.UP, "Gained quorum 2+1=3 <= 3"),
            f"Virtualserver {VS} - UP",
            "=> Gained quorum 2+1=3 <= 3 <=",
        ),
        (
            happening(SERVER, events.DOWN, "TCP CHECK failed on service"),
            f"Realserver {RS} of virtual server {VS} - DOWN",
            "=> TCP CHECK failed on service <=",
        ),
        (
            happening(SERVER, events.CHECKED, "TCP CHECK succeed on service", previous=events.DOWN),
            f"Realserver {RS} of virtual server {VS} - DOWN",
            "=> TCP CHECK succeed on service <=",
        ),
        (
            happening(SERVER, events.DOWN, "Shutting down", stopping=True),
            f"Realserver {RS} of virtual server {VS} - DOWN",
            "=> Shutting down <=",
        ),
    ],
)
def test_mails_have_keepaliveds_subjects_and_lines(told: Happening, title: str, text: str) -> None:
    found = letter(told)
    assert (found.title, found.text) == (title, f"{text}\n\nbecause")


def test_a_service_with_a_mark_keeps_the_blank_of_its_name() -> None:
    told = Happening(SERVER, "[198.18.0.1]:none:0 FWM 7", events.UP, 0, details=Details(4, "x"))
    assert letter(told).title == "Realserver [198.18.0.1]:none:0 of virtual server FWM 7 - UP"


def test_what_keepalived_has_no_words_for_is_not_mailed() -> None:
    assert Occasions().letter(happening(SERVER, events.UP), "1", "r", True) is None


def test_no_checker_emails_keeps_the_mails_of_real_changes() -> None:
    one = config(service(server(mail=True)), mail=MAIL)
    checked = happening(SERVER, events.CHECKED, "x", previous=events.UP)
    assert setup_of(one).concerns(checked)
    assert not setup_of(config(service(server(notify_up=RUN)), mail=MAIL)).concerns(checked)
    less = replace(one.settings, balancing=Balancing(check_mails=False))
    quiet = setup_of(replace(one, settings=less))
    assert not quiet.concerns(checked)
    assert quiet.concerns(happening(SERVER, events.DOWN, "x"))


def test_a_check_that_changes_nothing_is_no_line_of_a_pipe() -> None:
    checked = happening(SERVER, events.CHECKED, "x", previous=events.UP)
    assert not setup_of(config(service(), fifo=Fifo("/every"))).concerns(checked)
    assert setup_of(config(service(), fifo=Fifo("/every"))).concerns(happening(SERVER, events.UP))


def test_every_check_is_an_occasion_also_of_the_same_state() -> None:
    occasions = Occasions()
    told = happening(SERVER, events.CHECKED, "x", previous=events.DOWN)
    assert letter(told, occasions) == letter(told, occasions)


# From the file.

TEXT = """
global_defs {
    script_user root
    lvs_notify_fifo /run/lvs
    lvs_notify_fifo_script "/bin/reader --lines"
    notification_email {
        a@example.org
    }
    smtp_server 192.0.2.25
    WORDS
}
virtual_server 198.51.100.10 80 {
    protocol TCP
    quorum_up "/bin/announce it"
    real_server 198.18.0.1 80 {
        notify_down /bin/gone
    }
    real_server 198.18.0.2 80 {
        smtp_alert off
    }
    real_server 198.18.0.3 80 {
    }
}
virtual_server fwmark 7 {
    ip_family inet6
    lb_kind DR
    smtp_alert
    real_server 2001:db8::1 80 {
    }
}
"""


@pytest.mark.parametrize(
    ("words", "mails"),
    [
        ("", {(SERVER, f"{RS} {VS}"), (SERVER, f"[198.18.0.3]:tcp:80 {VS}")}),
        ("smtp_alert off", set()),
        (
            "smtp_alert_checker",
            {(SERVICE, VS), (SERVER, f"{RS} {VS}"), (SERVER, f"[198.18.0.3]:tcp:80 {VS}")},
        ),
    ],
)
def test_the_words_of_a_file_say_who_is_told(words: str, mails: Set[Tuple[str, str]]) -> None:
    setup = setup_of(config_of(TEXT.replace("WORDS", words), unsupported=""))
    found = setup.subjects
    assert setup.pipes(SERVICE)[0].path == "/run/lvs"
    script = setup.pipes(SERVICE)[0].script
    assert script is not None and script.argv == ("/bin/reader", "--lines")
    quorum_up, down = found[(SERVICE, VS, 4)].up, found[(SERVER, f"{RS} {VS}", 4)].down
    assert quorum_up is not None and quorum_up.argv == ("/bin/announce", "it")
    assert down is not None and down.argv == ("/bin/gone",)
    assert found[(SERVICE, "FWM 7", 6)].mail, "its own word"
    told = {subject[:2] for subject, notify in found.items() if notify.mail and subject[2] == 4}
    assert told == mails
    assert setup.check_mails


def test_no_checker_emails_is_read() -> None:
    assert not setup_of(config_of(TEXT.replace("WORDS", "no_checker_emails"), unsupported="")).check_mails
