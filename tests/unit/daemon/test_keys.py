# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that stand in files: where they are looked for, what is wrong with them, and that nobody sees them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, Optional

import pytest
from vrrp_agent.conf.model import AuthHmac, Config, HmacKey
from vrrp_agent.conf.problem import ERROR, WARNING
from vrrp_agent.daemon.process.keys import read_keys
from vrrp_agent.daemon.process.loading import Loading

from tests.unit.daemon.make import config, instance

RIGHT = "hex:" + "5a" * 32


def write(directory: Path, text: str, mode: int = 0o600) -> str:
    path = directory / "key"
    path.write_bytes(text.encode())
    path.chmod(mode)
    return str(path)


def with_key(file: str) -> Config:
    keys = (HmacKey(1, b"i" * 32), HmacKey(2, file=file))
    return config(instance(auth_hmac=AuthHmac(keys, 1)))


def with_password(file: str) -> Config:
    return config(instance(version=2, auth_password_file=file))


def secret(found: Config) -> bytes:
    hmac = found.instances[0].auth_hmac
    assert hmac is not None
    return hmac.keys[1].secret


@pytest.mark.parametrize(("text", "expected"), [
    (RIGHT, b"\x5a" * 32),
    (RIGHT + "\n", b"\x5a" * 32),
    (RIGHT + "\r\n", b"\x5a" * 32),
    ("t" * 32, b"t" * 32),
    ("t" * 64 + "\n", b"t" * 64),
    ("hex:" + "ab" * 64 + "\n", b"\xab" * 64),
    ("with blanks, as they stand in the file", b"with blanks, as they stand in the file"),
])  # fmt: skip
def test_a_key_is_read_as_it_would_stand_in_the_configuration(
    tmp_path: Path, text: str, expected: bytes
) -> None:
    found, problems = read_keys(with_key("file:" + write(tmp_path, text)))
    assert secret(found) == expected
    assert problems == ()
    assert found.instances[0].auth_hmac is not None
    assert found.instances[0].auth_hmac.keys[0].secret == b"i" * 32, "a key beside it stays"


@pytest.mark.parametrize("text", ["", "short", "t" * 65, "hex:" + "ab" * 31, "hex:xyz" * 12, "t" * 5000])
def test_what_is_no_key_is_an_error_that_does_not_show_it(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    _found, problems = read_keys(with_key("file:" + path))
    (problem,) = problems
    assert problem.severity == ERROR and problem.file == path and "key 2" in problem.message
    assert not text or text not in str(problem)


def test_a_key_that_is_not_there_is_an_error_at_work_and_a_warning_elsewhere(tmp_path: Path) -> None:
    path = str(tmp_path / "none")
    for severity in (ERROR, WARNING):
        _found, problems = read_keys(with_key("file:" + path), unreadable=severity)
        assert [(one.severity, one.file) for one in problems] == [(severity, path)]
        assert "No such file" in problems[0].message


def test_a_file_that_others_may_read_is_warned_of(tmp_path: Path) -> None:
    found, problems = read_keys(with_key("file:" + write(tmp_path, RIGHT, 0o640)))
    assert secret(found) == b"\x5a" * 32
    assert [(one.severity, "chmod 600" in one.hint) for one in problems] == [(WARNING, True)]


def test_a_credential_is_looked_for_where_systemd_puts_it(tmp_path: Path) -> None:
    write(tmp_path, RIGHT)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    found, problems = read_keys(with_key("credential:key"), environment)
    assert (secret(found), problems) == (b"\x5a" * 32, ())


def test_a_credential_without_systemd_says_what_to_do() -> None:
    environment: Dict[str, str] = {}
    _found, (problem,) = read_keys(with_key("credential:key"), environment)
    assert problem.severity == ERROR and "LoadCredential=" in problem.hint


def test_a_pipe_does_not_keep_the_reading_waiting(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    _found, (problem,) = read_keys(with_key(f"file:{path}"))
    assert "no regular file" in problem.message


def test_a_directory_is_no_key(tmp_path: Path) -> None:
    _found, (problem,) = read_keys(with_key(f"file:{tmp_path}"))
    assert problem.severity == ERROR


@pytest.mark.parametrize(("text", "expected", "severity"), [
    ("s3cret\n", b"s3cret\0\0", None),
    ("12345678", b"12345678", None),
    ("123456789", b"12345678", ERROR),
    ("123456789\r\n", b"12345678", ERROR),
    ("\n", b"\0" * 8, ERROR),
])  # fmt: skip
def test_a_password_may_stand_in_a_file_too(
    tmp_path: Path, text: str, expected: bytes, severity: Optional[str]
) -> None:
    found, problems = read_keys(with_password(write(tmp_path, text)))
    assert found.instances[0].auth_password == expected
    assert [one.severity for one in problems] == ([severity] if severity else [])


def test_a_password_that_is_too_long_is_the_same_error_wherever_it_stands(tmp_path: Path) -> None:
    _found, (problem,) = read_keys(with_password(write(tmp_path, "s3cretpass\n")))
    assert "password is longer than 8 bytes: keepalived cuts it to 8" in problem.message
    assert problem.hint == "write at most 8 bytes"
    assert "s3cret" not in str(problem)


def test_where_no_file_is_named_nothing_is_read_and_nothing_changes() -> None:
    ours = config(instance(auth_hmac=AuthHmac((HmacKey(1, b"i" * 32),), 1)))
    assert read_keys(ours, {}) == (ours, ())


def test_the_child_that_reads_the_configuration_reads_the_keys(tmp_path: Path) -> None:
    path = tmp_path / "keepalived.conf"
    words: Dict[str, Any] = {"file": write(tmp_path, RIGHT)}
    path.write_text(
        "vrrp_instance VI_1 {{\n interface eth0\n virtual_router_id 1\n auth_hmac {{\n key 3 file:{file}\n"
        " active_key 3\n }}\n virtual_ipaddress {{\n 198.51.100.1\n }}\n}}\n".format(**words)
    )
    outcome = Loading(str(path), "", False).wait()
    assert outcome.config is not None, outcome
    hmac = outcome.config.instances[0].auth_hmac
    assert hmac is not None and hmac.keys == (HmacKey(3, b"\x5a" * 32, f"file:{words['file']}"),)
    write(tmp_path, "too short")
    outcome = Loading(str(path), "", False).wait()
    assert outcome.config is None and "key 3" in outcome.problems[-1].message
