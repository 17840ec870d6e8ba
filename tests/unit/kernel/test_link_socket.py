# SPDX-License-Identifier: GPL-3.0-or-later
"""What the socket of a virtual link lets through, and where it sends."""

from __future__ import annotations

import pytest
from vrrp_agent.kernel.link_socket import LinkSocket, filter_for

from tests.lab import frames
from tests.unit.kernel.test_filter import passes

VMAC, OTHER = "00:00:5e:00:01:33", "02:00:00:00:00:0b"
V6MAC = "00:00:5e:00:02:33"


def advert(source_mac: str, family: int = 4, protocol: int = 112) -> bytes:
    """A frame with an advert, or with something else of IP."""
    source, group = ("198.51.100.11", frames.GROUP4) if family == 4 else ("fe80::11", frames.GROUP6)
    packet = frames.ip_packet(source, group, frames.vrrp_message(source, group), protocol=protocol)
    return frames.ethernet(source_mac, frames.multicast_mac(group), packet)


@pytest.mark.parametrize("family, mac", [(4, VMAC), (6, V6MAC)])
def test_only_vrrp_from_the_virtual_mac_is_heard(family: int, mac: str) -> None:
    """The base interface hears everything else."""
    program = filter_for(family, frames.pack_mac(mac))
    assert passes(program, advert(mac, family))
    assert not passes(program, advert(OTHER, family))
    assert not passes(program, advert(mac[:-1] + "4", family))
    assert not passes(program, advert(mac, family, protocol=17))


def test_another_protocol_can_be_asked_for() -> None:
    """Adverts inside an authentication header."""
    program = filter_for(4, frames.pack_mac(VMAC), 51)
    assert passes(program, advert(VMAC, protocol=51))
    assert not passes(program, advert(VMAC))


def test_the_group_has_its_ethernet_address() -> None:
    """RFC 1112 6.4, RFC 2464 7; the link's MAC is the source."""
    sock = object.__new__(LinkSocket)
    sock.family, sock._after_group = 4, frames.pack_mac(VMAC) + b"\x08\0"
    assert sock.destination(frames.pack_ip(frames.GROUP4)) == (
        frames.pack_mac(frames.GROUP4_MAC) + frames.pack_mac(VMAC) + b"\x08\0",
    )
    sock.family = 6
    (header,) = sock.destination(frames.pack_ip(frames.GROUP6))
    assert isinstance(header, bytes) and header[:6] == frames.pack_mac(frames.GROUP6_MAC)
