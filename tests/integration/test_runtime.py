# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is not as it should be, and the agent's life as a process: clear words, and nothing changed."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import subprocess
import time
from pathlib import Path
from typing import Iterator, List

import pytest

from tests.lab import config
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.engines import Agent
from tests.lab.lan import VIP4
from tests.lab.plugin import MakeBench
from tests.lab.shell import wait_until


class AgentWithout(Agent):
    """An agent that is started through another program, such as one that takes its privileges away."""

    def __init__(self, bench: Bench, *through: str) -> None:
        super().__init__(bench.d, bench.config())
        self.through: List[str] = list(through)

    def command(self) -> List[str]:
        """The agent's command line behind the other program's."""
        return [*self.through, *super().command()]


def refuses(agent: Agent, status: int, *words: str) -> str:
    """The agent ends at once with that exit status, and its log holds the words; return the log."""
    agent.start()
    assert agent.wait() == status, agent.log()
    said = agent.log()
    for word in words:
        assert word in said
    assert "Traceback" not in said
    return said


def test_a_second_agent_on_the_same_runtime_directory_is_refused(make_bench: MakeBench) -> None:
    """The first one goes on; with a directory of its own the second one may run."""
    bench = make_bench(lines=NO_BURST_LATER)
    bench.start_active()
    begin_ns = time.time_ns()
    second = Agent(bench.d, bench.config(), runtime=bench.agent.runtime)
    refuses(second, 1, "another agent", str(bench.agent.pid), "--runtime-dir")
    bench.stays_active(0.3, begin_ns)
    assert bench.agent.state() == "active"
    assert bench.d.holds(VIP4)


def test_the_runtime_directory_is_free_again_after_a_kill(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.start_active()
    bench.agent.kill()
    assert (bench.agent.runtime / "control.sock").exists(), "a killed process cannot clean up"
    bench.agent.start()
    bench.agent.wait_for_state("active")


def test_a_missing_interface_is_named(make_bench: MakeBench) -> None:
    bench = make_bench(interface="eth9")
    refuses(bench.agent, 2, "eth9", "does not exist", "dynamic_interfaces")


def test_a_missing_tracked_interface_is_named(make_bench: MakeBench) -> None:
    bench = make_bench(lines=config.block("track_interface", ["eth8"]))
    refuses(bench.agent, 2, "eth8", "does not exist")


def test_a_missing_file_is_named(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.agent.config_file.unlink()
    refuses(bench.agent, 2, "keepalived.conf", "o such file")


def test_a_word_that_is_not_supported_yet_stops_the_start_and_lenient_goes_on(make_bench: MakeBench) -> None:
    """No word is passed over in silence."""
    bench = make_bench()
    session = "bfd_instance one {\n    neighbor_ip 198.51.100.100\n}"
    bench.agent.write(bench.config(session))
    refuses(bench.agent, 2, "bfd_instance")
    bench.agent.words = ["--lenient"]
    bench.start_active()
    assert "warning" in bench.agent.log()
    assert bench.agent.state() == "active"


@pytest.mark.parametrize("capability", ["all", "net_raw", "net_admin"])
def test_without_privileges_the_agent_says_which_one_is_missing(
    make_bench: MakeBench, capability: str
) -> None:
    bench = make_bench()
    agent = AgentWithout(bench, "setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}")
    said = refuses(agent, 4, "CAP_NET_")
    if capability != "all":
        assert f"CAP_{capability.upper()}" in said
    assert bench.d.holds_none(VIP4)
    assert not bench.wire.adverts("d")


def test_a_runtime_directory_that_cannot_be_made_is_named(make_bench: MakeBench) -> None:
    bench = make_bench()
    in_the_way = bench.lan.scratch / "file"
    in_the_way.write_text("")
    bench.agent.runtime = in_the_way / "runtime"
    refuses(bench.agent, 1, "runtime directory", str(in_the_way), "--runtime-dir")


@contextlib.contextmanager
def tiny_disk(where: Path) -> Iterator[None]:
    """A file system of two pages, without a byte left."""
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(where)], check=True)
    try:
        with contextlib.suppress(OSError):
            (where / "ballast").write_bytes(b"x" * 65536)
        yield
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


def test_a_full_disk_for_state_does_not_keep_the_agent_from_working(make_bench: MakeBench) -> None:
    """It says so once, and does without: only a restart after a kill would be slower."""
    bench = make_bench(lines=NO_BURST_LATER)
    disk = bench.lan.scratch / "disk"
    with tiny_disk(disk):
        bench.agent.runtime = disk / "runtime"
        bench.start_active()
        bench.agent.wait_for_state("active")
        assert bench.d.holds(VIP4)
        assert "No space left" in bench.agent.log()
        begin_ns = time.time_ns()
        bench.agent.reload(bench.config(priority=150))
        bench.agent.wait_for_log("reloaded:")
        bench.wire.wait_for_adverts("d", since_ns=begin_ns, priority=150)
        bench.stays_active(0.3, begin_ns)
        bench.agent.stop()
        assert bench.agent.wait() == 0
    assert bench.d.holds_none(VIP4)


def test_a_disk_that_fills_up_later_disturbs_nothing(make_bench: MakeBench) -> None:
    bench = make_bench(lines=NO_BURST_LATER)
    disk = bench.lan.scratch / "disk"
    with tiny_disk(disk):
        (disk / "ballast").unlink()
        bench.agent.runtime = disk / "runtime"
        bench.start_active()
        with contextlib.suppress(OSError):
            (disk / "ballast").write_bytes(b"x" * 65536)
        begin_ns = time.time_ns()
        bench.stays_active(0.5, begin_ns)
        bench.agent.reload(bench.config(priority=150))
        bench.agent.wait_for_log("reloaded:")
        bench.wire.wait_for_adverts("d", since_ns=begin_ns, priority=150)
        assert bench.agent.state() == "active"
        bench.agent.stop()


def test_the_status_socket_is_for_root_and_its_group(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.start_active()
    path = bench.agent.runtime / "control.sock"
    mode = path.stat()
    assert stat.S_ISSOCK(mode.st_mode)
    assert stat.S_IMODE(mode.st_mode) == 0o660
    assert (mode.st_uid, mode.st_gid) == (0, bench.agent.runtime.stat().st_gid)
    assert stat.S_IMODE(bench.agent.runtime.stat().st_mode) & 0o007 == 0
    for directory in (bench.lan.scratch, bench.agent.directory, bench.agent.runtime):
        directory.chmod(0o755)  # only the socket's own mode is left to say no
    attempt = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = subprocess.run(
        [*nobody, "/usr/bin/python3", "-c", attempt, str(path)], capture_output=True, text=True, check=False
    )
    assert "PermissionError" in done.stderr, done.stderr


def test_status_speaks_to_people_and_to_programs(make_bench: MakeBench) -> None:
    """The command itself, in the node: everything that issue and manual promise is there."""
    bench = make_bench(lines=config.block("track_interface", ["eth1 weight 5"]))
    bench.d.add_interface("eth1")
    bench.start_active()
    bench.agent.wait_for_state("active")
    done = bench.agent.ask("status", "--json", "--runtime-dir", str(bench.agent.runtime))
    assert (done.returncode, done.stderr) == (0, "")
    (one,) = json.loads(done.stdout)["instances"]
    assert (one["name"], one["state"], one["vrid"], one["interface"]) == ("VI_1", "active", 51, "eth0")
    assert (one["family"], one["version"]) == (4, 3)
    assert (one["base_priority"], one["effective_priority"]) == (100, 105)
    assert one["addresses_held"] == [f"{VIP4}/24"]
    assert one["since"] and one["reason"] and one["transitions"]
    assert 0 <= one["next_deadline_s"] <= 0.1
    assert one["active_router"] == {"address": bench.d.ipv4, "priority": 105}
    assert one["counters"]["adverts_sent"] > 0
    done = bench.agent.ask("status", "--runtime-dir", str(bench.agent.runtime))
    assert done.returncode == 0
    for word in ("VI_1", "active", VIP4, "105", "VRID 51", "eth0"):
        assert word in done.stdout


def test_status_says_when_nobody_answers(make_bench: MakeBench) -> None:
    bench = make_bench()
    done = bench.agent.ask("status", "--runtime-dir", str(bench.agent.runtime))
    assert done.returncode == 1
    assert "no agent answers" in done.stderr and "Traceback" not in done.stderr


def test_bad_questions_do_not_disturb_the_agent(make_bench: MakeBench) -> None:
    """Noise, a question without an end, many callers that never ask, and one that does not read."""
    bench = make_bench(lines=NO_BURST_LATER)
    bench.start_active()
    begin_ns = time.time_ns()
    path = str(bench.agent.runtime / "control.sock")
    with contextlib.ExitStack() as stack:
        for question in (b"\0\xff\n", b"{}\n", b"[1]\n", b'{"command": "no-such"}\n', b"x" * 100_000, b""):
            sock = stack.enter_context(socket.socket(socket.AF_UNIX))
            sock.settimeout(5)
            sock.connect(path)
            with contextlib.suppress(OSError):
                sock.sendall(question)
            if question.endswith(b"\n"):
                assert b"error" in sock.recv(4096)
        for _ in range(60):
            sock = stack.enter_context(socket.socket(socket.AF_UNIX))
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                sock.connect(path)
        bench.stays_active(0.5, begin_ns)
    wait_until("an answer again", lambda: _answers(bench), 5)
    assert "Traceback" not in bench.agent.log()


def _answers(bench: Bench) -> bool:
    with contextlib.suppress(Exception):
        return bench.agent.state() == "active"
    return False


@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGINT"])
def test_the_agent_ends_in_order_and_leaves_nothing_behind(make_bench: MakeBench, signal_name: str) -> None:
    import signal

    bench = make_bench()
    before = (bench.d.addresses(), bench.d.ip("route"), bench.d.ip("-6", "route"), bench.d.ip("maddress"))
    bench.start_active()
    bench.agent.wait_for_state("active")
    bench.agent.signal(getattr(signal, signal_name))
    assert bench.agent.wait() == 0
    after = (bench.d.addresses(), bench.d.ip("route"), bench.d.ip("-6", "route"), bench.d.ip("maddress"))
    assert after == before
    assert {path.name for path in bench.agent.runtime.iterdir()} <= {"lock"}


def test_signals_of_no_meaning_are_ignored(make_bench: MakeBench) -> None:
    import signal

    bench = make_bench(lines=NO_BURST_LATER)
    bench.start_active()
    begin_ns = time.time_ns()
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
        bench.agent.signal(number)
    bench.stays_active(0.4, begin_ns)
    assert bench.agent.running


def test_a_log_that_nobody_reads_does_not_stop_the_agent(make_bench: MakeBench) -> None:
    """Standard error is a pipe, and it is full."""
    bench = make_bench(lines=NO_BURST_LATER)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    bench.agent.process = bench.d.popen(
        bench.agent.command(), stdout=writer, stderr=writer, env=bench.agent.environment()
    )
    os.close(writer)
    try:
        first = bench.wire.wait_for_adverts("d")[0]
        bench.agent.reload()
        for _ in range(50):
            bench.tester.send(priority=200, checksum=1)
        bench.stays_active(0.5, first.at_ns)
    finally:
        os.close(reader)
    assert bench.agent.running


def test_left_over_addresses_of_another_program_are_removed_at_the_start(make_bench: MakeBench) -> None:
    """A virtual address that is there before the election is a leftover: keepalived removes it too."""
    bench = make_bench()
    bench.d.ip("address", "add", f"{VIP4}/24", "dev", "eth0")
    with bench.tester.speaking(priority=200):
        bench.start()
        wait_until("the address to go", lambda: bench.d.holds_none(VIP4), 3)
        assert bench.agent.state() == "backup"
    bench.agent.wait_for_state("active")
    assert bench.d.holds(VIP4)


def test_an_agent_that_was_killed_long_ago_starts_as_a_backup(make_bench: MakeBench) -> None:
    """Its address is still there, but its last advert is older than the down interval."""
    bench = make_bench()
    bench.start_active()
    bench.agent.wait_for_state("active")
    bench.agent.kill()
    assert bench.d.holds(VIP4)
    time.sleep(bench.down_s + 0.05)
    started = bench.agent.log().count("\n")
    bench.agent.start()
    bench.agent.wait_for_log("left by a predecessor")
    bench.agent.wait_for_state("active")
    said = bench.agent.log().splitlines()[started:]
    assert any("init -> backup" in line for line in said)


def test_an_agent_that_was_killed_just_now_goes_on_at_once(make_bench: MakeBench) -> None:
    """No address is touched, and the next advert comes without a down interval."""
    bench = make_bench(advert_int=1, priority=100, lines=NO_BURST_LATER)
    bench.start_active()
    bench.agent.wait_for_state("active")
    bench.agent.kill()
    killed_ns = time.time_ns()
    bench.agent.start()
    again = bench.next_advert(killed_ns)
    assert (again.at_ns - killed_ns) / 1e9 < 2, "slower than a backup would be"
    bench.agent.wait_for_state("active")
    assert [(one["from"], one["to"]) for one in bench.agent.instance()["transitions"]] == [("init", "active")]
    assert bench.d.holds(VIP4)


def test_a_damaged_memory_of_the_predecessor_is_put_aside(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.start_active()
    bench.agent.kill()
    memory = bench.agent.runtime / "memory"
    memory.write_bytes(os.urandom(500))
    bench.agent.start()
    bench.agent.wait_for_state("active")
    assert "Traceback" not in bench.agent.log()
