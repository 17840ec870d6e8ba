# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The number in a tracked file, as keepalived reads it. Pure."""

from __future__ import annotations

import re
from typing import Optional

MOST_BYTES = 127
"""keepalived looks no further than this."""
_LOWEST, _HIGHEST = -(1 << 31), 1 << 31
_NUMBER = re.compile(rb"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")


def number_in(data: bytes) -> Optional[int]:
    """The number that the text begins with: decimal, 0x... or 0 and octal digits; 0 when there is none.

    None for a number that has no place in 32 bits: keepalived leaves everything as it was then.
    """
    match = _NUMBER.match(data[:MOST_BYTES])
    if match is None:
        return 0
    digits = match.group(2)
    base = 16 if digits[:2].lower() == b"0x" else 8 if digits.startswith(b"0") else 10
    value = int(digits, base)
    if match.group(1) == b"-":
        value = -value
    return value if _LOWEST <= value <= _HIGHEST else None
