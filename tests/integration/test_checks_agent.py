# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP_GET, SSL_GET, SMTP_CHECK, DNS_CHECK, MISC_CHECK, FILE_CHECK of an agent: from the file to status."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest
from vrrp_agent.cli.status import NoAnswer

from tests.lab import config
from tests.lab.engines import Agent
from tests.lab.lan import Lan, Node
from tests.lab.namespace import open_socket
from tests.lab.plugin import MakeLan
from tests.lab.relay import Certificate, Relay
from tests.lab.servers import Server
from tests.lab.services import check, real_server, service, virtual_server
from tests.lab.shell import wait_until

SOON_S = 60
"""On a host that is so busy that the agent itself needs half of it to begin."""
PACE = ("delay_loop 0.3", "warmup 0.05", "connect_timeout 3", "delay_before_retry 0.1")


@pytest.fixture(name="place")
def make_place() -> Iterator[Path]:
    """A directory that only root can change."""
    path = Path("/opt") / f"vrrp-checks-{os.getpid()}"
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path)


def settled(agent: Agent, server: str, number: int, state: str, why: str = "") -> None:
    """Wait until status says this of a check."""
    seen: Dict[str, Any] = {}

    def so() -> bool:
        with contextlib.suppress(AssertionError, OSError, KeyError, IndexError, NoAnswer):
            seen.update(check(agent, server, number))
            return bool(seen["state"] == state and why in seen["why"])
        return False

    try:
        wait_until(f"check {number} of {server} to be {state} {why}", so, SOON_S)
    except AssertionError as problem:
        raise AssertionError(f"{problem}; last seen: {seen}\n{agent.log()}") from None
    return seen


def weight(agent: Agent, server: str, wanted: int) -> None:
    """Wait until the server has this effective weight."""

    seen: Dict[str, Any] = {}

    def so() -> bool:
        with contextlib.suppress(AssertionError, OSError, KeyError, IndexError, NoAnswer):
            found = [one for one in service(agent)["servers"] if one["name"] == f"[{server}]:tcp:80"]
            seen.update(found[0])
            return bool(seen["weight"] == wanted)
        return False

    try:
        wait_until(f"{server} to weigh {wanted}", so, SOON_S)
    except AssertionError as problem:
        raise AssertionError(f"{problem}; last seen: {seen}\n{agent.log()}") from None


class Page:
    """What the web servers say."""

    def __init__(self) -> None:
        self.body = b"release 7\n"

    def serve(self, node: Node, certificate: Any = None) -> Server:
        """A server on a node."""
        server = Server(node, lambda _connection: None, certificate)

        def talk(connection: socket.socket) -> None:
            server.hear(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + self.body)

        server.talk = talk
        return server


@contextlib.contextmanager
def name_server(node: Node) -> Iterator[None]:
    """Knows no name, and says so without an error."""
    server = open_socket(node.namespace, socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((node.ipv4, 53))
    server.settimeout(0.05)
    enough = threading.Event()

    def serve() -> None:
        while not enough.is_set():
            with contextlib.suppress(socket.timeout):
                data, client = server.recvfrom(4096)
                server.sendto(data[:2] + b"\x81\x80" + data[4:], client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()
        server.close()


def director(lan: Lan, *parts: str) -> Agent:
    """An agent on D that balances."""
    lines = ["script_user root", "enable_script_security"]
    return Agent(lan.d, config.file(lan.d, config.instance(), *parts, global_lines=lines))


def test_six_kinds_of_checks_from_the_file_to_status(make_lan: MakeLan, place: Path) -> None:
    lan = make_lan("d", "s")
    script, answer, load = place / "check", place / "answer", place / "load"
    answer.write_text("0")
    script.write_text(f"#!/bin/sh\nexit $(cat {answer})\n")
    script.chmod(0o755)
    page = Page()
    where = lan.s.ipv4
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(page.serve(lan.s))
        secret = stack.enter_context(page.serve(lan.s, Certificate.make(lan.scratch, where)))
        stack.enter_context(Relay(lan.s))
        stack.enter_context(name_server(lan.s))
        url = config.block("url", ["path /health", 'regex "release [0-9]+"'])
        first = config.block("url", ["path /"])
        checks = (
            config.block("HTTP_GET", [f"connect_port {plain.port}", "fast_recovery", first, url]),
            config.block(
                "SSL_GET", [f"connect_port {secret.port}", "enable_sni", "virtualhost www.example", url]
            ),
            config.block("SMTP_CHECK", ["connect_port 25", "helo_name me.example"]),
            config.block("DNS_CHECK", ["connect_port 53", "type A", "name www.example", "retry 0"]),
            config.block("MISC_CHECK", [f'misc_path "{script} now"', "misc_timeout 10", "misc_dynamic"]),
            config.block("FILE_CHECK", ["track_file load", "weight 2"]),
        )
        track = config.block("track_file load", [f"file {load}", "init_file 3"])
        server = real_server(where, "weight 10", *checks)
        agent = director(lan, track, virtual_server(server, lines=PACE))
        agent.start()

        settled(agent, where, 0, "good", "/health: status 200, regex matches")
        settled(agent, where, 1, "good", "status 200, regex matches")
        settled(agent, where, 2, "good", "banner, HELO and QUIT answered")
        settled(agent, where, 3, "good", "A www.example: answered")
        settled(agent, where, 4, "good", "exit 0")
        settled(agent, where, 5, "good", "load holds 3")
        weight(agent, where, 16)
        assert "www.example" in secret.names

        answer.write_text("42")
        settled(agent, where, 4, "good", "exit 42: weight 40")
        weight(agent, where, 46)
        load.write_text("-1\n")
        weight(agent, where, 38)
        answer.write_text("1")
        settled(agent, where, 4, "bad", "exit 1")
        answer.write_text("0")
        settled(agent, where, 4, "good", "exit 0")
        weight(agent, where, 8)

        page.body = b"out of order\n"
        settled(agent, where, 0, "bad", "/health: status 200, regex does not match")
        settled(agent, where, 1, "bad", "regex does not match")
        page.body = b"release 8\n"
        settled(agent, where, 0, "good", "/health: status 200")
        settled(agent, where, 1, "good", "status 200")
        agent.stop()
