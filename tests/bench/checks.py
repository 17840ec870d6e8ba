#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a thousand checks a second cost, and whether adverts notice.

A director with one virtual router and many real servers behind virtual servers, each with a TCP_CHECK once a
second; another node answers for all of them. Prints the CPU time of the process that checks and of the agent,
the gaps between adverts while all is quiet, over a reload, and while all servers die and come back at once;
and how evenly tries are spread. ``--engine keepalived`` lets keepalived's checker do the same.

usage: checks.py [--servers 1000] [--each 20] [--seconds 20] [--round 1] [--advert-int 0.1]
                 [--engine agent|keepalived]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import time
from pathlib import Path
from typing import List, Tuple

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / place) for place in (".", "plugins/module_utils")]

from tests.lab import config, program  # noqa: E402
from tests.lab.engines import Agent, Engine, Keepalived, family_of  # noqa: E402
from tests.lab.lan import Lan  # noqa: E402
from tests.lab.services import Listener, asked, real_server, virtual_server  # noqa: E402
from tests.lab.shell import wait_until  # noqa: E402

_TICKS = os.sysconf("SC_CLK_TCK")
_PARTS = 20
"""A round is cut into so many, to see how evenly tries are spread."""


class Checker(Keepalived):
    """keepalived's checker alone: it knows no virtual routers then."""

    def argv(self) -> List[str]:
        """Its command line."""
        return [word if word != "-P" else "-C" for word in super().argv()]


def cpu_s(pid: int) -> float:
    """CPU time that a process has used."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


def memory_mib(pid: int) -> float:
    """Its resident memory, without what it shares with others."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_")) / 1024


class Measuring:
    """The director at work. The capture of the whole LAN is ended where tries need not be seen."""

    def __init__(self, lan: Lan, engine: Engine, options: argparse.Namespace) -> None:
        self.lan, self.engine, self.options = lan, engine, options

    def processes(self) -> List[Tuple[str, int]]:
        """The processes that are measured, each with a name."""
        if isinstance(self.engine, Agent):
            about = self.engine.status()["balancing"]
            return [("check", about["check_pid"]), ("agent", self.engine.pid), ("balance", about["pid"])]
        return [(Path(f"/proc/{one}/comm").read_text().strip(), one) for one in family_of(self.engine.pid)]

    def wait_until_asked(self, times: int) -> None:
        """Let every server be asked so often, about."""
        since_ns = time.time_ns()
        wanted = times * self.options.servers
        wait_until(
            "tries",
            lambda: len(asked(self.lan.wire, self.lan.d, port=80, since_ns=since_ns)) > wanted,
            120,
            1,
        )

    def quiet(self) -> None:
        """CPU time and spread while nothing changes."""
        seconds = self.options.seconds
        before = [(name, pid, cpu_s(pid)) for name, pid in self.processes()]
        begin_ns = time.time_ns()
        time.sleep(seconds)
        took_s = (time.time_ns() - begin_ns) / 1e9
        for name, pid, used in before:
            share = 100 * (cpu_s(pid) - used) / took_s
            print(f"{name}: {share:.1f} % of a core, {memory_mib(pid):.0f} MiB of its own")
        moments = [one.at_ns for one in asked(self.lan.wire, self.lan.d, port=80, since_ns=begin_ns)]
        round_ns = int(self.options.round * 1e9)
        parts = [0] * _PARTS
        for at_ns in moments:
            parts[at_ns % round_ns * _PARTS // round_ns] += 1
        fair = len(moments) / _PARTS
        print(
            f"{len(moments) / took_s:.0f} tries a second; of a round, the busiest twentieth has "
            f"{max(parts) / fair:.2f} times its share, the quietest {min(parts) / fair:.2f}"
        )
        self.gaps("quiet", begin_ns)

    def gaps(self, what: str, since_ns: int) -> None:
        """How regular adverts were."""
        moments = [one.at_ns for one in self.lan.wire.adverts("d", since_ns=since_ns)]
        gaps_ms = sorted((later - earlier) / 1e6 for earlier, later in zip(moments, moments[1:]))
        if gaps_ms:
            print(
                f"adverts, {what}: median gap {statistics.median(gaps_ms):.2f} ms, most {gaps_ms[-1]:.2f} ms "
                f"(a plain sleeper was late by up to {self.lan.stalls.worst_ms(since_ns):.1f} ms)"
            )


def file_of(lan: Lan, options: argparse.Namespace, more: str = "") -> str:
    """The director's file."""
    check = config.block("TCP_CHECK", ["connect_timeout 1", "retry 1", "delay_before_retry 0.2"])
    servers = [
        real_server(f"198.18.{number // 200}.{number % 200 + 1}", check) for number in range(options.servers)
    ]
    lines = [f"delay_loop {options.round:g}", f"warmup {options.round:g}", *([more] if more else [])]
    parts = [
        virtual_server(*servers[first : first + options.each], port=1000 + first, lines=lines)
        for first in range(0, options.servers, options.each)
    ]
    if options.engine == "agent":
        parts.insert(0, config.instance(advert_int=options.advert_int))
    return config.file(lan.d, *parts)


def wait_until_said(engine: Engine, word: str, times: int) -> None:
    """Wait until the log has a word so often."""
    wait_until(f"{times} times {word!r} in the log", lambda: engine.log().count(word) >= times, 60)


def story(lan: Lan, options: argparse.Namespace) -> None:
    """Quiet, a reload, all servers gone, all of them back."""
    lan.d.ip("route", "add", "198.18.0.0/16", "via", lan.s.ipv4)
    lan.s.ip("route", "add", "local", "198.18.0.0/16", "dev", "lo")
    make = Agent if options.engine == "agent" else Checker
    engine = make(lan.d, file_of(lan, options))
    listener = Listener(lan.s, 80, "0.0.0.0")
    listener.open()
    engine.start()
    measuring = Measuring(lan, engine, options)
    measuring.wait_until_asked(2)
    measuring.quiet()
    if isinstance(engine, Agent):
        begin_ns = engine.reload(file_of(lan, options, "quorum 2"))
        time.sleep(3)
        measuring.gaps("reload", begin_ns)
        for what, change, word in (
            ("all servers die", listener.close, ": bad after"),
            ("all come back", listener.open, ": good (connected)"),
        ):
            wanted, begin_ns = engine.log().count(word) + options.servers, time.time_ns()
            change()
            wait_until_said(engine, word, wanted)
            time.sleep(2)
            measuring.gaps(what, begin_ns)
    print(f"frames lost by the capture: {lan.wire.lost()}")
    engine.stop(30)
    listener.close()


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--servers", type=int, default=1000, help="up to 50000 (%(default)s)")
    parser.add_argument("--each", type=int, default=20, help="servers of a virtual server (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--round", type=float, default=1, help="delay_loop in seconds (%(default)s)")
    parser.add_argument("--advert-int", type=float, default=0.1, help="seconds (%(default)s)")
    parser.add_argument("--engine", choices=("agent", "keepalived"), default="agent")
    options = parser.parse_args()
    what = program.name() if options.engine == "agent" else "the host's own"
    print(f"{options.engine} ({what}), {options.servers} checks, each every {options.round:g} s")
    with Lan("d", "s") as lan:
        story(lan, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
