# SPDX-License-Identifier: GPL-3.0-or-later
"""Others are told: scripts in strict order, lines in pipes. Adverts never wait for any of it."""

from __future__ import annotations

import os
import pwd
import signal
import time
from pathlib import Path
from typing import Any, Dict, List

from tests.lab import config
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.engines import Agent, Engine, Keepalived
from tests.lab.lan import VIP4, VIP4_SECOND, Node
from tests.lab.plugin import MakeBench, MakeLan, debian_root
from tests.lab.records import Called, PipeReader, Script
from tests.lab.shell import run, wait_until

HIGHER = 200
NOBODY = pwd.getpwnam("nobody")
FLAPS = 12


def script(bench: Bench, name: str = "script", before: str = "", after: str = "") -> Script:
    """A script in the LAN's scratch directory, shown when the test fails."""
    made = Script(bench.lan.scratch, name, before, after)
    bench.lan.witnesses.append(made)
    return made


def use(bench: Bench, *lines: str, more_global: str = "") -> None:
    """Give D's instance these words."""
    bench.global_lines = [line for line in more_global.splitlines() if line]
    bench.agent.write(bench.config(lines=[*lines, *NO_BURST_LATER]))


def telling(bench: Bench) -> Dict[str, Any]:
    """That part of D's status."""
    found: Dict[str, Any] = bench.agent.status()["telling"]
    return found


def flap(bench: Bench, times: int) -> None:
    """D loses to T for a moment, again and again."""
    for _ in range(times):
        bench.wire.wait_for_adverts("d", since_ns=time.time_ns())
        bench.tester.send(priority=HIGHER)


def test_scripts_hear_of_every_change_with_keepaliveds_arguments(make_bench: MakeBench) -> None:
    """notify_<state> runs as it is written; notify, after it, gets four words more."""
    bench = make_bench()
    told = script(bench)
    use(
        bench,
        f'notify_master "{told.path} is active"',
        f"notify_backup \"{told.path} 'is a' backup\"",
        f'notify_fault "{told.path} fault"',
        f'notify_stop "{told.path} stop"',
        f'notify "{told.path} any"',
    )
    bench.start_active()
    told.wait_for("any INSTANCE VI_1 MASTER 100")
    bench.d.pull_cable()
    told.wait_for("any INSTANCE VI_1 FAULT 100")
    bench.d.plug_cable()
    wait_until("active again", lambda: told.arguments().count("is active") == 2)
    bench.agent.stop()
    assert told.arguments() == [
        "is a backup",
        "any INSTANCE VI_1 BACKUP 100",
        "is active",
        "any INSTANCE VI_1 MASTER 100",
        "fault",
        "any INSTANCE VI_1 FAULT 100",
        "is a backup",
        "any INSTANCE VI_1 BACKUP 100",
        "is active",
        "any INSTANCE VI_1 MASTER 100",
        "stop",
        "any INSTANCE VI_1 STOP 100",
    ]
    states = [(call.previous, call.event) for call in told.calls()[::2]]
    assert states == [
        ("INIT", "BACKUP"),
        ("BACKUP", "MASTER"),
        ("MASTER", "FAULT"),
        ("FAULT", "BACKUP"),
        ("BACKUP", "MASTER"),
        ("MASTER", "STOP"),
    ]
    first = told.calls()[0]
    assert first == Called("is a backup", "INSTANCE", "VI_1", "BACKUP", "BACKUP", "INIT", "100", *first[7:])
    ids = [call.event_id for call in told.calls()]
    assert ids[::2] == ids[1::2], "both scripts of one event have its id"
    assert len(set(ids)) == len(ids) // 2


def test_nothing_runs_beside_the_agent_when_nobody_is_to_be_told(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.start_active()
    assert "telling" not in bench.agent.status()
    assert run("pgrep", "-P", str(bench.agent.pid), check=False).split() == []


def test_scripts_keep_the_order_of_events_under_fast_flapping(make_bench: MakeBench) -> None:
    """A slow script delays the next one; it is never overtaken, and no event is left out."""
    bench = make_bench(advert_int=0.01)
    told = script(bench, before='case "$*" in *MASTER*) sleep 0.15 ;; esac')
    use(bench, f'notify "{told.path}"')
    bench.start_active()
    flap(bench, FLAPS)
    bench.next_advert(time.time_ns())
    expected = ["BACKUP", "MASTER"] + ["BACKUP", "MASTER"] * FLAPS
    wait_until("every script to run", lambda: len(told.calls()) >= len(expected), 20)
    assert [call.state for call in told.calls()] == expected


def test_a_script_that_hangs_holds_up_only_its_own_instance_and_no_advert(make_bench: MakeBench) -> None:
    """It is ended at its time limit with all that it has started; then its instance's next script runs."""
    bench = make_bench()
    mark = f"3{os.getpid() % 1000:03d}.25"
    hanging = script(bench, "hanging", after=f"trap '' TERM; [ \"$*\" = go ] || {{ sleep {mark} & wait; }}")
    quick = script(bench, "quick")
    other = config.instance("VI_2", vrid=52, addresses=[f"{VIP4_SECOND}/24"], lines=f'notify "{quick.path}"')
    bench.global_lines = ["agent_notify_timeout 1"]
    words = [f'notify_backup "{hanging.path}"', f'notify_master "{hanging.path} go"', *NO_BURST_LATER]
    bench.agent.write(bench.config(other, lines=words))
    bench.start_active()
    begin_ns = time.time_ns()
    quick.wait_for("INSTANCE VI_2 MASTER 100")
    assert hanging.arguments() == [""], "the second one waits for the first"
    bench.stays_active(1.0, begin_ns)
    hanging.wait_for("go", 15)
    wait_until("its children to be gone", lambda: not run("pgrep", "-f", f"sleep {mark}", check=False))
    assert "took too long" in bench.agent.log()
    wait_until("the limit to be counted", lambda: telling(bench)["scripts"].get("timed_out") == 1)
    assert telling(bench)["scripts"]["lost"] == 0


def test_a_killed_or_missing_script_does_not_stop_those_after_it(make_bench: MakeBench) -> None:
    bench = make_bench()
    killed = script(bench, "killed", after="kill -9 $$")
    told = script(bench)
    use(
        bench,
        f'notify_backup "{killed.path}"',
        f'notify_master "{bench.lan.scratch}/is-not-there x"',
        f'notify "{told.path}"',
    )
    bench.start_active()
    told.wait_for("INSTANCE VI_1 MASTER 100")
    assert killed.arguments() == [""]
    bench.agent.wait_for_log("killed by SIGKILL")
    assert "is-not-there" in bench.agent.log(), "said when the agent starts, and when it does not run"
    wait_until("two failures", lambda: telling(bench)["scripts"].get("failed") == 2)


def test_a_script_runs_as_the_account_that_the_word_names(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.lan.scratch.chmod(0o755)
    place = bench.lan.scratch / "theirs"
    place.mkdir()
    os.chown(place, NOBODY.pw_uid, NOBODY.pw_gid)
    told = Script(place)
    bench.lan.witnesses.append(told)
    use(bench, f'notify "{told.path}" nobody')
    bench.start_active()
    told.wait_for("INSTANCE VI_1 MASTER 100")
    assert {call.account for call in told.calls()} == {f"{NOBODY.pw_uid}:{NOBODY.pw_gid}"}


def test_the_addresses_are_given_away_before_the_scripts_of_the_stop_run(make_bench: MakeBench) -> None:
    """And one that hangs keeps the agent for a few seconds at most."""
    bench = make_bench()
    last = script(bench, "last", before=f"ip -o address show | grep -c {VIP4}/ > $0.found", after="sleep 600")
    use(bench, f'notify_stop "{last.path}"')
    bench.start_active()
    bench.agent.wait_for_state("active")
    began = time.monotonic()
    bench.agent.stop()
    took_s = time.monotonic() - began
    assert took_s < 6, f"the end took {took_s:.1f} s"
    assert last.arguments() == [""]
    assert Path(f"{last.path}.found").read_text().strip() == "0"
    resigned_ns = bench.wire.wait_for_adverts("d", priority=0)[0].at_ns
    assert resigned_ns / 1e9 < time.time() - took_s + 1, "the backups did not wait for the script"


def test_a_killed_agent_leaves_no_script_behind(make_bench: MakeBench) -> None:
    bench = make_bench()
    mark = f"3{os.getpid() % 1000:03d}.75"
    hanging = script(bench, "hanging", after=f"exec sleep {mark}")
    use(bench, f'notify_master "{hanging.path}"')
    bench.start_active()
    hanging.wait_for("")
    os.kill(bench.agent.pid, signal.SIGKILL)
    bench.agent.wait()
    wait_until("the script to be gone", lambda: not run("pgrep", "-f", f"sleep {mark}", check=False))


def test_a_telling_process_that_is_killed_comes_back_and_goes_on(make_bench: MakeBench) -> None:
    bench = make_bench()
    told = script(bench)
    use(bench, f'notify "{told.path}"')
    bench.start_active()
    told.wait_for("INSTANCE VI_1 MASTER 100")
    begin_ns = time.time_ns()
    os.kill(telling(bench)["pid"], signal.SIGKILL)
    bench.stays_active(0.5, begin_ns)
    bench.tester.send(priority=HIGHER)
    told.wait_for("INSTANCE VI_1 BACKUP 100")
    assert telling(bench)["restarts"] == 1


def test_a_reload_tells_only_what_changes(make_bench: MakeBench) -> None:
    """No script for what stays. What goes is in FAULT for keepalived, or DELETED with notify_deleted."""
    bench = make_bench()
    told = script(bench)
    said = f'notify "{told.path}"\nnotify_fault "{told.path} fault"'
    second = config.instance("VI_2", vrid=52, addresses=[f"{VIP4_SECOND}/24"], lines=said)
    third = config.instance(
        "VI_3",
        vrid=53,
        addresses=["198.51.100.103/24"],
        lines=f'{said}\nnotify_deleted "{told.path} gone"',
    )
    lines = [f'notify "{told.path}"', *NO_BURST_LATER]
    pipe = bench.lan.scratch / "pipe"
    bench.global_lines = [f"vrrp_notify_fifo {pipe}"]
    bench.agent.write(bench.config(second, third, lines=lines))
    with PipeReader(pipe) as heard:
        bench.lan.witnesses.append(heard)
        bench.start_active()
        for name in ("VI_1", "VI_2", "VI_3"):
            told.wait_for(f"INSTANCE {name} MASTER 100")
        process = telling(bench)["pid"]
        before, lines_before = len(told.calls()), len(heard.lines())
        bench.agent.reload(bench.config(lines=lines))
        told.wait_for("gone")
        told.wait_for("INSTANCE VI_3 DELETED 100")
        told.wait_for("INSTANCE VI_2 FAULT 100")
        assert sorted(told.arguments()[before:]) == [
            "INSTANCE VI_2 FAULT 100",
            "INSTANCE VI_3 DELETED 100",
            "gone",
        ]
        heard.wait_for('INSTANCE "VI_3" DELETED 100')
        assert heard.lines()[lines_before:] == [
            'INSTANCE "VI_2" FAULT 100',
            'INSTANCE "VI_3" DELETED 100',
        ]
    assert telling(bench)["pid"] == process, "the process goes on"


def test_states_are_repeated_into_the_pipe_after_a_reload_when_the_file_says_so(
    make_bench: MakeBench,
) -> None:
    bench = make_bench()
    told = script(bench)
    pipe = bench.lan.scratch / "pipe"
    words = f"vrrp_notify_fifo {pipe}\nfifo_write_vrrp_states_on_reload"
    use(bench, f'notify "{told.path}"', more_global=words)
    with PipeReader(pipe) as heard:
        bench.lan.witnesses.append(heard)
        bench.start_active()
        heard.wait_for('INSTANCE "VI_1" MASTER 100')
        bench.agent.reload()
        wait_until("the state again", lambda: heard.lines()[2:] == ['INSTANCE "VI_1" MASTER 100'])
        told.wait_for("INSTANCE VI_1 MASTER 100")
    assert told.arguments() == ["INSTANCE VI_1 BACKUP 100", "INSTANCE VI_1 MASTER 100"]


def test_an_active_router_that_hears_a_lower_priority_tells(make_bench: MakeBench) -> None:
    """The sign of a network that was split (notify_master_rx_lower_pri)."""
    bench = make_bench()
    told = script(bench)
    pipe = bench.lan.scratch / "pipe"
    use(bench, f'notify_master_rx_lower_pri "{told.path} lower"', more_global=f"notify_fifo {pipe}")
    with PipeReader(pipe) as heard:
        bench.lan.witnesses.append(heard)
        bench.start_active()
        bench.tester.send(priority=50)
        told.wait_for("lower")
        heard.wait_for('INSTANCE "VI_1" MASTER_RX_LOWER_PRI 100')
    assert [(call.event, call.state) for call in told.calls()] == [("MASTER_RX_LOWER_PRI", "MASTER")]


def test_changes_of_priority_go_to_the_pipe_when_the_file_says_so(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.d.add_interface("eth1")
    pipe = bench.lan.scratch / "pipe"
    track = config.block("track_interface", ["eth1 weight -30"])
    use(bench, track, "notify_priority_changes", more_global=f"notify_fifo {pipe}")
    with PipeReader(pipe) as heard:
        bench.lan.witnesses.append(heard)
        bench.start_active()
        bench.d.pull_cable("eth1")
        heard.wait_for('INSTANCE "VI_1" MASTER_PRIORITY 70')
        bench.agent.reload(bench.config(lines=[track, *NO_BURST_LATER]))
        bench.agent.wait_for_log("reloaded")
        bench.d.plug_cable("eth1")
        wait_until("the priority", lambda: bench.agent.instance()["effective_priority"] == 100)
        bench.tester.send(priority=HIGHER)
        heard.wait_for('INSTANCE "VI_1" BACKUP 100')
    assert 'INSTANCE "VI_1" MASTER_PRIORITY 100' not in heard.lines()


def test_a_pipe_that_nobody_reads_loses_lines_and_nothing_else(make_bench: MakeBench) -> None:
    """What fits waits for a reader; what does not is counted."""
    bench = make_bench()
    pipe = bench.lan.scratch / "pipe"
    use(bench, more_global=f"notify_fifo {pipe}")
    bench.start_active()
    line = 'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 100\n'
    lower = bench.tester.frame(priority=50)
    begin_ns = time.time_ns()

    def full() -> bool:
        for _ in range(100):
            bench.t.inject(lower)
        return any(one["dropped"] for one in telling(bench)["pipes"])

    wait_until("the pipe to be full", full, 20, 0.01)
    bench.stays_active(0.3, begin_ns)
    with PipeReader(pipe) as heard:
        wait_until("what waited", lambda: line.strip() in heard.lines())
        bench.tester.send(priority=HIGHER)
        heard.wait_for('INSTANCE "VI_1" BACKUP 100')
    assert "lines are lost" in bench.agent.log()


def test_the_pipe_is_made_for_its_user_read_by_its_script_and_gone_at_the_end(make_bench: MakeBench) -> None:
    """The script gets the path after its own arguments, hears the last line, and is ended."""
    bench = make_bench()
    bench.lan.scratch.chmod(0o755)
    pipe, copied = bench.lan.scratch / "pipe", bench.lan.scratch / "copied"
    reader = bench.lan.scratch / "reader.sh"
    reader.write_text(f'#!/bin/sh\nexec cat "$2" >> {copied}.$1\n')
    reader.chmod(0o755)
    words = f'notify_fifo {pipe} nobody\nnotify_fifo_script "{reader} first" root'
    use(bench, more_global=words)
    bench.start_active()
    result = Path(f"{copied}.first")
    wait_until("the line", lambda: result.exists() and "MASTER" in result.read_text())
    found = pipe.stat()
    assert (found.st_uid, found.st_mode & 0o777) == (NOBODY.pw_uid, 0o600)
    process = wait_until("its number", lambda: [one["script_pid"] for one in telling(bench)["pipes"]])[0]
    bench.agent.reload()
    bench.agent.wait_for_log("reloaded")
    bench.agent.stop()
    assert result.read_text().splitlines() == [
        'INSTANCE "VI_1" BACKUP 100',
        'INSTANCE "VI_1" MASTER 100',
        'INSTANCE "VI_1" STOP 100',
    ], "the reload left it alone"
    assert not pipe.exists()
    assert not Path(f"/proc/{process}").exists()


def test_a_file_in_the_place_of_the_pipe_is_refused_until_it_is_gone(make_bench: MakeBench) -> None:
    bench = make_bench()
    pipe = bench.lan.scratch / "pipe"
    pipe.write_text("precious")
    use(bench, more_global=f"notify_fifo {pipe}")
    bench.start_active()
    bench.agent.wait_for_log("is no named pipe")
    assert pipe.read_text() == "precious"
    pipe.unlink()
    with PipeReader(pipe) as heard:
        bench.tester.send(priority=HIGHER)
        heard.wait_for('INSTANCE "VI_1" BACKUP 100')


def per_name(lines: List[str]) -> Dict[str, List[str]]:
    """The lines of each instance and group, in their order."""
    found: Dict[str, List[str]] = {}
    for line in lines:
        kind, name, *rest = line.split(" ")
        found.setdefault(f"{kind} {name}", []).append(" ".join(rest))
    return found


def story(engine: Engine, node: Node, pipe: Path, after: str) -> Dict[str, List[str]]:
    """Start, lose the link, get it back, reload with less, stop: what the pipe said meanwhile."""
    with PipeReader(pipe) as heard:
        node.lan.witnesses.append(heard)
        engine.start()
        heard.wait_for('GROUP "G" MASTER 0', 'INSTANCE "VI_3" MASTER 100')
        node.pull_cable()
        heard.wait_for('GROUP "G" FAULT 0', 'INSTANCE "VI_3" FAULT 100')
        node.plug_cable()
        wait_until("active again", lambda: heard.lines().count('GROUP "G" MASTER 0') == 2)
        wait_until("active again", lambda: heard.lines().count('INSTANCE "VI_3" MASTER 100') == 2)
        engine.reload(after)
        heard.wait_for('INSTANCE "VI_4" DELETED 100')
        wait_until("VI_3 to go", lambda: heard.lines().count('INSTANCE "VI_3" FAULT 100') == 2)
        wait_until("the new pipe", pipe.exists)
        engine.stop()
        heard.wait_for('GROUP "G" STOP 0')
        assert_members_first(heard.lines())
        return per_name(heard.lines())


def assert_members_first(lines: List[str]) -> None:
    """A group is told of when all its members have been."""
    for state in ("MASTER", "FAULT"):
        group = lines.index(f'GROUP "G" {state} 0')
        for name in ("VI_1", "VI_2"):
            assert lines.index(f'INSTANCE "{name}" {state} 100') < group, lines


def test_the_pipe_says_what_keepalived_says(make_lan: MakeLan) -> None:
    """The same file and the same faults, first for keepalived, then for the agent."""
    root = debian_root("bookworm")
    lan = make_lan("d", "t")
    said: List[Dict[str, List[str]]] = []
    for kind in (Keepalived, Agent):
        engine = kind(lan.d, "", root)
        pipe = engine.directory / "pipe"
        instances = [
            config.instance(
                f"VI_{number}",
                vrid=50 + number,
                addresses=[f"198.51.100.{100 + number}/24"],
                lines="notify_deleted" if number == 4 else "",
            )
            for number in (1, 2, 3, 4)
        ]
        group = config.block("vrrp_sync_group G", [config.block("group", ["VI_1", "VI_2"])])
        words = ["script_user root", f"vrrp_notify_fifo {engine.seen(pipe)}"]
        whole = config.file(lan.d, group, *instances, global_lines=words)
        less = config.file(lan.d, group, *instances[:2], global_lines=words)
        engine.write(whole)
        said.append(story(engine, lan.d, pipe, less))
    assert said[1] == said[0]
