# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``vrrp-agent``: it finds its subcommands, and loads none that is not asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import List, Set

import pytest
from vrrp_agent.cli import main as cli
from vrrp_agent.cli.main import COMMANDS, main
from vrrp_agent.version import VERSION

MODULE_UTILS = Path(cli.__file__).parents[2]


def modules_after(code: str) -> Set[str]:
    """What a fresh interpreter has imported after ``code``."""
    words = [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"]
    result = subprocess.run(
        words,
        cwd=MODULE_UTILS,
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(MODULE_UTILS)},
    )
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert COMMANDS[command][1:] in capsys.readouterr().out.replace("\n", " ")


def test_all_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(command in shown for command in COMMANDS)


@pytest.mark.parametrize(
    "words", [[], ["reboot"], ["run", "--wibble"], ["run", "--config"], ["check", "--wibble", "x"]]
)
def test_a_wrong_command_line_is_exit_status_2(words: List[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: vrrp-agent" in capsys.readouterr().err


def test_the_version_is_the_collections(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith(f"vrrp-agent {VERSION} ")


def test_a_reader_that_goes_away_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in ``vrrp-agent keywords | head -1``."""
    code = "from vrrp_agent.cli.main import main; sys.exit(main(['keywords']))"
    words = [sys.executable, "-c", f"import sys; {code}"]
    with subprocess.Popen(
        words, cwd=MODULE_UTILS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PYTHONPATH": "."}
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        assert b"Traceback" not in child.stderr.read()
    assert child.returncode == 0


def test_an_interrupted_command_has_the_shells_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    from vrrp_agent.cli import check

    def interrupted(_options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run", interrupted)
    assert main(["check", "x"]) == 130


def test_the_daemon_loads_no_more_than_it_needs() -> None:
    """It lives long and is locked into memory; the grammar is the business of a child."""
    found = modules_after("import vrrp_agent.cli.main, vrrp_agent.cli.run, vrrp_agent.daemon.service")
    heavy = {"asyncio", "subprocess", "ssl", "http", "email", "urllib", "xml", "yaml", "logging", "decimal"}
    assert not heavy & found
    conf = {name for name in found if name.startswith("vrrp_agent.conf.")}
    parts = {name for name in conf if name.startswith("vrrp_agent.conf.parts")}
    assert conf - parts <= {"vrrp_agent.conf.model", "vrrp_agent.conf.problem"}
    assert "pyroute2" not in found, "only when it begins to speak with the kernel"


def test_asking_for_the_status_loads_no_kernel() -> None:
    found = modules_after("import vrrp_agent.cli.status")
    assert not {name for name in found if name.startswith(("vrrp_agent.kernel", "vrrp_agent.election"))}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("STOP", 15),
        ("RELOAD", 1),
        ("DATA", 10),
        ("STATS", 12),
        ("JSON", 36),
        ("STATS_CLEAR", 63),
        ("TDUMP", 64),
    ],
)
def test_signum_says_a_signal_s_number_as_keepalived_does(
    name: str, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ([f"--signum={name}"], ["--signum", name]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 0
        assert capsys.readouterr().out == f"{number}\n"


def test_a_signal_that_keepalived_does_not_have_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--signum=REBOOT"])
    assert caught.value.code == 2
    assert "known: STOP, RELOAD, DATA" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (["-f", "/a"], "config", "/a"),
        (["--use-file", "/a"], "config", "/a"),
        ([], "config", "/etc/keepalived/keepalived.conf"),
        (["-i", "blue"], "config_id", "blue"),
        (["-s", "ns"], "namespace", "ns"),
        (["-u", "027"], "umask", 0o027),
        (["-p", "/a", "-r", "/b"], "pid_files", ("/a", "/b")),
        (["--pid", "/a"], "pid_files", ("/a",)),
        ([], "pid_files", ()),
        (["-n", "-l", "-D", "-P", "-R"], "runtime_dir", ""),
        (["--runtime-dir", "/r"], "runtime_dir", "/r"),
    ],
)
def test_run_takes_the_options_of_keepalived(
    words: List[str], field: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vrrp_agent.daemon import service

    taken = []

    class Service:
        def __init__(self, options: object) -> None:
            taken.append(options)

        def run(self) -> int:
            return 7

    monkeypatch.setattr(service, "Service", Service)
    assert main(["run", *words]) == 7
    assert getattr(taken[0], field) == value


def test_a_umask_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["run", "-u", "rwx"])
    assert caught.value.code == 2
    assert "none of IRUSR" in capsys.readouterr().err
