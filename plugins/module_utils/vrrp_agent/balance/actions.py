# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a decision asks for: small values, done in their order by ``worker.py``. Pure."""

from __future__ import annotations

from typing import Dict, Mapping, NamedTuple, Tuple, Union

from ..conf.parts.balancing import RealServer

ServerKey = Tuple[bytes, int]
"""RealServer.key."""


class Entry(NamedTuple):
    """One server that is in the pool of a service."""

    server: RealServer
    weight: int


Pool = Dict[ServerKey, Entry]
"""The servers of a service that the kernel is to know, in the order of the file."""


class SetPool(NamedTuple):
    """The pool is another one than before."""

    pool: Pool


class Tell(NamedTuple):
    """A service or server has come or gone, or one of its checks has another result."""

    kind: str
    """VS or RS, as in loop/events.py."""
    name: str
    event: str
    """UP, DOWN or CHECKED."""
    previous: str
    reason: str
    """For a person."""
    text: str
    """For a mail (words.py); empty when keepalived sends none."""
    servers_up: int
    stopping: bool = False
    quiet: bool = False


class Note(NamedTuple):
    """A line for the log that nobody else is told of."""

    text: str


Action = Union[SetPool, Tell, Note]


class Known(NamedTuple):
    """What has been told of a service before: for a process that takes the place of one that died."""

    up: bool
    servers: Mapping[ServerKey, bool]
