# SPDX-License-Identifier: GPL-3.0-or-later
"""One day of a service, told by Debian's keepalived and by the agent: the same lines, calls and mails.

Each has a namespace of its own with the same servers and a mail relay. Both live the day at the same time.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from guest.farm import run, until

LIMIT_S = 60
KEEPALIVED, AGENT = "keepalived", "agent"
VS = "[198.51.100.100]:tcp:80"
RS = {one: f"[127.0.0.{one}]:tcp:8080" for one in (1, 2)}

# Listens where the file ``open`` says, and writes mails down.
NEIGHBOUR = r"""
import pathlib, socket, sys, threading, time

room = pathlib.Path(sys.argv[1])

def serve(listener):
    while True:
        try:
            connection, _peer = listener.accept()
        except OSError:
            return
        connection.close()

def post(connection):
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 relay\r\n")
        text, inside = [], False
        for line in lines:
            word = line.strip().decode()
            if inside and word == ".":
                inside = False
                with (room / "mails").open("a") as file:
                    file.write("\n".join(text) + "\n---\n")
                connection.sendall(b"250 taken\r\n")
                text = []
            elif inside:
                text.append(word)
            elif word.upper() == "DATA":
                inside = True
                connection.sendall(b"354 go on\r\n")
            else:
                connection.sendall(b"250 yes\r\n")
                if word.upper() == "QUIT":
                    return

def relay():
    listener = socket.create_server(("127.0.0.1", 25))
    while True:
        threading.Thread(target=post, args=(listener.accept()[0],), daemon=True).start()

threading.Thread(target=relay, daemon=True).start()
listeners = {}
while True:
    wanted = set((room / "open").read_text().split())
    for place in wanted - set(listeners):
        address, _colon, port = place.partition(":")
        listeners[place] = socket.create_server((address, int(port)))
        threading.Thread(target=serve, args=(listeners[place],), daemon=True).start()
    for place in set(listeners) - wanted:
        listener = listeners.pop(place)
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    (room / "opened").write_text(" ".join(sorted(listeners)))
    time.sleep(0.05)
"""

FILE = """
global_defs {{
    router_id lb1
    script_user root
    lvs_notify_fifo {room}/pipe
    notification_email {{
        ops@example.org
    }}
    notification_email_from ha@example.org
    smtp_server 127.0.0.1
    agent
}}
virtual_server 198.51.100.100 80 {{
    delay_loop 1
    lb_algo rr
    lb_kind NAT
    protocol TCP
    omega
    smtp_alert
    quorum_up "{room}/note quorum up"
    quorum_down "{room}/note quorum down"
    real_server 127.0.0.1 8080 {{
        notify_up "{room}/note up 1"
        notify_down "{room}/note down 1"
        TCP_CHECK {{
            {timing}
        }}
    }}
    real_server 127.0.0.2 8080 {{
        notify_up "{room}/note up 2"
        notify_down "{room}/note down 2"
        TCP_CHECK {{
            {timing}
        }}
        TCP_CHECK {{
            connect_port 8081
            {timing}
        }}
    }}
}}
"""
TIMING = "connect_timeout 3\n            warmup 0\n            retry 0"


class Hour(NamedTuple):
    """What is open from then on, and what is told of it."""

    places: str
    lines: list[str]
    calls: list[str]
    mails: list[str]


def server(one: int, state: str) -> str:
    return f"RS {RS[one]} {VS} {state}"


def mail_of_server(one: int, state: str, what: str) -> str:
    return f"[lb1] Realserver {RS[one]} of virtual server {VS} - {state}: => TCP CHECK {what} on service <="


def mail_of_service(state: str, text: str) -> str:
    return f"[lb1] Virtualserver {VS} - {state}: => {text} <="


FIRST, SECOND, ITS_OTHER = "127.0.0.1:8080", "127.0.0.2:8080", "127.0.0.2:8081"
DAY = [
    Hour(
        FIRST,
        [f"VS {VS} UP", server(2, "DOWN")],
        ["down 2", "quorum up"],
        [
            *[mail_of_server(2, "DOWN", "failed")] * 2,
            mail_of_service("UP", "Starting with quorum up 1+0=1 <= 2"),
        ],
    ),
    Hour(f"{FIRST} {SECOND}", [], [], [mail_of_server(2, "DOWN", "succeed")]),
    Hour(f"{FIRST} {SECOND} {ITS_OTHER}", [server(2, "UP")], ["up 2"], [mail_of_server(2, "UP", "succeed")]),
    Hour(f"{SECOND} {ITS_OTHER}", [server(1, "DOWN")], ["down 1"], [mail_of_server(1, "DOWN", "failed")]),
    Hour(
        SECOND,
        [server(2, "DOWN"), f"VS {VS} DOWN"],
        ["down 2", "quorum down"],
        [mail_of_server(2, "DOWN", "failed"), mail_of_service("DOWN", "Lost quorum 1+0=1 <= 0")],
    ),
    Hour(
        f"{FIRST} {SECOND}",
        [server(1, "UP"), f"VS {VS} UP"],
        ["quorum up", "up 1"],
        [mail_of_server(1, "UP", "succeed"), mail_of_service("UP", "Gained quorum 1+0=1 <= 1")],
    ),
]
LAST_LINES = [server(1, "DOWN"), f"VS {VS} DOWN"]
LAST_CALLS = ["down 1", "quorum down"]
LAST_MAILS = [
    f"[lb1] Realserver {RS[1]} of virtual server {VS} - DOWN: => Shutting down <=",
    mail_of_service("DOWN", "Shutting down"),
]


class Town:
    """A namespace with a neighbour, and one of the two programs."""

    def __init__(self, room: pathlib.Path, name: str) -> None:
        self.room, self.name = room / name, name
        self.room.mkdir()
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        os.mkfifo(self.room / "pipe", 0o600)
        self._pipe = os.open(self.room / "pipe", os.O_RDWR | os.O_NONBLOCK)
        self._told = b""
        note = self.room / "note"
        note.write_text(f'#!/bin/sh\necho "$*" >>{self.room}/calls\n')
        note.chmod(0o755)
        text = FILE.format(room=self.room, timing=TIMING)
        own = "agent_balance_backend ipvs" if name == AGENT else ""
        (self.room / "file").write_text(text.replace("    agent\n", f"    {own}\n"))
        self.open(DAY[0].places)
        self.programs = [self._start("neighbour", sys.executable, "-c", NEIGHBOUR, str(self.room))]

    def _start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.room / f"{name}.log").open("wb") as log:
            command = ["ip", "netns", "exec", self.name, *words]
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def open(self, places: str) -> None:
        """These places are open, and no others."""
        (self.room / "trial").write_text(places)
        os.replace(self.room / "trial", self.room / "open")

    def begin(self) -> None:
        """The program starts."""
        until("the neighbour", lambda: self._read("opened") != "", LIMIT_S, self.evidence)
        file = str(self.room / "file")
        words = ["./vrrp-agent", "run", "--config", file, "--runtime-dir", str(self.room / "run")]
        if self.name == KEEPALIVED:
            pids = ("-p", f"{self.room}/pid", "-c", f"{self.room}/checkers.pid")
            words = ["keepalived", "-n", "-l", "-D", "-C", "-f", file, *pids]
        self.programs.append(self._start("program", *words))

    def end(self) -> None:
        """The program ends in order."""
        self.programs[1].send_signal(signal.SIGTERM)
        self.programs[1].wait(LIMIT_S)

    def close(self) -> None:
        for program in reversed(self.programs):
            program.kill()
            program.wait(LIMIT_S)
        os.close(self._pipe)
        run("ip", "netns", "del", self.name, check=False)

    def _read(self, name: str) -> str:
        path = self.room / name
        return path.read_text() if path.exists() else ""

    @property
    def told(self) -> bytes:
        """What came through the pipe, byte for byte."""
        with contextlib.suppress(BlockingIOError):
            self._told += os.read(self._pipe, 65536)
        return self._told

    def calls(self) -> list[str]:
        """The arguments of scripts."""
        return self._read("calls").splitlines()

    def mails(self) -> list[str]:
        """Subject and first line of the text of each mail."""
        found = []
        for mail in self._read("mails").split("\n---\n")[:-1]:
            head, _blank, text = mail.partition("\n\n")
            (subject,) = [line[9:] for line in head.split("\n") if line.startswith("Subject: ")]
            found.append(f"{subject}: {text.splitlines()[0]}")
        return found

    def evidence(self) -> str:
        parts = [f"--- {self.name}", repr(self.told), *self.calls(), *self.mails()]
        return "\n".join([*parts, self._read("program.log")[-4000:], self._read("neighbour.log")[-1000:]])


@pytest.fixture
def towns(tmp_path: pathlib.Path) -> Iterator[list[Town]]:
    found = [Town(tmp_path, name) for name in (KEEPALIVED, AGENT)]
    yield found
    for town in found:
        town.close()


def test_both_tell_of_the_same_day_in_the_same_words(towns: list[Town]) -> None:
    lines: list[str] = []
    calls: list[str] = []
    mails: list[str] = []
    for number, hour in enumerate(DAY):
        for town in towns:
            town.open(hour.places)
            if number == 0:
                town.begin()
        lines += hour.lines
        calls, mails = calls + hour.calls, mails + hour.mails
        for town in towns:
            wait_for(town, f"hour {number}", lines, calls, mails)
    for town in towns:
        town.end()
        lines_at_end = [*lines, *LAST_LINES]
        # keepalived ends before its last scripts and mails are sure to have got anywhere
        more = town.name == AGENT
        wait_for(
            town,
            "the end",
            lines_at_end,
            calls + LAST_CALLS if more else None,
            mails + LAST_MAILS if more else None,
        )


def wait_for(
    town: Town, when: str, lines: list[str], calls: list[str] | None, mails: list[str] | None
) -> None:
    """The pipe in its order and to the last byte; scripts and mails overtake each other in keepalived."""
    told = "".join(f"{line}\n" for line in lines).encode()

    def reached() -> bool:
        return (
            town.told == told
            and (calls is None or sorted(town.calls()) == sorted(calls))
            and (mails is None or sorted(town.mails()) == sorted(mails))
        )

    expected = f"{told!r}\n{calls}\n{mails}\n"
    until(f"{town.name}: {when}", reached, LIMIT_S, lambda: expected + town.evidence())
