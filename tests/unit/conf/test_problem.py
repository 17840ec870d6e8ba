# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems: how they are shown, sorted, and said once."""

from __future__ import annotations

import pickle

import pytest
from vrrp_agent.conf.problem import ERROR, WARNING, Problem, in_order

from tests.unit.conf.texts import load_text


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (Problem(ERROR, "m", file="f", line=3, column=5), "f:3:5: error: m"),
        (Problem(WARNING, "m", file="f", line=3), "f:3: warning: m"),
        (Problem(ERROR, "m", file="f"), "f: error: m"),
        (Problem(ERROR, "m", path="a.b"), "a.b: error: m"),
        (Problem(ERROR, "m"), "error: m"),
        (Problem(ERROR, "a\x1b[31mb\n", file="f"), "f: error: a?[31mb?"),
    ],
)
def test_a_problem_shows_its_place(problem: Problem, expected: str) -> None:
    assert str(problem) == expected


def test_problems_are_sorted_by_place_the_main_file_first() -> None:
    main = [Problem(ERROR, "late", file="z", line=9), Problem(ERROR, "early", file="z", line=2, column=4)]
    other = Problem(ERROR, "included", file="a", line=1)
    assert [problem.message for problem in in_order([*main, other])] == ["early", "late", "included"]


def test_the_same_problem_is_said_once() -> None:
    problem = Problem(ERROR, "m", file="f", line=1, column=1)
    assert in_order([problem, problem], [problem]) == [problem]


def test_a_consequence_of_an_error_is_not_said() -> None:
    error = Problem(ERROR, "unknown word", file="f", line=1, column=1)
    consequence = Problem(ERROR, "and so", file="f", line=1, column=1)
    elsewhere = Problem(ERROR, "and so", file="f", line=1, column=9)
    assert in_order([error], [consequence, elsewhere]) == [error, elsewhere]


def test_what_was_loaded_can_go_through_a_pipe() -> None:
    loaded = load_text("global_defs {\n  router_id x\n  nonsense\n}\n", lenient=True)
    assert pickle.loads(pickle.dumps((loaded.config, loaded.problems))) == (loaded.config, loaded.problems)
