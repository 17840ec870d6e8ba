# SPDX-License-Identifier: GPL-3.0-or-later
"""``vrrp-agent dump``: the agent's pieces become one text, or an error with what to look at."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from vrrp_agent.cli.main import main


class Agent:
    """Answers one question with these lines."""

    def __init__(self, directory: Path, *lines: Any) -> None:
        self.asked: List[Any] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(directory / "control.sock"))
        self._socket.listen(1)
        self._thread = threading.Thread(target=self._answer, args=(lines,), daemon=True)
        self._thread.start()

    def _answer(self, lines: Any) -> None:
        connection, _address = self._socket.accept()
        with connection:
            self.asked.append(json.loads(connection.makefile("rb").readline()))
            for line in lines:
                connection.sendall(json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        self._thread.join(5)
        self._socket.close()


@pytest.fixture
def answer(tmp_path: Path) -> Iterator[Any]:
    made: List[Agent] = []

    def start(*lines: Any) -> Agent:
        made.append(Agent(tmp_path, *lines))
        return made[0]

    yield start
    for agent in made:
        agent.close()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ([], "keepalived.json"),
        (["--format", "keepalived-data"], "keepalived.data"),
        (["--format", "keepalived-stats"], "keepalived.stats"),
    ],
)
def test_pieces_become_one_text(
    words: List[str], kind: str, answer: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agent = answer({"text": "[1,"}, {"text": "2]\n"}, {"whole": True})
    assert main(["dump", "--runtime-dir", str(tmp_path), *words]) == 0
    assert capsys.readouterr().out == "[1,2]\n"
    assert agent.asked == [{"command": "dump", "format": kind}]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (({"text": "[1,"},), "the answer broke off"),
        (({"error": "unknown command 'dump'"},), "the agent refused: unknown command"),
    ],
)
def test_half_an_answer_is_none(
    lines: Any, said: str, answer: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(*lines)
    assert main(["dump", "--runtime-dir", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


def test_the_name_of_the_instance_leads_to_its_directory(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("dump", "status"):
        assert main([command, "--instance", "no-such-one"]) == 1
        assert "/run/vrrp-agent-no-such-one/control.sock" in capsys.readouterr().err
