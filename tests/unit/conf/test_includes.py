# SPDX-License-Identifier: GPL-3.0-or-later
"""What include brings in, in which order, and which files it is an error to miss."""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest
from vrrp_agent.conf.load import Loaded, load
from vrrp_agent.conf.text.includes import alternatives

from tests.unit.conf.texts import MAIN, Files, where

HERE = "/etc/keepalived"


def words(loaded: Loaded) -> List[str]:
    """The names of all instances, in the order read."""
    return [node.label for node in loaded.parsed.tree.children]


def test_files_are_read_in_sorted_order_and_relative_to_the_file_that_includes_them() -> None:
    files = Files(
        {
            MAIN: "include conf.d/*.conf\nvrrp_instance LAST {\n}\n",
            f"{HERE}/conf.d/b.conf": "vrrp_instance B {\n}\n",
            f"{HERE}/conf.d/a.conf": "include sub/x.conf\nvrrp_instance A {\n}\n",
            f"{HERE}/conf.d/sub/x.conf": "vrrp_instance X {\n}\n",
            f"{HERE}/conf.d/ignored.txt": "nonsense\n",
        }
    )
    loaded = load(MAIN, reader=files)
    assert words(loaded) == ["X", "A", "B", "LAST"]
    assert files.read_paths == [
        MAIN,
        f"{HERE}/conf.d/a.conf",
        f"{HERE}/conf.d/sub/x.conf",
        f"{HERE}/conf.d/b.conf",
    ]


def test_an_include_may_stand_inside_a_block_and_after_a_condition() -> None:
    files = Files(
        {
            MAIN: "$WHICH=one\nglobal_defs {\n@n1 include ${WHICH}.conf\n@n2 include two.conf\n}\n",
            f"{HERE}/one.conf": "router_id first\n",
            f"{HERE}/two.conf": "router_id second\n",
        }
    )
    block = load(MAIN, reader=files, config_id="n1").parsed.tree.children[0]
    assert block.children[0].args == ("first",)
    assert block.children[0].file == f"{HERE}/one.conf"


def test_brace_alternatives_come_in_the_order_written() -> None:
    files = Files(
        {MAIN: "include {b,a}.conf", **{f"{HERE}/{n}.conf": f"vrrp_instance {n} {{\n}}" for n in "ab"}}
    )
    assert words(load(MAIN, reader=files)) == ["b", "a"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a", ["a"]),
        ("a{b,c}d", ["abd", "acd"]),
        ("{foo/{,cat,dog},bar}", ["foo/", "foo/cat", "foo/dog", "bar"]),
        ("{a,b}{1,2}", ["a1", "a2", "b1", "b2"]),
        ("{open", ["{open"]),
        ("{}", [""]),
    ],
)
def test_brace_expressions_are_those_of_csh(pattern: str, expected: List[str]) -> None:
    assert alternatives(pattern) == expected


def test_a_bomb_of_alternatives_is_cut_short() -> None:
    assert len(alternatives("{a,b}" * 40)) <= 1000


@pytest.mark.parametrize(
    ("line", "severity", "message"),
    [
        ("include gone.conf", "error", "gone.conf: no such file"),
        ("include 'gone.conf'", "error", "no such file"),
        ("include", "error", "include without a file name"),
        ("include conf.d", "warning", "is a directory"),
        ("include program", "warning", "is executable"),
        ("includer program", "error", "is executable"),
        ("includea conf.d", "error", "is a directory"),
        ("includew none*", "error", "no file matches"),
        ("include {there,gone}.conf", "warning", "gone.conf: no such file"),
        ("includeb {there,gone}.conf", "error", "gone.conf: no such file"),
        ("include secret.conf", "error", "cannot be read: Permission denied"),
        ("include keepalived.conf", "error", "includes itself"),
    ],
)
def test_a_file_that_cannot_be_had_is_named(line: str, severity: str, message: str) -> None:
    files = Files(
        {
            MAIN: f"\n  {line}\nglobal_defs {{\n}}\n",
            f"{HERE}/there.conf": "",
            f"{HERE}/program": "x",
            f"{HERE}/secret.conf": "",
        },
        directories=(f"{HERE}/conf.d",),
        executable=(f"{HERE}/program",),
        unreadable=(f"{HERE}/secret.conf",),
    )
    problems = load(MAIN, reader=files).problems
    assert [problem.severity for problem in problems] == [severity]
    assert message in problems[0].message
    if "secret" not in line:
        assert where(problems[0])[0] == 2
    assert problems[0].hint


def test_a_pattern_may_match_nothing() -> None:
    assert not load(MAIN, reader=Files({MAIN: "include conf.d/*.conf\nglobal_defs {\n}\n"})).problems


def test_include_check_makes_every_later_include_strict() -> None:
    files = Files({MAIN: "include none*\nglobal_defs {\ninclude_check +wildcard_match\n}\ninclude none*\n"})
    problems = load(MAIN, reader=files, unsupported="").problems
    assert [where(problem) for problem in problems] == [(5, 9)]


def test_a_missing_file_is_a_warning_when_lenient() -> None:
    loaded = load(MAIN, reader=Files({MAIN: "include gone.conf\nglobal_defs {\n}\n"}), lenient=True)
    assert loaded.config is not None
    assert [problem.severity for problem in loaded.problems] == ["warning"]


def test_real_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "20-b.conf").write_text("vrrp_instance B {\n}\n")
    (tmp_path / "conf.d" / "10-a.conf").write_text("vrrp_instance A {\n}\n")
    script = tmp_path / "conf.d" / "30-script.conf"
    script.write_text("vrrp_instance NO {\n}\n")
    script.chmod(0o755)
    main = tmp_path / "keepalived.conf"
    main.write_text("include conf.d/*.conf\n")
    loaded = load(str(main))
    assert words(loaded) == ["A", "B"]
    assert any("is executable" in problem.message for problem in loaded.problems)
