# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers that PING_CHECK reads, from a socket that is none."""

from __future__ import annotations

import struct
from typing import List

from vrrp_agent.check.ping import PingProbe
from vrrp_agent.check.probe import Context, Outcome
from vrrp_agent.conf.parts.checks import Connection, PingCheck, Timing, TlsFiles
from vrrp_agent.conf.parts.tracking import ScriptPolicy
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop

ENOUGH = 1000
"""More than any turn may read; then the flood ends, so that a story that fails ends too."""


class Flood:
    """A socket on which answers wait that belong to no try of this probe."""

    def __init__(self) -> None:
        self.reads = 0

    def recv(self, _most: int) -> bytes:
        self.reads += 1
        if self.reads > ENOUGH:
            raise BlockingIOError
        return struct.pack("!BBHHH", 0, 0, 0, 7, 1) + b"no token" * 7


def test_a_flood_of_answers_to_nobody_takes_few_reads_a_turn() -> None:
    said: List[Outcome] = []
    context = Context(Loop(), Log(0), ScriptPolicy(), TlsFiles())
    probe = PingProbe(PingCheck(Timing(), Connection(b"\xc6\x12\0\1", 0)), context, said.append)
    flood = Flood()
    probe._socket, probe._sequence, probe._token = flood, 1, b"12345678"  # type: ignore[assignment]
    probe._readable()
    assert 0 < flood.reads <= 16
    assert said == []
    context.loop.close()
