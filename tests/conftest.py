# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for every test.

Where CI is set, a skip is a failure: CI has root and installs every tool.

Properties are tried with the same examples each time, so that a run says something about the change and not
about luck. `HYPOTHESIS_PROFILE=explore` looks for new ones.
"""

from __future__ import annotations

import os
from typing import Any, Generator

import hypothesis
import pytest

# No deadline: a machine that stalls says nothing about an example.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("explore", max_examples=2000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def _refuse_skip(report: Any) -> None:
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Nothing skips under CI, but this did: {report.longrepr}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """A test that skips itself, or by a mark."""
    outcome = yield
    _refuse_skip(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, None]:
    """A whole module that skips while it is imported."""
    outcome = yield
    _refuse_skip(outcome.get_result())
