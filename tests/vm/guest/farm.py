# SPDX-License-Identifier: GPL-3.0-or-later
"""A small web farm in network namespaces: a client, two directors, servers behind them, and two bridges.

client 198.51.100.10 --- outside --- directors .1 and .2 (virtual: .100)
                         inside  --- directors 198.18.0.1 and .2 (virtual: .100) --- servers .11, .12
"""

from __future__ import annotations

import pathlib
import signal
import subprocess
import time
from typing import Callable

CLIENT = "198.51.100.10"
OUTSIDE, INSIDE = "198.51.100.100", "198.18.0.100"
SERVERS = {"s1": "198.18.0.11", "s2": "198.18.0.12"}
DIRECTORS = {"da": 1, "db": 2}
WEB_PORT, ECHO_PORT = 80, 7000

SERVER = """
import socket, threading

def echo(connection):
    with connection:
        while data := connection.recv(100):
            connection.sendall(b"NAME " + data)

def web(connection):
    with connection:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nNAME")

def listen(port, serve):
    listener = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

threading.Thread(target=listen, args=(ECHO_PORT, echo), daemon=True).start()
listen(WEB_PORT, web)
"""


def server_program(name: str) -> str:
    """Both services of a server, in one program: starting Python takes its time here."""
    text = SERVER.replace("NAME", name).replace("ECHO_PORT", str(ECHO_PORT))
    return text.replace("WEB_PORT", str(WEB_PORT))


def run(*words: str, check: bool = True) -> str:
    """A command's output; a failure shows what it printed."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert not check or done.returncode == 0, f"{' '.join(words)}: {done.stdout}"
    return done.stdout


def within(host: str, *words: str, check: bool = True) -> str:
    """The same in the namespace of a host."""
    return run("ip", "netns", "exec", host, *words, check=check)


def until(what: str, holds: Callable[[], bool], limit_s: float, evidence: Callable[[], str]) -> float:
    """Wait for something. Returns how long it took."""
    start = time.monotonic()
    while not holds():
        waited_s = time.monotonic() - start
        assert waited_s < limit_s, f"{what}: not within {limit_s} s\n{evidence()}"
        time.sleep(0.05)
    return time.monotonic() - start


class Farm:
    """Makes the namespaces and takes them away. Programs that it starts end with it."""

    def __init__(self, room: pathlib.Path) -> None:
        self.room = room
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self._hosts = ["switch", "client", *DIRECTORS, *SERVERS]

    def __enter__(self) -> Farm:
        lines = [f"netns add {host}" for host in self._hosts]
        lines += [f"-n switch link add {bridge} up type bridge" for bridge in ("outside", "inside")]
        lines += [f"-n {host} link set lo up" for host in self._hosts]
        lines += self._plug("client", "outside", f"{CLIENT}/24")
        for director, number in DIRECTORS.items():
            lines += self._plug(director, "outside", f"198.51.100.{number}/24")
            lines += self._plug(director, "inside", f"198.18.0.{number}/24")
        for server, address in SERVERS.items():
            lines += self._plug(server, "inside", f"{address}/24")
            lines.append(f"-n {server} route add default via {INSIDE}")
        for line in lines:
            run("ip", *line.split())
        for director in DIRECTORS:
            within(director, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        return self

    @staticmethod
    def _plug(host: str, bridge: str, address: str) -> list[str]:
        port = f"{host}-{bridge}"[:15]
        return [
            f"-n switch link add {port} up type veth peer name {bridge} netns {host}",
            f"-n switch link set {port} master {bridge}",
            f"-n {host} address add {address} dev {bridge}",
            f"-n {host} link set {bridge} up",
        ]

    def __exit__(self, *_error: object) -> None:
        for name in list(self.programs):
            self.kill(name, signal.SIGKILL)
        for host in self._hosts:
            run("ip", "netns", "delete", host, check=False)

    def start(self, name: str, host: str, *words: str) -> None:
        """A program in the namespace of a host; what it prints is in the room as NAME.log."""
        with (self.room / f"{name}.log").open("wb") as log:
            command = ("ip", "netns", "exec", host, *words)
            self.programs[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def kill(self, name: str, number: int) -> None:
        """Send a signal and wait for the end."""
        program = self.programs.pop(name)
        program.send_signal(number)
        program.wait(30)

    def log(self, name: str) -> str:
        """What a program has printed so far."""
        return (self.room / f"{name}.log").read_text(errors="replace")

    def agent(self, director: str, config: str) -> None:
        """The agent on a director."""
        path = self.room / f"{director}.conf"
        path.write_text(config)
        runtime = self.room / f"{director}.run"
        self.start(
            director, director, "./vrrp-agent", "run", "--config", str(path), "--runtime-dir", str(runtime)
        )

    def unplug(self, director: str) -> None:
        """Both cables of a director: the links stay up on its side of the bridge, and carry nothing."""
        for bridge in ("outside", "inside"):
            run("ip", "-n", "switch", "link", "set", f"{director}-{bridge}", "nomaster")

    def holds(self, director: str, address: str) -> bool:
        """True when the director has the address."""
        return f" {address}/" in run("ip", "-n", director, "address")

    def evidence(self) -> str:
        """What there is to see."""
        parts = []
        for director in DIRECTORS:
            parts.append(f"--- {director}: ipvsadm ---\n{within(director, 'ipvsadm', '-Ln', check=False)}")
            parts.append(within(director, "ipvsadm", "-Lnc", check=False))
            parts.append(within(director, "ipvsadm", "-L", "--daemon", check=False))
            parts.append(run("ip", "-n", director, "-br", "address", check=False))
        parts += [f"--- {name} ---\n{self.log(name)[-4000:]}" for name in self.programs]
        return "\n".join(parts)
