# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The expressions of nf_tables that choose a server and send packets there: numgen, jhash, nat, fwd, sets.

The numbers are those of linux/netfilter/nf_tables.h. Keys of several parts begin in the register KEY and go
on in the following ones of four bytes, as ``nft`` lays them out, so that it can list them.
"""

from __future__ import annotations

import struct

from .attributes import attribute, be32, be64, nest, text
from .links import ARPHRD_ETHER
from .nft_rules import NETWORK, TRANSPORT, load

KEY = 8
"""The first register of four bytes; the register FIRST of sixteen bytes begins there too."""
HASHED = 2
"""The register of sixteen bytes where a key that is hashed begins."""
_HASHED_PORT = {4: 13, 16: 16}
"""The register behind an address of so many bytes in HASHED."""
GOTO, JUMP, RETURN = -4, -3, -5
LINK = 0
_META_PROTOCOL, _META_MARK, _META_HARDWARE, _META_L4PROTO, _META_PACKET_TYPE = 1, 3, 8, 16, 19
_ADDRESS_TYPE, _OF_DESTINATION, _OF_MARK = 3, 2, 4
_RTN_LOCAL = 2
_NOT_EQUAL = 1
_TCP, _SYN = 6, 0x02
_UPDATE = 1
_COUNTER_OBJECT = 1
_DNAT = 1
_UNREACHABLE, _PORT_UNREACHABLE = 0, {4: 3, 6: 4}
_NFPROTO = {4: 2, 6: 10}
_TO_THIS_HOST = 0


def _expression(name: str, *parts: bytes) -> bytes:
    return nest(1, text(1, name), nest(2, *parts))


def _value(kind: int, value: bytes) -> bytes:
    return nest(kind, attribute(1, value))


def _compare(operation: int, value: bytes) -> bytes:
    return _expression("cmp", be32(1, KEY), be32(2, operation), _value(3, value))


def transport(register: int = KEY) -> bytes:
    """The transport protocol of the packet."""
    return _expression("meta", be32(2, _META_L4PROTO), be32(1, register))


def mark(register: int = KEY) -> bytes:
    """The firewall mark of the packet, as the host writes numbers."""
    return _expression("meta", be32(2, _META_MARK), be32(1, register))


def destination(family: int, register: int = KEY) -> bytes:
    """Where the packet goes to; 4 or 6."""
    return load(NETWORK, 16, 4, register) if family == 4 else load(NETWORK, 24, 16, register)


def source(family: int, register: int = KEY) -> bytes:
    """Where the packet comes from; 4 or 6."""
    return load(NETWORK, 12, 4, register) if family == 4 else load(NETWORK, 8, 16, register)


def port(incoming: bool, register: int = KEY) -> bytes:
    """The port that the packet comes from, or the one that it goes to; alike in TCP, UDP and SCTP."""
    return load(TRANSPORT, 0 if incoming else 2, 2, register)


def begins(begins_now: bool) -> bytes:
    """Go on only with (or without) the SYN of TCP."""
    protocol = transport() + _compare(0, bytes((_TCP,)))
    flag = _bits(KEY, bytes((_SYN,)))
    return protocol + load(TRANSPORT, 13, 1, KEY) + flag + _compare(int(begins_now), b"\0")


def masked(family: int, prefix_length: int, register: int = KEY) -> bytes:
    """Keep the first bits of an address."""
    length = 4 if family == 4 else 16
    if prefix_length >= length * 8:
        return b""
    return _bits(register, ((1 << length * 8) - (1 << (length * 8 - prefix_length))).to_bytes(length, "big"))


def _bits(register: int, mask: bytes) -> bytes:
    parts = (
        be32(1, register),
        be32(2, register),
        be32(3, len(mask)),
        _value(4, mask),
        _value(5, bytes(len(mask))),
    )
    return _expression("bitwise", *parts)


def for_this_host(family: int) -> bytes:
    """Go on only with a packet whose link layer is addressed to this host, untagged and of this family."""
    ethertype = b"\x08\x00" if family == 4 else b"\x86\xdd"
    kind = _expression("meta", be32(2, _META_PACKET_TYPE), be32(1, KEY))
    hardware = _expression("meta", be32(2, _META_HARDWARE), be32(1, KEY))  # nft knows the ethertype by it
    ours = kind + _compare(0, bytes((_TO_THIS_HOST,)))
    ethernet = hardware + _compare(0, struct.pack("=H", ARPHRD_ETHER))
    return ours + ethernet + load(LINK, 12, 2, KEY) + _compare(0, ethertype)


def address_is_local(marked: bool, local: bool = True) -> bytes:
    """Go on only when the destination is (not) of this host; ``marked``: by the routes for its mark."""
    flags = _OF_DESTINATION | (_OF_MARK if marked else 0)
    found = _expression("fib", be32(1, KEY), be32(2, _ADDRESS_TYPE), be32(3, flags))
    return found + _compare(0 if local else _NOT_EQUAL, struct.pack("=I", _RTN_LOCAL))


def in_family(family: int) -> bytes:
    """Go on only with packets of this family: for tables that see them all."""
    kind = _expression("meta", be32(2, _META_PROTOCOL), be32(1, KEY))
    return kind + _compare(0, b"\x08\x00" if family == 4 else b"\x86\xdd")


def known(name: str, register: int = KEY) -> bytes:
    """Go on only when the key is in the set."""
    return _expression("lookup", text(1, name), be32(2, register), be32(5, 0))


def verdict_of(name: str, register: int = KEY, number: int = 0) -> bytes:
    """Do what the map has for the key; go on when it has nothing. ``number``: of a new map."""
    parts = text(1, name), be32(2, register), be32(3, 0)
    return _expression("lookup", *parts, *((be32(4, number),) if number else ()))


def to_chain(name: str, code: int = GOTO) -> bytes:
    """Go on in another chain."""
    return _expression("immediate", be32(1, 0), nest(2, nest(2, be32(1, code), text(2, name))))


def leave() -> bytes:
    """Go back to the chain that jumped here."""
    return _expression("immediate", be32(1, 0), nest(2, nest(2, be32(1, RETURN))))


def in_turn(slots: int) -> bytes:
    """0, 1, 2, ... below ``slots``, and again: one step for each packet that comes here."""
    return _expression("numgen", be32(1, 1), be32(2, slots), be32(3, 0), be32(4, 0))


def hashed(length: int, slots: int, seed: int) -> bytes:
    """A number below ``slots`` that is always the same for the bytes in the register HASHED."""
    parts = (
        be32(1, HASHED),
        be32(2, 1),
        be32(3, length),
        be32(4, slots),
        be32(5, seed),
        be32(6, 0),
        be32(7, 0),
    )
    return _expression("hash", *parts)


def hashed_port(address_bytes: int) -> int:
    """The register for a port behind an address in HASHED."""
    return _HASHED_PORT[address_bytes]


def remember(name: str, timeout_ms: int, register: int = KEY) -> bytes:
    """Put the key into a set, or begin its time anew; goes no further when the set is full."""
    return _expression("dynset", text(1, name), be32(3, _UPDATE), be32(4, register), be64(6, timeout_ms))


def count_in(name: str) -> bytes:
    """Count in a counter that has a name."""
    return _expression("objref", be32(1, _COUNTER_OBJECT), text(2, name))


def translate(family: int, address: bytes, port_number: int) -> bytes:
    """DNAT to the address; to the port too when it is not 0."""
    parts = [be32(1, _DNAT), be32(2, _NFPROTO[family]), be32(3, 1)]
    loads = _immediate(1, address)
    if port_number:
        loads += _immediate(2, struct.pack("!H", port_number))
        parts += [be32(5, 2), be32(7, 2)]  # NF_NAT_RANGE_PROTO_SPECIFIED
    return loads + _expression("nat", *parts)


def hand_on(family: int, address: bytes, device: int) -> bytes:
    """Send the packet as it is to the neighbour with this address on the device with this index."""
    loads = _immediate(1, struct.pack("=I", device)) + _immediate(2, address)
    return loads + _expression("fwd", be32(1, 1), be32(2, 2), be32(3, _NFPROTO[family]))


def refuse(family: int) -> bytes:
    """Answer that the port cannot be reached."""
    code = attribute(2, bytes((_PORT_UNREACHABLE[family],)))
    return _expression("reject", be32(1, _UNREACHABLE), code)


def _immediate(register: int, value: bytes) -> bytes:
    return _expression("immediate", be32(1, register), _value(2, value))
