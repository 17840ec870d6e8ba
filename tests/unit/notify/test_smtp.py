# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer of a relay means, and where the password is. The talk itself is in tests/integration."""

from __future__ import annotations

import smtplib
from pathlib import Path
from typing import Any, List

import pytest
from vrrp_agent.conf.model import Mail
from vrrp_agent.notify import smtp
from vrrp_agent.notify.letters import Letter
from vrrp_agent.notify.smtp import Handed, NotHanded, hand_over, password, secret_path

LETTER = Letter("r", "title", "text", 0.0, "1")
MAIL = Mail(recipients=("a@b", "N <c@d>"), server="192.0.2.1", user="robot", password="hush")


class Client:
    """Stands in for smtplib.SMTP; ``problem`` is raised by sendmail, or what it returns."""

    problem: Any = None
    refuses_login = False
    said: List[Any]

    def __init__(self, host: str, port: int, name: str, timeout: float) -> None:
        Client.said = [("connect", host, port, timeout)]

    def login(self, user: str, word: str) -> None:
        Client.said.append(("login", user, word))
        if Client.refuses_login:
            raise smtplib.SMTPAuthenticationError(535, b"5.7.8 bad credentials: hush?")

    def sendmail(self, sender: str, recipients: List[str], data: bytes) -> Any:
        Client.said.append(("send", sender, recipients))
        if isinstance(Client.problem, Exception):
            raise Client.problem
        return Client.problem or {}

    def quit(self) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    def close(self) -> None:
        Client.said.append("close")


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtplib, "SMTP", Client)
    monkeypatch.setattr(smtp, "local_name", lambda: "host.example.org")
    Client.problem, Client.refuses_login = None, False


def test_a_letter_goes_to_bare_addresses_and_a_rude_goodbye_is_no_failure() -> None:
    assert hand_over(MAIL, LETTER, MAIL.recipients) == Handed()
    sender = Client.said[2][1]
    assert sender.endswith("@host.example.org") and not sender.startswith("@")
    assert Client.said == [
        ("connect", "192.0.2.1", 25, 30.0),
        ("login", "robot", "hush"),
        ("send", sender, ["a@b", "c@d"]),
        "close",
    ]


@pytest.mark.parametrize(
    ("problem", "final", "said"),
    [
        (smtplib.SMTPSenderRefused(550, b"no", "x@y"), True, "550 no"),
        (smtplib.SMTPSenderRefused(451, b"later", "x@y"), False, "451 later"),
        (smtplib.SMTPDataError(554, b"spam"), True, "554 spam"),
        (smtplib.SMTPDataError(452, b"full\nvery full"), False, "452 full very full"),
        (smtplib.SMTPServerDisconnected("closed"), False, "closed"),
        (smtplib.SMTPConnectError(421, b"busy"), False, "421 busy"),
        (ConnectionRefusedError(111, "Connection refused"), False, "refused"),
        (TimeoutError("timed out"), False, "timed out"),
        (TimeoutError(), False, "TimeoutError"),
    ],
)
def test_what_is_final_and_what_is_worth_another_attempt(problem: Exception, final: bool, said: str) -> None:
    Client.problem = problem
    with pytest.raises(NotHanded, match=said) as raised:
        hand_over(MAIL, LETTER, MAIL.recipients)
    assert raised.value.final is final
    assert raised.value.__cause__ is None


def test_some_recipients_refused_and_some_put_off() -> None:
    Client.problem = {"a@b": (550, b"gone"), "c@d": (450, b"busy")}
    handed = hand_over(MAIL, LETTER, MAIL.recipients)
    assert handed == Handed(again=("c@d",), refused=("a@b (550 gone)",), why="c@d: 450 busy")


def test_all_recipients_refused_is_the_same_as_each() -> None:
    Client.problem = smtplib.SMTPRecipientsRefused({"a@b": (550, b"gone"), "c@d": (550, b"gone")})
    handed = hand_over(MAIL, LETTER, MAIL.recipients)
    assert handed.again == () and len(handed.refused) == 2


def test_a_failed_login_is_tried_again_and_does_not_show_the_password() -> None:
    Client.refuses_login = True
    with pytest.raises(NotHanded, match="login as robot failed: 535") as raised:
        hand_over(MAIL, LETTER, MAIL.recipients)
    assert not raised.value.final


def test_the_password_of_a_file_is_read_without_its_newline(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("two words \n")
    assert password(Mail(password_file=str(path))) == "two words "
    assert password(Mail(password="plain")) == "plain"
    with pytest.raises(NotHanded, match="cannot be read"):
        password(Mail(password_file=str(tmp_path / "missing")))


def test_a_credential_is_a_file_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert secret_path("/etc/x") == "/etc/x"
    with pytest.raises(NotHanded, match="LoadCredential"):
        secret_path("credential:mail")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/vrrp-agent.service")
    assert secret_path("credential:mail") == "/run/credentials/vrrp-agent.service/mail"
    for bad in ("credential:", "credential:../x", "credential:.."):
        with pytest.raises(NotHanded, match="no name"):
            secret_path(bad)


def test_a_password_that_smtp_cannot_carry_is_not_shown_either() -> None:
    Client.problem = UnicodeEncodeError("ascii", "p\u00e4ss", 1, 2, "ordinal not in range(128)")
    with pytest.raises(NotHanded) as raised:
        hand_over(MAIL, LETTER, MAIL.recipients)
    assert "characters" in str(raised.value) and "\u00e4" not in str(raised.value)
