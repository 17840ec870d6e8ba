# SPDX-License-Identifier: GPL-3.0-or-later
"""The raw socket of adverts, as far as it can be seen without one."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Any, ClassVar, List, Optional, Tuple

import pytest
from vrrp_agent.kernel import advert_socket
from vrrp_agent.kernel.advert_socket import AdvertSocket, Received
from vrrp_agent.kernel.errors import KernelError, MissingPrivilege
from vrrp_agent.wire.advert import GROUP_IPV4, GROUP_IPV6

from tests.unit.daemon.host import packed

HDRINCL6 = 36


class Raw:
    """What the kernel would give for a raw socket."""

    refuse: Optional[OSError] = None
    """When it is made."""
    refuse_option: Tuple[int, int, Optional[OSError]] = (-1, -1, None)
    waiting: ClassVar[List[Any]] = []

    def __init__(self, family: int, kind: int, protocol: int) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.arguments = (family, kind, protocol)
        self.options: List[Tuple[int, int, Any]] = []
        self.closed = False
        made.append(self)

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        if self.refuse_option[2] is not None and (level, option) == self.refuse_option[:2]:
            raise self.refuse_option[2]
        self.options.append((level, option, value))

    def recv(self, _size: int) -> bytes:
        return bytes(self._next())

    def recvmsg(self, _size: int, _ancillary: int) -> Any:
        return self._next()

    def _next(self) -> Any:
        if not self.waiting:
            raise BlockingIOError
        found = self.waiting.pop(0)
        if isinstance(found, OSError):
            raise found
        return found

    def setblocking(self, _flag: bool) -> None:
        """Never blocks."""

    def close(self) -> None:
        self.closed = True


made: List[Raw] = []


@pytest.fixture(autouse=True)
def raw(monkeypatch: pytest.MonkeyPatch) -> type[Raw]:
    made.clear()
    monkeypatch.setattr(advert_socket.socket, "socket", Raw)
    for name, value in (("refuse", None), ("refuse_option", (-1, -1, None)), ("waiting", [])):
        monkeypatch.setattr(Raw, name, value)
    return Raw


def opened(family: int = 4) -> AdvertSocket:
    return AdvertSocket(family, "eth0", 7)


def has(level: int, option: int, value: Any) -> bool:
    return (level, option, value) in made[0].options


@pytest.mark.parametrize("family, number", [(4, socket.AF_INET), (6, socket.AF_INET6)])
def test_it_hears_vrrp_on_its_interface_only(family: int, number: int) -> None:
    opened(family)
    assert made[0].arguments == (number, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 112)
    assert has(socket.SOL_SOCKET, 25, b"eth0\0")


def test_the_headers_are_ours_and_nothing_comes_back() -> None:
    opened(4)
    assert has(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
    assert has(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    made.clear()
    opened(6)
    assert has(socket.IPPROTO_IPV6, HDRINCL6, 1)
    assert has(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
    assert has(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, 7)


def test_what_came_before_it_was_bound_is_forgotten(raw: Any) -> None:
    """Until then the socket hears every interface."""
    raw.waiting.extend([b"early"] * 3)
    assert opened().receive_ipv4() is None


def test_the_group_is_joined_on_the_interface(raw: Any) -> None:
    opened(4).join(GROUP_IPV4)
    assert has(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, GROUP_IPV4 + bytes(4) + struct.pack("=i", 7))
    made.clear()
    opened(6).join(GROUP_IPV6)
    assert has(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, GROUP_IPV6 + struct.pack("=i", 7))


def test_joining_twice_does_no_harm_and_another_refusal_is_an_error(raw: Any) -> None:
    sock = opened()
    place = (socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP)
    raw.refuse_option = (*place, OSError(errno.EADDRINUSE, "in use"))
    sock.join(GROUP_IPV4)
    raw.refuse_option = (*place, OSError(errno.ENOBUFS, "No buffer space available"))
    with pytest.raises(KernelError, match="cannot join the multicast group on eth0") as caught:
        sock.join(GROUP_IPV4)
    assert caught.value.errno == errno.ENOBUFS


def test_missing_privileges_are_named(raw: Any) -> None:
    raw.refuse = PermissionError(errno.EPERM, "Operation not permitted")
    with pytest.raises(MissingPrivilege) as caught:
        opened()
    assert "CAP_NET_RAW" in caught.value.hint


def test_a_family_that_is_switched_off_is_named(raw: Any) -> None:
    raw.refuse = OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
    with pytest.raises(KernelError, match="no raw IPv6 socket") as caught:
        opened(6)
    assert "switched off" in caught.value.hint


def test_an_interface_that_cannot_be_used_is_named_and_the_socket_closed(raw: Any) -> None:
    raw.refuse_option = (socket.SOL_SOCKET, 25, OSError(errno.ENODEV, "No such device"))
    with pytest.raises(KernelError, match="cannot use interface eth0 for IPv4 adverts"):
        opened()
    assert made[0].closed


def test_destinations_have_the_scope_that_their_kind_needs() -> None:
    assert opened(4).destination(GROUP_IPV4) == ("224.0.0.18", 0)
    assert opened(6).destination(GROUP_IPV6) == ("ff02::12", 0, 0, 7)
    assert opened(6).destination(packed("fe80::9")) == ("fe80::9", 0, 0, 7)
    assert opened(6).destination(packed("2001:db8::9")) == ("2001:db8::9", 0, 0, 0)


@pytest.mark.parametrize("error", [BlockingIOError(), OSError(errno.ENETDOWN, "Network is down")])
def test_a_socket_that_has_nothing_or_is_down_gives_nothing(raw: Any, error: OSError) -> None:
    sock, sock6 = opened(4), opened(6)
    raw.waiting.append(error)
    assert sock.receive_ipv4() is None
    raw.waiting.append(error)
    assert sock6.receive_ipv6() is None


def test_an_ipv6_packet_comes_with_its_destination_and_hop_limit(raw: Any) -> None:
    sock = opened(6)
    controls = [
        (socket.SOL_SOCKET, 29, b"a time stamp"),
        (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, struct.pack("=i", 255)),
        (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, GROUP_IPV6 + struct.pack("=i", 7)),
    ]
    raw.waiting.append((b"payload", controls, 0, ("fe80::2%eth0", 0, 0, 7)))
    assert sock.receive_ipv6() == Received(packed("fe80::2"), GROUP_IPV6, 255, b"payload")


def test_the_longest_advert_fits() -> None:
    assert advert_socket._LONGEST >= 8 + 255 * 16
