# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance watches besides interfaces: scripts, files and processes, and what they do to it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import pytest

from tests.lab import config
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.engines import Agent
from tests.lab.lan import VIP4
from tests.lab.plugin import MakeBench, MakeLan
from tests.lab.shell import stays, wait_until

SOON_S = 15
"""A generous time for something that should happen within a second; the machine may be busy."""
INTERVAL_S = 0.1


@pytest.fixture(name="place")
def make_place() -> Iterator[Path]:
    """A directory that only root can change, as scripts should have it."""
    path = Path("/opt") / f"vrrp-story-{os.getpid()}"
    path.mkdir(mode=0o755)
    yield path
    for folder, folders, files in os.walk(path, topdown=False):
        for name in files:
            (Path(folder) / name).unlink()
        for name in folders:
            entry = Path(folder) / name
            entry.unlink() if entry.is_symlink() else entry.rmdir()
    path.rmdir()


class Check:
    """A check script that does what its file says: an exit code, or a command."""

    def __init__(self, place: Path, name: str = "check", body: str = "") -> None:
        self.path = place / name
        self.answer = place / f"{name}.answer"
        self.say(0)
        self.path.write_text("#!/bin/sh\n" + (body or f"exit $(cat {self.answer})\n"))
        self.path.chmod(0o755)

    def say(self, code: int) -> None:
        """The exit code from now on."""
        part = self.answer.with_suffix(".part")
        part.write_text(f"{code}\n")
        part.rename(self.answer)

    def block(self, *words: str, name: str = "chk") -> str:
        """The vrrp_script. Without a word about it, a machine that is busy for a moment is no time-out."""
        patient = [] if any(word.startswith("timeout") for word in words) else ["timeout 5"]
        lines = [f'script "{self.path}"', f"interval {INTERVAL_S}", *patient, *words]
        return config.block(f"vrrp_script {name}", lines)


SECURE = ("script_user root", "enable_script_security")


def start(bench: Bench, *blocks: str) -> Agent:
    """Start the agent with more blocks in its file."""
    bench.agent.write(bench.config(*blocks))
    bench.agent.start()
    return bench.agent


def tracker(agent: Agent, name: str) -> Dict[str, Any]:
    """What status says of one thing that is watched."""
    found = [one for one in agent.status()["trackers"] if one["name"] == name]
    assert len(found) == 1, f"{name} is {len(found)} times in {agent.status()['trackers']}"
    return dict(found[0])


def wait_for_priority(agent: Agent, priority: int) -> None:
    wait_until(f"priority {priority}", lambda: agent.instance()["effective_priority"] == priority, SOON_S)


def track_pid(agent: Agent) -> Optional[int]:
    """The process that watches."""
    for entry in Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split():
        if Path(f"/proc/{entry}/comm").read_text().strip() == "vrrp-track":
            return int(entry)
    return None


# Scripts.


def test_a_script_that_fails_means_fault_and_one_that_recovers_ends_it(
    make_bench: MakeBench, place: Path
) -> None:
    check = Check(place)
    bench = make_bench(lines=[config.block("track_script", ["chk"]), *NO_BURST_LATER], global_lines=SECURE)
    agent = start(bench, check.block())
    agent.wait_for_state("active")
    assert "fault" not in agent.log(), "a script that has not run yet is no reason to say FAULT"
    said_ns = time.time_ns()
    check.say(3)
    bench.wire.wait_for_adverts("d", since_ns=said_ns, priority=0, timeout_s=SOON_S)
    agent.wait_for_state("fault")
    assert agent.instance()["faults"] == ["script chk failed: exit 3"]
    assert bench.d.holds_none(VIP4)
    check.say(0)
    agent.wait_for_state("active")
    wait_until("the address", lambda: bench.d.holds(VIP4), SOON_S)
    seen = tracker(agent, "chk")
    assert (seen["state"], seen["kind"]) == ("good", "script")


def test_an_instance_does_not_begin_before_its_script_has_run(make_bench: MakeBench, place: Path) -> None:
    go = place / "go"
    check = Check(place, body=f"while [ ! -e {go} ]; do sleep 0.05; done\n")
    bench = make_bench(lines=config.block("track_script", ["chk"]), global_lines=SECURE)
    agent = start(bench, check.block("timeout 60"))
    agent.wait_for_log("VI_1: not begun yet: script chk has not run yet")
    assert agent.instance()["waiting"] == ["script chk has not run yet"]
    stays("nothing to be sent", lambda: not bench.wire.adverts("d"), bench.down_s * 3)
    assert agent.instance()["state"] == "init"
    go.touch()
    agent.wait_for_state("active")


def test_a_reload_without_the_script_ends_the_waiting(make_bench: MakeBench, place: Path) -> None:
    check = Check(place, body="sleep 1000\n")
    bench = make_bench(lines=config.block("track_script", ["chk"]), global_lines=SECURE)
    agent = start(bench, check.block("timeout 1000"))
    agent.wait_for_log("not begun yet")
    agent.reload(agent.config.replace("priority 100", "priority 110"))
    agent.wait_for_log("settings changed")
    assert agent.state() == "init"
    agent.reload(bench.config(lines=()))
    agent.wait_for_state("active")


def test_another_command_is_taken_for_the_old_one_until_it_has_run(
    make_bench: MakeBench, place: Path
) -> None:
    go = place / "go"
    old = Check(place)
    new = Check(place, "new", body=f"while [ ! -e {go} ]; do sleep 0.05; done\n")
    old.say(1)
    bench = make_bench(lines=config.block("track_script", ["chk"]), global_lines=SECURE)
    agent = start(bench, old.block("timeout 60"))
    agent.wait_for_state("fault")
    agent.reload(agent.config.replace(str(old.path), str(new.path)))
    agent.wait_for_log("reloaded")
    stays("the fault", lambda: agent.state() == "fault", 1)
    go.touch()
    agent.wait_for_state("active")


def test_a_script_that_fails_from_the_start_leads_to_fault(make_bench: MakeBench, place: Path) -> None:
    check = Check(place)
    check.say(1)
    bench = make_bench(lines=config.block("track_script", ["chk"]), global_lines=SECURE)
    agent = start(bench, check.block("rise 2", "fall 5"))
    agent.wait_for_state("fault")
    assert "init -> fault: script chk failed: exit 1" in agent.log()


def test_weights_of_scripts_add_up(make_bench: MakeBench, place: Path) -> None:
    one, two = Check(place, "one"), Check(place, "two")
    lines = [
        config.block("track_script", ["one", "two weight -30", "three weight 7 reverse"]),
        *NO_BURST_LATER,
    ]
    bench = make_bench(lines=lines, global_lines=SECURE)
    agent = start(
        bench,
        one.block("weight 20", name="one"),
        two.block(name="two"),
        two.block(name="three"),
    )
    agent.wait_for_state("active")
    wait_for_priority(agent, 100 + 20 - 7)
    assert agent.instance()["priority_parts"] == [
        {"from": "base", "change": 100},
        {"from": "script one", "change": 20},
        {"from": "script three", "change": -7},
    ]
    since_ns = time.time_ns()
    two.say(1)
    bench.wire.wait_for_adverts("d", since_ns=since_ns, priority=100 + 20 - 30, timeout_s=SOON_S)
    one.say(1)
    bench.wire.wait_for_adverts("d", since_ns=since_ns, priority=100 - 30, timeout_s=SOON_S)
    assert agent.state() == "active"


def test_rise_and_fall_count_runs(make_bench: MakeBench, place: Path) -> None:
    count = place / "count"
    check = Check(place, body=f"echo >> {count}; exit $(cat {place}/check.answer)\n")
    bench = make_bench(lines=config.block("track_script", ["chk"]), global_lines=SECURE)
    agent = start(bench, check.block("fall 4", "rise 3"))
    agent.wait_for_state("active")
    check.say(1)
    before = len(count.read_text())
    agent.wait_for_state("fault")
    assert len(count.read_text()) - before >= 3, "four bad runs, of which one may have begun before"
    check.say(0)
    before = len(count.read_text())
    wait_until("recovery", lambda: agent.state() != "fault", SOON_S)
    assert len(count.read_text()) - before >= 2


def test_a_script_that_hangs_is_ended_and_counts_as_failed(make_bench: MakeBench, place: Path) -> None:
    note = place / "child"
    child = f"sh -c 'echo $$ > {note}; sleep 1000' &"
    body = f"[ -e {place}/hang ] || exit 0\ntrap '' TERM\n{child}\nwait\nsleep 1000\n"
    check = Check(place, body=body)
    bench = make_bench(lines=config.block("track_script", ["chk"]), global_lines=SECURE)
    agent = start(bench, check.block("timeout 0.3"))
    agent.wait_for_state("active")
    (place / "hang").touch()
    agent.wait_for_state("fault", timeout_s=SOON_S)
    assert agent.instance()["faults"] == ["script chk failed: timed out after 0.3 s"]
    started = int(note.read_text())
    (place / "hang").unlink()
    wait_until("what the script started to be gone", lambda: not alive(started), SOON_S)
    agent.wait_for_state("active")
    assert "still runs: this turn is skipped" in agent.log()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_megabyte_of_output_and_many_children_disturb_nothing(make_bench: MakeBench, place: Path) -> None:
    body = (
        "head -c 1000000 /dev/zero\nhead -c 1000000 /dev/zero >&2\nfor n in 1 2 3 4; do sleep 0.01 & done\n"
    )
    check = Check(place, body=body)
    bench = make_bench(lines=config.block("track_script", ["chk"]), global_lines=SECURE)
    agent = start(bench, check.block("timeout 30"))
    agent.wait_for_state("active")
    stays("the script to be good", lambda: agent.state() == "active", 1)
    assert tracker(agent, "chk")["state"] == "good"


def test_scripts_run_as_the_user_they_name(make_bench: MakeBench, place: Path) -> None:
    open_place = place / "open"
    open_place.mkdir()
    open_place.chmod(0o777)
    # Moved into place: the next run must not be seen half done.
    check = Check(place, body=f"id -un > {open_place}/$1.new; mv {open_place}/$1.new {open_place}/$1\n")
    script = [f'script "{check.path} own"', "interval 0.1", "user nobody"]
    bench = make_bench(
        lines=config.block("track_script", ["own", "usual"]), global_lines=["script_user daemon"]
    )
    agent = start(
        bench,
        config.block("vrrp_script own", script),
        config.block("vrrp_script usual", [f'script "{check.path} usual"', "interval 0.1"]),
    )
    agent.wait_for_state("active")
    assert (open_place / "own").read_text() == "nobody\n"
    assert (open_place / "usual").read_text() == "daemon\n"


@pytest.mark.parametrize("secure", [True, False])
def test_what_others_can_change_is_not_run_as_root(make_bench: MakeBench, place: Path, secure: bool) -> None:
    """keepalived: such a script is disabled, and nothing depends on it; without security it runs."""
    check = Check(place)
    check.say(1)
    check.path.chmod(0o757)
    lines = SECURE if secure else SECURE[:1]
    bench = make_bench(lines=config.block("track_script", ["chk"]), global_lines=lines)
    agent = start(bench, check.block())
    agent.wait_for_state("active" if secure else "fault")
    seen = tracker(agent, "chk")
    assert seen["state"] == ("disabled" if secure else "bad")
    assert "everybody may write to" in agent.log()
    if secure:
        assert "everybody may write to" in seen["last"]
        check.path.chmod(0o755)
        agent.reload()
        agent.wait_for_state("fault")


def test_a_script_that_is_not_there_does_not_count_until_a_reload_finds_it(
    make_bench: MakeBench, place: Path
) -> None:
    missing = f'script "{place}/later"'
    bench = make_bench(lines=config.block("track_script", ["chk"]), global_lines=SECURE)
    agent = start(bench, config.block("vrrp_script chk", [missing, "interval 0.1"]))
    agent.wait_for_state("active")
    assert "No such file" in tracker(agent, "chk")["last"]
    Check(place, "later", "exit 1\n")
    agent.reload()
    agent.wait_for_state("fault")


# Files.


def write(path: Path, text: str) -> int:
    """Replace a file by another one, as careful programs do."""
    part = path.with_suffix(".part")
    part.write_text(text)
    at_ns = time.time_ns()
    part.rename(path)
    return at_ns


def test_the_number_in_a_file_moves_the_priority(make_bench: MakeBench, place: Path) -> None:
    number = place / "later" / "number"
    bench = make_bench(lines=[config.block("track_file", ["load weight 2"]), *NO_BURST_LATER])
    agent = start(bench, config.block("track_file load", [f"file {number}"]))
    agent.wait_for_state("active")
    wait_for_priority(agent, 100)
    number.parent.mkdir()
    number.write_text("-7\n")
    wait_for_priority(agent, 86)
    at_ns = write(number, "0x10")
    bench.wire.wait_for_adverts("d", since_ns=at_ns, priority=132, timeout_s=SOON_S)
    number.write_text("99999999999999")
    agent.wait_for_log("has no place in 32 bits")
    assert agent.instance()["effective_priority"] == 132
    write(number, "-127")
    agent.wait_for_state("fault")
    assert "holds -127" in agent.instance()["reason"]
    number.unlink()
    agent.wait_for_state("active")
    wait_for_priority(agent, 100)
    number.write_text("3")
    wait_for_priority(agent, 106)
    assert tracker(agent, "load")["value"] == 3
    number.parent.rename(place / "away")
    wait_for_priority(agent, 100)
    (place / "away").rename(number.parent)
    wait_for_priority(agent, 106)


def test_a_file_without_weight_means_fault_while_it_holds_a_number(
    make_bench: MakeBench, place: Path
) -> None:
    number = place / "number"
    bench = make_bench(lines=config.block("track_file", ["stop weight 0"]))
    agent = start(bench, config.block("track_file stop", [f"file {number}", "init_file 1"]))
    agent.wait_for_state("fault")
    assert number.read_text() == "1\n"
    number.write_text("0")
    agent.wait_for_state("active")
    agent.reload(agent.config.replace("init_file 1", "init_file 1 overwrite"))
    agent.wait_for_log("reloaded")
    stays("the number to be left alone", lambda: number.read_text() == "0", 0.5)
    link = place / "link"
    link.symlink_to(number)
    agent.reload(agent.config.replace(f"file {number}\n", f"file {link}\n"))
    write(place / "other", "5")
    agent.wait_for_state("active")
    (place / "new").symlink_to(place / "other")
    (place / "new").rename(link)
    agent.wait_for_state("fault")


# Processes.


@pytest.fixture(name="server")
def make_server(place: Path) -> Path:
    """A program with a name of its own."""
    path = place / f"srv{os.getpid() % 100000}"
    path.write_bytes(Path("/bin/sleep").read_bytes())
    path.chmod(0o755)
    return path


class Servers:
    """Running processes of a program."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.running: List[subprocess.Popen[bytes]] = []

    def more(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([str(self.path), *(arguments or ("1000",))])
        self.running.append(process)
        return process

    def fewer(self) -> int:
        process = self.running.pop()
        at_ns = time.time_ns()
        process.kill()
        process.wait()
        return at_ns


@pytest.fixture(name="servers")
def make_servers(server: Path) -> Iterator[Servers]:
    servers = Servers(server)
    yield servers
    while servers.running:
        servers.fewer()


def test_a_process_that_ends_means_fault_until_it_runs_again(make_bench: MakeBench, servers: Servers) -> None:
    servers.more()
    bench = make_bench(lines=[config.block("track_process", ["srv"]), *NO_BURST_LATER])
    agent = start(bench, config.block("vrrp_track_process srv", [f"process {servers.path.name}"]))
    agent.wait_for_state("active")
    assert tracker(agent, "srv")["value"] == 1
    at_ns = servers.fewer()
    resigned = bench.wire.wait_for_adverts("d", since_ns=at_ns, priority=0, timeout_s=SOON_S)[0]
    print(f"resigned {(resigned.at_ns - at_ns) / 1e6:.1f} ms after the process was killed")
    agent.wait_for_state("fault")
    assert agent.instance()["faults"] == ["tracked process srv: 0 running"]
    servers.more()
    agent.wait_for_state("active")


def test_a_quorum_with_a_delay_forgives_a_short_absence(make_bench: MakeBench, servers: Servers) -> None:
    servers.more("1000")
    servers.more("1001")
    bench = make_bench(lines=config.block("track_process", ["srv weight 10"]))
    block = config.block(
        "vrrp_track_process srv",
        [f"process {servers.path} 100", "param_match initial", "quorum 2", "terminate_delay 1.5"],
    )
    agent = start(bench, block)
    agent.wait_for_state("active")
    wait_for_priority(agent, 110)
    servers.fewer()
    stays("the priority", lambda: agent.instance()["effective_priority"] == 110, 0.7)
    servers.more("1002")
    stays("the priority", lambda: agent.instance()["effective_priority"] == 110, 1.5)
    servers.fewer()
    wait_for_priority(agent, 100)


# The process that watches.


def test_when_the_process_that_watches_dies_nothing_flaps(
    make_bench: MakeBench, place: Path, servers: Servers
) -> None:
    servers.more()
    check = Check(place)
    (place / "number").write_text("5")
    bench = make_bench(
        lines=[
            config.block("track_script", ["chk", "plus weight 10"]),
            config.block("track_file", ["num"]),
            config.block("track_process", ["srv"]),
        ],
        global_lines=SECURE,
    )
    agent = start(
        bench,
        check.block("rise 3"),
        check.block(name="plus"),
        config.block("track_file num", [f"file {place}/number"]),
        config.block("vrrp_track_process srv", [f"process {servers.path.name}"]),
    )
    agent.wait_for_state("active")
    wait_for_priority(agent, 115)
    pid = track_pid(agent)
    assert pid is not None
    killed_ns = time.time_ns()
    os.kill(pid, signal.SIGKILL)
    agent.wait_for_log("has died")
    wait_until("another process", lambda: track_pid(agent) not in (None, pid), SOON_S)
    stays("the state", lambda: agent.state() == "active", 1.5)
    seen = bench.wire.adverts("d", since_ns=killed_ns)
    assert len(seen) > 3 and {one.advert.priority for one in seen} == {115}
    assert agent.log().count("-> ") == 2, "init to backup, backup to active, and nothing else"
    check.say(1)
    agent.wait_for_state("fault")


def test_a_killed_agent_goes_on_with_what_it_knew(make_bench: MakeBench, place: Path) -> None:
    """Its successor is active at once and has the same priority, although no script has run yet."""
    go = place / "stop"
    check = Check(place, body=f"while [ -e {go} ]; do sleep 0.05; done\n")
    bench = make_bench(
        advert_int=1,
        lines=[config.block("track_script", ["chk", "plus weight 20"]), *NO_BURST_LATER],
        global_lines=SECURE,
    )
    blocks = [
        check.block("timeout 100", name=name).replace("interval 0.1", "interval 1")
        for name in ("chk", "plus")
    ]
    agent = start(bench, *blocks)
    agent.wait_for_state("active")
    wait_for_priority(agent, 120)
    go.touch()
    killed_ns = agent.kill()
    agent.start()
    agent.wait_for_log("init -> active")
    assert bench.wire.wait_for_adverts("d", 3, since_ns=killed_ns, timeout_s=SOON_S)[0].advert.priority == 120
    assert {one.advert.priority for one in bench.wire.adverts("d", since_ns=killed_ns)} == {120}
    assert "init -> backup" in agent.log() and agent.log().count("init -> active") == 1


def test_a_reload_restarts_no_script_that_has_not_changed(make_bench: MakeBench, place: Path) -> None:
    count = place / "count"
    check = Check(place, body=f"echo >> {count}\n")
    bench = make_bench(lines=config.block("track_script", ["chk"]), global_lines=SECURE)
    agent = start(bench, check.block().replace(f"interval {INTERVAL_S}", "interval 600"))
    agent.wait_for_state("active")
    pid = track_pid(agent)
    agent.reload(agent.config.replace("priority 100", "priority 101"))
    wait_for_priority(agent, 101)
    agent.reload(agent.config.replace("interval 600", "interval 500\n    fall 3"))
    stays("one run", lambda: len(count.read_text()) == 1, 1)
    assert agent.state() == "active" and track_pid(agent) == pid
    agent.reload(agent.config.replace("interval 500", "interval 0.2"))
    wait_until("more runs", lambda: len(count.read_text()) > 2, SOON_S)
    agent.reload(agent.config.replace(config.block("    track_script", ["chk"], "        "), ""))
    agent.wait_for_state("active")


def test_scripts_end_with_the_agent(make_bench: MakeBench, place: Path) -> None:
    note = place / "pid"
    check = Check(place, body=f"echo $$ > {note}.part; mv {note}.part {note}; exec sleep 1000\n")
    bench = make_bench(lines=config.block("track_script", ["chk weight 1"]), global_lines=SECURE)
    agent = start(bench, check.block("timeout 1000"))
    wait_until("the script to run", note.exists, SOON_S)
    agent.stop()
    wait_until("its end", lambda: not alive(int(note.read_text())), SOON_S)


def test_adverts_stay_on_time_while_fifty_scripts_run(make_bench: MakeBench, place: Path) -> None:
    check = Check(place, body="exit 0\n")
    names = [f"chk{number}" for number in range(50)]
    bench = make_bench(
        lines=[config.block("track_script", [f"{name} weight 1" for name in names]), *NO_BURST_LATER],
        global_lines=SECURE,
    )
    agent = start(bench, *(check.block(name=name).replace("interval 0.1", "interval 0.5") for name in names))
    agent.wait_for_state("active")
    wait_for_priority(agent, 150)
    before = agent.instance()["counters"]
    began = time.monotonic()
    stays("the state", lambda: agent.state() == "active", 5, 0.2)
    after, took_s = agent.instance()["counters"], time.monotonic() - began
    sent = after["adverts_sent"] - before["adverts_sent"]
    late = after["late_adverts"] - before["late_adverts"]
    print(f"{sent} adverts in {took_s:.2f} s, {late} of them late by more than an interval")
    assert sent >= 0.9 * took_s / bench.advert_int_s, "the rest were not sent at all"
    assert late <= sent // 20, "late by more than an interval"


def test_the_peer_takes_over_when_the_script_says_so_and_gives_back(make_lan: MakeLan, place: Path) -> None:
    """Weighted: the active router becomes the lesser one, and is preempted without a gap."""
    lan = make_lan("a", "b")
    check = Check(place)
    agents: List[Agent] = []
    for node, priority, blocks in ((lan.a, 110, [check.block("weight -20")]), (lan.b, 100, [])):
        lines = [config.block("track_script", ["chk"])] if blocks else []
        text = config.instance(priority=priority, lines=lines)
        agents.append(Agent(node, config.file(node, text, *blocks, global_lines=SECURE)))
        agents[-1].start()
    one, two = agents
    one.wait_for_state("active")
    check.say(1)
    two.wait_for_state("active")
    one.wait_for_state("backup")
    assert one.instance()["priority_parts"][1] == {"from": "script chk", "change": -20}
    check.say(0)
    one.wait_for_state("active")
    two.wait_for_state("backup")


# Addresses and links.


def test_a_source_address_that_goes_means_fault(make_bench: MakeBench) -> None:
    bench = make_bench(lines=["mcast_src_ip 198.51.100.61", "track_src_ip"])
    bench.d.ip("address", "add", "198.51.100.61/24", "dev", "eth0")
    bench.agent.start()
    bench.agent.wait_for_state("active")
    bench.d.ip("address", "del", "198.51.100.61/24", "dev", "eth0")
    bench.agent.wait_for_state("fault")
    assert "198.51.100.61" in bench.agent.instance()["reason"]
    bench.d.ip("address", "add", "198.51.100.61/24", "dev", "eth0")
    bench.agent.wait_for_state("active")


def test_a_link_that_flaps_is_forgiven(make_bench: MakeBench) -> None:
    bench = make_bench(lines=[config.block("track_interface", ["eth1"]), *NO_BURST_LATER])
    bench.d.add_interface("eth1")
    agent = start(bench, config.block("interface_up_down_delays", ["eth1 1.5 1"]))
    agent.wait_for_state("active")
    bench.d.pull_cable("eth1")
    agent.wait_for_log("interface eth1 is down: it counts if it lasts 1.5 s")
    bench.d.plug_cable("eth1")
    agent.wait_for_log("interface eth1 is up again")
    bench.stays_active(1.5)
    down_ns = bench.d.pull_cable("eth1")
    agent.wait_for_state("fault")
    resigned = bench.wire.wait_for_adverts("d", since_ns=down_ns, priority=0)[0]
    assert resigned.at_ns - down_ns >= 1.5e9
    up_ns = bench.d.plug_cable("eth1")
    agent.wait_for_state("active")
    assert bench.next_advert(up_ns).at_ns - up_ns >= 1e9


@pytest.mark.parametrize("method", ["", "ETHTOOL", "IOCTL", "MII"])
def test_a_link_may_be_polled(make_bench: MakeBench, method: str) -> None:
    bench = make_bench(lines=[config.block("track_interface", ["eth1"]), *NO_BURST_LATER])
    bench.d.add_interface("eth1")
    agent = start(bench, config.block("linkbeat_interfaces", [f"eth1 {method}"]))
    agent.wait_for_state("active")
    wait_until("the link", lambda: tracker(agent, "eth1")["state"] == "up", SOON_S)
    by = {"IOCTL": "IOCTL"}.get(method, "ETHTOOL" if not method.startswith("M") else "IOCTL")
    assert tracker(agent, "eth1")["last"] == f"up by {by}", "a veth has no transceiver"
    bench.d.pull_cable("eth1")
    agent.wait_for_state("fault")
    assert agent.instance()["faults"] == ["tracked interface eth1 is down"]
    bench.d.plug_cable("eth1")
    agent.wait_for_state("active")
    agent.reload(bench.config())
    wait_until("no more polling", lambda: not agent.status()["trackers"], SOON_S)


def test_all_members_of_a_group_wait_for_its_script_and_follow_it(make_bench: MakeBench, place: Path) -> None:
    go = place / "go"
    check = Check(place, body=f"while [ ! -e {go} ]; do sleep 0.05; done\nexit $(cat {place}/check.answer)\n")
    bench = make_bench(global_lines=SECURE)
    second = config.instance("VI_2", vrid=52, addresses=["198.18.0.9/32"])
    group = config.block(
        "vrrp_sync_group G",
        [config.block("group", ["VI_1", "VI_2"]), config.block("track_script", ["chk"])],
    )
    agent = start(bench, second, check.block("timeout 60"), group)
    agent.wait_for_log("VI_2: not begun yet")
    stays("nothing to be sent", lambda: not bench.wire.adverts("d"), bench.down_s * 2)
    go.touch()
    wait_until(
        "both to be active",
        lambda: [one["state"] for one in agent.status()["instances"]] == ["active", "active"],
        SOON_S,
    )
    assert "fault" not in agent.log()
    check.say(1)
    wait_until(
        "both to be in fault",
        lambda: [one["state"] for one in agent.status()["instances"]] == ["fault", "fault"],
        SOON_S,
    )
