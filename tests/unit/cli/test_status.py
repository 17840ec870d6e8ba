# SPDX-License-Identifier: GPL-3.0-or-later
"""``vrrp-agent status``: asked of a real socket, told to people and to programs."""

from __future__ import annotations

import argparse
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
from vrrp_agent.cli import status
from vrrp_agent.cli.status import NoAnswer, as_text, ask, collect

from tests.unit.daemon.make import VIP, addresses, datagram, instance
from tests.unit.daemon.stage import Stage

Answer = Callable[[socket.socket], None]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    found = Stage(tmp_path)
    yield found
    found.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Answer], str]]:
    """Answer one question at a control socket; gives the runtime directory."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(tmp_path / "control.sock"))
    listener.listen()
    threads: List[threading.Thread] = []

    def start(answer: Answer) -> str:
        def work() -> None:
            client, _address = listener.accept()
            with client:
                client.recv(4096)
                answer(client)

        threads.append(threading.Thread(target=work, daemon=True))
        threads[-1].start()
        return str(tmp_path)

    yield start
    for thread in threads:
        thread.join(5)
    listener.close()


def lines_of(*lines: Dict[str, Any]) -> Answer:
    return lambda client: client.sendall(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


def command(directory: str, as_json: bool = False) -> int:
    return status.run(argparse.Namespace(runtime_dir=directory, json=as_json))


def told(stage: Stage) -> str:
    return "\n".join(as_text(collect(iter(stage.lines_of_status()))))


# For people.


def test_an_active_router_is_explained_in_a_paragraph(stage: Stage) -> None:
    stage.start_active(instance(excluded_addresses=addresses("203.0.113.9/32")))
    text = told(stage)
    assert "vrrp-agent 1.0, process" in text
    assert "VI_1: active since" in text
    assert "why       no advert from any router for 3.609 s" in text
    assert "router    VRID 10 on eth0, VRRPv3 over IPv4, advert every 1 s" in text
    assert "priority  100\n" in text
    assert f"holds     {VIP}/24, 203.0.113.9/32" in text


def test_a_backup_names_the_active_router(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram(priority=200))
    text = told(stage)
    assert "active    198.51.100.2 with priority 200" in text
    assert "next      in 3.609 s" in text
    assert "holds     no address" in text
    assert "adverts   0 sent, 1 received" in text


def test_a_fault_says_why_and_a_tracker_shows_its_part(stage: Stage) -> None:
    from vrrp_agent.conf.model import Tracked

    stage.apply(instance(track_interfaces=(Tracked("eth1", weight=20),)))
    stage.host.add_link(2, "eth0", flags=0x1)
    stage.wait(0)
    text = told(stage)
    assert "VI_1: fault since" in text
    assert "why       interface eth0 is down" in text
    assert "priority  120 = +100 (base) +20 (interface eth1)" in text
    assert "next" not in text


def test_what_was_refused_and_discarded_is_there_when_there_is_any(stage: Stage) -> None:
    stage.host.refuse[VIP] = 13
    stage.apply(instance())
    stage.wait(4)
    stage.hear(datagram(ttl=3))
    text = told(stage)
    assert f"refused   {VIP}: Permission denied" in text
    assert "discarded 1 ttl" in text


def test_an_agent_without_instances_is_an_agent(stage: Stage) -> None:
    assert "configuration /etc/c.conf" in told(stage)


# For programs.


def test_json_holds_everything_the_agent_said(
    stage: Stage, serve: Callable[[Answer], str], capsys: pytest.CaptureFixture[str]
) -> None:
    stage.apply(instance())
    stage.hear(datagram(vrid=99))
    said = stage.lines_of_status()
    assert command(serve(lines_of(*said)), as_json=True) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["instances"] == [said[1]["instance"]]
    assert answer["interfaces"] == [said[2]["interface"]]
    assert answer["pid"] == os.getpid()


def test_the_command_prints_for_people_by_default(
    stage: Stage, serve: Callable[[Answer], str], capsys: pytest.CaptureFixture[str]
) -> None:
    stage.apply(instance())
    assert command(serve(lines_of(*stage.lines_of_status()))) == 0
    assert "VI_1: backup" in capsys.readouterr().out


# When there is no answer.


def refused(capsys: pytest.CaptureFixture[str], directory: str) -> str:
    assert command(directory) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_no_agent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = refused(capsys, str(tmp_path))
    assert "no agent answers at" in text
    assert "is it running?" in text


def test_a_socket_that_a_killed_agent_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(str(tmp_path / "control.sock"))
    assert "no agent answers at" in refused(capsys, str(tmp_path))


def test_an_answer_that_breaks_off(
    stage: Stage, serve: Callable[[Answer], str], capsys: pytest.CaptureFixture[str]
) -> None:
    stage.apply(instance(), instance("VI_2", "203.0.113.1", vrid=20))
    directory = serve(lines_of(*stage.lines_of_status()[:2]))
    assert "the answer broke off" in refused(capsys, directory)


def test_an_answer_that_is_none(serve: Callable[[Answer], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "gave no whole answer" in refused(capsys, serve(lambda client: client.sendall(b"wibble\n")))


def test_an_answer_that_is_empty(serve: Callable[[Answer], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "the answer broke off" in refused(capsys, serve(lambda client: None))


def test_an_agent_that_refuses(serve: Callable[[Answer], str], capsys: pytest.CaptureFixture[str]) -> None:
    text = refused(capsys, serve(lines_of({"error": "unknown command 'status'"})))
    assert "the agent refused: unknown command 'status'" in text
    assert "another version" in text


def test_an_agent_that_says_nothing(serve: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_TIMEOUT_S", 0.1)
    silent = threading.Event()
    directory = serve(lambda client: bool(silent.wait(5)) and None)
    with pytest.raises(NoAnswer, match="gave no whole answer"):
        list(ask(os.path.join(directory, "control.sock"), {"command": "status"}))
    silent.set()


def test_somebody_who_may_not_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(socket.socket):
        def connect(self, address: Any) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(status.socket, "socket", Closed)
    with pytest.raises(NoAnswer, match="not allowed to ask") as caught:
        list(ask(str(tmp_path / "control.sock"), {"command": "status"}))
    assert "root" in caught.value.hint
