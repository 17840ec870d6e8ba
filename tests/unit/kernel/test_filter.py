# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter of a capture, run by a small machine that does what the kernel's does."""

from __future__ import annotations

from typing import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.kernel.capture import vrrp_program
from vrrp_agent.kernel.filter import Program
from vrrp_agent.wire import ip
from vrrp_agent.wire.advert import GROUP_IPV4, GROUP_IPV6

from tests.unit.daemon.host import packed
from tests.unit.daemon.make import OURS, OURS6, PEER, PEER6, datagram, message

ETHER, LOOPBACK, NONE = 1, 772, 65534
MACS = bytes(12)
TAG = b"\x81\x00\x00\x05"
OFFSET = 0xFFFFF000


def passes(program: Program, packet: bytes, hardware: int = ETHER, ethertype: int = 0) -> bool:
    """Whether the kernel lets ``packet`` through."""
    lines = program.assemble()
    at = accumulator = 0
    beside = {OFFSET: ethertype, OFFSET + 28: hardware}
    while True:
        code, when_true, when_false, constant = lines[at]
        at += 1
        if code == 0x06:
            return constant > 0
        if code in (0x28, 0x30):
            width = 2 if code == 0x28 else 1
            if constant in beside:
                accumulator = beside[constant]
            elif constant + width > len(packet):
                return False
            else:
                accumulator = int.from_bytes(packet[constant : constant + width], "big")
        elif code == 0x15:
            at += when_true if accumulator == constant else when_false
        else:
            raise AssertionError(f"instruction 0x{code:02x} is not known")


VRRP4 = datagram()
VRRP6 = ip.build_ipv6(packed(PEER6), GROUP_IPV6, message(PEER6, GROUP_IPV6))
AH4 = ip.build_ipv4(packed(PEER), GROUP_IPV4, VRRP4[20:], protocol=51)
UDP4 = ip.build_ipv4(packed(PEER), packed(OURS), b"\0" * 20, protocol=17)
TCP6 = ip.build_ipv6(packed(PEER6), packed(OURS6), b"\0" * 20, protocol=6)
ARP = b"\0\x01\x08\0\x06\x04\0\x01" + bytes(20)

FRAMES = [
    ("IPv4", b"\x08\x00" + VRRP4, True),
    ("IPv6", b"\x86\xdd" + VRRP6, True),
    ("an authentication header", b"\x08\x00" + AH4, True),
    ("a VLAN", TAG + b"\x08\x00" + VRRP4, True),
    ("a service tag", b"\x88\xa8\x00\x07" + b"\x08\x00" + VRRP4, True),
    ("two VLANs", TAG + TAG + b"\x86\xdd" + VRRP6, True),
    ("UDP", b"\x08\x00" + UDP4, False),
    ("TCP over IPv6", b"\x86\xdd" + TCP6, False),
    ("UDP in a VLAN", TAG + b"\x08\x00" + UDP4, False),
    ("ARP", b"\x08\x06" + ARP, False),
    ("nothing", b"", False),
    ("a header without a packet", b"\x08\x00", False),
]


@pytest.mark.parametrize("frame, expected", [row[1:] for row in FRAMES], ids=[row[0] for row in FRAMES])
@pytest.mark.parametrize("hardware", [ETHER, LOOPBACK])
def test_of_ethernet_frames_those_with_vrrp_pass(frame: bytes, expected: bool, hardware: int) -> None:
    assert passes(vrrp_program(), MACS + frame, hardware) is expected


@pytest.mark.parametrize(
    "packet, ethertype, expected",
    [
        (VRRP4, 0x0800, True),
        (VRRP6, 0x86DD, True),
        (UDP4, 0x0800, False),
        (TCP6, 0x86DD, False),
        (ARP, 0x0806, False),
    ],
)
def test_of_packets_without_a_link_header_too(packet: bytes, ethertype: int, expected: bool) -> None:
    assert passes(vrrp_program(), packet, NONE, ethertype) is expected


@given(st.binary(max_size=120))
def test_no_packet_makes_the_filter_run_astray(data: bytes) -> None:
    passes(vrrp_program(), data)


def test_the_kernel_takes_a_program_of_this_length() -> None:
    assert 0 < len(vrrp_program().assemble()) <= 4096


def broken(build: Callable[[Program], None]) -> Program:
    program = Program()
    build(program)
    return program


def test_a_jump_to_nowhere_and_one_that_is_too_far_are_mistakes() -> None:
    def nowhere(program: Program) -> None:
        program.jump_if(1, "nowhere")
        program.accept()

    def too_far(program: Program) -> None:
        program.jump_if(1, "end")
        for _ in range(300):
            program.reject()
        program.label("end")
        program.accept()

    def backwards(program: Program) -> None:
        program.label("begin")
        program.load_byte(0)
        program.jump_if(1, "begin")

    with pytest.raises(KeyError):
        broken(nowhere).assemble()
    for build in (too_far, backwards):
        with pytest.raises(ValueError, match="instructions away"):
            broken(build).assemble()
