# SPDX-License-Identifier: GPL-3.0-or-later
"""The socket that answers questions: whoever asks, and however, elections are not held up."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from vrrp_agent.daemon.control import Control
from vrrp_agent.loop.loop import Loop

from tests.unit.daemon.host import Clock, quiet_turns

REQUEST = b'{"command": "count"}\n'


class Office:
    """A control socket whose answers have as many lines as ``lines`` says, each ``width`` bytes wide."""

    def __init__(self, path: Path) -> None:
        self.loop = Loop(Clock())
        self.path = str(path / "control.sock")
        self.lines, self.width = 3, 10
        self.made = 0
        self.asked: List[Dict[str, Any]] = []
        self.control = Control(self.loop, self.path, self.answer)

    def answer(self, request: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
        self.asked.append(request)
        if request.get("command") != "count":
            raise ValueError(f"unknown command {request.get('command')!r}")
        return self._lines()

    def _lines(self) -> Iterator[Dict[str, Any]]:
        for number in range(self.lines):
            self.made += 1
            yield {"number": number, "text": "x" * self.width}

    def client(self, *pieces: bytes) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(0)
        sock.connect(self.path)
        for piece in pieces:
            sock.send(piece)
            self.loop.turn(0)
        return sock

    def read(self, client: socket.socket) -> List[Dict[str, Any]]:
        """Everything until the agent hangs up."""
        data = b""
        for _turn in quiet_turns(self.loop, 20_000):
            try:
                piece = client.recv(1 << 20)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                piece = b""
            if not piece:
                client.close()
                return [json.loads(line) for line in data.splitlines()]
            data += piece
        raise AssertionError(f"no end after {len(data)} bytes")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    found = Office(tmp_path)
    yield found
    found.control.close()
    found.loop.close()


def test_a_question_gets_its_lines_and_the_end(office: Office) -> None:
    answer = office.read(office.client(REQUEST))
    assert [line["number"] for line in answer] == [0, 1, 2]


def test_only_root_and_the_group_may_ask(office: Office, tmp_path: Path) -> None:
    mode = os.stat(office.path).st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660
    before = os.umask(0o022)
    os.umask(before)
    assert before == 0o022, "the mask of the process is as it was"


def test_a_socket_that_a_killed_agent_left_is_replaced(office: Office, tmp_path: Path) -> None:
    again = Control(office.loop, office.path, office.answer)
    assert office.read(office.client(REQUEST))
    again.close()
    assert not os.path.exists(office.path)


@pytest.mark.parametrize(
    "request_line, words",
    [
        (b"nonsense\n", "Expecting value"),
        (b"[1, 2]\n", "a request is a JSON object"),
        (b'{"command": "reboot"}\n', "unknown command 'reboot'"),
        (b"{}\n", "unknown command None"),
        (b"\xff\xfe\n", ""),
        (b"[" * 4000 + b"\n", "nested too deeply"),
        (b"\n", "Expecting value"),
    ],
)
def test_a_request_that_cannot_be_understood_gets_an_error(
    office: Office, request_line: bytes, words: str
) -> None:
    (answer,) = office.read(office.client(request_line))
    assert words in answer["error"]
    assert office.read(office.client(REQUEST)), "and the next one is served"


def test_a_request_may_come_in_pieces(office: Office) -> None:
    pieces = [REQUEST[at : at + 1] for at in range(len(REQUEST))]
    assert len(office.read(office.client(*pieces))) == 3


def test_a_client_that_says_nothing_more_is_answered_all_the_same(office: Office) -> None:
    """As ``socat`` does: it closes its side after the request."""
    office.lines = 2000
    client = office.client(REQUEST)
    client.shutdown(socket.SHUT_WR)
    assert len(office.read(client)) == 2000


def test_a_client_that_goes_on_talking_is_hung_up_on(office: Office) -> None:
    office.lines = 100_000
    client = office.client(REQUEST)
    office.loop.turn(0)
    client.send(b"and another thing\n")
    assert len(office.read(client)) < 100


def test_a_request_without_an_end_is_hung_up_on(office: Office) -> None:
    assert office.read(office.client(b"x" * 4000, b"x" * 4000)) == []
    assert office.asked == []


def test_a_client_that_hangs_up_leaves_no_trace(office: Office) -> None:
    office.lines = 100_000
    before = len(os.listdir("/proc/self/fd"))
    for pieces in ([], [b"{"], [REQUEST]):
        office.client(*pieces).close()
    for _turn in quiet_turns(office.loop):
        pass
    assert len(os.listdir("/proc/self/fd")) <= before
    assert office.made < 1000, "nobody listens, so nothing more is made"


def test_a_client_that_does_not_read_costs_no_memory_and_is_served_when_it_does(office: Office) -> None:
    office.lines, office.width = 1500, 1000
    client = office.client(REQUEST)
    for _turn in quiet_turns(office.loop, 400):
        pass
    assert office.made < 1000, "a megabyte at most waits"
    office.loop.turn(0)
    assert not office.loop._jobs, "and it keeps nobody busy"
    assert len(office.read(client)) == 1500


def test_an_answer_is_made_a_few_lines_a_turn(office: Office) -> None:
    office.lines = 1000
    office.client(REQUEST)
    made = []
    for _turn in quiet_turns(office.loop, 10):
        made.append(office.made)
    assert max(after - before for before, after in zip(made, made[1:])) <= 8


def test_many_clients_get_their_answers_side_by_side(office: Office) -> None:
    office.lines = 50
    clients = [office.client(REQUEST) for _ in range(12)]
    for client in clients:
        assert len(office.read(client)) == 50


def test_clients_that_sit_there_do_not_keep_others_out(office: Office) -> None:
    """A stopped ``status`` must not make the agent dumb: the oldest has to go."""
    sitting = [office.client(b"{") for _ in range(40)]
    for _turn in quiet_turns(office.loop):
        pass
    assert office.read(office.client(REQUEST))
    for client in sitting:
        client.close()


def test_the_end_of_the_agent_is_the_end_of_the_answer(office: Office, tmp_path: Path) -> None:
    office.lines = 100_000
    client = office.client(REQUEST)
    office.control.close()
    assert len(office.read(client)) < 100_000
    assert not os.path.exists(office.path)


def test_a_path_that_is_too_long_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        Control(Loop(Clock()), str(tmp_path / ("x" * 200)), lambda request: iter([]))
