# SPDX-License-Identifier: GPL-3.0-or-later
"""``vrrp-agent check``: what it prints, and with which status it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from vrrp_agent.cli.main import main

GOOD = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        198.51.100.10/24
    }
}
"""
DOUBTFUL = GOOD.replace("    interface", "    nopreempt\n    preempt_delay 3\n    interface")
BAD = GOOD.replace("51\n", "51\n    prority 100\n")


def check(tmp_path: Path, text: str, *options: str) -> int:
    path = tmp_path / "keepalived.conf"
    path.write_text(text)
    return main(["check", str(path), *options])


@pytest.mark.parametrize(
    ("text", "options", "status"),
    [
        (GOOD, [], 0),
        (GOOD, ["--strict"], 0),
        (DOUBTFUL, [], 0),
        (DOUBTFUL, ["--strict"], 1),
        (DOUBTFUL, ["--strict", "--json"], 1),
        (BAD, [], 2),
        (BAD, ["--strict"], 2),
        (BAD, ["--json"], 2),
        (BAD, ["--lenient"], 0),
        (BAD, ["--lenient", "--strict"], 1),
        ("", [], 2),
    ],
)
def test_the_exit_status(tmp_path: Path, text: str, options: list, status: int) -> None:
    assert check(tmp_path, text, *options) == status


@pytest.mark.parametrize("path", ["/nowhere/keepalived.conf", "/tmp", "/bin/ls", "/dev/null"])
def test_what_is_no_configuration_is_an_error(path: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["check", path]) == 2
    assert "1 error, 0 warnings" in capsys.readouterr().out


def test_problems_are_printed_as_compilers_do(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    check(tmp_path, BAD)
    path = tmp_path / "keepalived.conf"
    assert capsys.readouterr().out == (
        f"{path}:4:5: error: unknown word 'prority' in vrrp_instance\n"
        "    did you mean 'priority'?\n"
        f"{path}: 1 error, 0 warnings\n"
    )


def test_a_clean_file_is_called_clean(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    check(tmp_path, GOOD)
    assert capsys.readouterr().out == f"{tmp_path}/keepalived.conf: no problems\n"


def test_json_is_a_list_of_problems(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    check(tmp_path, BAD, "--json")
    problems = json.loads(capsys.readouterr().out)
    assert problems == [
        {
            "severity": "error",
            "message": "unknown word 'prority' in vrrp_instance",
            "hint": "did you mean 'priority'?",
            "file": f"{tmp_path}/keepalived.conf",
            "line": 4,
            "column": 5,
            "keyword": "prority",
            "path": "",
        }
    ]
    check(tmp_path, GOOD, "--json")
    assert json.loads(capsys.readouterr().out) == []


def test_lines_for_another_host_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    text = GOOD.replace("    interface", "    @other nonsense\n    interface")
    assert check(tmp_path, text, "--config-id", "n1") == 0
    assert check(tmp_path, text, "--config-id", "other") == 2


def test_a_key_that_is_not_here_is_only_worth_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """The file may be checked on another host; a key that is here and too short is an error."""
    key = tmp_path / "key"
    text = GOOD.replace(
        "    virtual_ip", f"    auth_hmac {{\n key 1 file:{key}\n active_key 1\n}}\n    virtual_ip"
    )
    assert check(tmp_path, text) == 0
    assert f"{key}: warning: VI_1: key 1 cannot be read: No such file or directory" in capsys.readouterr().out
    key.write_text("s3cret")
    assert check(tmp_path, text) == 2
    shown = capsys.readouterr().out
    assert f"{key}: error: VI_1: key 1 has 6 bytes" in shown and "s3cret" not in shown
