# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Authentication of adverts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Tuple


@dataclass(frozen=True)
class HmacKey:
    """One key of auth_hmac. Its secret never shows in ``repr``."""

    id: int
    """1..255, as it stands in the advert."""
    secret: bytes = field(default=b"", repr=False)
    """Empty when it comes from ``file``."""
    file: str = ""
    """``file:PATH``, or ``credential:NAME`` (ours): read when the configuration is applied."""


@dataclass(frozen=True)
class AuthHmac:
    """auth_hmac of one instance."""

    keys: Tuple[HmacKey, ...]
    active_key: int
    time_window_ns: Optional[int] = None
    """None: max(3 * advert_int, 5 s)."""
    anti_replay: str = "time"
    """time or monotonic."""
    mode: str = "enforce"
    """enforce, permissive or receive-only."""
