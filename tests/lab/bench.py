# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench of the requirements: tester T and device under test D on one LAN, and how to judge a time.

D runs the agent with one instance; T speaks VRRP by hand. Times are judged against formulas: an event may be
``EARLY_MS`` early, and late by ``LATE_MS`` plus twice what a plain sleeper was late by at the same time.
"""

from __future__ import annotations

import datetime
import re
import time
from typing import Any, Callable, Dict, List, Optional

from . import config
from .capture import SeenAdvert
from .engines import Agent
from .lan import Lan
from .shell import wait_until
from .tester import Tester

EARLY_MS = 1.0
LATE_MS = 12.0
LOG_MS = 20.0
"""How much later than an event its line in the log may be, where the line is the only sign of it."""
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) ", re.MULTILINE)

NO_BURST_LATER = ("garp_master_delay 0", "garp_lower_prio_repeat 0")
"""Words of an instance that keep announcements out of a test about adverts."""


class Bench:
    """T and D. The keywords after ``family`` are those of config.instance."""

    def __init__(self, lan: Lan, *, family: int = 4, global_lines: config.Lines = (), **words: Any) -> None:
        self.lan, self.wire, self.d, self.t = lan, lan.wire, lan.d, lan.t
        self.family = family
        self.words: Dict[str, Any] = {"advert_int": 0.1, "priority": 100, "version": 3, **words}
        self.global_lines = global_lines
        self.agent = Agent(self.d, self.config())
        self.tester = Tester(
            self.t, family=family, version=self.words["version"], interval_s=self.words["advert_int"]
        )
        self.addresses = [line.split("/")[0] for line in config.virtual_addresses(family)]

    def config(self, *more: str, **changed: Any) -> str:
        """The text of D's file: the instance, with some words changed, and ``more`` blocks."""
        text = config.instance(family=self.family, **{**self.words, **changed})
        return config.file(self.d, text, *more, global_lines=self.global_lines)

    @property
    def advert_int_s(self) -> float:
        """D's advert interval in seconds."""
        return float(self.words["advert_int"])

    @property
    def down_s(self) -> float:
        """D's Active_Down_Interval in seconds, as long as it has learned no other interval."""
        return config.down_interval_s(self.words["priority"], self.advert_int_s, self.words["version"])

    def start(self) -> int:
        """Start the agent and wait until it takes part; return when it began to, by its log."""
        self.agent.start()
        return self.log_time(r"init -> \w+")

    def start_active(self) -> SeenAdvert:
        """Start the agent and wait for its first advert."""
        self.agent.start()
        return self.wire.wait_for_adverts("d", timeout_s=self.down_s + 10)[0]

    def log_time(self, pattern: str, number: int = 0, timeout_s: float = 10) -> int:
        """When the log said so, in nanoseconds (the log has milliseconds)."""

        def found() -> Optional[str]:
            lines = [line for line in self.agent.log().splitlines() if re.search(pattern, line)]
            return lines[number] if len(lines) > number else None

        line = wait_until(f"{pattern!r} in the log of d", found, timeout_s, 0.01)
        stamp = _STAMP.match(line or "")
        assert stamp is not None, f"no time in the log line {line!r}"
        moment = datetime.datetime.strptime(stamp.group(1), "%Y-%m-%d %H:%M:%S.%f")
        return round(moment.timestamp() * 1000) * 1_000_000

    def next_advert(self, since_ns: int, timeout_s: float = 10) -> SeenAdvert:
        """D's first advert after ``since_ns``."""
        return self.wire.wait_for_adverts("d", since_ns=since_ns, timeout_s=timeout_s)[0]

    def takes_over_after(self, since_ns: int, expected_s: float, early_ms: float = EARLY_MS) -> SeenAdvert:
        """D's first advert after ``since_ns`` comes ``expected_s`` later; return it."""
        seen = self.next_advert(since_ns + 1, timeout_s=expected_s + 5)
        self.is_on_time("the takeover", seen.at_ns - since_ns, expected_s, since_ns, early_ms)
        return seen

    def is_on_time(
        self, what: str, measured_ns: int, expected_s: float, since_ns: int, early_ms: float = EARLY_MS
    ) -> None:
        """Judge a measured time against a formula."""
        off_ms = measured_ns / 1e6 - expected_s * 1000
        stall_ms = self.lan.stalls.worst_ms(since_ns)
        late_ms = LATE_MS + 2 * stall_ms
        text = f"{what} came after {measured_ns / 1e6:.2f} ms, {expected_s * 1000:.2f} ms expected"
        limits = f"-{early_ms:g} to +{late_ms:.1f} ms allowed, worst stall of the machine {stall_ms:.1f} ms"
        print(f"{text} ({off_ms:+.2f} ms)")  # pytest -rP shows how near the limits are
        assert -early_ms <= off_ms <= late_ms, f"{text} ({off_ms:+.2f} ms; {limits})"

    def last_advert_of_t(self) -> int:
        """When T's last advert was on the wire, in nanoseconds."""
        return self.wire.adverts("t")[-1].at_ns

    def stays_active(self, during_s: float, since_ns: Optional[int] = None) -> List[SeenAdvert]:
        """For a while D sends its adverts steadily; return them. AssertionError when one is missing."""
        begin_ns = time.time_ns() if since_ns is None else since_ns
        wait_until("time to pass", lambda: time.time_ns() >= begin_ns + during_s * 1e9, during_s + 1)
        seen = [
            one for one in self.wire.adverts("d", since_ns=begin_ns) if one.at_ns < begin_ns + during_s * 1e9
        ]
        spacing_ms = [(b.at_ns - a.at_ns) / 1e6 for a, b in zip(seen, seen[1:])]
        limit_ms = self.advert_int_s * 1000 + LATE_MS + 2 * self.lan.stalls.worst_ms(begin_ns)
        assert len(seen) >= int(during_s / self.advert_int_s) - 1, f"{len(seen)} adverts in {during_s} s"
        assert max(spacing_ms, default=0) <= limit_ms, f"adverts {max(spacing_ms):.1f} ms apart: {spacing_ms}"
        return seen

    def discards(self) -> Dict[str, int]:
        """All discard counters: those of the instance and those of the interface, added."""
        status = self.agent.status()
        total: Dict[str, int] = {}
        counted = [one["counters"]["discards"] for one in status["instances"]]
        counted += [one["discards"] for one in status["interfaces"]]
        for one in counted:
            for reason, number in one.items():
                total[reason] = total.get(reason, 0) + number
        return total

    def wait_for_counters(self, condition: Callable[[Dict[str, Any]], bool], what: str) -> Dict[str, Any]:
        """The instance's counters once they satisfy ``condition``."""

        def found() -> Optional[Dict[str, Any]]:
            counters: Dict[str, Any] = self.agent.instance()["counters"]
            return counters if condition(counters) else None

        counters = wait_until(what, found, 5)
        assert counters is not None
        return counters
