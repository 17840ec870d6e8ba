#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the start of ``vrrp-agent run`` to its first packet.

An address owner (priority 255) speaks as soon as it runs, so its first advert shows how long the start takes;
the clock starts before the process is made. Prints every run and the median.

usage: start_time.py [--runs 10] [--instances 1] [--limit 0.7]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import List

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / place) for place in (".", "plugins/module_utils")]

from tests.lab import config, program  # noqa: E402
from tests.lab.engines import Agent  # noqa: E402
from tests.lab.lan import Lan  # noqa: E402


def one_start(instances: int) -> float:
    """Seconds from the start of the process to its first advert."""
    with Lan("a") as lan:
        texts = [
            config.instance(
                f"VI_{number}",
                vrid=number,
                priority=255,
                state="MASTER",
                advert_int=1,
                addresses=[f"198.18.0.{number}/32"],
            )
            for number in range(1, instances + 1)
        ]
        agent = Agent(lan.a, config.file(lan.a, *texts))
        started_ns = agent.start()
        first = lan.wire.wait_for_adverts("a", timeout_s=30)[0]
        return (first.at_ns - started_ns) / 1e9


def main() -> int:
    """Exit status 1 when the median is above the limit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--instances", type=int, default=1, help="virtual routers, up to 250 (%(default)s)")
    parser.add_argument("--limit", type=float, default=0.7, help="seconds (%(default)s)")
    options = parser.parse_args()
    print(f"vrrp-agent: {program.name()}, {options.instances} virtual routers")
    seconds: List[float] = []
    for _ in range(options.runs):
        seconds.append(one_start(options.instances))
        print(f"first packet after {seconds[-1]:.3f} s", flush=True)
    median = statistics.median(seconds)
    print(f"median {median:.3f} s, most {max(seconds):.3f} s, limit {options.limit:g} s")
    return 1 if median > options.limit else 0


if __name__ == "__main__":
    sys.exit(main())
