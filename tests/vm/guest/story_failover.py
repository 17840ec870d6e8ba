# SPDX-License-Identifier: GPL-3.0-or-later
"""A director dies: virtual servers move with the virtual address, and so do established connections."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from guest.farm import DIRECTORS, ECHO_PORT, OUTSIDE, SERVERS, WEB_PORT, Farm, server_program, until, within

PATIENCE_S = 60
"""The machine is emulated, and its host may be busy."""
ADVERT_S = 1.0
DOWN_S = 3 * ADVERT_S + ADVERT_S
"""RFC 9568 6.1: three intervals and a skew of less than one."""


def config(director: str) -> str:
    number = DIRECTORS[director]
    instances = "".join(
        f"""
vrrp_instance {name} {{
    interface {link}
    version 3
    virtual_router_id {vrid}
    priority {150 - number}
    advert_int {ADVERT_S}
    nopreempt
    virtual_ipaddress {{
        {address}/24
    }}
}}"""
        for name, link, vrid, address in (("OUT", "outside", 1, OUTSIDE), ("IN", "inside", 2, "198.18.0.100"))
    )
    servers = "".join(
        f"""
    real_server {address} {{port}} {{{{
        weight 1
        TCP_CHECK {{{{
            connect_timeout 2
        }}}}
    }}}}"""
        for address in SERVERS.values()
    )
    services = "".join(
        f"""
virtual_server {OUTSIDE} {port} {{
    delay_loop 1
    warmup 0
    lb_algo rr
    lb_kind NAT
    protocol TCP
{servers.format(port=port)}
}}"""
        for port in (ECHO_PORT, WEB_PORT)
    )
    return f"""
global_defs {{
    router_id {director}
    lvs_sync_daemon inside OUT id 7
}}
vrrp_sync_group BOTH {{
    group {{
        OUT
        IN
    }}
}}
{instances}
{services}
"""


def complete(director: str) -> bool:
    """True when both services have both servers."""
    return within(director, "ipvsadm", "-Sn").count("-a -t") == 4


@pytest.fixture
def farm(tmp_path: pathlib.Path) -> Iterator[Farm]:
    with Farm(tmp_path) as made:
        for server in SERVERS:
            made.start(server, server, sys.executable, "-c", server_program(server))
        made.agent("da", config("da"))
        until("da is active", lambda: made.holds("da", OUTSIDE), PATIENCE_S, made.evidence)
        made.agent("db", config("db"))
        until("both have their tables", lambda: all(map(complete, DIRECTORS)), PATIENCE_S, made.evidence)
        yield made


CLIENT = f"""
import socket, sys
connection = socket.create_connection(("{OUTSIDE}", {ECHO_PORT}), timeout=30)
for line in sys.stdin:
    connection.sendall(line.encode())
    print(connection.recv(200).decode(), end="", flush=True)
"""


class Talk:
    """One connection of the client that stays open."""

    def __init__(self) -> None:
        words = ("ip", "netns", "exec", "client", sys.executable, "-c", CLIENT)
        self._program = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def say(self, word: str) -> str:
        """What the server says to it: its name and the word."""
        stdin, stdout = self._program.stdin, self._program.stdout
        assert stdin is not None and stdout is not None
        stdin.write(f"{word}\n")
        stdin.flush()
        return stdout.readline().strip()

    def end(self) -> None:
        self._program.kill()
        self._program.communicate()


def answers(timeout_s: float = 1.0) -> bool:
    """True when a new request is answered."""
    found = within(
        "client", "curl", "-sS", "-m", str(timeout_s), "-o", "/dev/null", f"http://{OUTSIDE}/", check=False
    )
    return not found


def test_a_director_dies_and_an_open_connection_lives_on(farm: Farm) -> None:
    talk = Talk()
    try:
        first = talk.say("hello")
        server = first.split()[0]
        assert server in SERVERS, f"{first}\n{farm.evidence()}"
        for number in range(10):  # the kernel passes a connection on after its third packet (sync_threshold)
            assert talk.say(str(number)) == f"{server} {number}"
        until(
            "db knows it",
            lambda: f":{ECHO_PORT}" in within("db", "ipvsadm", "-Lnc"),
            PATIENCE_S,
            farm.evidence,
        )
        assert answers(5), farm.evidence()

        farm.unplug("da")
        outage_s = until("a request is answered again", answers, PATIENCE_S, farm.evidence)
        print(f"outage {outage_s:.2f} s, of which the protocol may take {DOWN_S:.2f} s")
        assert farm.holds("db", OUTSIDE), farm.evidence()
        assert talk.say("still there") == f"{server} still there", farm.evidence()
    finally:
        talk.end()

    # The survivor stops in order: nothing of ours stays in its kernel.
    farm.kill("db", signal.SIGTERM)
    assert within("db", "ipvsadm", "-Sn") == "", "services are left"
    daemons = within("db", "ipvsadm", "-L", "--daemon")
    assert "sync daemon" not in daemons, daemons
