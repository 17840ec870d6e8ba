# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping a process on time: each step may fail, says why, and nothing depends on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from vrrp_agent.kernel import process

MODULE_UTILS = Path(process.__file__).parents[2]


def in_a_child(code: str) -> str:
    """What a fresh process prints; its limits and priorities end with it."""
    words = [sys.executable, "-c", f"import os, resource; from vrrp_agent.kernel import process; {code}"]
    environment = {"PYTHONPATH": str(MODULE_UTILS)}
    return subprocess.run(words, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def test_the_limit_of_open_files_is_raised_as_far_as_is_allowed() -> None:
    limit = "resource.RLIMIT_NOFILE"
    code = (
        f"resource.setrlimit({limit}, (100, 500)); process.allow_descriptors(300); "
        f"print(resource.getrlimit({limit})[0]); process.allow_descriptors(); "
        f"print(resource.getrlimit({limit})[0]); process.allow_descriptors(50); "
        f"print(resource.getrlimit({limit})[0])"
    )
    assert in_a_child(code).split() == ["300", "500", "500"]


def test_a_name_is_shown_by_ps() -> None:
    assert in_a_child(
        "process.set_name('a-very-long-process-name'); print(open('/proc/self/comm').read())"
    ) == ("a-very-long-pro")


def test_a_cpu_may_be_chosen() -> None:
    cpu = min(os.sched_getaffinity(0))
    code = f"print([process.set_affinity([{cpu}, {cpu}]), os.sched_getaffinity(0)])"
    assert in_a_child(code) == f"['', {{{cpu}}}]"
    assert process.set_affinity([4095]), "a CPU that is not there is a reason in words"


def test_a_refusal_is_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_words: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    monkeypatch.setattr(os, "setpriority", refused)
    assert process.set_realtime(20) == "Operation not permitted"
    assert process.set_nice(-5) == "Operation not permitted"


def test_being_nice_needs_no_privilege() -> None:
    assert in_a_child("print([process.set_nice(5), os.getpriority(os.PRIO_PROCESS, 0)])") == "['', 5]"


def test_a_process_beside_the_agent_is_an_ordinary_one() -> None:
    """Neither the nice value nor the CPU choice of the agent reaches its scripts."""
    code = (
        "everywhere = os.sched_getaffinity(0); os.sched_setaffinity(0, [min(everywhere)]); "
        "process.set_nice(-5); process.be_ordinary(); "
        "print(os.sched_getaffinity(0) == everywhere, os.getpriority(os.PRIO_PROCESS, 0) >= 0)"
    )
    assert in_a_child(code) == "True True"


@pytest.mark.parametrize(("given", "left"), [("-900\n", "0"), ("0\n", "0\n"), ("300\n", "300\n")])
def test_protection_from_the_oom_killer_is_given_up_and_never_won(
    tmp_path: Path, given: str, left: str
) -> None:
    """The unit says OOMScoreAdjust=-900; a file stands for the kernel's, which not everybody may lower."""
    score = tmp_path / "oom_score_adj"
    score.write_text(given)
    in_a_child(f"process._OOM_SCORE = {str(score)!r}; process.be_ordinary()")
    assert score.read_text() == left
    in_a_child("process._OOM_SCORE = '/nowhere'; process.be_ordinary()")


def test_limits_of_the_agent_are_not_those_of_its_programs() -> None:
    limit = "resource.RLIMIT_NOFILE"
    code = (
        f"resource.setrlimit({limit}, (100, 500)); process.give_back_descriptors(); "
        "process.allow_descriptors(300); process.allow_descriptors(); process.give_back_descriptors(); "
        f"print(*resource.getrlimit({limit})); "
        "process.limit_realtime(1000); process.be_ordinary(); "
        "soft, hard = resource.getrlimit(process.RLIMIT_RTTIME); print(soft == hard)"
    )
    assert in_a_child(code).split() == ["100", "500", "True"]
