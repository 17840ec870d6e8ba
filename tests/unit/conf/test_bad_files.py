# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are no configuration: refused at once, with one clear error."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from vrrp_agent.conf.load import load
from vrrp_agent.conf.text.source import MAX_FILE_BYTES

from tests.unit.conf.texts import MAIN, Files, load_text, the_problem, where


def test_a_missing_file() -> None:
    problem = load("/nowhere/keepalived.conf").problems[0]
    assert (problem.severity, problem.message, problem.file) == (
        "error",
        "no such file",
        "/nowhere/keepalived.conf",
    )


def test_a_directory(tmp_path: Path) -> None:
    problems = load(str(tmp_path)).problems
    assert [problem.message for problem in problems] == ["is a directory"]


def test_a_device() -> None:
    assert [problem.message for problem in load("/dev/zero").problems] == ["is not a regular file"]


def test_an_empty_file() -> None:
    assert the_problem("").message == "holds no configuration"
    assert the_problem("\n# nothing but a comment\n").message == "holds no configuration"


def test_an_unreadable_file() -> None:
    files = Files({MAIN: "x"}, unreadable=(MAIN,))
    assert [problem.message for problem in load(MAIN, reader=files).problems] == [
        "cannot be read: Permission denied"
    ]


def test_an_executable_file_is_read_with_a_warning() -> None:
    problems = load(MAIN, reader=Files({MAIN: "global_defs {\n}\n"}, executable=(MAIN,))).problems
    assert [(problem.severity, problem.message) for problem in problems] == [
        ("warning", "is executable: keepalived would not read it"),
    ]


def test_a_binary_file() -> None:
    problem = the_problem(b"global_defs {\n}\nab\0cd\n")
    assert "NUL byte" in problem.message
    assert where(problem) == (3, 3)


def test_a_real_program() -> None:
    problems = load("/bin/ls").problems
    assert len(problems) == 1
    assert "NUL byte" in problems[0].message


@pytest.mark.parametrize("kind", ["random", "letters", "braces", "newlines"])
def test_ten_megabytes_of_noise_are_refused_quickly(kind: str, tmp_path: Path) -> None:
    noise = {
        "random": lambda: os.urandom(10_000_000),
        "letters": lambda: random.Random(1).choice([b"some noise\n", b"other noise\n"]) * 900_000,
        "braces": lambda: b"{" * 10_000_000,
        "newlines": lambda: b"\n" * 10_000_000,
    }[kind]()
    path = tmp_path / "noise"
    path.write_bytes(noise)
    begin = time.perf_counter()
    problems = load(str(path)).problems
    assert time.perf_counter() - begin < 1
    assert [problem.message for problem in problems] == ["is larger than 8 MiB"]


@pytest.mark.parametrize(
    "content", [b"noise words here\n", b"{\n", b"}\n", b'"\n', b"\xff\xfe\x01\n", b"a{b}\n"]
)
def test_noise_below_the_limit_ends_after_a_number_of_problems(content: bytes) -> None:
    data = content * ((MAX_FILE_BYTES - 100) // len(content) // 8)
    begin = time.perf_counter()
    problems = load_text(data).problems
    assert time.perf_counter() - begin < 5
    assert 1 <= len(problems) <= 201


def test_a_line_longer_than_keepalived_reads() -> None:
    problem = the_problem("global_defs {\n  router_id " + "x" * 1100 + "\n}\n")
    assert "longer than 1023 bytes" in problem.message
    assert where(problem) == (2, 1)


def test_one_endless_line() -> None:
    assert any("longer than 1023 bytes" in problem.message for problem in load_text("x" * 1_000_000).problems)


def test_line_ends_of_windows_and_latin_1_comments_are_no_problem() -> None:
    assert not load_text(b"global_defs {\r\n  router_id n1 # caf\xe9\r\n}\r\n").problems
    assert not load_text(b"\xef\xbb\xbfglobal_defs {\n}\n").problems
