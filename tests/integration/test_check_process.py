# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that checks: what outlives it and the agent, what the file says of it, what it can bear."""

from __future__ import annotations

import os
import re
import resource
import signal
import time
from pathlib import Path
from typing import List

from vrrp_agent.kernel.process import RLIMIT_RTTIME

from tests.lab import config
from tests.lab.engines import Agent
from tests.lab.lan import Lan
from tests.lab.plugin import MakeLan
from tests.lab.services import (
    PACE,
    SOON_S,
    Listener,
    asked,
    check,
    checking_pid,
    director,
    known,
    real_server,
    service,
    tcp,
    virtual_server,
)
from tests.lab.shell import wait_until

LATE_MS = 15.0


def test_a_killed_process_is_followed_by_one_that_knows_what_it_knew(make_lan: MakeLan) -> None:
    lan = make_lan("d", "s")
    dead = "198.51.100.99"
    agent = director(
        lan,
        virtual_server(
            real_server(lan.s.ipv4, tcp("connect_port 8001")),
            real_server(dead, config.block("TCP_CHECK", ["connect_timeout 0.2", "retry 0"])),
            lines=PACE,
        ),
    )
    with Listener(lan.s, 8001):
        agent.start()
        known(agent, lan.s.ipv4, "good")
        known(agent, dead, "bad")
        first = agent.status()["balancing"]["check_pid"]
        os.kill(first, signal.SIGKILL)
        killed_ns = time.time_ns()
        wait_until("another process", lambda: checking_pid(agent) not in (0, first), SOON_S)
        wait_until("tries", lambda: len(asked(lan.wire, lan.d, port=8001, since_ns=killed_ns)) > 2, SOON_S)
        assert check(agent, dead)["state"] == "bad"
        after = agent.log()[agent.log().index("has died") :]
        assert ": good" not in after
        assert ": bad" not in after
    known(agent, lan.s.ipv4, "bad", why="refused")
    agent.stop()
    assert not (agent.runtime / "checks").exists()


def test_a_killed_agent_is_followed_by_one_that_leaves_dead_servers_out(make_lan: MakeLan) -> None:
    lan = make_lan("d", "s")
    dead = "198.51.100.99"
    lines = ("delay_loop 30", "warmup 1")
    slow = real_server(dead, config.block("TCP_CHECK", ["connect_timeout 0.3", "retry 0"]))
    agent = director(
        lan, virtual_server(real_server(lan.s.ipv4, tcp("connect_port 8001")), slow, lines=lines)
    )
    with Listener(lan.s, 8001):
        agent.start()
        known(agent, dead, "bad")
        known(agent, lan.s.ipv4, "good")
        notes = agent.runtime / "checks"
        wait_until("notes", lambda: notes.exists() and '"connected"' in notes.read_text(), SOON_S)
        wait_until("notes of the dead one", lambda: "timed out" in notes.read_text(), SOON_S)
        agent.kill()
        again = Agent(lan.d, agent.config, runtime=agent.runtime)
        again.start()
        known(again, dead, "bad", why="timed out")
        names = {one["name"]: one["state"] for one in service(again)["servers"]}
        assert names == {f"[{lan.s.ipv4}]:tcp:80": "up", f"[{dead}]:tcp:80": "down"}
        assert f"real server [{dead}]" not in again.log()
        assert "2 results of checks are known already, 1 of them bad" in again.log()
        again.stop()
        last = Agent(lan.d, agent.config.replace("warmup 1", "warmup 9"), runtime=agent.runtime)
        last.start()
        last.wait_for_log("VI_1: init ->")
        assert "are known already" not in last.log(), "after an orderly end there is nothing to go on with"
        last.stop()


def test_the_process_that_checks_is_what_the_file_says(make_lan: MakeLan) -> None:
    lan = make_lan("d", "s")
    words = (
        "checker_process_name probing",
        "checker_priority 7",
        "checker_cpu_affinity 0",
        "checker_no_swap",
    )
    agent = director(
        lan, virtual_server(real_server(lan.s.ipv4, tcp("connect_port 8001")), lines=PACE), global_lines=words
    )
    agent.start()
    known(agent, lan.s.ipv4, "bad")
    pid = checking_pid(agent)
    stat = Path(f"/proc/{pid}/stat").read_text()
    assert Path(f"/proc/{pid}/comm").read_text().strip() == "probing"
    assert int(stat.rpartition(")")[2].split()[16]) == 7
    assert os.sched_getaffinity(pid) == {0}
    locked = re.search(r"VmLck:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert locked is not None
    assert int(locked.group(1)) > 0
    text = agent.config
    for word in words:
        text = text.replace(word, "")
    agent.reload(text)
    wait_until(
        "the usual name", lambda: Path(f"/proc/{pid}/comm").read_text().strip() == "vrrp-check", SOON_S
    )
    assert os.sched_getaffinity(pid) == set(range(os.cpu_count() or 1))
    assert checking_pid(agent) == pid
    agent.stop()


def test_real_time_that_lasts_too_long_costs_the_priority_and_not_the_process(make_lan: MakeLan) -> None:
    lan = make_lan("d", "s")
    words = ("checker_rt_priority 3", "checker_rlimit_rttime 500000")
    agent = director(
        lan, virtual_server(real_server(lan.s.ipv4, tcp("connect_port 8001")), lines=PACE), global_lines=words
    )
    agent.start()
    known(agent, lan.s.ipv4, "bad")
    pid = checking_pid(agent)
    if "no real-time priority (checker_rt_priority)" not in agent.log():
        assert os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR
        assert os.sched_getparam(pid).sched_priority == 3
        assert resource.prlimit(pid, RLIMIT_RTTIME)[0] == 500000
    os.kill(pid, signal.SIGXCPU)
    agent.wait_for_log("longer in real time than checker_rlimit_rttime allows")
    assert os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK == os.SCHED_OTHER
    with Listener(lan.s, 8001):
        known(agent, lan.s.ipv4, "good")
    assert checking_pid(agent) == pid
    agent.stop()


def last_words(agent: Agent) -> List[str]:
    """What the log says last of each check: good or bad."""
    return list(dict(re.findall(r"TCP_CHECK of (\S+) of \S+: (good|bad)", agent.log())).values())


def busiest(lan: Lan, since_ns: int, round_s: float) -> int:
    """The tries in the busiest tenth of the round that begins here."""
    tenth_ns = int(round_s * 1e8)
    moments = [one.at_ns for one in asked(lan.wire, lan.d, port=80, since_ns=since_ns)]
    return max(sum(0 <= at_ns - since_ns - n * tenth_ns < tenth_ns for at_ns in moments) for n in range(10))


def test_three_hundred_checks_hold_up_no_advert(make_lan: MakeLan) -> None:
    lan = make_lan("d", "s")
    count, round_s = 300, 0.5
    addresses = [f"198.18.{number // 100}.{number % 100 + 1}" for number in range(count)]
    lan.d.ip("route", "add", "198.18.0.0/16", "via", lan.s.ipv4)
    lan.s.ip("route", "add", "local", "198.18.0.0/16", "dev", "lo")
    lines = (f"delay_loop {round_s}", f"warmup {round_s}")
    agent = director(lan, virtual_server(*(real_server(one, tcp()) for one in addresses), lines=lines))
    with Listener(lan.s, 80, "0.0.0.0"):
        agent.start()
        wait_until("all to be good", lambda: last_words(agent).count("good") == count, 30, 0.2)
        begin_ns = time.time_ns()
        wait_until(
            "some rounds", lambda: len(asked(lan.wire, lan.d, port=80, since_ns=begin_ns)) > 5 * count, 30
        )
        os.kill(checking_pid(agent), signal.SIGSTOP)
        time.sleep(2 * round_s)  # long enough that every check is overdue
        os.kill(checking_pid(agent), signal.SIGCONT)
        going_ns = time.time_ns()
        wait_until(
            "some rounds", lambda: len(asked(lan.wire, lan.d, port=80, since_ns=going_ns)) > 4 * count, 30
        )
    wait_until("all to be bad", lambda: last_words(agent).count("bad") == count, 30, 0.2)
    end_ns = time.time_ns()
    adverts = lan.wire.adverts("d", since_ns=begin_ns, until_ns=end_ns)
    gaps_ms = [(later.at_ns - earlier.at_ns) / 1e6 for earlier, later in zip(adverts, adverts[1:])]
    allowed_ms = 100 + LATE_MS + 2 * lan.stalls.worst_ms(begin_ns)
    assert max(gaps_ms) < allowed_ms, (
        f"an advert came {max(gaps_ms):.1f} ms after the last, {allowed_ms:.1f} allowed"
    )
    for since_ns in (begin_ns, going_ns):
        shares = [busiest(lan, since_ns + int(n * round_s * 1e9), round_s) / count for n in range(1, 4)]
        assert min(shares) < 0.3, f"the busiest tenth of each round: {shares}"
    agent.stop()
