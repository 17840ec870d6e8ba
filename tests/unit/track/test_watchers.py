# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and processes of this host, watched in a loop."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Callable, Dict, Iterator, List

import pytest
from vrrp_agent.conf.model import ProcessEvents, WatchedFile, WatchedProcess
from vrrp_agent.kernel import proc_events
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.kernel.proc_events import ProcessEvent, decode
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop
from vrrp_agent.loop.notes import forget
from vrrp_agent.loop.number_files import initial_numbers
from vrrp_agent.track import notebook, process_watch
from vrrp_agent.track.files import FileWatch
from vrrp_agent.track.messages import FILE, PROCESS, SCRIPT, Key, Reading
from vrrp_agent.track.process_watch import ProcessWatch

PATIENCE_S = 20


class Heard:
    """A loop, and what was said in it."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.said: List[Reading] = []

    def value(self) -> int:
        """The last number or count."""
        return self.said[-1].value

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, f"in vain; said: {self.said}"
            self.loop.turn(0.05)

    def until_value(self, number: int) -> None:
        self.until(lambda: bool(self.said) and self.value() == number)

    def quiet(self) -> None:
        """Everything that has happened is heard now, and nothing was said."""
        before = len(self.said)
        for _turn in range(5):
            self.loop.turn(0.02)
        assert len(self.said) == before, self.said[before:]


@pytest.fixture(name="heard")
def make_heard() -> Iterator[Heard]:
    heard = Heard()
    yield heard
    heard.loop.close()


# Files.


@pytest.fixture(name="files")
def make_files(heard: Heard) -> Iterator[FileWatch]:
    watch = FileWatch(heard.loop, Log(0), heard.said.append)
    yield watch
    watch.close()


def test_a_file_is_followed_wherever_it_goes(heard: Heard, files: FileWatch, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "number"
    files.use([WatchedFile("f", str(path))], {})
    assert heard.said == [Reading(FILE, "f", True, 0, "holds 0")]
    (tmp_path / "a").mkdir()
    heard.quiet()
    (tmp_path / "a" / "b").mkdir()
    path.write_text("3")
    heard.until_value(3)
    (tmp_path / "a").rename(tmp_path / "c")
    heard.until_value(0)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "new").write_text("4")
    (tmp_path / "new").rename(path)
    heard.until_value(4)
    path.unlink()
    heard.until_value(0)
    path.symlink_to(tmp_path / "other")
    heard.quiet()
    (tmp_path / "other").write_text("5")
    heard.until_value(5)
    (tmp_path / "other").write_text("5\n")
    (tmp_path / "a" / "b" / "stranger").write_text("6")
    heard.quiet()


def test_what_was_known_is_said_again_only_when_asked_anew(
    heard: Heard, files: FileWatch, tmp_path: Path
) -> None:
    path = tmp_path / "number"
    path.write_text("99999999999")
    known: Dict[Key, Reading] = {(FILE, "f"): Reading(FILE, "f", True, 7)}
    files.use([WatchedFile("f", str(path))], known)
    assert heard.value() == 7, "a number without a place in 32 bits leaves everything as it was"


@pytest.mark.parametrize(
    ("before", "overwrite", "after"), [(None, False, "5\n"), ("1", False, "1"), ("1", True, "5\n")]
)
def test_initial_numbers(tmp_path: Path, before: str, overwrite: bool, after: str) -> None:
    path = tmp_path / "number"
    if before is not None:
        path.write_text(before)
    initial_numbers((WatchedFile("f", str(path), 5, overwrite),), Log(0))
    assert path.read_text() == after


def test_an_initial_number_is_not_written_through_a_link(tmp_path: Path) -> None:
    path, other = tmp_path / "number", tmp_path / "other"
    other.write_text("1")
    path.symlink_to(other)
    initial_numbers((WatchedFile("f", str(path), 5, True),), Log(0))
    assert other.read_text() == "1"


# Processes.


class NoEvents:
    """A kernel that reports no processes."""

    def __init__(self, buffer_bytes: int, force: bool) -> None:
        raise KernelError("the kernel gives no process events", "go elsewhere")


@pytest.mark.parametrize("events", [True, False])
def test_processes_are_counted_with_and_without_events(
    heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: bool
) -> None:
    if not events:
        monkeypatch.setattr(process_watch, "ProcessEvents", NoEvents)
    elif os.geteuid() != 0:
        pytest.skip("needs root")
    program = tmp_path / f"srv{os.getpid()}"
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    watch = ProcessWatch(heard.loop, Log(0), heard.said.append, ProcessEvents())
    wanted = WatchedProcess("p", program.name, match="")
    watch.use([wanted], {})
    assert heard.said == [Reading(PROCESS, "p", False, 0, "0 running")]
    with subprocess.Popen([str(program), "1000"]) as process:
        heard.until(lambda: heard.said[-1].good is True)
        assert heard.value() == 1
        watch.use([wanted, WatchedProcess("all", str(program), ("1000",), full_command=True)], {})
        assert [(one.name, one.good) for one in heard.said[-2:]] == [("p", True), ("all", True)]
        process.kill()
    heard.until(lambda: {one.name for one in heard.said[-2:] if one.good is False} == {"p", "all"})
    watch.close()


def event(what: int, *numbers: int, text: bytes = b"") -> bytes:
    """A datagram of the process connector."""
    body = b"".join(number.to_bytes(4, "little") for number in numbers) + text.ljust(16, b"\0")
    head = proc_events._EVENT.pack(what, 0, 0)
    message = proc_events._CN_MSG.pack(1, 1, 0, 0, len(head + body), 0) + head + body
    return proc_events._HEADER.pack(16 + len(message), 3, 0, 0, 0) + message


DATAGRAMS = [
    (event(0, 0), ProcessEvent("accepted")),
    (event(1, 10, 11, 20, 20), ProcessEvent("fork", 20, 11)),
    (event(1, 10, 11, 21, 20), None),  # a thread
    (event(2, 5, 5), ProcessEvent("exec", 5)),
    (event(2, 6, 5), None),
    (event(0x200, 5, 5, text=b"name"), ProcessEvent("rename", 5, name="name")),
    (event(0x80000000, 5, 5, 0, 0), ProcessEvent("exit", 5)),
    (event(0x80000000, 6, 5, 0, 0), None),
    (event(4, 5, 5, 0, 0), None),  # a change of user
    (b"", None),
    (event(2, 5, 5)[:50], None),
]


@pytest.mark.parametrize(("data", "expected"), DATAGRAMS)
def test_what_the_kernel_says_of_processes(data: bytes, expected: ProcessEvent) -> None:
    assert decode(data) == expected


# The notebook.


def test_readings_survive_an_agent_but_no_boot_and_no_change(tmp_path: Path) -> None:
    path = str(tmp_path / "readings")
    one, two = Reading(SCRIPT, "s", True, 3, "exit 0"), Reading(FILE, "f", True, -5, "holds -5")
    unknown = Reading(SCRIPT, "u")
    same = {one.key: "/bin/s", two.key: "/run/f", unknown.key: "/bin/u"}
    notebook.write(path, "boot-1", [one, two, unknown], same)
    assert notebook.read(path, "boot-1", same) == {one.key: one, two.key: two}
    assert notebook.read(path, "boot-2", same) == {}
    assert notebook.read(path, "boot-1", {**same, one.key: "/bin/other"}) == {two.key: two}
    forget(path)
    assert notebook.read(path, "boot-1", same) == {}


def rows(value: str) -> str:
    """A notebook with this value in its one row."""
    return '{"boot": "b", "readings": [["script", "s", true, VALUE, "exit 0", "/bin/s"]]}'.replace(
        "VALUE", value
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "3", '{"boot": "b"}', '{"boot": "b", "readings": [[1]]}', "\xff", "[" * 100_000),
        *(rows(value) for value in ("Infinity", "NaN", "null", "[]", "1" + "0" * 400, str(1 << 33))),
    ],
)
def test_a_damaged_notebook_is_no_notebook_and_is_removed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "readings"
    path.write_bytes(text.encode("latin-1"))
    same = {(SCRIPT, "s"): "/bin/s"}
    assert notebook.read(str(path), "b", same) == {}
    assert not path.exists()
    path.write_text(rows("3"))
    assert notebook.read(str(path), "b", same) == {(SCRIPT, "s"): Reading(SCRIPT, "s", True, 3, "exit 0")}
