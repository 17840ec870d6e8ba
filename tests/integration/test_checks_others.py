# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP_CHECK, DNS_CHECK, MISC_CHECK and FILE_CHECK, with partners that behave and partners that do not."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from pathlib import Path
from typing import Callable, Iterator, List, Optional, Union

import pytest
from vrrp_agent.check.files import FileChecks
from vrrp_agent.check.messages import Order
from vrrp_agent.check.misc import let_none_outlive
from vrrp_agent.check.probe import Outcome
from vrrp_agent.conf.parts.checks import (
    Connection,
    DnsCheck,
    FileCheck,
    MiscCheck,
    SmtpCheck,
    Timing,
)
from vrrp_agent.conf.parts.tracking import Account, Command, ScriptPolicy
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop
from vrrp_agent.loop.results import CheckKey, CheckResult
from vrrp_agent.wire.dns import question

from tests.lab.lan import Lan, Node
from tests.lab.namespace import open_socket
from tests.lab.plugin import missing
from tests.lab.relay import Relay
from tests.lab.servers import Asker, Server, ask_once

SECOND_NS = 1_000_000_000
PATIENCE_S = 5.0
IMPATIENCE_S = 0.4
AS_ROOT = ScriptPolicy(account=Account("root"))


@pytest.fixture(name="node", scope="module")
def make_node() -> Iterator[Node]:
    """A namespace with servers in it, and with the check that asks them."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    with Lan("d") as lan:
        yield lan.d


def to(address: str, port: int, patience_s: float = PATIENCE_S) -> Connection:
    """Where a check goes."""
    return Connection(socket.inet_aton(address), port, int(patience_s * SECOND_NS))


# Mail.

Line = Union[bytes, None]


@contextlib.contextmanager
def mail_server(node: Node, *lines: Line) -> Iterator[Server]:
    """Says each of these before it hears the next command. None waits for ever."""
    with Server(node, lambda _connection: None) as server:

        def talk(connection: socket.socket) -> None:
            for number, line in enumerate(lines):
                if number:
                    server.hear(connection, b"\r\n")
                if line is None:
                    connection.recv(1)
                else:
                    connection.sendall(line)

        server.talk = talk
        yield server


def test_a_real_mail_server_is_good(node: Node) -> None:
    with Relay(node):
        outcome = ask_once(node, SmtpCheck(Timing(), to(node.ipv4, 25)))
    assert outcome == Outcome(True, "banner, HELO and QUIT answered")


def test_what_is_said_to_a_mail_server(node: Node) -> None:
    with mail_server(node, b"220 here\r\n", b"250 hello\r\n", b"221 bye\r\n") as server:
        assert ask_once(node, SmtpCheck(Timing(), to(server.address, server.port), "me.example")).good
        assert server.heard == [b"HELO me.example\r\n", b"QUIT\r\n"]


MAIL = [
    ((b"220-many\r\n220-lines\r\n220 here\r\n", b"250 hello\r\n", b"221 bye\r\n"), True, "banner, HELO"),
    ((b"220 here\r\n", b"250 hello\r\n", b"421 in a hurry\r\n"), True, "banner, HELO"),
    ((b"554 no service\r\n",), False, "banner: 554 no service"),
    ((b"220 here\r\n", b"501 what?\r\n"), False, "HELO: 501 what?"),
    ((b"SSH-2.0-x\r\n",), False, "banner: this is no answer of a mail server: 'SSH-2.0-x'"),
    ((), False, "banner: closed without an answer"),
    ((b"220 here\r\n", b""), False, "HELO: closed without an answer"),
    ((b"220 here\r\n", b"250 hello\r\n", b""), False, "QUIT: closed without an answer"),
    ((None,), False, "timed out after 0.4 s: banner: no answer"),
    ((b"220-and", None), False, "timed out after 0.4 s: banner: no answer"),
    ((b"220 here\r\n", None), False, "timed out after 0.4 s: HELO: no answer"),
    ((b"220-more\r\n" * 3000,), False, "banner: an answer of more than 16 KiB"),
]


@pytest.mark.parametrize(("lines", "good", "why"), MAIL)
def test_what_a_mail_server_says(node: Node, lines: List[Line], good: bool, why: str) -> None:
    patience_s = IMPATIENCE_S if "timed out" in why else PATIENCE_S
    with mail_server(node, *lines) as server:
        outcome = ask_once(node, SmtpCheck(Timing(), to(server.address, server.port, patience_s)))
        assert (outcome.good, outcome.why[: len(why)]) == (good, why)
    gone = ask_once(node, SmtpCheck(Timing(), to(server.address, server.port)))
    assert gone == Outcome(False, "connection refused")


# Names.

Reply = Callable[[bytes], List[bytes]]


@contextlib.contextmanager
def name_server(node: Node, reply: Reply) -> Iterator[int]:
    """Answers each datagram with these."""
    server = open_socket(node.namespace, socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((node.ipv4, 0))

    server.settimeout(0.05)
    enough = threading.Event()

    def serve() -> None:
        while not enough.is_set():
            with contextlib.suppress(socket.timeout):
                data, client = server.recvfrom(4096)
                for one in reply(data):
                    server.sendto(one, client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        enough.set()
        thread.join()
        server.close()


def head(flags: int) -> Reply:
    """An answer with these flags, and the question in it."""
    return lambda data: [data[:2] + flags.to_bytes(2, "big") + data[4:]]


def after(*wrong: Callable[[bytes], bytes]) -> Reply:
    """Datagrams that are no answer first, then a good one."""
    return lambda data: [*(one(data) for one in wrong), *head(0x8180)(data)]


def other_number(data: bytes) -> bytes:
    """An answer to somebody else."""
    return bytes((data[0] ^ 1,)) + data[1:2] + b"\x81\x80" + data[4:]


NAMES = [
    (head(0x8180), True, "SOA .: answered"),
    (head(0x8380), True, "SOA .: answered, truncated"),
    (head(0x8183), False, "SOA .: NXDOMAIN"),
    (head(0x8185), False, "SOA .: REFUSED"),
    (head(0x8182), False, "SOA .: SERVFAIL"),
    (head(0x818B), False, "SOA .: code 11"),
    (after(other_number, lambda _data: b"", lambda _data: b"xy", lambda data: data), True, "SOA .: answered"),
    (lambda data: [other_number(data)] * 100, False, "timed out"),
    (lambda data: [data], False, "timed out"),
    (lambda _data: [], False, "timed out"),
]


@pytest.mark.parametrize(("reply", "good", "why"), NAMES)
def test_what_a_name_server_says(node: Node, reply: Reply, good: bool, why: str) -> None:
    heard: List[bytes] = []

    def answer(data: bytes) -> List[bytes]:
        heard.append(data)
        return reply(data)

    patience_s = IMPATIENCE_S if why == "timed out" else PATIENCE_S
    with name_server(node, answer) as port:
        asker = Asker(node, DnsCheck(Timing(), to(node.ipv4, port, patience_s)))
        if why == "timed out":  # the time limit is kept by who makes the tries
            with pytest.raises(AssertionError, match="no outcome"):
                asker.ask(within_s=asker.probe.limit_ns / 1e9)
            asker.probe.stop()
        else:
            assert asker.ask() == Outcome(good, why)
        assert asker.idle
        asker.close()
    assert heard == [question(int.from_bytes(heard[0][:2], "big"), "SOA", ".")]


def test_the_question_is_the_one_of_the_check(node: Node) -> None:
    heard: List[bytes] = []

    def answer(data: bytes) -> List[bytes]:
        heard.append(data)
        return head(0x8180)(data)

    with name_server(node, answer) as port:
        check = DnsCheck(Timing(), to(node.ipv4, port), "AAAA", "www.example.org")
        assert ask_once(node, check) == Outcome(True, "AAAA www.example.org: answered")
        assert ask_once(node, check).good
    assert heard[0][12:] == b"\3www\7example\3org\0\0\x1c\0\1"
    assert heard[0][12:] == heard[1][12:]
    assert ask_once(node, check) == Outcome(False, "connection refused")


# Programs.


def program(path: Path, body: str) -> Command:
    """A script."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return Command((str(path), "an argument"))


ENDS = [
    ("exit 0", False, Outcome(True, "exit 0")),
    ("exit 1", False, Outcome(False, "exit 1")),
    ("exit 3", False, Outcome(False, "exit 3")),
    ("exit 0", True, Outcome(True, "exit 0")),
    ("exit 12", True, Outcome(True, "exit 12: weight 10", weight=10)),
    ("kill -9 $$", True, Outcome(False, "killed by SIGKILL")),
    ('test "$1" = "an argument"', False, Outcome(True, "exit 0")),
    ("head -c 10000000 /dev/zero", False, Outcome(True, "exit 0")),
]


@pytest.mark.parametrize(("body", "dynamic", "outcome"), ENDS)
def test_how_a_program_ends(node: Node, tmp_path: Path, body: str, dynamic: bool, outcome: Outcome) -> None:
    check = MiscCheck(Timing(), program(tmp_path / "check", body), 20 * SECOND_NS, dynamic)
    assert ask_once(node, check, policy=AS_ROOT) == outcome


def alive(path: Path) -> bool:
    """True while the process whose number is in the file lives."""
    with contextlib.suppress(OSError, ValueError):
        state = Path(f"/proc/{int(path.read_text())}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


def wait_for(what: str, condition: Callable[[], object], turn: Callable[[], None]) -> None:
    """Turn the loop until it is so."""
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up, f"in vain: {what}"
        turn()


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_started(node: Node, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    body = f"trap '' TERM\nsleep 60 & echo $! > {note}\nwait; wait"
    check = MiscCheck(Timing(), program(tmp_path / "check", body), SECOND_NS // 2)
    asker = Asker(node, check, policy=AS_ROOT)
    assert asker.ask() == Outcome(False, "timed out after 0.5 s")
    assert not alive(note)
    assert asker.idle
    asker.close()


def test_a_try_that_is_given_up_ends_its_program_before_the_next_one(node: Node, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    body = f"trap '' TERM\necho $$ > {note}\nwhile :; do sleep 0.1; done"
    asker = Asker(node, MiscCheck(Timing(), program(tmp_path / "check", body)), policy=AS_ROOT)
    asker.probe.start()
    wait_for("the program runs", lambda: alive(note), lambda: asker.loop.turn(0.02))
    asker.probe.stop()
    assert asker.ask() == Outcome(False, "the run before has not ended yet", asked=False)
    wait_for("the program has been killed", lambda: asker.idle, lambda: asker.loop.turn(0.02))
    assert not alive(note)
    asker.close()


def test_no_program_outlives_the_process_that_checks(node: Node, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    body = f"trap '' TERM\necho $$ > {note}\nwhile :; do sleep 0.1; done"
    asker = Asker(node, MiscCheck(Timing(), program(tmp_path / "check", body)), policy=AS_ROOT)
    asker.probe.start()
    wait_for("the program runs", lambda: alive(note), lambda: asker.loop.turn(0.02))
    let_none_outlive(asker.loop)
    wait_for("the program is gone", lambda: not alive(note), lambda: asker.loop.turn(0.02))
    asker.close()


def test_a_program_that_is_missing_or_not_safe_says_nothing_about_the_server(
    node: Node, tmp_path: Path
) -> None:
    command = program(tmp_path / "check", "exit 0")
    os.chown(tmp_path / "check", 12345, 12345)
    secure = ScriptPolicy(account=Account("root"), security=True)
    outcome = ask_once(node, MiscCheck(Timing(), command), policy=secure)
    assert not outcome.asked
    assert "is not safe to run" in outcome.why
    gone = ask_once(node, MiscCheck(Timing(), Command((str(tmp_path / "gone"),))), policy=AS_ROOT)
    assert not gone.asked
    assert "gone cannot be used: No such file or directory; correct the path" in gone.why


def test_a_program_that_vanishes_later_has_failed(node: Node, tmp_path: Path) -> None:
    asker = Asker(node, MiscCheck(Timing(), program(tmp_path / "check", "exit 0")), policy=AS_ROOT)
    assert asker.ask().good
    (tmp_path / "check").unlink()
    outcome = asker.ask()
    assert outcome.asked
    assert not outcome.good
    assert "No such file" in outcome.why
    asker.close()


# Files.


def order(number: int, path: Path, weight: int = 1, reverse: bool = False) -> Order:
    """A FILE_CHECK of a server."""
    key = CheckKey(("vs", 4), (b"\xc6\x33\x64\x07", 80), number)
    return Order(key, FileCheck(Timing(), "load", str(path), weight, reverse), "server of service")


class Follower:
    """The checks that follow files, and what they say."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.said: List[CheckResult] = []
        self.checks = FileChecks(self.loop, Log(0), self.said.append)

    def now(self, number: int = 0) -> Optional[CheckResult]:
        """What was said last of a check."""
        return next((one for one in reversed(self.said) if one.key.number == number), None)

    def until(self, good: bool, added: int, number: int = 0) -> None:
        """Turn until a check is so."""

        def so() -> bool:
            now = self.now(number)
            return now is not None and (now.good, now.added_weight) == (good, added)

        wait_for(f"{good}, {added}; said: {self.said}", so, lambda: self.loop.turn(0.02))


def test_the_number_in_a_file_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "number"
    follower = Follower()
    follower.checks.use([order(0, path, 2), order(1, path, 0), order(2, path, 0, reverse=True)], {})
    follower.until(True, 0)
    follower.until(True, 0, 1)
    follower.until(False, 0, 2)
    path.write_text("7\n")
    follower.until(True, 14)
    follower.until(False, 0, 1)
    follower.until(True, 0, 2)
    part = tmp_path / "part"
    part.write_text("-3")
    part.rename(path)
    follower.until(True, -6)
    path.write_text("99999999999999\n")  # beyond all bounds: as if nobody had written it
    follower.loop.turn(0.1)
    follower.until(True, -6)
    path.unlink()
    follower.until(True, 0)
    follower.until(True, 0, 1)
    follower.checks.close()


def test_a_reload_says_only_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "number"
    path.write_text("5")
    follower = Follower()
    follower.checks.use([order(0, path, 2)], {})
    follower.until(True, 10)
    count = len(follower.said)
    follower.checks.use([order(0, path, 2)], {})
    assert len(follower.said) == count
    follower.checks.use([order(0, path, 3), order(1, path)], {})
    follower.until(True, 15)
    follower.until(True, 5, 1)
    assert len(follower.said) == count + 2
    follower.checks.use([], {})
    path.write_text("6")
    follower.loop.turn(0.05)
    assert len(follower.said) == count + 2
    known = {result.key: result for result in follower.said}
    later = Follower()
    later.checks.use([order(1, path)], known)
    later.until(True, 6, 1)
    later.checks.close()
