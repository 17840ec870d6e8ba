# SPDX-License-Identifier: GPL-3.0-or-later
"""A named pipe: made, written to without waiting, opened again, and given up."""

from __future__ import annotations

import errno
import os
import pwd
import stat
from pathlib import Path
from typing import Dict, Iterator

import pytest
from vrrp_agent.conf.model import Command, Fifo, ScriptPolicy
from vrrp_agent.loop.loop import Loop
from vrrp_agent.notify.fifo import Pipe

from tests.unit.notify.stage import Lines, until

PLAIN = ScriptPolicy()
US = str(os.geteuid())
STRANGER = str(pwd.getpwnam("nobody").pw_uid)
OTHER_GROUP = str(pwd.getpwnam("nobody").pw_gid)
LINE = b'INSTANCE "V" MASTER 9\n'


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def log() -> Lines:
    return Lines()


def make(path: Path, loop: Loop, log: Lines, policy: ScriptPolicy = PLAIN, **words: object) -> Pipe:
    fifo = Fifo(str(path), **words)  # type: ignore[arg-type]
    return Pipe(fifo, policy, loop, log, lambda: None)


def drained(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 20)
    except BlockingIOError:
        return b""


@pytest.mark.parametrize(("umask", "mode"), [(None, 0o600), (0o022, 0o644), (0o037, 0o640)])
def test_its_mode_is_keepaliveds_whatever_our_own_umask(
    tmp_path: Path, loop: Loop, log: Lines, umask: int, mode: int
) -> None:
    path = tmp_path / "pipe"
    before = os.umask(0o027)
    try:
        pipe = make(path, loop, log, ScriptPolicy(umask=umask))
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    found = path.stat()
    assert stat.S_ISFIFO(found.st_mode) and found.st_mode & 0o777 == mode
    pipe.leave(remove=True)
    assert not path.exists()


def test_a_line_waits_for_a_reader_and_a_full_pipe_drops(tmp_path: Path, loop: Loop, log: Lines) -> None:
    path = tmp_path / "pipe"
    pipe = make(path, loop, log)
    while not pipe.dropped:
        pipe.write(LINE)
    written = pipe.written
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    assert drained(reader) == LINE * written
    pipe.write(LINE)
    assert drained(reader) == LINE
    assert (pipe.written, pipe.dropped) == (written + 1, 1)
    assert log.text.count("lines are lost") == 1
    os.close(reader)
    pipe.leave(remove=True)


def test_a_pipe_that_was_there_is_used_and_left_there(tmp_path: Path, loop: Loop, log: Lines) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    pipe = make(path, loop, log)
    pipe.write(LINE)
    assert pipe.written == 1
    pipe.leave(remove=True)
    assert path.exists()


def test_a_pipe_that_somebody_replaced_is_opened_again(tmp_path: Path, loop: Loop, log: Lines) -> None:
    path = tmp_path / "pipe"
    pipe = make(path, loop, log)
    path.unlink()
    pipe.write(LINE)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    assert drained(reader) == LINE
    os.close(reader)
    pipe.leave(remove=True)


@pytest.mark.parametrize("what", ["file", "link", "directory missing"])
def test_what_is_no_pipe_of_ours_is_refused(tmp_path: Path, loop: Loop, log: Lines, what: str) -> None:
    path = tmp_path / "pipe"
    if what == "file":
        path.write_text("precious")
    elif what == "link":
        os.mkfifo(tmp_path / "other")
        path.symlink_to(tmp_path / "other")
    else:
        path = tmp_path / "missing" / "pipe"
    pipe = make(path, loop, log)
    assert pipe.problem and pipe.status()["problem"] == pipe.problem
    pipe.write(LINE)
    assert pipe.dropped == 1
    pipe.leave(remove=True)
    if what == "file":
        assert path.read_text() == "precious"


def test_an_unknown_user_is_said(tmp_path: Path, loop: Loop, log: Lines) -> None:
    pipe = make(tmp_path / "pipe", loop, log, user="no-such-user")
    assert "no-such-user" in pipe.problem
    assert not (tmp_path / "pipe").exists()


def test_a_pipe_that_cannot_be_given_away_is_not_left_behind(
    tmp_path: Path, loop: Loop, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without CAP_CHOWN: nobody shall take the pipe of the wrong user for the one that was asked for."""

    def refused(*_words: object, **_more: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    path = tmp_path / "pipe"
    with monkeypatch.context() as without:
        without.setattr(os, "chown", refused)
        pipe = make(path, loop, log, user=STRANGER)
        assert not path.exists()
        assert "Operation not permitted" in pipe.problem and "run the agent with CAP_CHOWN" in pipe.problem
        pipe.write(LINE)
        assert not path.exists() and (pipe.written, pipe.dropped) == (0, 1)
    pipe.leave(remove=True)


@pytest.mark.parametrize("words", [{"user": STRANGER}, {"user": US, "group": OTHER_GROUP}])
def test_a_pipe_of_ours_is_not_taken_for_one_of_the_user_that_the_file_names(
    tmp_path: Path, loop: Loop, log: Lines, words: Dict[str, str]
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    pipe = make(path, loop, log, **words)
    assert "so it is not used; remove it" in pipe.problem
    pipe.write(LINE)
    assert pipe.written == 0
    pipe.leave(remove=True)
    assert path.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_reload_that_names_another_user_makes_another_pipe(tmp_path: Path, loop: Loop, log: Lines) -> None:
    path = tmp_path / "pipe"
    pipe = make(path, loop, log)
    pipe.take(Fifo(str(path), user=STRANGER), PLAIN)
    assert (path.stat().st_uid, pipe.problem) == (int(STRANGER), "")
    pipe.write(LINE)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    assert drained(reader) == LINE
    os.close(reader)
    pipe.leave(remove=True)
    assert not path.exists()


def test_its_script_gets_the_path_last_and_an_unchanged_one_goes_on(
    tmp_path: Path, loop: Loop, log: Lines
) -> None:
    path, told = tmp_path / "pipe", tmp_path / "told"
    script = tmp_path / "reader"
    script.write_text(
        f'#!/bin/sh\necho "$@" > {told}\nread line < "$2"\necho "$line" > {told}\nexec cat "$2"\n'
    )
    script.chmod(0o755)
    pipe = make(path, loop, log, script=Command((str(script), "mine")))
    reader = pipe.reader
    assert reader is not None
    until(loop, lambda: told.exists() and told.read_text() == f"mine {path}\n")
    pipe.write(LINE)
    until(loop, lambda: told.read_text().encode() == LINE)
    pipe.take(pipe.fifo, pipe.policy)
    assert pipe.reader is reader
    pipe.leave(remove=True)
    until(loop, lambda: pipe.reader is None)


def test_a_script_that_has_ended_is_started_again_by_a_reload(tmp_path: Path, loop: Loop, log: Lines) -> None:
    pipe = make(tmp_path / "pipe", loop, log, script=Command(("/bin/true",)))
    until(loop, lambda: pipe.reader is None)
    assert "has ended" in log.text
    pipe.take(pipe.fifo, pipe.policy)
    assert pipe.reader is not None
    until(loop, lambda: pipe.reader is None)
    pipe.leave(remove=True)
