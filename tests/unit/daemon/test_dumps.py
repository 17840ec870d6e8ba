# SPDX-License-Identifier: GPL-3.0-or-later
"""Where dumps go, and that nobody can make them go elsewhere."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Iterator

import pytest
from vrrp_agent.conf.parts.operations import Dumps, Operations
from vrrp_agent.daemon.dumps import writing as dumps
from vrrp_agent.daemon.dumps.writing import JSON, STATE, STATS, Dumper, DumpError, Saver, place, write

from tests.unit.daemon.make import config, instance
from tests.unit.daemon.stage import Stage


@pytest.fixture(autouse=True)
def usual_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where keepalived writes to when nothing is said."""
    usual = tmp_path / "tmp"
    usual.mkdir()
    monkeypatch.setenv("TMPDIR", str(usual))
    return usual


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (Dumps(), "{tmp}/keepalived.data"),
        (Dumps(state_file="/var/lib/state"), "/var/lib/state"),
        (Dumps(state_file="/var/lib/dumps/"), "/var/lib/dumps/keepalived.data"),
        (Dumps(state_file="mine.txt"), "{tmp}/mine.txt"),
        (Dumps(state_file="/state"), "/state"),
        (Dumps(use_instance=True), "{tmp}/keepalived.blue_two.data"),
        (Dumps(use_instance=True, state_file="/var/lib/state"), "/var/lib/state.blue_two"),
    ],
)
def test_a_dump_goes_where_the_file_says(given: Dumps, name: str, usual_directory: Path) -> None:
    operations = Operations(dumps=given, net_namespace="blue", instance="two")
    assert place(STATE, operations) == name.format(tmp=usual_directory)


def test_each_dump_has_a_word_of_its_own(usual_directory: Path) -> None:
    operations = Operations(dumps=Dumps(stats_file="/a/stats", json_file="/a/json/"))
    assert place(STATS, operations) == "/a/stats"
    assert place(JSON, operations) == "/a/json/keepalived.json"
    assert place(STATE, operations) == f"{usual_directory}/keepalived.data"


def test_without_a_name_of_its_own_data_use_instance_changes_nothing(usual_directory: Path) -> None:
    assert place(JSON, Operations(dumps=Dumps(use_instance=True))) == f"{usual_directory}/keepalived.json"


@pytest.mark.parametrize("given", ["", "relative", "/nowhere/at/all"])
def test_a_useless_tmpdir_is_not_used(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", given)
    assert place(STATE, Operations()) == "/tmp/keepalived.data"


def test_a_link_in_the_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "keepalived.json"
    victim.write_text("precious")
    target.symlink_to(victim)
    write(str(target), "new", 0o600)
    assert victim.read_text() == "precious"
    assert not target.is_symlink() and target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keepalived.json", "tmp", "victim"]


def test_a_pipe_in_the_place_holds_nobody_up(tmp_path: Path) -> None:
    target = tmp_path / "keepalived.data"
    os.mkfifo(target)
    write(str(target), "new", 0o600)
    assert target.read_text() == "new"


def test_the_umask_is_heeded(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(str(tmp_path / "file"), "x", 0o666)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DumpError, match="cannot"):
        write(str(tmp_path / "no" / "such" / "file"), "x", 0o600)
    (tmp_path / "directory").mkdir()
    with pytest.raises(DumpError, match="is a directory"):
        write(str(tmp_path / "directory"), "x", 0o600)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["directory", "tmp"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path / "run")
    (tmp_path / "run").mkdir(exist_ok=True)
    made.start_active(instance())
    yield made
    made.close()


def until_written(stage: Stage, path: Path) -> str:
    deadline = time.monotonic() + 20
    while not stage.log.having(f"wrote {path}"):
        assert time.monotonic() < deadline, stage.log.lines
        stage.loop.turn(0.01)
    return path.read_text()


def test_a_child_writes_the_file(stage: Stage, usual_directory: Path) -> None:
    dumper = Dumper(stage.loop, stage.log, stage.agent.scene)
    dumper.state()
    assert " VRRP Instance = VI_1\n" in until_written(stage, usual_directory / "keepalived.data")
    dumper.stats()
    assert "VRRP Instance: VI_1\n" in until_written(stage, usual_directory / "keepalived.stats")
    dumper.json()
    assert '"iname":"VI_1"' in until_written(stage, usual_directory / "keepalived.json")
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_counters_begin_anew_after_they_were_written(stage: Stage, usual_directory: Path) -> None:
    dumper = Dumper(stage.loop, stage.log, stage.agent.scene)
    dumper.stats(clear=True)
    assert "  Became master: 1\n" in until_written(stage, usual_directory / "keepalived.stats")
    assert stage.one()["counters"]["became_active"] == 0


def test_many_signals_at_once_make_few_children(stage: Stage, usual_directory: Path) -> None:
    forks = []
    dumper = Dumper(stage.loop, stage.log, stage.agent.scene)
    real = os.fork

    def counted() -> int:
        forks.append(1)
        return real()

    dumps.os.fork = counted  # type: ignore[attr-defined]
    try:
        for _ in range(50):
            dumper.json()
        until_written(stage, usual_directory / "keepalived.json")
        deadline = time.monotonic() + 20
        while len(stage.log.having("wrote")) < 2:
            assert time.monotonic() < deadline
            stage.loop.turn(0.01)
    finally:
        dumps.os.fork = real  # type: ignore[attr-defined]
    assert len(forks) == 2, "the one at work, and one for all that came meanwhile"


def test_a_failure_is_in_the_log(stage: Stage, usual_directory: Path) -> None:
    (usual_directory / "keepalived.data").mkdir()
    Dumper(stage.loop, stage.log, stage.agent.scene).state()
    deadline = time.monotonic() + 20
    while not stage.log.having("is a directory"):
        assert time.monotonic() < deadline, stage.log.lines
        stage.loop.turn(0.01)


def test_states_around_a_reload_are_kept(stage: Stage, tmp_path: Path) -> None:
    saver = Saver(Dumper(stage.loop, stage.log, stage.agent.scene), stage.log)
    directory = tmp_path / "kept"
    saver.before(str(directory))
    saver.after(str(directory))
    for ending in ("pre", "post"):
        text = until_written(stage, directory / f"keepalived_vrrp.{os.getpid()}.1.{ending}")
        assert "VI_1" in text
    saver.before("")
    assert saver.reloads == 2


def test_the_control_socket_gives_the_same_text(stage: Stage) -> None:
    lines = list(stage.agent.answer({"command": "dump", "format": STATS}))
    assert lines[-1] == {"whole": True}
    assert "".join(line.get("text", "") for line in lines) == "".join(
        dumps.PIECES[STATS](stage.agent.scene())
    )
    with pytest.raises(ValueError, match=r"known: keepalived\.data, keepalived\.stats"):
        stage.agent.answer({"command": "dump", "format": "xml"})


def test_without_an_instance_there_is_no_json_file(tmp_path: Path, usual_directory: Path) -> None:
    stage = Stage(tmp_path)
    stage.agent.apply(config())
    Dumper(stage.loop, stage.log, stage.agent.scene).json()
    assert list(usual_directory.iterdir()) == []
    stage.close()
