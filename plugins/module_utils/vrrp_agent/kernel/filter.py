# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Assemble classic BPF programs and attach them to sockets (Linux socket(7), SO_ATTACH_FILTER)."""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import Dict, List, Optional, Tuple

_SO_ATTACH_FILTER = 26
_LOAD_HALF_ABSOLUTE = 0x28
_LOAD_BYTE_ABSOLUTE = 0x30
_JUMP_EQUAL = 0x15
_RETURN = 0x06
_ANCILLARY = 0xFFFFF000  # SKF_AD_OFF: loads from here give what the kernel knows beside the bytes
_PROTOCOL, _PACKET_TYPE, _HARDWARE_TYPE = 0, 4, 28
_WHOLE_PACKET = 0x40000

_INSTRUCTION = struct.Struct("@HBBI")


class Program:
    """A classic BPF program under construction: forward jumps go to labels, which assemble() resolves."""

    def __init__(self) -> None:
        # code, constant, label to jump to when true (jumps only)
        self._lines: List[Tuple[int, int, Optional[str]]] = []
        self._labels: Dict[str, int] = {}

    def label(self, name: str) -> None:
        """The place of the next instruction."""
        self._labels[name] = len(self._lines)

    def load_half(self, offset: int) -> None:
        """Two bytes of the packet; a packet that ends before is rejected."""
        self._lines.append((_LOAD_HALF_ABSOLUTE, offset, None))

    def load_byte(self, offset: int) -> None:
        """One byte of the packet; a packet that ends before is rejected."""
        self._lines.append((_LOAD_BYTE_ABSOLUTE, offset, None))

    def load_hardware_type(self) -> None:
        """The interface's ARPHRD number."""
        self._lines.append((_LOAD_HALF_ABSOLUTE, _ANCILLARY + _HARDWARE_TYPE, None))

    def load_ethertype(self) -> None:
        """The EtherType by which the kernel took the packet."""
        self._lines.append((_LOAD_HALF_ABSOLUTE, _ANCILLARY + _PROTOCOL, None))

    def load_packet_type(self) -> None:
        """Whom the frame is for: 0 is this host."""
        self._lines.append((_LOAD_HALF_ABSOLUTE, _ANCILLARY + _PACKET_TYPE, None))

    def jump_if(self, value: int, label: str) -> None:
        """Go on at ``label``, at most 255 instructions further, when what was loaded is ``value``."""
        self._lines.append((_JUMP_EQUAL, value, label))

    def accept(self) -> None:
        self._lines.append((_RETURN, _WHOLE_PACKET, None))

    def reject(self) -> None:
        self._lines.append((_RETURN, 0, None))

    def assemble(self) -> List[Tuple[int, int, int, int]]:
        """The instructions: code, jump if true, jump if false, constant.

        Raises KeyError for a label that is nowhere, ValueError for one too far away.
        """
        result = []
        for at, (code, constant, label) in enumerate(self._lines):
            distance = 0 if label is None else self._labels[label] - at - 1
            if not 0 <= distance <= 255:
                raise ValueError(f"label {label} is {distance} instructions away; 0 to 255 expected")
            result.append((code, distance, 0, constant))
        return result


def attach(sock: socket.socket, program: Program) -> None:
    """Let ``sock`` receive only what ``program`` accepts. Raises OSError when the kernel refuses it."""
    lines = program.assemble()
    code = ctypes.create_string_buffer(b"".join(_INSTRUCTION.pack(*line) for line in lines))
    # struct sock_fprog: a count, and a pointer that the kernel follows during the call.
    request = struct.pack("@HP", len(lines), ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, request)
