# SPDX-License-Identifier: GPL-3.0-or-later
"""A loop of its own, a log in a list, and waiting with a deadline."""

from __future__ import annotations

import time
from typing import Callable, List, Tuple

from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop

DEADLINE_S = 15.0


class Lines(Log):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(7)
        self.lines: List[Tuple[int, str]] = []

    def write(self, level: int, text: str) -> None:
        self.lines.append((level, text))

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(text for _level, text in self.lines)


def until(loop: Loop, condition: Callable[[], object], what: str = "it") -> None:
    """Turn the loop until the condition holds."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        loop.turn(0.02)
