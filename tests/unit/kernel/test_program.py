# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are started, waited for and ended. Each test runs real ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

import pytest
from vrrp_agent.conf.model import Account, Command, ScriptPolicy
from vrrp_agent.kernel import program as program_module
from vrrp_agent.kernel.accounts import Identity, UnknownAccount, default_identity, look_up, this_process
from vrrp_agent.kernel.executable import ProgramRefused, examine, look_again
from vrrp_agent.kernel.program import Ended, Program, start
from vrrp_agent.loop.loop import Loop
from vrrp_agent.loop.running import Running

PATIENCE_S = 20
MS = 1_000_000
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def run(argv: List[str], limit_ns: int = 0, **options: object) -> Tuple[Ended, bool, float]:
    """Run to the end in a loop: how it ended, whether it was told to, and how long it took."""
    loop = Loop()
    result: List[Tuple[Ended, bool]] = []
    began = time.monotonic()
    program = start(argv[0], argv, this_process(), **options)  # type: ignore[arg-type]
    Running(program, loop, limit_ns, lambda ended, told: result.append((ended, told)))
    while not result and time.monotonic() - began < PATIENCE_S:
        loop.turn(0.1)
    loop.close()
    assert result, "the program did not end"
    return (*result[0], time.monotonic() - began)


def wait_for(told: Callable[[], Optional[str]]) -> str:
    """What ``told`` answers at last."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        answer = told()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError("nothing came")


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_an_exit_code_comes_back(code: int) -> None:
    ended, told, _took = run(["/bin/sh", "-c", f"exit {code}"])
    assert ended == Ended(code)
    assert ended.good is (code == 0)
    assert not told
    assert str(ended) == f"exit {code}"


def test_a_signal_is_named() -> None:
    ended, _told, _took = run(["/bin/sh", "-c", "kill -SEGV $$"])
    assert str(ended) == "killed by SIGSEGV"
    assert not ended.good


def test_a_missing_program_says_so_and_is_not_good() -> None:
    ended, _told, _took = run(["/nowhere/check"])
    assert not ended.good
    assert str(ended) == "/nowhere/check cannot be run: No such file or directory"


def test_a_script_without_a_first_line_is_run_by_the_shell(tmp_path: Path) -> None:
    script = tmp_path / "plain"
    script.write_text("exit $1\n")
    script.chmod(0o755)
    assert run([str(script), "7"])[0] == Ended(7)


def test_a_megabyte_of_output_holds_nothing_up() -> None:
    ended, told, _took = run(["/bin/sh", "-c", "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2"])
    assert ended.good and not told


def test_nothing_of_ours_is_left_open_in_it(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with open(tmp_path / "held", "w", encoding="utf-8") as held:
        os.set_inheritable(held.fileno(), True)
        run(["/bin/sh", "-c", f"ls -l /proc/self/fd > {seen}; cat <&0"])
    assert "held" not in seen.read_text()
    assert seen.read_text().count("/dev/null") == 2, "input and error; the output is the list"


def test_a_program_that_hangs_is_told_to_end() -> None:
    ended, told, took = run(["/bin/sleep", "1000"], limit_ns=50 * MS)
    assert told and str(ended) == "killed by SIGTERM"
    assert took >= 0.05


def test_one_that_does_not_listen_is_killed_with_all_it_started(tmp_path: Path) -> None:
    note = tmp_path / "child"
    script = (
        f"trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > {note}; while :; do sleep 1; done' & wait; sleep 99"
    )
    ended, told, took = run(["/bin/sh", "-c", script], limit_ns=1000 * MS)
    assert told and str(ended) == "killed by SIGKILL"
    assert took >= 3.0, "2 s pass between SIGTERM and SIGKILL"
    child = int(note.read_text())
    assert wait_for(lambda: "gone" if not _alive(child) else None)


def test_children_of_one_that_ends_when_told_are_killed_too(tmp_path: Path) -> None:
    note = tmp_path / "child"
    script = f"sh -c 'trap \"\" TERM; echo $$ > {note}; while :; do sleep 1; done' & wait"
    _ended, told, _took = run(["/bin/sh", "-c", script], limit_ns=1000 * MS)
    assert told
    child = int(note.read_text())
    assert wait_for(lambda: "gone" if not _alive(child) else None)


def test_the_environment_has_additions_and_no_traps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IFS", "LD_PRELOAD", "LD_LIBRARY_PATH", "NOTIFY_SOCKET"):
        monkeypatch.setitem(os.environ, name, "/nowhere")
    seen = tmp_path / "seen"
    run(["/bin/sh", "-c", f"cat /proc/self/environ > {seen}"], environment={"VRRP_NAME": "VI_1"})
    variables: Dict[str, str] = dict(
        line.partition("=")[::2]
        for line in seen.read_text().split("\0")
        if line  # type: ignore[misc]
    )
    assert variables["VRRP_NAME"] == "VI_1"
    assert not {"LD_PRELOAD", "LD_LIBRARY_PATH", "NOTIFY_SOCKET"} & set(variables)
    assert variables.get("IFS") != "/nowhere"


ADVANTAGES = """
import os, resource, sys
from vrrp_agent.kernel import process
from vrrp_agent.kernel.accounts import this_process
from vrrp_agent.kernel.program import start
resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 4000))
process.allow_descriptors()
process.set_affinity([min(os.sched_getaffinity(0))])
process.limit_realtime(50000)
process.set_nice(-5)
try:
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("-900")
except PermissionError:
    pass  # as in many containers
text = "cat /proc/self/oom_score_adj; ulimit -Sn; nproc; nice; grep realtime.timeout /proc/self/limits"
program = start("/bin/sh", ["sh", "-c", "{ " + text + "; } > " + sys.argv[1]], this_process())
while program.reap() is None:
    pass
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@root_only
def test_it_has_none_of_the_advantages_of_the_agent(tmp_path: Path) -> None:
    """A script that eats all memory must not outlive the agent, nor keep the CPU that is for adverts."""
    seen = tmp_path / "seen"
    environment = {"PYTHONPATH": str(Path(program_module.__file__).parents[2]), "PATH": os.environ["PATH"]}
    words = [sys.executable, "-c", ADVANTAGES, str(seen)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.split() == ["4000"], f"the agent itself keeps its own: {done}"
    score, descriptors, cpus, nice, *realtime = seen.read_text().split()
    assert int(score) >= 0
    assert (descriptors, nice) == ("1000", "0")
    assert int(cpus) == len(os.sched_getaffinity(0))
    assert realtime == ["Max", "realtime", "timeout", "unlimited", "unlimited", "us"]


@root_only
def test_it_runs_as_the_user_it_should(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for parent in list(tmp_path.parents)[:-1]:
        parent.chmod(parent.stat().st_mode | 0o011)
    seen = tmp_path / "seen"
    nobody = look_up("nobody")
    program = start("/bin/sh", ["sh", "-c", f"id -u; id > {seen}"], nobody)
    assert wait_for(lambda: str(ended) if (ended := program.reap()) else None) == "exit 0"
    assert f"uid={nobody.uid}(" in seen.read_text()
    assert "groups=" in seen.read_text() and "(root)" not in seen.read_text(), "no group of root is kept"


@root_only
def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    pid = os.fork()
    if pid == 0:
        program: Program = start("/bin/sleep", ["sleep", "1000"], this_process())
        note.with_suffix(".part").write_text(str(program.pid))
        note.with_suffix(".part").rename(note)
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    child = int(note.read_text())
    assert wait_for(lambda: "gone" if not _alive(child) else None)


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_an_unknown_user_is_named() -> None:
    with pytest.raises(UnknownAccount, match="the user 'no-such-user' does not exist"):
        look_up("no-such-user")
    with pytest.raises(UnknownAccount, match="the group 'no-such-group' does not exist"):
        look_up("root", "no-such-group")


def test_without_script_user_scripts_run_as_the_agent_does() -> None:
    try:
        expected = look_up("keepalived_script")
    except UnknownAccount:
        expected = this_process()
    assert default_identity(ScriptPolicy()) == expected
    assert default_identity(ScriptPolicy(account=Account("nobody"))) == look_up("nobody")


def test_security_wants_the_default_user_to_exist() -> None:
    try:
        look_up("keepalived_script")
        pytest.skip("the user keepalived_script exists here")
    except UnknownAccount:
        pass
    with pytest.raises(UnknownAccount, match="keepalived_script"):
        default_identity(ScriptPolicy(security=True))


# What may be run.


def script_in(folder: Path, mode: int = 0o755) -> Path:
    path = folder / "check"
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(mode)
    return path


@pytest.fixture(name="safe")
def make_safe() -> object:
    """A folder that only root can change, for scripts."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    path = Path("/opt") / f"vrrp-test-{os.getpid()}"
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path)


SECURE = ScriptPolicy(account=Account("root"), security=True)
OPEN = ScriptPolicy(account=Account("root"))


def test_a_safe_script_may_run(safe: Path) -> None:
    script = script_in(safe)
    found = examine(Command((str(script), "-x")), SECURE)
    assert (found.path, found.argv, found.warnings) == (str(script), (str(script), "-x"), ())


@pytest.mark.parametrize(
    ("mode", "owner", "group", "reason"),
    [
        (0o757, 0, 0, "everybody may write to"),
        (0o775, 0, 100, "the group 100 may write to"),
        (0o755, 1000, 0, "belongs to uid 1000"),
    ],
)
def test_a_script_that_others_can_change_is_refused_as_root(
    safe: Path, mode: int, owner: int, group: int, reason: str
) -> None:
    script = script_in(safe)
    os.chown(script, owner, group)
    script.chmod(mode)
    with pytest.raises(ProgramRefused, match=reason) as refused:
        examine(Command((str(script),)), SECURE)
    assert refused.value.insecure and refused.value.hint
    assert reason in examine(Command((str(script),)), OPEN).warnings[0], "without security it is a warning"


def test_what_nobody_runs_needs_no_protection(safe: Path) -> None:
    script = script_in(safe, 0o757)
    found = examine(Command((str(script),), user="nobody"), SECURE)
    assert found.identity == look_up("nobody") and not found.warnings


def test_a_folder_that_others_can_write_to_is_as_bad(safe: Path) -> None:
    script = script_in(safe)
    safe.chmod(0o777)
    with pytest.raises(ProgramRefused, match=f"everybody may write to {safe}"):
        examine(Command((str(script),)), SECURE)
    safe.chmod(0o1777)
    examine(Command((str(script),)), SECURE)


def test_a_link_is_followed_or_kept(safe: Path) -> None:
    script = script_in(safe)
    link = safe / "link"
    link.symlink_to(script)
    assert examine(Command((str(link),)), SECURE).path == str(script)
    kept = examine(Command((str(link),)), ScriptPolicy(account=Account("root"), follow_links=False))
    assert kept.path == str(link)


NOT_FOLLOWED = ScriptPolicy(account=Account("root"), security=True, follow_links=False)


@pytest.mark.parametrize("policy", [SECURE, NOT_FOLLOWED], ids=["followed", "use_symlink_paths"])
def test_a_link_between_two_links_is_looked_at_too(safe: Path, policy: ScriptPolicy) -> None:
    """The first link and the script are root's, somebody else decides where the one between them leads."""
    script, linked = script_in(safe), safe / "linked.sh"
    (safe / "alice").mkdir()
    current = safe / "alice" / "current"
    current.symlink_to(script)
    linked.symlink_to(current)
    assert examine(Command((str(linked),)), policy).warnings == ()
    os.chown(current, 1000, 1000, follow_symlinks=False)
    with pytest.raises(ProgramRefused, match=f"{current} belongs to uid 1000") as refused:
        examine(Command((str(linked),)), policy)
    assert refused.value.insecure
    os.chown(current, 0, 0, follow_symlinks=False)
    (safe / "alice").chmod(0o777)
    with pytest.raises(ProgramRefused, match=f"everybody may write to {safe}/alice"):
        examine(Command((str(linked),)), policy)


def test_a_link_to_a_directory_in_the_middle_of_the_path_is_looked_at(safe: Path) -> None:
    (safe / "real").mkdir()
    script = script_in(safe / "real")
    (safe / "by").symlink_to("hand")
    (safe / "hand").symlink_to("real")
    assert examine(Command((f"{safe}/by/check",)), SECURE).path == str(script)
    os.chown(safe / "hand", 1000, 1000, follow_symlinks=False)
    with pytest.raises(ProgramRefused, match=f"{safe}/hand belongs to uid 1000"):
        examine(Command((f"{safe}/by/check",)), SECURE)


def test_a_link_that_leads_elsewhere_later_is_noticed_before_the_run(safe: Path) -> None:
    link = safe / "link"
    link.symlink_to(script_in(safe))
    found = examine(Command((str(link),)), NOT_FOLLOWED)
    look_again(found, NOT_FOLLOWED)
    other = safe / "other"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    os.chown(other, 1000, 1000)
    link.unlink()
    link.symlink_to(other)
    with pytest.raises(ProgramRefused, match=f"{other} belongs to uid 1000"):
        look_again(found, NOT_FOLLOWED)
    look_again(found._replace(identity=look_up("nobody")), NOT_FOLLOWED)
    look_again(found, ScriptPolicy(account=Account("root"), follow_links=False))
    link.unlink()
    look_again(found, NOT_FOLLOWED)


@pytest.mark.parametrize(
    ("argv0", "message"),
    [
        ("/nowhere/check", "No such file"),
        ("/etc", "is not a file"),
        ("no-such-program-anywhere", "no program"),
    ],
)
def test_what_cannot_be_run_is_refused(argv0: str, message: str) -> None:
    with pytest.raises(ProgramRefused, match=message):
        examine(Command((argv0,)), OPEN)


def test_a_file_without_the_right_mode_is_refused(safe: Path) -> None:
    script = script_in(safe, 0o644)
    with pytest.raises(ProgramRefused, match="may not be executed by uid 0"):
        examine(Command((str(script),)), OPEN)
    script.chmod(0o700)
    with pytest.raises(ProgramRefused, match="may not be executed"):
        examine(Command((str(script),), user="nobody"), OPEN)


def test_a_bare_name_is_searched_for() -> None:
    found = examine(Command(("true",)), OPEN)
    assert found.path.endswith("/true")
    assert "write the full path" in found.warnings[0]


def test_a_readable_file_stands_for_a_script(tmp_path: Path) -> None:
    here = examine(Command((f"< {tmp_path}/flag",)), OPEN)
    assert not run(list(here.argv))[0].good
    (tmp_path / "flag").touch()
    assert run(list(here.argv))[0].good
    assert here.identity in (this_process(), Identity(0, 0))
