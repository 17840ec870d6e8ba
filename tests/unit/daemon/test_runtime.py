# SPDX-License-Identifier: GPL-3.0-or-later
"""The runtime directory, and what systemd is told."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator, List

import pytest
from vrrp_agent.daemon.process import runtime, systemd
from vrrp_agent.daemon.process.runtime import RuntimeDirError, occupy


def test_the_directory_is_made_for_root_and_its_group(tmp_path: Path) -> None:
    path = tmp_path / "run" / "agent"
    lock = occupy(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    lock.close()


def test_the_lock_says_which_process_has_it(tmp_path: Path) -> None:
    lock = occupy(str(tmp_path))
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    lock.close()


def test_a_second_agent_is_told_who_is_there_and_what_to_do(tmp_path: Path) -> None:
    lock = occupy(str(tmp_path))
    with pytest.raises(RuntimeDirError, match=f"another agent \\(process {os.getpid()}\\) uses") as caught:
        occupy(str(tmp_path))
    assert "--runtime-dir" in caught.value.hint
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n", "and the first one's name stays"
    lock.close()
    occupy(str(tmp_path)).close()


def test_a_killed_agent_frees_its_directory(tmp_path: Path) -> None:
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); "
        "from vrrp_agent.daemon.process.runtime import occupy; "
        "lock = occupy(sys.argv[2]); print('have it', flush=True); time.sleep(60)"
    )
    module_utils = str(Path(runtime.__file__).parents[3])
    words = [sys.executable, "-c", code, module_utils, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"have it\n"
        with pytest.raises(RuntimeDirError, match=f"process {child.pid}"):
            occupy(str(tmp_path))
        child.kill()
    occupy(str(tmp_path)).close()


def test_a_path_that_is_no_directory_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RuntimeDirError, match="cannot use the runtime directory") as caught:
        occupy(str(tmp_path / "file"))
    assert caught.value.hint
    with pytest.raises(RuntimeDirError, match="Not a directory"):
        occupy(str(tmp_path / "file" / "below"))


def test_a_directory_that_cannot_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_words: object, **_more: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "makedirs", refused)
    with pytest.raises(RuntimeDirError, match="Permission denied"):
        occupy(str(tmp_path))


def test_a_full_disk_does_not_keep_the_agent_from_its_directory(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to("/dev/full")
    lock = occupy(str(tmp_path))
    with pytest.raises(RuntimeDirError, match="another agent"):
        occupy(str(tmp_path))
    lock.close()


# systemd.


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    path = str(tmp_path / "notify")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(path)
    sock.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    with sock:
        yield sock


def lines(manager: socket.socket) -> List[str]:
    return manager.recv(4096).decode().split("\n")


def test_systemd_hears_of_the_start_a_reload_and_the_end(manager: socket.socket) -> None:
    systemd.ready("2 virtual routers")
    assert lines(manager) == ["READY=1", "STATUS=2 virtual routers"]
    before_us = time.monotonic_ns() // 1000
    systemd.reloading()
    first, second = lines(manager)
    assert first == "RELOADING=1"
    assert before_us <= int(second.split("=")[1]) <= time.monotonic_ns() // 1000
    systemd.stopping()
    assert lines(manager) == ["STOPPING=1"]


def test_an_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"vrrp-agent-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name)
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        systemd.ready("x")
        assert lines(sock)[0] == "READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "/" + "x" * 300])
def test_without_a_manager_nothing_happens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    systemd.ready("x")


def test_a_manager_that_does_not_read_holds_nothing_up(manager: socket.socket) -> None:
    began = time.monotonic()
    for _ in range(5000):
        systemd.ready("x")
    assert time.monotonic() - began < 5
