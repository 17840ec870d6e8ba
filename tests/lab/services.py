# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers for stories about virtual servers: what listens, what was asked, what status says of it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from vrrp_agent.cli.status import NoAnswer

from . import config
from .capture import Frame, Wire
from .engines import Agent
from .lan import VIP4, Lan, Node
from .namespace import inside
from .shell import wait_until

SYN, ACK = 0x02, 0x10
SOON_S = 15
"""A generous time for something that should happen within a second; the machine may be busy."""
ROUND_S = 0.4
PACE = (f"delay_loop {ROUND_S}", "warmup 0.1")
_TCP, _UDP = 6, 17


class Listener:
    """A TCP server in a node that accepts and hangs up."""

    def __init__(self, node: Node, port: int, address: str = "") -> None:
        self._node, self._port = node, port
        self._address = address or node.ipv4
        self._socket: Optional[socket.socket] = None
        self._thread: Optional[threading.Thread] = None

    def open(self) -> None:
        """Listen."""
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        made = inside(self._node.namespace, lambda: socket.socket(family, socket.SOCK_STREAM))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((self._address, self._port))
        made.listen(512)
        self._socket = made
        self._thread = threading.Thread(target=self._serve, args=(made,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Refuse from now on."""
        if self._socket is not None and self._thread is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._thread.join(5)
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Listener:
        self.open()
        return self

    def __exit__(self, *rest: object) -> None:
        self.close()

    @staticmethod
    def _serve(listening: socket.socket) -> None:
        while True:
            try:
                made, _peer = listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                made.close()


class Asked(NamedTuple):
    """A connection that was begun, or a datagram that was sent."""

    at_ns: int
    source: str
    source_port: int
    address: str
    port: int


def asked(
    wire: Wire, node: Node, *, port: Optional[int] = None, address: str = "", since_ns: int = 0
) -> List[Asked]:
    """What the node has asked of servers by TCP or UDP over IPv4, in order."""
    found = [_asked(frame) for frame in list(wire.frames) if frame.node == node.name]
    return [
        one
        for one in found
        if one is not None
        and one.at_ns >= since_ns
        and (port is None or one.port == port)
        and (not address or one.address == address)
    ]


def _asked(frame: Frame) -> Optional[Asked]:
    data = frame.data
    if len(data) < 42 or data[12:14] != b"\x08\x00" or data[23] not in (_TCP, _UDP):
        return None
    head = 14 + (data[14] & 0x0F) * 4
    if data[23] == _TCP and (len(data) < head + 20 or data[head + 13] & (SYN | ACK) != SYN):
        return None
    source_port, port = struct.unpack_from("!HH", data, head)
    source, address = socket.inet_ntoa(data[26:30]), socket.inet_ntoa(data[30:34])
    return Asked(frame.at_ns, source, source_port, address, port)


def real_server(address: str, *checks: str, port: int = 80) -> str:
    """A real_server with these checks."""
    return config.block(f"real_server {address} {port}", checks)


def virtual_server(*parts: str, address: str = VIP4, port: int = 80, lines: Sequence[str] = ()) -> str:
    """A virtual_server that any host can carry."""
    common = ["lvs_method NAT", "lvs_sched wrr", "protocol TCP", *lines]
    return config.block(f"virtual_server {address} {port}", [*common, *parts])


def service(agent: Agent, address: str = VIP4, port: int = 80) -> Dict[str, Any]:
    """What status says of one service."""
    name = f"[{address}]:tcp:{port}"
    found = [one for one in agent.status()["services"] if one["name"] == name]
    assert len(found) == 1, f"{name} is {len(found)} times in status"
    return dict(found[0])


def check(agent: Agent, server: str, number: int = 0, port: int = 80, address: str = VIP4) -> Dict[str, Any]:
    """What status says of one check of one real server."""
    name = f"[{server}]:tcp:{port}"
    for one in service(agent, address)["servers"]:
        if one["name"] == name:
            return dict(one["checks"][number])
    raise AssertionError(f"no real server {name} in status")


def tcp(*lines: str) -> str:
    """A TCP_CHECK with these words and no patience."""
    return config.block("TCP_CHECK", ["connect_timeout 1", "retry 0", *lines])


def director(lan: Lan, *parts: str, global_lines: Sequence[str] = ()) -> Agent:
    """An agent on D that balances; it also is the active router."""
    return Agent(lan.d, config.file(lan.d, config.instance(), *parts, global_lines=global_lines))


def known(
    agent: Agent, server: str, state: str, number: int = 0, why: str = "", **where: Any
) -> Dict[str, Any]:
    """Wait until status says this of a check."""
    seen: Dict[str, Any] = {}

    def so() -> bool:
        with contextlib.suppress(AssertionError, OSError, KeyError, IndexError, NoAnswer):
            seen.update(check(agent, server, number, **where))
            return bool(seen["state"] == state and why in seen["why"])
        return False

    wait_until(f"check {number} of {server} to be {state} {why}", so, SOON_S)
    return seen


def checking_pid(agent: Agent) -> int:
    """The process that checks; 0 when nobody says."""
    with contextlib.suppress(OSError, KeyError, NoAnswer):
        return int(agent.status()["balancing"]["check_pid"])
    return 0
