# SPDX-License-Identifier: GPL-3.0-or-later
"""A check script that is run again and again."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Iterator, List

import pytest
from vrrp_agent.conf.model import Account, Command, Script, ScriptPolicy
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop
from vrrp_agent.track.messages import Reading
from vrrp_agent.track.scripts import ScriptRunner

PATIENCE_S = 20


@pytest.fixture(name="safe")
def make_safe() -> Iterator[Path]:
    """A folder that only root can change."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    path = Path("/opt") / f"vrrp-test-scripts-{os.getpid()}"
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path)


def script(path: Path, text: str, owner: int = 0) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    os.chown(path, owner, owner)
    return path


def test_with_use_symlink_paths_a_link_is_looked_at_before_each_run(safe: Path) -> None:
    """Root has let it lead to a file of somebody else: that is not run, and the check has failed."""
    link, note = safe / "link", safe / "note"
    link.symlink_to(script(safe / "good", "exit 0"))
    said: List[Reading] = []
    policy = ScriptPolicy(account=Account("root"), security=True, follow_links=False)
    check = Script("s", Command((str(link),)), interval_ns=20_000_000, timeout_ns=5_000_000_000)
    loop = Loop()
    runner = ScriptRunner(check, policy, loop, Log(0), said.append, None)

    def until(good: bool) -> None:
        end = time.monotonic() + PATIENCE_S
        while said[-1].good is not good:
            assert time.monotonic() < end, f"in vain; said: {said}"
            loop.turn(0.05)

    runner.begin()
    until(True)
    script(safe / "evil", f"touch {note}", owner=1000)
    (safe / "new").symlink_to("evil")
    (safe / "new").rename(link)
    until(False)
    assert f"{safe}/evil belongs to uid 1000" in said[-1].why and not note.exists()
    (safe / "new").symlink_to("good")
    (safe / "new").rename(link)
    until(True)
    runner.stop()
    loop.close()
