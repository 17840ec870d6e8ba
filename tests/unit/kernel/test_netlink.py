# SPDX-License-Identifier: GPL-3.0-or-later
"""Netlink: taking datagrams apart, sending requests in batches, and lists that change while they are read."""

from __future__ import annotations

import errno
import struct
from typing import Any, Iterator, List, Optional, Tuple, Union, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.kernel.addresses import HeldAddress, check_privilege, list_addresses, remove_held_request
from vrrp_agent.kernel.errors import KernelError, MissingPrivilege
from vrrp_agent.kernel.monitor import Monitor
from vrrp_agent.kernel.netlink import NLMSG_DONE, NLMSG_ERROR, Refusal, RouteSocket, sequence_of, split

from tests.unit.daemon.host import address_message, packed


def message(kind: int, body: bytes = b"", sequence: int = 0, flags: int = 0) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body


def error(code: int, sequence: int) -> bytes:
    return message(NLMSG_ERROR, struct.pack("=i", -code) + bytes(16), sequence)


class Kernel:
    """The other end of a netlink socket: answers to be read, and errors to be raised."""

    def __init__(self, *answers: Union[bytes, OSError], send_error: Optional[OSError] = None) -> None:
        self.answers = list(answers)
        self.sent: List[bytes] = []
        self._send_error = send_error

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        if self._send_error is not None:
            raise self._send_error

    def recv(self, _size: int) -> bytes:
        if not self.answers:
            raise BlockingIOError
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def settimeout(self, _seconds: float) -> None:
        """Answers are there at once."""

    def setblocking(self, _flag: bool) -> None:
        """Never blocks."""

    def fileno(self) -> int:
        return -1


def route_socket(kernel: Kernel) -> RouteSocket:
    route = RouteSocket()
    route.close()
    route._socket = cast(Any, kernel)
    return route


# Datagrams.


def test_messages_are_split_at_their_length_and_alignment() -> None:
    data = message(24, b"abc", sequence=1) + b"\0" + message(25, b"", sequence=2, flags=5)
    assert [(kind, flags, sequence) for kind, flags, sequence, _port, _whole in split(data)] == [
        (24, 0, 1),
        (25, 5, 2),
    ]
    assert next(split(data))[4].endswith(b"abc")


@pytest.mark.parametrize("length", [0, 1, 15, 17, 100, 2**32 - 1])
def test_a_length_that_cannot_be_ends_the_reading(length: int) -> None:
    data = struct.pack("=IHHII", length, 24, 0, 0, 0)
    assert list(split(data)) == []


@given(st.binary(max_size=200))
def test_garbage_is_read_to_its_end(data: bytes) -> None:
    found = list(split(data))
    assert sum(len(whole) for *_head, whole in found) <= len(data)


# Requests.


def test_requests_go_out_in_order_in_few_calls() -> None:
    kernel = Kernel()
    requests = [message(20, bytes(80), sequence=number) for number in range(1000)]
    assert route_socket(kernel).submit(requests) == []
    assert b"".join(kernel.sent) == b"".join(requests)
    assert len(kernel.sent) <= 4
    assert max(len(batch) for batch in kernel.sent) <= 32 * 1024


def test_what_is_refused_is_known_by_its_number() -> None:
    kernel = Kernel(error(17, sequence=3) + error(99, sequence=5), error(0, sequence=6))
    assert route_socket(kernel).submit([message(20)]) == [Refusal(3, 17), Refusal(5, 99)]


def test_answers_that_were_lost_do_not_hide_those_that_were_not() -> None:
    kernel = Kernel(OSError(errno.ENOBUFS, "no room"), error(17, sequence=3))
    assert route_socket(kernel).submit([message(20)]) == [Refusal(3, 17)]


def test_a_socket_that_is_closed_refuses_everything_and_is_not_asked_again() -> None:
    def read_no_more(_size: int) -> bytes:
        if not kernel.answers:
            pytest.fail("asked a closed socket once more")
        raise cast(OSError, kernel.answers.pop())

    closed = OSError(errno.EBADF, "Bad file descriptor")
    kernel = Kernel(closed, send_error=closed)
    kernel.recv = read_no_more  # type: ignore[method-assign]
    assert route_socket(kernel).submit([message(20, sequence=7)]) == [Refusal(7, errno.EBADF)]


def test_a_batch_that_cannot_be_sent_is_refused_request_by_request() -> None:
    kernel = Kernel(send_error=OSError(errno.ENOBUFS, "no room"))
    requests = [message(20, sequence=number) for number in (7, 8)]
    assert route_socket(kernel).submit(requests) == [Refusal(7, errno.ENOBUFS), Refusal(8, errno.ENOBUFS)]


def test_the_number_of_a_request_can_be_read_back() -> None:
    assert sequence_of(message(20, b"body", sequence=4711)) == 4711


# Lists.

HELD = HeldAddress(2, packed("198.51.100.1"), 24, 0, 0)


def test_a_list_comes_in_several_datagrams() -> None:
    kernel = Kernel(address_message(HELD), address_message(HELD) + message(NLMSG_DONE))
    assert list_addresses(route_socket(kernel)) == [HELD, HELD]


def test_a_list_that_changed_while_it_was_read_is_read_again() -> None:
    torn = struct.pack("=IHHII", 16, NLMSG_DONE, 0x10, 0, 0)
    kernel = Kernel(address_message(HELD), torn, address_message(HELD) + message(NLMSG_DONE))
    assert list_addresses(route_socket(kernel)) == [HELD]
    assert len(kernel.sent) == 2


def test_a_list_that_never_stands_still_is_taken_as_it_is() -> None:
    torn = address_message(HELD) + struct.pack("=IHHII", 16, NLMSG_DONE, 0x10, 0, 0)
    assert list_addresses(route_socket(Kernel(*[torn] * 10))) == [HELD]


@pytest.mark.parametrize("answer", [error(errno.EPERM, 0), TimeoutError("timed out"), OSError(5, "broken")])
def test_a_list_that_is_refused_or_never_comes_is_an_error(answer: Any) -> None:
    with pytest.raises(KernelError):
        list_addresses(route_socket(Kernel(answer)))


def test_the_privilege_is_asked_for_without_changing_anything() -> None:
    allowed = Kernel(error(errno.ENODEV, 0))
    check_privilege(route_socket(allowed))
    assert b"".join(allowed.sent) == remove_held_request(HeldAddress(0, bytes(4), 32, 0, 0))
    with pytest.raises(MissingPrivilege) as caught:
        check_privilege(route_socket(Kernel(error(errno.EPERM, 0))))
    assert "CAP_NET_ADMIN" in caught.value.hint


# News.


@pytest.fixture
def monitor() -> Iterator[Tuple[Monitor, Kernel]]:
    found, kernel = Monitor(), Kernel()
    found.close()
    found._socket = cast(Any, kernel)
    yield found, kernel


def test_news_are_read_until_there_are_no_more(monitor: Tuple[Monitor, Kernel]) -> None:
    reader, kernel = monitor
    kernel.answers += [address_message(HELD), message(99), address_message(HELD, kind=21)]
    events = reader.read()
    assert events is not None
    assert [event.removed for event in events] == [False, True]
    assert not reader.more


def test_news_that_were_lost_are_said(monitor: Tuple[Monitor, Kernel]) -> None:
    reader, kernel = monitor
    kernel.answers += [address_message(HELD), OSError(errno.ENOBUFS, "no room")]
    assert reader.read() is None


def test_a_monitor_hears_of_nothing_that_did_not_happen() -> None:
    found = Monitor()
    try:
        events = found.read()
        assert events is not None
        assert not found.more
    finally:
        found.close()
