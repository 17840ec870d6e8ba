# SPDX-License-Identifier: GPL-3.0-or-later
"""One file, two engines: root and the Debian root file systems are needed."""

from tests.lab.plugin import make_lan, pytest_report_header, pytest_runtest_makereport

__all__ = ["make_lan", "pytest_report_header", "pytest_runtest_makereport"]
