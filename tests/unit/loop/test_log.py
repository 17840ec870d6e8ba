# SPDX-License-Identifier: GPL-3.0-or-later
"""A log that says what matters and never holds up an advert."""

from __future__ import annotations

import fcntl
import os
import re
import time
from typing import Iterator, Tuple

import pytest
from vrrp_agent.loop.log import DEBUG, ERROR, INFO, NOTICE, WARNING, Log, under_journal

SECOND = 1_000_000_000


@pytest.fixture
def pipe() -> Iterator[Tuple[int, int]]:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    yield read_end, write_end
    os.close(read_end)
    os.close(write_end)


def text(read_end: int) -> str:
    try:
        return os.read(read_end, 1 << 20).decode()
    except BlockingIOError:
        return ""


def fill(write_end: int) -> None:
    """Until not one byte more fits."""
    flags = fcntl.fcntl(write_end, fcntl.F_GETFL)
    os.set_blocking(write_end, False)
    try:
        while os.write(write_end, b"x" * 4096):
            pass
    except BlockingIOError:
        fcntl.fcntl(write_end, fcntl.F_SETFL, flags)


def test_a_line_has_a_time_a_level_and_the_text(pipe: Tuple[int, int]) -> None:
    Log(INFO, pipe[1]).notice("VI_1: backup -> active: silence")
    line = text(pipe[0])
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} notice  VI_1: backup -> active: silence\n", line
    )


def test_under_the_journal_a_line_has_the_journals_level(
    pipe: Tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = os.fstat(pipe[1])
    monkeypatch.setenv("JOURNAL_STREAM", f"{stat.st_dev}:{stat.st_ino}")
    log = Log(INFO, pipe[1])
    log.error("broken")
    log.warning("odd")
    log.notice("news")
    log.info("progress")
    assert text(pipe[0]) == "<3>broken\n<4>odd\n<5>news\n<6>progress\n"


@pytest.mark.parametrize("stream", ["", "1:1", "nonsense"])
def test_another_stream_than_ours_is_not_the_journal(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", stream)
    assert not under_journal()
    assert not under_journal(descriptor=987)


def test_less_urgent_lines_are_left_out(pipe: Tuple[int, int]) -> None:
    log = Log(WARNING, pipe[1])
    log.notice("not said")
    log.write(DEBUG, "not said")
    log.warning("said")
    assert text(pipe[0]).endswith("warning said\n")


def test_a_pipe_that_nobody_reads_holds_nothing_up_and_the_loss_is_said(pipe: Tuple[int, int]) -> None:
    log = Log(INFO, pipe[1])
    fill(pipe[1])
    began = time.monotonic()
    for number in range(1000):
        log.info(f"line {number}")
    assert time.monotonic() - began < 2
    text(pipe[0])
    log.info("read again")
    lines = text(pipe[0]).splitlines()
    assert "1000 log lines were lost" in lines[0]
    assert lines[1].endswith("read again")
    log.info("and on")
    assert len(text(pipe[0]).splitlines()) == 1


def test_a_closed_stream_is_survived(pipe: Tuple[int, int]) -> None:
    broken_read, broken_write = os.pipe()
    os.close(broken_read)
    Log(INFO, broken_write).error("nobody hears")
    os.close(broken_write)
    Log(INFO, broken_write).error("not even a stream")


def test_a_long_line_is_cut_so_that_it_is_written_whole(pipe: Tuple[int, int]) -> None:
    Log(INFO, pipe[1]).info("ä" * 5000)
    data = os.read(pipe[0], 1 << 16)
    assert len(data) <= 4096
    assert data.endswith(b" ...\n")
    assert data.count(b"\n") == 1


def test_one_event_is_one_line(pipe: Tuple[int, int]) -> None:
    Log(INFO, pipe[1]).info("first\nsecond")
    assert text(pipe[0]).count("\n") == 1


def test_bytes_that_are_no_text_are_written_all_the_same(pipe: Tuple[int, int]) -> None:
    Log(INFO, pipe[1]).info("interface \udcff is down")
    assert "interface ? is down" in text(pipe[0])


class Limited:
    """A log that is asked for the same line again and again."""

    def __init__(self, pipe: Tuple[int, int]) -> None:
        self._log, self._pipe = Log(INFO, pipe[1]), pipe

    def lines(self, now: int, number: int = 1, reason: str = "checksum", burst: int = 1) -> int:
        for _ in range(number):
            self._log.limited(WARNING, "VI_1", reason, "discarded", now, 10 * SECOND, burst)
        self.last = text(self._pipe[0])
        return self.last.count("\n")


def test_a_flood_of_one_reason_is_one_line_a_window(pipe: Tuple[int, int]) -> None:
    limited = Limited(pipe)
    assert limited.lines(now=0, number=1000) == 1
    assert limited.lines(now=9 * SECOND) == 0
    assert limited.lines(now=10 * SECOND) == 1
    assert "(1000 more like this in the last 10 s)" in limited.last
    assert limited.lines(now=20 * SECOND) == 1
    assert "more like this" not in limited.last


def test_another_reason_is_said_at_once(pipe: Tuple[int, int]) -> None:
    limited = Limited(pipe)
    assert limited.lines(now=0) == 1
    assert limited.lines(now=0, reason="ttl") == 1


def test_a_few_lines_may_be_allowed_in_a_window(pipe: Tuple[int, int]) -> None:
    limited = Limited(pipe)
    assert limited.lines(now=0, number=12, burst=8) == 8
    assert limited.lines(now=10 * SECOND, number=2, burst=8) == 2
    assert limited.lines(now=25 * SECOND, number=1, burst=8) == 1
    assert "more like this" not in limited.last


def test_names_without_end_do_not_fill_the_memory(pipe: Tuple[int, int]) -> None:
    log = Log(ERROR, pipe[1])
    for number in range(20_000):
        log.limited(NOTICE, f"source {number}", "ttl", "discarded", 0, 10 * SECOND)
    assert len(log._windows) <= 8192
