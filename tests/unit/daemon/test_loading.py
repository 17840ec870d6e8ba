# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration is read by a child, and whatever happens to the child is only an outcome."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Iterator

import pytest
from vrrp_agent.daemon.process import loading
from vrrp_agent.daemon.process.loading import Loading, Outcome

GOOD = """
vrrp_instance VI_{0} {{
    interface eth0
    virtual_router_id {0}
    virtual_ipaddress {{
        198.51.100.{0}
    }}
}}
"""


@pytest.fixture(autouse=True)
def no_descriptor_is_left_open() -> Iterator[None]:
    before = set(os.listdir("/proc/self/fd"))
    yield
    assert set(os.listdir("/proc/self/fd")) <= before


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def read(path: Path, lenient: bool = False) -> Outcome:
    return Loading(str(path), "host", lenient).wait()


def test_a_good_file_becomes_values(tmp_path: Path) -> None:
    path = tmp_path / "good.conf"
    path.write_text(GOOD.format(10))
    outcome = read(path)
    assert outcome.failure == ""
    assert outcome.config is not None
    assert [one.vrid for one in outcome.config.instances] == [10]


def test_a_large_file_comes_through_the_pipe_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.conf"
    path.write_text("".join(GOOD.format(number) for number in range(1, 251)))
    outcome = read(path)
    assert outcome.config is not None
    assert len(outcome.config.instances) == 250


def test_errors_come_with_their_places_and_no_configuration(tmp_path: Path) -> None:
    path = tmp_path / "bad.conf"
    path.write_text(GOOD.format(10).replace("virtual_router_id", "virtual_rooter_id"))
    outcome = read(path)
    assert outcome.config is None
    assert [problem.line for problem in outcome.problems if "virtual_rooter_id" in problem.message] == [4]


def test_a_file_that_is_not_there_is_a_problem_and_not_a_failure(tmp_path: Path) -> None:
    outcome = read(tmp_path / "missing.conf")
    assert outcome.config is None
    assert outcome.problems


def test_nothing_is_waited_for_while_the_child_works(tmp_path: Path) -> None:
    path = tmp_path / "slow.conf"
    os.mkfifo(path)
    work = Loading(str(path), "host", False)
    began = time.monotonic()
    assert work.take() is None
    assert time.monotonic() - began < 1, "a turn of the loop that comes for nothing costs nothing"
    work.abandon()


def dying(how: object) -> object:
    """A stand-in for the reading."""

    def work(*_words: object) -> Outcome:
        assert callable(how)
        how()
        return Outcome(None, ())

    return work


def test_a_child_that_is_killed_is_a_failure_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_load", dying(lambda: os.kill(os.getpid(), signal.SIGKILL)))
    outcome = Loading("x", "host", False).wait()
    assert outcome.config is None
    assert "died (status 9)" in outcome.failure


def test_a_child_that_breaks_down_says_where(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "_load", dying(lambda: [][1]))
    outcome = Loading("x", "host", False).wait()
    assert outcome.config is None
    assert "died" in outcome.failure
    assert "IndexError" in capfd.readouterr().err


def test_too_little_memory_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from vrrp_agent.conf import load

    def greedy(*_words: object, **_more: object) -> None:
        raise MemoryError

    monkeypatch.setattr(load, "load", greedy)
    assert "not enough memory" in read(tmp_path).failure


def test_no_room_for_a_child_is_an_error_for_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    with pytest.raises(OSError):
        Loading("x", "host", False)


def test_the_child_holds_nothing_of_the_parents_but_its_pipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A lock or a socket that the child holds would outlive a killed agent."""
    seen = tmp_path / "seen"

    def look() -> None:
        held = []
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):  # that of the listing itself
                held.append((int(name), os.readlink(f"/proc/self/fd/{name}")))
        seen.write_text("\n".join(target for number, target in held if number > 2))

    with open(tmp_path / "lock", "w"):
        monkeypatch.setattr(loading, "_load", dying(look))
        Loading("x", "host", False).wait()
    assert [line.split(":")[0] for line in seen.read_text().splitlines()] == ["pipe"]


def test_the_child_does_not_act_on_signals_meant_for_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_load", dying(lambda: os.kill(os.getpid(), signal.SIGHUP)))
    before = signal.signal(signal.SIGHUP, lambda *_words: None)
    try:
        outcome = Loading("x", "host", False).wait()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert "died (status 1)" in outcome.failure
