# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as a program among others: signals, dumps, scripts around it, namespaces, files of a reload."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from tests.lab import config
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.engines import Agent
from tests.lab.lan import VIP4
from tests.lab.plugin import MakeBench
from tests.lab.shell import wait_until


class Reader:
    """An exporter of metrics: it looks up a signal, sends it, and reads a file."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.directory = bench.lan.scratch / "tmp"
        self.directory.mkdir()
        usual = bench.agent.environment
        bench.agent.environment = lambda: {**usual(), "TMPDIR": str(self.directory)}  # type: ignore[method-assign]

    def number(self, name: str) -> int:
        done = self.bench.agent.ask(f"--signum={name}")
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def read(self, name: str, file: str) -> str:
        """Signal the process, and wait for the file."""
        path = self.directory / file
        path.unlink(missing_ok=True)
        self.bench.agent.signal(self.number(name))
        wait_until(f"{path} to be written", path.exists, 10)
        return path.read_text()


def read_as_exporters_do(text: str) -> Dict[str, Dict[str, str]]:
    """Instances and their ``key = value`` lines, as prometheus exporters take keepalived.data apart."""
    found: Dict[str, Dict[str, str]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith(" VRRP Instance ="):
            name = line.split("=")[1].strip()
            found[name] = {}
        elif line.startswith("   ") and not line.startswith("     ") and name and "=" in line:
            key, value = line.split("=", 1)
            found[name][key.strip()] = value.strip()
        elif not line.startswith("   "):
            name = ""
    return found


def test_exporters_get_what_they_read_from_keepalived(make_bench: MakeBench) -> None:
    """All three files, by the numbers that --signum says, while adverts go on."""
    bench = make_bench(lines=NO_BURST_LATER)
    reader = Reader(bench)
    bench.start_active()
    bench.agent.wait_for_state("active")
    begin_ns = time.time_ns()
    (router,) = json.loads(reader.read("JSON", "keepalived.json"))
    data, stats = router["data"], router["stats"]
    assert (data["iname"], data["state"], data["wantstate"], data["vrid"]) == ("VI_1", 2, 2, 51)
    assert (data["ifp_ifname"], data["effective_priority"], data["vipset"]) == ("eth0", 100, True)
    assert data["vips"] == [f"{VIP4}/24 dev eth0 scope global set"]
    assert stats["advert_sent"] > 0 and stats["become_master"] == 1
    one = read_as_exporters_do(reader.read("DATA", "keepalived.data"))["VI_1"]
    assert (one["State"], one["Wantstate"], one["Interface"]) == ("MASTER", "MASTER", "eth0")
    assert (one["Virtual Router ID"], one["Gratuitous ARP delay"]) == ("51", "0")
    assert abs(float(one["Last transition"].split()[0]) - data["last_transition"]) < 0.001
    text = reader.read("STATS", "keepalived.stats")
    assert text.startswith("VRRP Instance: VI_1\n  Advertisements:\n    Received: 0\n    Sent: ")
    bench.stays_active(0.5, begin_ns)


def test_counters_begin_anew_on_stats_clear(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    reader = Reader(bench)
    bench.start_active()
    bench.agent.wait_for_state("active")
    assert "  Became master: 1\n" in reader.read("STATS_CLEAR", "keepalived.stats")
    assert "  Became master: 0\n" in reader.read("STATS", "keepalived.stats")


def test_a_planted_link_leads_nowhere(make_bench: MakeBench) -> None:
    bench = make_bench()
    reader = Reader(bench)
    victim = bench.lan.scratch / "victim"
    victim.write_text("precious")
    target = reader.directory / "keepalived.data"
    target.symlink_to(victim)
    bench.start_active()
    bench.agent.signal(signal.SIGUSR1)
    bench.agent.wait_for_log(f"wrote {target}")
    assert victim.read_text() == "precious"
    assert not target.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) & 0o022 == 0


def test_a_storm_of_signals_disturbs_no_advert(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    reader = Reader(bench)
    bench.start_active()
    begin_ns = time.time_ns()
    for _ in range(40):
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMIN + 2):
            bench.agent.signal(number)
    bench.stays_active(1.0, begin_ns)
    assert (reader.directory / "keepalived.json").exists()
    assert not [
        path for path in reader.directory.iterdir() if path.suffix not in (".json", ".data", ".stats")
    ]


def test_dump_prints_the_same_without_a_file(make_bench: MakeBench) -> None:
    bench = make_bench(global_lines="json_version 2", lines=NO_BURST_LATER)
    bench.start_active()
    bench.agent.wait_for_state("active")
    where = ("--runtime-dir", str(bench.agent.runtime))
    done = bench.agent.ask("dump", *where)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["vrrp"][0]["data"]["state"] == 2
    done = bench.agent.ask("dump", "--format", "keepalived-data", *where)
    assert "   State = MASTER\n" in done.stdout
    done = bench.agent.ask("dump", "--format", "keepalived-stats", *where)
    assert done.stdout.startswith("VRRP Instance: VI_1\n")


def test_dumps_go_where_the_file_says(make_bench: MakeBench) -> None:
    bench = make_bench()
    directory = bench.lan.scratch / "dumps"
    directory.mkdir()
    bench.global_lines = [
        f"state_dump_file {directory}/",
        f"json_dump_file {directory}/vrrp.json",
        "data_use_instance",
        "umask 027",
    ]
    bench.agent.write("instance two\n" + bench.config())
    bench.start_active()
    bench.agent.signal(signal.SIGUSR1)
    bench.agent.signal(signal.SIGRTMIN + 2)
    state, whole = directory / "keepalived.two.data", directory / "vrrp.two.json"
    wait_until("both dumps", lambda: state.exists() and whole.exists(), 10)
    assert stat.S_IMODE(state.stat().st_mode) == 0o640
    assert stat.S_IMODE(whole.stat().st_mode) == 0o600


# Scripts around the agent.


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_scripts_run_before_the_first_advert_and_after_the_last(make_bench: MakeBench) -> None:
    """Each sees the host without the virtual address, and the clock tells the order."""
    bench = make_bench(lines=NO_BURST_LATER)
    scratch = bench.lan.scratch
    lines = []
    for word in ("startup_script", "shutdown_script"):
        note = scratch / word
        path = program(scratch / f"{word}.sh", f"date +%s%N > {note}.at; ip -o addr show eth0 > {note}")
        lines.append(f"{word} {path}")
    bench.agent.write(bench.config().replace("global_defs {", "global_defs {\n" + "\n".join(lines)))
    first = bench.start_active()
    bench.agent.stop()
    last = bench.wire.adverts("d")[-1]
    assert last.advert.priority == 0, "it has resigned"
    for word, before in (("startup_script", True), ("shutdown_script", False)):
        at_ns = int((scratch / f"{word}.at").read_text())
        assert at_ns < first.at_ns if before else at_ns > last.at_ns, word
        assert f"{VIP4}/24" not in (scratch / word).read_text()


def test_a_script_that_hangs_costs_its_time_limit_and_no_more(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    path = program(bench.lan.scratch / "hang.sh", "trap '' TERM\nwhile :; do sleep 61; done")
    lines = [
        f"startup_script {path}",
        "startup_script_timeout 1",
        f"shutdown_script {path}",
        "shutdown_script_timeout 1",
    ]
    bench.agent.write(bench.config().replace("global_defs {", "global_defs {\n" + "\n".join(lines)))
    began_ns = bench.agent.start()
    first = bench.wire.wait_for_adverts("d", timeout_s=30)[0]
    assert 3.0 <= (first.at_ns - began_ns) / 1e9 <= 20, "1 s, and 2 s from SIGTERM to SIGKILL"
    bench.agent.wait_for_log("startup_script: ")
    asked_ns = bench.agent.signal(signal.SIGTERM)
    assert bench.agent.wait(30) == 0
    assert 3.0 <= (time.time_ns() - asked_ns) / 1e9 <= 20
    assert bench.agent.log().count("took longer than 1 s and was ended") == 2


def test_a_startup_script_may_make_the_interface(make_bench: MakeBench) -> None:
    bench = make_bench(interface="late0", lines=NO_BURST_LATER)
    make = "ip link add late0 type veth peer name late1; ip link set late1 up; ip link set late0 up"
    path = program(bench.lan.scratch / "make.sh", f"{make}; ip addr add 198.51.100.77/24 dev late0")
    bench.agent.write(bench.config().replace("global_defs {", f"global_defs {{\nstartup_script {path}"))
    bench.agent.start()
    bench.agent.wait_for_state("active")


# Where it runs, and under which name.


def test_the_agent_goes_into_the_namespace_that_the_file_names(make_bench: MakeBench) -> None:
    """It is started outside, and its router is inside; a reload cannot take it elsewhere."""
    bench = make_bench(lines=NO_BURST_LATER)
    bench.agent.write(f"net_namespace {bench.d.namespace}\n" + bench.config())
    with bench.agent.log_file.open("ab") as log:
        bench.agent.process = subprocess.Popen(
            bench.agent.command(), stdout=log, stderr=log, env=bench.agent.environment()
        )
    bench.wire.wait_for_adverts("d", timeout_s=10)
    bench.agent.wait_for_state("active")
    assert bench.d.holds(VIP4)
    begin_ns = time.time_ns()
    bench.agent.reload(f"net_namespace {bench.t.namespace}\n" + bench.config())
    bench.agent.wait_for_log("net_namespace cannot change without a restart of the agent")
    bench.stays_active(0.5, begin_ns)
    assert bench.agent.state() == "active"


def test_a_namespace_that_is_not_there_is_named(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.agent.write("net_namespace no-such-place\n" + bench.config())
    bench.agent.start()
    assert bench.agent.wait() == 1
    assert "there is no network namespace no-such-place" in bench.agent.log()
    assert "ip netns add" in bench.agent.log()


def test_the_namespace_of_the_command_line_goes_first(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    bench.agent.write("net_namespace no-such-place\n" + bench.config())
    bench.agent.words = ["-s", bench.d.namespace, "-n", "-l", "-D", "-P"]
    bench.agent.start()
    bench.agent.wait_for_state("active")


def test_instances_of_the_agent_have_directories_of_their_own(make_bench: MakeBench) -> None:
    """Without --runtime-dir the name in the file tells them apart."""
    bench = make_bench(lines=NO_BURST_LATER)
    name = f"test{os.getpid()}"
    directory = Path(f"/run/vrrp-agent-{name}")
    pid_file = bench.lan.scratch / "keepalived.pid"

    class Named(Agent):
        def argv(self) -> List[str]:
            return self.call("run", "-f", self.seen(self.config_file), "-p", str(pid_file))

    agent = Named(bench.d, f"instance {name}\n" + bench.config(), runtime=directory)
    try:
        agent.start()
        agent.wait_for_state("active")
        assert int(pid_file.read_text()) == agent.pid
        assert (directory / "control.sock").exists()
        agent.reload("instance other\n" + bench.config())
        agent.wait_for_log("instance cannot change without a restart")
        agent.stop()
        assert not pid_file.exists()
    finally:
        for path in directory.glob("*"):
            path.unlink()
        if directory.exists():
            directory.rmdir()


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("router_id x", "vrrp-agent"),
        ("process_name keepalived", "keepalived"),
        ("vrrp_process_name ha", "ha"),
    ],
)
def test_the_process_has_the_name_that_the_file_gives(make_bench: MakeBench, word: str, name: str) -> None:
    bench = make_bench(global_lines=word)
    bench.start_active()

    def named(wanted: str) -> Callable[[], bool]:
        return lambda: Path(f"/proc/{bench.agent.pid}/comm").read_text().strip() == wanted

    wait_until("the name", named(name), 5)
    bench.global_lines = ["process_name changed"]
    bench.agent.reload(bench.config())
    wait_until("the other name", named("changed"), 5)


def test_real_time_has_a_limit_when_the_file_sets_one(make_bench: MakeBench) -> None:
    """The kernel tells the process, and never kills it: the addresses would go with it."""
    bench = make_bench(global_lines="vrrp_rlimit_rttime 700000", lines=NO_BURST_LATER)
    bench.start_active()

    def limits() -> List[str]:
        text = Path(f"/proc/{bench.agent.pid}/limits").read_text()
        return next(line for line in text.splitlines() if line.startswith("Max realtime timeout")).split()[
            3:5
        ]

    wait_until("the limit", lambda: limits() == ["700000", "unlimited"], 5)
    begin_ns = time.time_ns()
    bench.agent.signal(signal.SIGXCPU)
    bench.agent.wait_for_log("real-time priority given up for 1 s")
    bench.stays_active(0.5, begin_ns)
    bench.agent.reload(bench.config().replace("vrrp_rlimit_rttime 700000", ""))
    wait_until("no limit", lambda: limits() == ["unlimited", "unlimited"], 5)


# Files around a reload.


def test_a_reload_comes_at_the_time_in_the_file(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    when = bench.lan.scratch / "when"
    bench.global_lines = [f"reload_time_file {when}"]
    bench.agent.write(bench.config())
    bench.start_active()
    begin_ns = time.time_ns()
    bench.agent.write(bench.config(priority=150))
    when.write_text(time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(time.time() + 3)) + "\n")
    bench.agent.wait_for_log("a reload is set for")
    bench.agent.wait_for_log("reloaded:", 15)
    bench.wire.wait_for_adverts("d", since_ns=begin_ns, priority=150)
    wait_until("the file to go", lambda: not when.exists(), 5)


def test_a_marker_is_there_while_the_file_is_read(make_bench: MakeBench) -> None:
    """A file that takes a while to read shows it. What a killed agent has left goes at the start."""
    bench = make_bench(lines=NO_BURST_LATER)
    marker, slow = bench.lan.scratch / "reloading", bench.lan.scratch / "slow.conf"
    marker.write_text("left behind")
    bench.global_lines = [f"reload_file {marker}"]
    bench.agent.write(bench.config())
    bench.start_active()
    assert not marker.exists()
    seen: List[int] = []

    def looked() -> bool:
        if marker.exists():
            seen.append(marker.stat().st_size)
        return "reloaded:" in bench.agent.log()

    slow.write_text("\n".join(f"# line {number}" for number in range(60_000)))
    marker.write_text("a writer announces itself")
    bench.agent.reload(bench.config() + f"include {slow}\n")
    wait_until("the reload", looked, 20, 0.001)
    assert seen and seen[-1] == 0, "it was made empty when reading began"
    assert not marker.exists()


def test_states_and_configuration_are_kept_around_a_reload(make_bench: MakeBench) -> None:
    bench = make_bench(version=2, advert_int=1, lines=NO_BURST_LATER)
    kept = bench.lan.scratch / "kept"
    bench.global_lines = [f"config_save_dir {kept}"]
    secret = config.block("authentication", ["auth_type PASS", "auth_pass hidden"])
    bench.agent.write(bench.config(lines=[*NO_BURST_LATER, secret]))
    bench.start_active()
    bench.agent.reload(bench.config(priority=150, lines=[*NO_BURST_LATER, secret]))
    pid = bench.agent.pid
    names = [f"keepalived.conf.{pid}.0", f"keepalived.conf.{pid}.1"]
    names += [f"keepalived_vrrp.{pid}.1.{ending}" for ending in ("post", "pre")]
    wait_until("four files", lambda: kept.is_dir() and sorted(os.listdir(kept)) == names, 10)
    text = {name: (kept / name).read_text() for name in names}
    assert "   Priority = 100\n" in text[names[3]] and "   Priority = 150\n" in text[names[2]]
    assert "priority 150" in text[names[1]]
    assert not [name for name, one in text.items() if "hidden" in one]
    assert {stat.S_IMODE((kept / name).stat().st_mode) & 0o077 for name in names[:2]} == {0}


def test_check_says_what_keepalived_would_not_understand(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.agent.write(bench.config().replace("global_defs {", "global_defs {\nagent_notify_timeout 5"))
    path = bench.agent.seen(bench.agent.config_file)
    assert bench.agent.ask("check", path).returncode == 0
    done: Any = bench.agent.ask("check", "--for", "keepalived", path)
    assert done.returncode == 2
    assert "'agent_notify_timeout' is a word of the agent's own" in done.stdout
