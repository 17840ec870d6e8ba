# SPDX-License-Identifier: GPL-3.0-or-later
"""The role for real servers on a kernel that has tunnels: what they carry arrives, and nothing stays."""

from __future__ import annotations

import pathlib
import subprocess
from collections.abc import Iterator

import pytest
import real_server
from guest.farm import run, until, within
from real_server import Settings

FOUR, SIX = "198.51.100.10", "2001:db8::10"
SERVER = {4: "198.18.1.21", 6: "2001:db8:1::21"}
DIRECTOR = {4: "198.18.1.1", 6: "2001:db8:1::1"}
GUE = "encap gue encap-sport auto encap-dport 6080"

ECHO = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
listener = socket.socket(family, socket.SOCK_DGRAM)
listener.bind((sys.argv[1], 7))
print("ready", flush=True)
while True:
    data, client = listener.recvfrom(100)
    listener.sendto(data, client)
"""
ASK = """
import socket, sys
own, address = sys.argv[1:]
client = socket.socket(socket.AF_INET6 if ":" in own else socket.AF_INET, socket.SOCK_DGRAM)
client.bind((own, 0))
client.settimeout(10)
client.sendto(b"well", (address, 7))
print(client.recv(100).decode())
"""


@pytest.fixture(autouse=True)
def hosts() -> Iterator[None]:
    """A director and a real server on one link, where a strict rp_filter is the rule."""
    pathlib.Path("/run/vrrp-real-server").mkdir(parents=True, exist_ok=True)
    for line in (
        "netns add lb",
        "netns add rs",
        "-n lb link add eth0 type veth peer name eth0 netns rs",
        *(f"-n {host} link set {link} up" for host in ("lb", "rs") for link in ("lo", "eth0")),
        f"-n lb address add {DIRECTOR[4]}/24 dev eth0",
        f"-n lb address add {DIRECTOR[6]}/64 dev eth0 nodad",
        f"-n rs address add {SERVER[4]}/24 dev eth0",
        f"-n rs address add {SERVER[6]}/64 dev eth0 nodad",
    ):
        run("ip", *line.split())
    within("rs", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1")
    yield
    for host in ("lb", "rs"):
        run("ip", "netns", "delete", host)


def do(commands: list[str]) -> None:
    for command in commands:
        within("rs", "sh", "-c", command)


def addresses() -> str:
    """Links that are up, with their addresses, but without their states: lo learns its own only later."""
    lines = run("ip", "-n", "rs", "-br", "address", "show", "up").splitlines()
    return "\n".join(" ".join((line.split()[0], *line.split()[2:])) for line in lines)


def answers(address: str) -> str:
    """What the director gets from the real server by the virtual address."""
    family = 6 if ":" in address else 4
    enter = ["ip", "netns", "exec", "rs", "python3", "-c", ECHO, address]
    with subprocess.Popen(enter, stdout=subprocess.PIPE, text=True) as echo:
        try:
            assert echo.stdout is not None and echo.stdout.readline() == "ready\n"
            return within("lb", "python3", "-c", ASK, DIRECTOR[family], address, check=False).strip()
        finally:
            echo.kill()


@pytest.mark.parametrize(("tunnel", "outer"), [("ipip", 4), ("gre csum", 4), ("gue", 6)])
def test_what_a_tunnel_carries_arrives_and_nothing_stays_behind(tunnel: str, outer: int) -> None:
    kind, _space, checksum = tunnel.partition(" ")
    port = 6080 if kind == "gue" else 0
    settings = Settings(
        "TUN",
        (FOUR, SIX),
        address=SERVER[outer],
        tunnel=kind,
        tunnel_port=port,
        tunnel_checksum=bool(checksum),
    )
    until("its own address on the link", lambda: "fe80" in addresses(), 20, addresses)
    before = addresses()
    parts = real_server.parts(settings)
    do([part.do for part in parts])
    do([part.do for part in parts])  # a part that is done twice
    for address, link, words in director_links(kind, checksum, outer):
        if f"{link}@" not in run("ip", "-n", "lb", "-br", "link"):
            run("ip", "-n", "lb", "link", "add", link, "type", *words.split())
            run("ip", "-n", "lb", "link", "set", link, "up")
        family = 6 if ":" in address else 4
        run("ip", "-n", "lb", "route", "add", address, "dev", link, "src", DIRECTOR[family])
        assert answers(address) == "well", run("ip", "-n", "rs", "-s", "-d", "link")
    do([part.undo for part in reversed(parts)])
    assert addresses() == before
    assert "rs-" not in run("ip", "-n", "rs", "-br", "link")
    assert "6080" not in within("rs", "ip", "fou", "show", check=False)
    assert within("rs", "sysctl", "-n", "net.ipv4.conf.all.arp_ignore") == "0\n"


def director_links(kind: str, checksum: str, outer: int) -> list[tuple[str, str, str]]:
    """For each virtual address the director's end: a link, and how it is made."""
    ends = f"local {DIRECTOR[outer]} remote {SERVER[outer]}"
    inside = f" {GUE}" if kind == "gue" else ""
    if kind == "gre":
        words = f"{'gre' if outer == 4 else 'ip6gre'} {ends}{' ocsum' if checksum else ''}"
        return [(FOUR, "there", words), (SIX, "there", words)]
    if outer == 6:
        words = f"ip6tnl {ends} mode any{inside}"
        return [(FOUR, "there", words), (SIX, "there", words)]
    return [(FOUR, "there", f"ipip {ends}{inside}"), (SIX, "there6", f"sit {ends}{inside}")]
