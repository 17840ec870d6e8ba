# SPDX-License-Identifier: GPL-3.0-or-later
"""A farm behind a director: a client, three real servers that say their name, and a back end that balances.

All stand on one switch, in two networks: the client's, and that of the servers (198.18.0.0/24 and
2001:db8:18::/64), whose only way to the client leads through the director.
"""

from __future__ import annotations

import collections
import contextlib
import ipaddress
import selectors
import socket
import threading
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, TypeVar

from vrrp_agent.balance.backend import (
    Change,
    DestinationKey,
    DestinationWords,
    Refusal,
    ServiceKey,
    ServiceWords,
)
from vrrp_agent.balance.nftables import NftablesBackend
from vrrp_agent.conf.parts.balancing import NAT, TCP, UDP, Forwarding, Persistence

from .lan import Lan, Node, batch
from .namespace import inside, open_socket
from .shell import run

Value = TypeVar("Value")
SERVERS = ("s1", "s2", "s3")
VIP = {4: "198.51.100.100", 6: "2001:db8::100"}
PORT, OTHER_PORT = 80, 81
DIRECTOR = {4: "198.18.0.254", 6: "2001:db8:18::254"}
_CLIENTS = {4: "198.51.100.0/24", 6: "2001:db8::/64"}
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_KINDS = {TCP: socket.SOCK_STREAM, UDP: socket.SOCK_DGRAM}
_ANSWER_TIMEOUT_S = 10.0


def packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def server_address(name: str, family: int) -> str:
    """The address of a real server."""
    return ("198.18.0.{}" if family == 4 else "2001:db8:18::{}").format(name[1:])


def service(
    port: int = PORT, *, family: int = 4, protocol: int = TCP, fwmark: int = 0, address: str = ""
) -> ServiceKey:
    """A service of the virtual address, or of a firewall mark."""
    if fwmark:
        return ServiceKey(family, 0, b"", 0, fwmark)
    return ServiceKey(family, protocol, packed(address or VIP[family]), port, 0)


def add_service(
    key: ServiceKey,
    scheduler: str = "rr",
    flags: Tuple[str, ...] = (),
    persistence: Optional[Persistence] = None,
) -> Change:
    return Change("add", key, ServiceWords(scheduler, flags, persistence))


def server(
    key: ServiceKey,
    name: str,
    weight: int = 1,
    *,
    what: str = "add",
    method: str = NAT,
    port: Optional[int] = None,
) -> Change:
    """A step that concerns a server of a service."""
    destination = DestinationKey(packed(server_address(name, key.family)), key.port if port is None else port)
    words = None if what == "remove" else DestinationWords(weight, Forwarding(method))
    return Change(what, key, destination=destination, destination_words=words)


class Answering(threading.Thread):
    """Real servers: TCP and UDP ports that answer everything with the name of the server."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._sockets: List[socket.socket] = []
        self._new: List[Tuple[socket.socket, Tuple[str, int]]] = []
        self.clients: List[Tuple[str, str, int]] = []
        """Server, and address and port that it saw."""
        self.received = 0
        """Bytes, of all TCP connections."""
        self._ends = False

    def listen(self, node: Node, name: str, address: str, family: int, ports: Iterable[int]) -> None:
        for port in ports:
            for protocol in (TCP, UDP):
                one = open_socket(node.namespace, _FAMILIES[family], _KINDS[protocol])
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == 6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.bind((address, port))
                if protocol == TCP:
                    one.listen(64)
                one.setblocking(False)
                self._sockets.append(one)
                self._new.append((one, (name, protocol)))
        self._wake.send(b"x")

    def run(self) -> None:
        while not self._ends:
            for key, _events in self._selector.select():
                if key.data is None:
                    self._woken.recv(64)
                    while self._new:
                        one, data = self._new.pop()
                        self._selector.register(one, selectors.EVENT_READ, data)
                    continue
                with contextlib.suppress(OSError):
                    self._serve(key.fileobj, *key.data)

    def _serve(self, one: Any, name: str, protocol: int) -> None:
        if protocol == UDP:
            _data, source = one.recvfrom(2048)
            self.clients.append((name, source[0], source[1]))
            one.sendto(name.encode(), source)
        elif protocol == TCP:
            accepted, source = one.accept()
            self.clients.append((name, source[0], source[1]))
            accepted.setblocking(False)
            self._sockets.append(accepted)
            self._selector.register(accepted, selectors.EVENT_READ, (name, 0))
        elif data := one.recv(65536):
            self.received += len(data)
            one.send(name.encode())
        else:
            self._selector.unregister(one)
            one.close()

    def end(self) -> None:
        self._ends = True
        self._wake.send(b"x")
        self.join(5)
        for one in (*self._sockets, self._wake, self._woken):
            one.close()
        self._selector.close()


class Flow:
    """A client's socket to a service."""

    def __init__(self, node: Node, protocol: int, address: str, port: int, source: Tuple[str, int]) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = open_socket(node.namespace, family, _KINDS[protocol])
        self.socket.settimeout(_ANSWER_TIMEOUT_S)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if source != ("", 0):
            self.socket.bind(source)
        self.socket.connect((address, port))

    def ask(self) -> str:
        """The name of the server that answers."""
        self.socket.send(b"?")
        return self.socket.recv(64).decode()

    def close(self) -> None:
        self.socket.close()


class Farm:
    """The whole. ``lan`` has the nodes client, director, s1, s2 and s3."""

    def __init__(self, lan: Lan) -> None:
        self.lan = lan
        self.client, self.director = lan.client, lan.director
        self.answering = Answering()
        self._flows: List[Flow] = []
        self._backends: List[NftablesBackend] = []
        self._lay_out()
        self.backend = self.new_backend()
        self.answering.start()

    def _lay_out(self) -> None:
        lines = [f"addr add {DIRECTOR[4]}/24 dev eth0", f"addr add {DIRECTOR[6]}/64 dev eth0 nodad"]
        batch(self.director.namespace, *lines)
        self.director.sysctl(
            "net.ipv4.ip_forward=1",
            "net.ipv6.conf.all.forwarding=1",
            "net.ipv4.conf.all.send_redirects=0",
            "net.ipv4.conf.eth0.send_redirects=0",
        )
        self.hold_addresses()
        # one switch carries both networks: nobody may be told of the short way
        for node in (self.client, *(self.lan.nodes[name] for name in SERVERS)):
            node.sysctl("net.ipv6.conf.eth0.accept_redirects=0", "net.ipv6.conf.all.accept_redirects=0")
        for name in SERVERS:
            node = self.lan.nodes[name]
            batch(
                node.namespace,
                f"addr del {node.ipv4}/24 dev eth0",
                f"addr del {node.ipv6}/64 dev eth0",
                f"addr add {server_address(name, 4)}/24 dev eth0",
                f"addr add {server_address(name, 6)}/64 dev eth0 nodad",
                f"route add default via {DIRECTOR[4]}",
                f"route add default via {DIRECTOR[6]}",
            )
            for family in (4, 6):
                address = server_address(name, family)
                self.answering.listen(node, name, address, family, (PORT, OTHER_PORT))

    def hold_addresses(self, how: str = "add") -> None:
        """The director takes the virtual addresses, or gives them back (``del``)."""
        batch(
            self.director.namespace,
            f"addr {how} {VIP[4]}/24 dev eth0",
            f"addr {how} {VIP[6]}/64 dev eth0" + (" nodad" if how == "add" else ""),
        )

    def answer_directly(self) -> None:
        """DR: servers have the virtual addresses where nobody sees them, and speak to clients themselves."""
        for name in SERVERS:
            node = self.lan.nodes[name]
            node.sysctl("net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
            batch(
                node.namespace,
                f"addr add {VIP[4]}/32 dev lo",
                f"addr add {VIP[6]}/128 dev lo nodad",
                f"route add {_CLIENTS[4]} dev eth0",
                f"route add {_CLIENTS[6]} dev eth0",
            )
            for family in (4, 6):
                self.answering.listen(node, name, VIP[family], family, (PORT, OTHER_PORT))

    def new_backend(self) -> NftablesBackend:
        """One that knows nothing yet."""
        backend = inside(self.director.namespace, NftablesBackend)
        self._backends.append(backend)
        return backend

    def call(self, work: Callable[[], Value]) -> Value:
        """Do it where the director is."""
        return inside(self.director.namespace, work)

    def apply(self, *changes: Change) -> List[Refusal]:
        return self.call(lambda: self.backend.apply(changes))

    def flow(
        self,
        key: Optional[ServiceKey] = None,
        *,
        port: int = 0,
        source: Tuple[str, int] = ("", 0),
        by: str = "client",
    ) -> Flow:
        """A client's connection to a service."""
        key = key or service()
        address = str(ipaddress.ip_address(key.address)) if key.address else VIP[key.family]
        one = Flow(self.lan.nodes[by], key.protocol or TCP, address, port or key.port, source)
        self._flows.append(one)
        return one

    def ask(self, key: Optional[ServiceKey] = None, **words: Any) -> str:
        """The name of the server that answers a new connection."""
        one = self.flow(key, **words)
        try:
            return one.ask()
        finally:
            one.close()

    def shares(self, times: int, key: Optional[ServiceKey] = None, **words: Any) -> Dict[str, int]:
        """Who answers so many new connections, and how often."""
        return dict(collections.Counter(self.ask(key, **words) for _time in range(times)))

    def nft(self, *words: str) -> str:
        return run("ip", "netns", "exec", self.director.namespace, "nft", *words)

    def evidence(self) -> str:
        return f"=== nft list ruleset on the director\n{self.nft('list', 'ruleset')}"

    def close(self) -> None:
        for one in self._flows:
            one.close()
        for backend in self._backends:
            backend.close()
        self.answering.end()
