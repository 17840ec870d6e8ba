#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a busy backup take over from an active router that lives?

Two agents with 10 ms adverts, and one process for each core that never rests. Every advert of the backup is a
false takeover. Prints the count, and how late adverts and a plain sleeper were.

usage: false_takeover.py [--seconds 300] [--advert-int 0.01] [--busy N] [--engine agent|keepalived]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from pathlib import Path
from typing import List, Type

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / place) for place in (".", "plugins/module_utils")]

from tests.lab import config, program  # noqa: E402
from tests.lab.engines import Agent, Engine, Keepalived  # noqa: E402
from tests.lab.lan import VIP4, Lan  # noqa: E402
from tests.lab.shell import wait_until  # noqa: E402

PROGRESS_S = 30


def burn() -> None:
    """Keep one core busy."""
    while True:
        sum(range(10_000))


def measure(lan: Lan, engine: Type[Engine], advert_int_s: float, seconds: float, busy: int) -> int:
    """Run the pair under load; print what was seen and return the number of false takeovers."""
    active, backup = (
        engine(node, config.file(node, config.instance(priority=priority, advert_int=advert_int_s)))
        for node, priority in ((lan.a, 200), (lan.b, 100))
    )
    active.start()
    wait_until("a to be active", lambda: lan.holders(VIP4) == ("a",), 15)
    backup.start()
    lan.wire.wait_for_adverts("a", 100, since_ns=time.time_ns())
    workers = [multiprocessing.Process(target=burn, daemon=True) for _ in range(busy)]
    for worker in workers:
        worker.start()
    begin_ns = time.time_ns()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(max(0.0, min(PROGRESS_S, end - time.monotonic())))
        print(
            f"{(time.time_ns() - begin_ns) / 1e9:6.0f} s: {takeovers(lan, begin_ns)} false takeovers",
            flush=True,
        )
    for worker in workers:
        worker.terminate()
    report(lan, begin_ns, advert_int_s)
    return takeovers(lan, begin_ns)


def takeovers(lan: Lan, since_ns: int) -> int:
    """Times that b began to send adverts while a was alive: runs of its adverts, not single ones."""
    moments = [one.at_ns for one in lan.wire.adverts("b", since_ns=since_ns)]
    return sum(later - earlier > 1_000_000_000 for earlier, later in zip([0, *moments], moments))


def report(lan: Lan, since_ns: int, advert_int_s: float) -> None:
    """How regular the adverts of a were, and how late a plain sleeper was."""
    moments = [one.at_ns for one in lan.wire.adverts("a", since_ns=since_ns)]
    gaps_ms: List[float] = sorted((later - earlier) / 1e6 for earlier, later in zip(moments, moments[1:]))
    print(
        f"{len(moments)} adverts, apart: median {statistics.median(gaps_ms):.2f} ms, "
        f"99.9 % {gaps_ms[int(len(gaps_ms) * 0.999)]:.2f} ms, most {gaps_ms[-1]:.2f} ms; "
        f"a backup waits {1000 * config.down_interval_s(100, advert_int_s):.2f} ms"
    )
    print(f"a plain sleeper of this program was late by up to {lan.stalls.worst_ms(since_ns):.1f} ms")
    print(f"frames lost by the capture: {lan.wire.lost()}")


def main() -> int:
    """Exit status 1 when there was a false takeover."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--advert-int", type=float, default=0.01, help="seconds (%(default)s)")
    parser.add_argument("--busy", type=int, default=os.cpu_count() or 2, help="busy processes (%(default)s)")
    parser.add_argument("--engine", choices=("agent", "keepalived"), default="agent")
    options = parser.parse_args()
    engine: Type[Engine] = Agent if options.engine == "agent" else Keepalived
    what = program.name() if engine is Agent else "the host's own"
    print(f"{options.engine} ({what}), {options.busy} busy processes")
    with Lan("a", "b") as lan:
        count = measure(lan, engine, options.advert_int, options.seconds, options.busy)
    print(f"false takeovers: {count}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
