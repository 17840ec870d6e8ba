# SPDX-License-Identifier: GPL-3.0-or-later
"""How late this machine wakes a sleeper up, measured while a test runs.

A limit in milliseconds means little on a busy machine. Tests add to their limit what a plain sleeper was
late by at the same time, and so stay sharp where the machine is quiet.
"""

from __future__ import annotations

import threading
import time
from typing import List, Tuple

NAP_S = 0.002
WORTH_KEEPING_S = 0.001


class Stalls:
    """A thread that naps and keeps the naps that were too long."""

    def __init__(self) -> None:
        self._late: List[Tuple[int, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stalls", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.is_set():
            before = time.perf_counter()
            time.sleep(NAP_S)
            late_s = time.perf_counter() - before - NAP_S
            if late_s > WORTH_KEEPING_S:
                self._late.append((time.time_ns(), late_s))

    def worst_ms(self, since_ns: int = 0) -> float:
        """The longest stall that ended since ``since_ns``, in milliseconds."""
        return 1000 * max((late_s for at_ns, late_s in list(self._late) if at_ns >= since_ns), default=0.0)

    def close(self) -> None:
        """Stop napping."""
        self._stop.set()
        self._thread.join(1)
