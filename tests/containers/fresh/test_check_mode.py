# SPDX-License-Identifier: GPL-3.0-or-later
"""After a run in check mode over fresh hosts there is no trace of it."""

from __future__ import annotations

from typing import Any, Callable

from tests.containers.lab import Lab, Node, sh


def test_a_check_leaves_a_fresh_host_as_it_was(lab: Lab, host: Callable[[Node], Any]) -> None:
    for node in lab.nodes:
        assert not host(node).service("vrrp-agent").exists
        assert not host(node).service("keepalived").is_running
        changed = sh("podman", "diff", node.name).splitlines()
        traces = [line for line in changed if "vrrp" in line or "keepalived" in line]
        # keepalived checks a candidate beside its file; that it is gone again leaves the directory's time.
        assert [line for line in traces if line != "C /etc/keepalived"] == [], node
