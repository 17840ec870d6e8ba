# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine is what the other stories take it for."""

from __future__ import annotations

import pathlib
import subprocess

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "sed", "nq", "fo", "ovf")


def test_the_kernel_has_ip_vs_and_its_schedulers() -> None:
    assert pathlib.Path("/proc/net/ip_vs").exists()
    for scheduler in SCHEDULERS:
        found = subprocess.run(
            ["modprobe", "--dry-run", f"ip_vs_{scheduler}"], capture_output=True, text=True
        )
        assert found.returncode == 0, found.stderr


def test_the_agent_is_there_and_runs() -> None:
    found = subprocess.run(["sh", "./vrrp-agent", "--version"], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
