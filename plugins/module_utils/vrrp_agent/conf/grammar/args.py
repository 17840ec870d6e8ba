# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Arguments that many keywords share. Ranges and units are keepalived's own."""

from __future__ import annotations

from typing import Optional, Tuple

from ..words import Arg, Number, Type

UINT32_MAX = 4_294_967_295
INT32_MAX = 2_147_483_647

BOOL = (Arg("BOOL", Type.BOOL, optional=True),)
NAME = Arg("NAME")
IFNAME = Arg("IFNAME", Type.INTERFACE)
ADDRESS = Arg("ADDRESS", Type.ADDRESS)
PATH = Arg("PATH", Type.PATH)
USER = Arg("USER", Type.USER)
HOST = Arg("HOST")
OPTIONAL_USER = Arg("USER", Type.USER, optional=True)
OPTIONAL_GROUP = Arg("GROUP", Type.GROUP, optional=True)
OPTIONAL_PORT = Arg("PORT", Type.PORT, optional=True, minimum=0, maximum=65535)
ACCOUNT = (USER, OPTIONAL_GROUP)
SCRIPT = (Arg("CMD", Type.COMMAND), OPTIONAL_USER, OPTIONAL_GROUP)
"""A command, in double quotes when it has arguments, then the account that runs it."""
FIFO = (PATH, OPTIONAL_USER, OPTIONAL_GROUP)

FAMILY_WORDS = ("inet", "inet6")
TIMER_MAX_S = 4294
"""keepalived counts times as 32-bit microseconds; this is the largest whole number of seconds."""
TIMER_MAX_FRACTION_S = 4294.967295
"""The same limit where fractions of a second are allowed."""


def integer(
    name: str = "N",
    minimum: Optional[Number] = 0,
    maximum: Optional[Number] = UINT32_MAX,
    *,
    unit: str = "",
    optional: bool = False,
    choices: Tuple[str, ...] = (),
) -> Arg:
    """A whole number argument in the given range; ``choices`` are words taken in its place."""
    return Arg(
        name, Type.INTEGER, optional=optional, minimum=minimum, maximum=maximum, unit=unit, choices=choices
    )


def seconds(maximum: int = TIMER_MAX_S, minimum: int = 0) -> Arg:
    """A whole number of seconds."""
    return integer("SECS", minimum, maximum, unit="s")


def timer(minimum: Number = 0, maximum: Number = TIMER_MAX_FRACTION_S, name: str = "SECS") -> Arg:
    """Seconds with an optional fraction, which keepalived keeps to the microsecond."""
    return Arg(name, Type.DECIMAL, minimum=minimum, maximum=maximum, unit="s")


def choice(name: str, *words: str, optional: bool = False, not_yet: Tuple[str, ...] = ()) -> Arg:
    """One of the words."""
    return Arg(name, Type.CHOICE, optional=optional, choices=words, not_yet=not_yet)


def weight(limit: int) -> Arg:
    """A tracker's weight, from -limit to limit."""
    return integer("WEIGHT", -limit, limit)


def name_of(section: str, name: str = "NAME", *, many: bool = False, optional: bool = False) -> Arg:
    """The name of a block of another section."""
    return Arg(name, Type.NAME, refers_to=section, many=many, optional=optional)


REVERSE = choice("SENSE", "reverse", optional=True)
REVERSE_OR_NOT = choice("SENSE", "reverse", "noreverse", optional=True)
FAMILY = choice("FAMILY", *FAMILY_WORDS, optional=True)
LOCK = choice("LOCK", "lock", optional=True)
NUMBER_OR_NAME = Arg("ID", Type.NUMBER_OR_NAME, minimum=0, maximum=UINT32_MAX)
NUMBER_OR_NAME_8 = Arg("ID", Type.NUMBER_OR_NAME, minimum=0, maximum=255)
