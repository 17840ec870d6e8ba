# SPDX-License-Identifier: GPL-3.0-or-later
"""The child that holds a regex against what a stranger has sent: what it may do while it works."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Dict, Iterator, List, Optional

import pytest
from vrrp_agent.check import search as search_module
from vrrp_agent.check.search import Search
from vrrp_agent.conf.parts.checks import Pattern
from vrrp_agent.conf.pcre import expression
from vrrp_agent.loop.loop import Loop

PATIENCE_S = 20
SLOW = Pattern("(a+)+b")
TEXT = b"a" * 40
"""Together they take for ever."""
STATUS = ("CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs")
LIMITS = ("Max open files", "Max file size", "Max processes")


@pytest.fixture(name="loop")
def make_loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture(name="favoured")
def make_favoured() -> Iterator[None]:
    """This process is better than others, as with checker_priority -5, where it may be."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -5)
    yield
    os.setpriority(os.PRIO_PROCESS, 0, before)


def manners(pid: int) -> Dict[str, str]:
    """What /proc says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = {name: value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    seen = {name: found[name].lstrip("0") for name in STATUS}
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    for name in LIMITS:
        seen[name] = next(line for line in limits if line.startswith(name))[len(name) :].split()[1]
    seen["nice"] = str(os.getpriority(os.PRIO_PROCESS, pid))
    return seen


def test_it_has_no_privileges_and_stands_back(
    loop: Loop, favoured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "SEARCH_LIMIT_S", PATIENCE_S)  # time enough to look at it
    answers: List[Optional[bool]] = []
    wanted = {**dict.fromkeys(STATUS, ""), **dict.fromkeys(LIMITS, "0")}
    wanted.update(NoNewPrivs="1", nice="5")
    search = Search(loop, expression(SLOW), SLOW)
    search.start(TEXT, lambda found, _why: answers.append(found))
    seen, end = manners(search._pid), time.monotonic() + PATIENCE_S
    while seen != wanted and not answers and time.monotonic() < end:
        loop.turn(0.01)
        if search._pid:
            seen = manners(search._pid)
    search.stop()
    assert seen == wanted


@pytest.mark.parametrize(("text", "expected"), [(b"xaab", True), (b"xa", False)])
def test_it_finds_all_the_same(loop: Loop, text: bytes, expected: bool) -> None:
    answers: List[Optional[bool]] = []
    end = time.monotonic() + PATIENCE_S
    search = Search(loop, expression(SLOW), SLOW)
    search.start(text, lambda found, why: answers.append(found if not why else None))
    while not answers:
        assert time.monotonic() < end, "no answer"
        loop.turn(0.05)
    assert answers == [expected]
