# SPDX-License-Identifier: GPL-3.0-or-later
"""What the next process finds when this one is killed."""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path
from typing import Any

import pytest
from vrrp_agent.daemon.memory import Memory, Recalled, boot_id, recall

BOOT = b"0123abcd-0000-4000-8000-00000000cafe"
KEY, OTHER = ("eth0", 4, 10), ("eth0", 6, 10)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "memory")


def laid_out(path: str, *keys: Any) -> Memory:
    memory = Memory(path, BOOT)
    memory.lay_out(keys)
    assert memory.problem == ""
    return memory


def test_the_moment_of_the_last_advert_outlives_the_process(path: str) -> None:
    memory = laid_out(path, KEY, OTHER)
    memory.note(memory.offset(KEY), 111)
    memory.note(memory.offset(KEY), 222)
    assert recall(path, BOOT) == {KEY: Recalled(222, own=False)}, "without a word from the killed process"


def test_a_router_that_is_no_longer_active_is_forgotten(path: str) -> None:
    memory = laid_out(path, KEY)
    memory.note(memory.offset(KEY), 111)
    memory.note(memory.offset(KEY), 0)
    assert recall(path, BOOT) == {}


def test_that_the_addresses_were_the_interfaces_own_is_kept(path: str) -> None:
    memory = laid_out(path, KEY)
    memory.note_own(memory.offset(KEY))
    memory.note(memory.offset(KEY), 5)
    memory.lay_out([OTHER, KEY])
    assert recall(path, BOOT) == {KEY: Recalled(5, own=True)}


def test_a_new_configuration_keeps_the_moments_of_those_that_stay(path: str) -> None:
    memory = laid_out(path, KEY, OTHER)
    memory.note(memory.offset(KEY), 111)
    memory.note(memory.offset(OTHER), 222)
    memory.lay_out([("eth1", 4, 1), OTHER])
    assert recall(path, BOOT) == {OTHER: Recalled(222, own=False)}
    assert memory.offset(KEY) == -1


def test_an_orderly_stop_leaves_nothing(path: str) -> None:
    memory = laid_out(path, KEY)
    memory.note(memory.offset(KEY), 111)
    memory.forget()
    assert recall(path, BOOT) == {}
    assert not os.path.exists(path)


def test_after_a_reboot_the_clock_is_another_one(path: str) -> None:
    memory = laid_out(path, KEY)
    memory.note(memory.offset(KEY), 111)
    assert recall(path, b"f" * 36) == {}
    assert recall(path, b"") == {}, "a kernel that does not say which boot this is"


def test_a_file_that_is_not_there_is_an_empty_memory(path: str) -> None:
    assert recall(path, BOOT) == {}


@pytest.mark.parametrize(
    "data",
    [b"", b"V", b"VRRPMEM2", b"\0" * 500, os.urandom(300), b"VRRPMEM1" + BOOT.ljust(40, b"\0") + bytes(32)],
)
def test_a_damaged_file_is_an_empty_memory(path: str, data: bytes) -> None:
    Path(path).write_bytes(data)
    assert recall(path, BOOT) == {}


def test_a_file_that_was_cut_gives_the_whole_records(path: str) -> None:
    memory = laid_out(path, KEY, OTHER)
    memory.note(memory.offset(KEY), 111)
    memory.note(memory.offset(OTHER), 222)
    whole = Path(path).read_bytes()
    for length in range(len(whole)):
        Path(path).write_bytes(whole[:length])
        assert set(recall(path, BOOT)) <= {KEY, OTHER}
    assert set(recall(path, BOOT)) == {KEY}


def test_bytes_that_are_no_text_do_not_stop_the_start(path: str) -> None:
    memory = laid_out(path, KEY)
    memory.note(memory.offset(KEY), 111)
    data = bytearray(Path(path).read_bytes())
    data[48:50] = b"\xff\xfe"
    Path(path).write_bytes(data)
    assert KEY not in recall(path, BOOT)


def test_a_directory_that_takes_no_file_is_said_and_survived(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path / "missing" / "memory"), BOOT)
    memory.lay_out([KEY])
    assert "cannot keep state" in memory.problem
    assert "No such file" in memory.problem
    memory.note(memory.offset(KEY), 111)
    memory.note_own(memory.offset(KEY))
    memory.forget()


def test_a_full_disk_is_said_and_survived_and_leaves_no_half_file(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = laid_out(path, KEY)
    memory.note(memory.offset(KEY), 111)

    def no_space(*_words: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(mmap, "mmap", no_space)
    memory.lay_out([KEY, OTHER])
    assert "No space left" in memory.problem
    assert os.listdir(os.path.dirname(path)) == ["memory"]
    assert memory.offset(KEY) == -1
    memory.note(memory.offset(KEY), 222)
    monkeypatch.undo()
    memory.lay_out([KEY, OTHER])
    assert memory.problem == "", "there is room again"


def test_writing_does_not_grow_the_file(path: str) -> None:
    """A hole in the file that the disk cannot fill would kill the process at its next advert."""
    memory = laid_out(path, KEY, OTHER)
    before = os.stat(path)
    assert before.st_blocks > 0
    for moment in range(1, 1000):
        memory.note(memory.offset(OTHER), moment)
    assert os.stat(path).st_size == before.st_size == 48 + 2 * 32


def test_this_host_says_which_boot_it_is() -> None:
    assert len(boot_id()) == 36
