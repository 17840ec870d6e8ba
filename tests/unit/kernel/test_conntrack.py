# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections as the kernel tells of them."""

from __future__ import annotations

import struct

import pytest
from vrrp_agent.kernel.attributes import attribute, be32, nest
from vrrp_agent.kernel.conntrack import End, connection_of

CLIENT, VIP, SERVER = bytes((198, 51, 100, 7)), bytes((198, 51, 100, 10)), bytes((198, 18, 0, 1))


def ends(kind: int, source: bytes, destination: bytes, protocol: int, ports: tuple[int, int]) -> bytes:
    numbers = [attribute(2 + at, port.to_bytes(2, "big")) for at, port in enumerate(ports)]
    return nest(
        kind,
        nest(1, attribute(1, source), attribute(2, destination)),
        nest(2, attribute(1, bytes((protocol,))), *numbers),
    )


def told(protocol: int, status: int, *more: bytes) -> bytes:
    body = ends(1, CLIENT, VIP, protocol, (4000, 80)) + ends(2, SERVER, CLIENT, protocol, (8080, 4000))
    body += be32(3, status) + b"".join(more)
    return struct.pack("=IHHII", 20 + len(body), 0x100, 0, 0, 0) + struct.pack("!BBH", 2, 0, 0) + body


@pytest.mark.parametrize(
    ("protocol", "status", "state", "active"),
    [(6, 0x2A, 3, True), (6, 0x2A, 7, False), (6, 0x2A, 1, False), (17, 0x2A, 0, True), (17, 0x28, 0, False)],
)
def test_a_connection_is_read(protocol: int, status: int, state: int, active: bool) -> None:
    info = nest(4, nest(1, attribute(1, bytes((state,))))) if protocol == 6 else b""
    found = connection_of(told(protocol, status, info))
    assert found is not None
    assert found.asked == End(protocol, CLIENT, 4000, VIP, 80)
    assert found.answered == End(protocol, SERVER, 8080, CLIENT, 4000)
    assert found.translated
    assert found.active is active
    assert found.place == ends(1, CLIENT, VIP, protocol, (4000, 80))


def test_the_zone_belongs_to_the_name() -> None:
    zone = attribute(18, b"\0\5")
    found = connection_of(told(6, 2, zone))
    assert found is not None
    assert found.place.endswith(zone)
    assert not found.translated


def test_half_a_connection_is_none() -> None:
    whole = told(17, 2)
    for length in range(20, len(whole) - 12, 4):
        connection_of(whole[:length])
    assert connection_of(whole[:24]) is None
