# SPDX-License-Identifier: GPL-3.0-or-later
"""A host without a kernel: links, addresses, sockets and a clock that tests move by hand.

It speaks the agent's own wire to the kernel: requests and answers are netlink messages, so that the
agent's encoders and decoders are in every story.
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from typing import (
    AbstractSet,
    Any,
    Deque,
    Dict,
    FrozenSet,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Tuple,
    Union,
    cast,
)

from vrrp_agent.conf.model import Route, Rule
from vrrp_agent.daemon.agent import Host
from vrrp_agent.daemon.ways import key_of
from vrrp_agent.kernel.addresses import AddressEvent, HeldAddress, decode_address
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.kernel.links import Link, LinkEvent
from vrrp_agent.kernel.monitor import Event
from vrrp_agent.kernel.netlink import Refusal, split
from vrrp_agent.kernel.routes import RouteEvent, RouteKey, decode_route
from vrrp_agent.kernel.rules import RuleEvent, RuleKey, decode_rule
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop

UP = 0x1 | 0x40
SECONDARY, TENTATIVE = 0x01, 0x40
LINK_SCOPE = 253
RTM_NEWROUTE, RTM_DELROUTE = 24, 25
RTM_NEWRULE, RTM_DELRULE = 32, 33
OUR_PORT, THEIR_PORT = 77, 4242
RTM_NEWLINK, RTM_GETLINK, RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 16, 18, 20, 21, 22
EADDRNOTAVAIL, ENODEV, EEXIST, ESRCH = 99, 19, 17, 3


def packed(text: str) -> bytes:
    """An address as bytes."""
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


class Clock:
    """The monotonic clock, in ns; it stands still unless it is moved."""

    def __init__(self, now: int = 1_000_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Lines(Log):
    """A log that keeps its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: List[Tuple[int, str]] = []

    def write(self, level: int, text: str) -> None:
        self.lines.append((level, text))

    def having(self, part: str) -> List[str]:
        return [text for _level, text in self.lines if part in text]


class FakeSocket:
    """An advert socket: what was sent, and a queue of what will be received."""

    def __init__(self, family: int, interface: str, index: int, protocol: int = 112) -> None:
        self.family, self.interface, self.index, self.protocol = family, interface, index, protocol
        self.buffer_bytes = 0
        self.sent: List[Tuple[bytes, Any]] = []
        self.groups: List[bytes] = []
        self.queue: Deque[Any] = deque()
        self.error: Optional[OSError] = None
        self.closed = False
        self._ours, self._theirs = socket.socketpair()

    def put(self, *received: Any) -> None:
        """These have arrived."""
        self.queue.extend(received)
        self._theirs.send(b"!")

    def _take(self) -> Any:
        if self.queue:
            return self.queue.popleft()
        self._ours.recv(4096)
        return None

    receive_ipv4 = receive_ipv6 = _take

    def join(self, group: bytes) -> None:
        self.groups.append(group)

    def set_receive_buffer(self, size: int) -> None:
        self.buffer_bytes = size

    def fileno(self) -> int:
        return self._ours.fileno()

    def destination(self, address: bytes) -> Tuple[object, ...]:
        return (address,)

    def send(self, datagram: bytes, destination: Tuple[object, ...]) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append((datagram, destination))

    def close(self) -> None:
        self.closed = True
        self._ours.close()
        self._theirs.close()

    def priorities(self) -> List[int]:
        """Of the adverts that were sent, IPv4 or IPv6."""
        return [datagram[22 if self.family == 4 else 42] for datagram, _destination in self.sent]


class Done(NamedTuple):
    """One request that was carried out."""

    verb: str
    index: int
    address: str


class FakeHost:
    """Links and addresses, and the news of them."""

    def __init__(self) -> None:
        self.links: Dict[int, Link] = {}
        self.addresses: Dict[Tuple[int, bytes, int], HeldAddress] = {}
        self.done: List[Done] = []
        self.refuse: Dict[str, int] = {}
        """Address to errno: what the kernel will not take."""
        self.routes: List[str] = []
        """What was asked for routes: add or remove."""
        self.rules: List[str] = []
        """What was asked for rules."""
        self.ways: Dict[Union[RouteKey, RuleKey], Tuple[int, ...]] = {}
        """Routes and rules that are there, and the interfaces of routes."""
        self.refuse_routes = 0
        """The errno for every route, 0 to take them."""
        self.frames: List[Tuple[str, bytes]] = []
        self.frame_error: Optional[OSError] = None
        self.sockets: List[FakeSocket] = []
        self.socket_error: Dict[int, KernelError] = {}
        """Family to the error of opening one."""
        self.more = False
        self.lost_news = False
        self._news: List[Event] = []
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)

        self.port = OUR_PORT
        self.followed: FrozenSet[int] = frozenset()
        """The groups of routes and rules that the agent wants news of."""

    def follow(self, groups: AbstractSet[int]) -> str:
        self.followed = frozenset(groups)
        return ""

    def as_host(self) -> Host:
        """What the agent takes."""
        me = cast(Any, self)
        return Host(me, me, me, me.open_socket, open_firewall=me.open_firewall)

    def open_firewall(self) -> Any:
        """There is no nf_tables here; what needs it is told so."""
        raise KernelError("no nf_tables: Protocol not supported", "load the kernel module nf_tables")

    # What a test does to it.

    def add_link(self, index: int, name: str, flags: int = UP, mac: str = "", **words: Any) -> None:
        link = Link(index, name, flags, bytes.fromhex(mac or f"0200000000{index:02x}"), 1500, **words)
        self.links[index] = link
        self._tell(LinkEvent(link))

    def remove_link(self, index: int) -> None:
        for key in [key for key in self.addresses if key[0] == index]:
            self._tell(AddressEvent(self.addresses.pop(key), removed=True))
        self._tell(LinkEvent(self.links.pop(index), removed=True))

    def add_address(self, index: int, text: str, flags: int = 0) -> None:
        address, _slash, length = text.partition("/")
        data = packed(address)
        scope = LINK_SCOPE if text.startswith("fe80") else 0
        self._set(HeldAddress(index, data, int(length), scope, flags))

    def remove_address(self, index: int, text: str) -> None:
        address, _slash, length = text.partition("/")
        held = self.addresses.pop((index, packed(address), int(length)))
        self._tell(AddressEvent(held, True, THEIR_PORT))

    def remove_way(self, way: Union[Route, Rule], port: int = THEIR_PORT, quiet: bool = False) -> None:
        """Somebody removes a route or rule; ``quiet``: without a word, as the kernel does with a link."""
        key = key_of(way)
        devices = self.ways.pop(key)
        if not quiet:
            self._tell(_way_event(key, devices, True, port))

    def add_way(self, way: Union[Route, Rule]) -> None:
        """Somebody adds it."""
        self.ways[key_of(way)] = ()
        self._tell(_way_event(key_of(way), (), False, THEIR_PORT))

    def holds(self, index: int = 2) -> List[str]:
        """The addresses of a link."""
        return [_text(held) for held in self.addresses.values() if held.index == index]

    # RouteSocket.

    def submit(self, requests: List[bytes]) -> List[Refusal]:
        refusals = []
        for request in requests:
            for kind, _flags, sequence, _port, message in split(request):
                errno = self._carry_out(kind, message)
                if errno:
                    refusals.append(Refusal(sequence, errno))
        return refusals

    def dump(self, request: bytes) -> List[Tuple[int, bytes]]:
        for kind, *_rest in split(request):
            if kind == RTM_GETLINK:
                return [(RTM_NEWLINK, link_message(link)) for link in self.links.values()]
            return [(RTM_NEWADDR, address_message(held)) for held in self.addresses.values()]
        return []

    # Monitor.

    def fileno(self) -> int:
        return self._ours.fileno()

    def read(self) -> Optional[List[Event]]:
        self._ours.recv(4096)
        news, self._news = self._news, []
        return None if self.lost_news else news

    # FrameSocket.

    def send(self, interface: str, frame: bytes) -> None:
        if self.frame_error is not None:
            raise self.frame_error
        self.frames.append((interface, frame))

    def close(self) -> None:
        """Nothing to close: a successor may want it."""

    def switch_off(self) -> None:
        """The story is over."""
        self._ours.close()
        self._theirs.close()

    def open_socket(self, family: int, interface: str, index: int, protocol: int = 112) -> FakeSocket:
        if family in self.socket_error:
            raise self.socket_error[family]
        self.sockets.append(FakeSocket(family, interface, index, protocol))
        return self.sockets[-1]

    def _carry_out(self, kind: int, message: bytes) -> int:
        if kind in (RTM_NEWROUTE, RTM_DELROUTE):
            self.routes.append("add" if kind == RTM_NEWROUTE else "remove")
            route = decode_route(kind, message)
            assert route is not None
            key = route.key
            if key.family == 6 and not key.metric:
                key = key._replace(metric=1024)  # as the kernel does
            return self.refuse_routes or self._set_way(key, route.devices, route.removed)
        if kind in (RTM_NEWRULE, RTM_DELRULE):
            self.rules.append("add" if kind == RTM_NEWRULE else "remove")
            rule = decode_rule(kind, message)
            assert rule is not None
            return self._set_way(rule.key, (), rule.removed)
        event = decode_address(kind, message)
        assert event is not None
        held = event.held
        if kind not in (RTM_NEWADDR, RTM_DELADDR):
            return 0
        self.done.append(Done("add" if kind == RTM_NEWADDR else "remove", held.index, _text(held)))
        if held.index not in self.links:
            return ENODEV
        if _text(held).split("/")[0] in self.refuse:
            return self.refuse[_text(held).split("/")[0]]
        if kind == RTM_NEWADDR:
            self._set(held)
            return 0
        gone = self.addresses.pop((held.index, held.packed, held.prefix_length), None)
        if gone is None:
            return EADDRNOTAVAIL
        self._tell(AddressEvent(gone, True, OUR_PORT))
        return 0

    def _set_way(self, key: Union[RouteKey, RuleKey], devices: Tuple[int, ...], removed: bool) -> int:
        if removed and key not in self.ways:
            return ESRCH
        if not removed and key in self.ways:
            return EEXIST
        if removed:
            self._tell(_way_event(key, self.ways.pop(key), True, OUR_PORT))
        else:
            self.ways[key] = devices
            self._tell(_way_event(key, devices, False, OUR_PORT))
        return 0

    def _set(self, held: HeldAddress) -> None:
        self.addresses[held.index, held.packed, held.prefix_length] = held
        self._tell(AddressEvent(held))

    def _tell(self, event: Event) -> None:
        self._news.append(event)
        if len(self._news) == 1:
            self._theirs.send(b"!")


def _way_event(
    key: Union[RouteKey, RuleKey], devices: Tuple[int, ...], removed: bool, port: int
) -> Union[RouteEvent, RuleEvent]:
    if isinstance(key, RouteKey):
        return RouteEvent(key, devices, removed, port)
    return RuleEvent(key, removed, port)


def link_message(link: Link, kind: int = RTM_NEWLINK, family: int = 0) -> bytes:
    """A link as the kernel tells it."""
    attributes = (
        _attribute(3, link.name.encode() + b"\0")
        + _attribute(4, struct.pack("=I", link.mtu))
        + _attribute(1, link.mac)
    )
    return _message(kind, struct.pack("=BxHiII", family, 1, link.index, link.flags, 0) + attributes)


def address_message(held: HeldAddress, kind: int = RTM_NEWADDR) -> bytes:
    """An address as the kernel tells it."""
    family = socket.AF_INET if len(held.packed) == 4 else socket.AF_INET6
    head = struct.pack("=BBBBI", family, held.prefix_length, held.flags, held.scope, held.index)
    return _message(kind, head + _attribute(1, held.packed) + _attribute(2, held.packed))


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _message(kind: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def _text(held: HeldAddress) -> str:
    family = socket.AF_INET if len(held.packed) == 4 else socket.AF_INET6
    return f"{socket.inet_ntop(family, held.packed)}/{held.prefix_length}"


def quiet_turns(loop: Loop, most: int = 200) -> Iterator[None]:
    """Turns without waiting, for ``for`` loops that know when to stop."""
    for _ in range(most):
        loop.turn(0)
        yield


def settle(loop: Loop) -> None:
    """Let everything happen that can happen without the clock moving."""
    for _ in range(60):
        loop.turn(0)


def run_until(loop: Loop, clock: Clock, moment_ns: int) -> None:
    """Move the clock from deadline to deadline as far as ``moment_ns``."""
    settle(loop)
    while True:
        deadline = loop.schedule.next_deadline()
        if deadline is None or deadline > moment_ns:
            break
        clock.now = max(clock.now, deadline)
        loop.turn(0)
    clock.now = moment_ns
    settle(loop)
