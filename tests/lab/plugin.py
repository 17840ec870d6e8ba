# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network tests share: LANs as a fixture, what is needed to run, evidence when a test fails."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import Any, Callable, Generator, Iterator, List

import pytest

from . import program
from .bench import Bench
from .lan import Lan
from .roots import Root, release

LANS: pytest.StashKey[List[Lan]] = pytest.StashKey()

MakeLan = Callable[..., Lan]
MakeBench = Callable[..., Bench]


def missing() -> str:
    """What this machine lacks for network tests; empty when it has everything."""
    if os.geteuid() != 0:
        return "network tests need root (namespaces, raw sockets)"
    lacking = [tool for tool in ("ip", "sysctl", "pgrep") if shutil.which(tool) is None]
    return f"network tests need the programs {', '.join(lacking)}" if lacking else ""


def debian_root(name: str) -> Root:
    """The root file system of a Debian release, with its keepalived; skips, and says why, without it."""
    try:
        return release(name)
    except FileNotFoundError as problem:
        pytest.skip(str(problem))


@pytest.fixture
def make_lan(request: pytest.FixtureRequest) -> Iterator[MakeLan]:
    """Call it with the names of the nodes; the LAN is taken down after the test."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    lans = request.node.stash.setdefault(LANS, [])
    with contextlib.ExitStack() as stack:

        def make(*names: str) -> Lan:
            lan = stack.enter_context(Lan(*names))
            lans.append(lan)
            return lan

        yield make


@pytest.fixture
def make_bench(make_lan: MakeLan) -> MakeBench:
    """Call it with the words of an instance; T and D stand on a LAN of their own, nothing runs yet."""

    def make(*others: str, **words: Any) -> Bench:
        return Bench(make_lan("d", "t", *others), **words)

    return make


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, None]:
    """Add the evidence of each LAN to the report of a failed test."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and call.when == "call":
        lans: List[Lan] = item.stash.setdefault(LANS, [])
        for number, lan in enumerate(lans, 1):
            report.sections.append((f"LAN {number}", lan.evidence()))


def pytest_report_header() -> str:
    """Which agent runs."""
    return f"vrrp-agent: {program.name()}"
