# SPDX-License-Identifier: GPL-3.0-or-later
"""Any bytes as a configuration: there is an answer, in bounded time, and never an exception."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.load import Loaded, load
from vrrp_agent.conf.problem import has_errors
from vrrp_agent.conf.text.preprocess import Options
from vrrp_agent.conf.text.render import render

from tests.unit.conf.texts import MAIN, Files

LIMIT_S = 5.0
SAMPLES = [
    path.read_text() for path in sorted((Path(__file__).parent.parent / "unit/conf/samples").glob("*.conf"))
]
WORDS = sorted({name for section in SECTIONS.values() for name in section.index})
TOKENS = [
    "{",
    "}",
    "\n",
    "\n",
    " ",
    '"',
    "'",
    "\\",
    "\\\n",
    "#",
    "!",
    "$",
    "${",
    "$A",
    "$A=",
    "${A}",
    "~SEQ(A,1,3) ",
    "~LST({A,B},{1,2}) ",
    "@n1 ",
    "@^n1 ",
    "include ",
    MAIN,
    "1",
    "-1",
    "255",
    "0.5",
    "eth0",
    "198.51.100.1/24",
    "2001:db8::1",
    "default",
    "via",
    "nexthop",
    "${_RANDOM 1 2}",
    "${_ENV X}",
    "\0",
    "\u00b2",
    "\u00a0",
]


def judge(text: bytes) -> Loaded:
    """Loads bytes and holds the answer to what every answer must be."""
    begin = time.perf_counter()
    options = Options(config_id="n1", max_lines=20_000)
    loaded = load(MAIN, reader=Files({MAIN: text}), options=options)
    assert time.perf_counter() - begin < LIMIT_S
    assert (loaded.config is None) == has_errors(loaded.problems)
    for problem in loaded.problems:
        assert problem.message and problem.severity in ("error", "warning")
        assert problem.line >= 0 and problem.column >= 0
        assert "\n" not in problem.message
    return loaded


@given(st.binary(max_size=400))
@settings(max_examples=400, deadline=None)
def test_any_bytes(data: bytes) -> None:
    judge(data)


@given(st.lists(st.sampled_from(TOKENS) | st.sampled_from(WORDS).map(lambda word: word + " "), max_size=60))
@settings(max_examples=600, deadline=None)
def test_any_mixture_of_the_language(tokens: List[str]) -> None:
    judge("".join(tokens).encode())


@pytest.mark.parametrize("seed", range(60))
def test_a_sample_with_damage(seed: int) -> None:
    """Pieces cut out, doubled and swapped; what is still right must render to the same."""
    chance = random.Random(seed)
    text = chance.choice(SAMPLES)
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(text))
        end = min(len(text), start + chance.randint(1, 40))
        piece = text[start:end]
        text = chance.choice(
            (
                text[:start] + text[end:],
                text[:start] + piece + piece + text[end:],
                text[:start] + piece[::-1] + text[end:],
                text[:start] + chance.choice(TOKENS) + text[end:],
            )
        )
    loaded = judge(text.encode())
    if loaded.config is not None:
        again = judge(render(loaded.parsed.tree, SECTIONS).encode())
        assert again.config == loaded.config


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_cut_at_every_line(sample: str) -> None:
    lines = sample.split("\n")
    for count in range(0, len(lines), 7):
        judge("\n".join(lines[:count]).encode())
