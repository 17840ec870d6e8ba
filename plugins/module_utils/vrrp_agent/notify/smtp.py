# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One attempt to hand a letter to the relay. It waits for the network: for the thread of the post."""

from __future__ import annotations

import os
import socket
from typing import Dict, List, NamedTuple, Sequence, Tuple

from ..conf.model import Mail
from .letters import Letter, message, split_address

CREDENTIAL = "credential:"
_MOST_PASSWORD_BYTES = 4096


class Handed(NamedTuple):
    """The relay took the letter, for those who are in neither list."""

    again: Tuple[str, ...] = ()
    """Recipients that it may take later."""
    refused: Tuple[str, ...] = ()
    """Recipients that it will not take, each with what the relay said."""
    why: str = ""
    """What the relay said of the first of ``again``."""


class NotHanded(Exception):
    """The relay did not take the letter. ``final`` is True when it makes no sense to try again."""

    def __init__(self, text: str, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


def hand_over(mail: Mail, letter: Letter, recipients: Sequence[str]) -> Handed:
    """Speak with the relay, once. Raises NotHanded, whose text holds no secret."""
    import smtplib

    try:
        return _hand_over(mail, letter, recipients)
    except NotHanded:
        raise
    except smtplib.SMTPRecipientsRefused as error:
        return _sorted_out(error.recipients)
    except smtplib.SMTPAuthenticationError as error:
        raise NotHanded(f"login as {mail.user} failed: {_said(error.smtp_code, error.smtp_error)}") from None
    except smtplib.SMTPSenderRefused as error:
        text = f"the sender {error.sender} is refused: {_said(error.smtp_code, error.smtp_error)}"
        raise NotHanded(text, _is_final(error.smtp_code)) from None
    except smtplib.SMTPDataError as error:
        text = f"the mail is refused: {_said(error.smtp_code, error.smtp_error)}"
        raise NotHanded(text, _is_final(error.smtp_code)) from None
    except smtplib.SMTPResponseException as error:
        raise NotHanded(_said(error.smtp_code, error.smtp_error)) from None
    except UnicodeError:  # its text would show a character of the password
        raise NotHanded("a name, an address or the password has characters that SMTP does not know") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotHanded(str(error) or type(error).__name__) from None


def _hand_over(mail: Mail, letter: Letter, recipients: Sequence[str]) -> Handed:
    import smtplib

    host = local_name()
    sender = mail.sender or f"{_own_user()}@{host}"
    data = message(letter, sender, mail.recipients, host)
    addresses = {split_address(one)[1]: one for one in recipients}
    client = smtplib.SMTP(mail.server, mail.port, mail.helo or host, timeout=mail.timeout_ns / 1e9)
    try:
        if mail.starttls:
            _start_tls(client, mail)
        if mail.user:
            client.login(mail.user, password(mail))
        bad = client.sendmail(split_address(sender)[1], list(addresses), data)
    except BaseException:
        client.close()
        raise
    try:
        client.quit()
    except (smtplib.SMTPException, OSError):
        client.close()  # the relay has the letter already
    return _sorted_out(bad)


def _start_tls(client: object, mail: Mail) -> None:
    import smtplib
    import ssl

    if not isinstance(client, smtplib.SMTP):
        return
    try:
        context = ssl.create_default_context(cafile=mail.ca_file or None)
    except OSError as error:
        text = f"the certificates in {mail.ca_file} cannot be used: {error.strerror or error}"
        raise NotHanded(text) from None
    client.ehlo_or_helo_if_needed()
    if not client.has_extn("starttls"):
        raise NotHanded("the relay offers no STARTTLS, and agent_smtp_starttls asks for it")
    client.starttls(context=context)


def password(mail: Mail) -> str:
    """The password of the file, or of the file beside it. Raises NotHanded when it cannot be read."""
    if not mail.password_file:
        return mail.password
    path = secret_path(mail.password_file)
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_PASSWORD_BYTES)
    except OSError as error:
        raise NotHanded(f"the password file {path} cannot be read: {error.strerror}") from None
    return data.decode("utf-8", "surrogateescape").rstrip("\r\n")


def secret_path(text: str) -> str:
    """Where a secret is: ``credential:NAME`` is a file that systemd has made for the service.

    Raises NotHanded when there are no credentials.
    """
    if not text.startswith(CREDENTIAL):
        return text
    directory = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not directory:
        raise NotHanded(f"{text}: there are no credentials; write LoadCredential= in the unit")
    name = text[len(CREDENTIAL) :]
    if not name or "/" in name or name in (".", ".."):
        raise NotHanded(f"{text}: this is no name of a credential")
    return os.path.join(directory, name)


def local_name() -> str:
    """The host's own full name, as keepalived finds it."""
    name = socket.gethostname()
    try:
        found = socket.getaddrinfo(name, None, flags=socket.AI_CANONNAME)
    except OSError:
        return name
    return next((entry[3] for entry in found if entry[3]), name)


def _own_user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _sorted_out(bad: Dict[str, Tuple[int, bytes]]) -> Handed:
    again: List[str] = []
    refused: List[str] = []
    why = ""
    for address, (code, text) in bad.items():
        if _is_final(code):
            refused.append(f"{address} ({_said(code, text)})")
        else:
            again.append(address)
            why = why or f"{address}: {_said(code, text)}"
    return Handed(tuple(again), tuple(refused), why)


def _is_final(code: int) -> bool:
    """RFC 5321 4.2.1: 5yz is final, 4yz is worth another attempt; -1 is a broken connection."""
    return 500 <= code < 600


def _said(code: int, text: object) -> str:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return f"{code} {' '.join(shown.split())}"[:300]
