# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories in network namespaces: root is needed."""

from tests.lab.plugin import make_bench, make_lan, pytest_report_header, pytest_runtest_makereport

__all__ = ["make_bench", "make_lan", "pytest_report_header", "pytest_runtest_makereport"]
