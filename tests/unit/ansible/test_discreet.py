# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real run of a module leaves in the journal and in its answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from plugins.module_utils._host.host import HostError
from plugins.module_utils._host.module import DiscreetModule
from tests.unit.ansible.samples import web

CONFIG = web(authentication={"auth_type": "PASS", "auth_pass": "s3cret"})
SPEC: dict[str, Any] = {"config": {"type": "dict"}, "raw": {"type": "str"}}


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.AnsibleModule, "_log_to_syslog", lambda _self, text: lines.append(text))
    return lines


@pytest.fixture
def module(journal: list[str]) -> Iterator[DiscreetModule]:
    with patch_module_args({"config": CONFIG, "raw": "auth_pass s3cret\n"}):
        yield DiscreetModule(argument_spec=SPEC)


def test_the_journal_of_the_host_never_sees_a_password(module: DiscreetModule, journal: list[str]) -> None:
    assert "eth0" in journal[0]
    assert "s3cret" not in journal[0]


@pytest.mark.parametrize("well", [True, False])
def test_the_answer_holds_no_password(
    module: DiscreetModule, well: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        module.end({"changed": True}) if well else module.fail(HostError("no", rc=3))
    printed = capsys.readouterr().out
    assert "s3cret" not in printed
    shown = json.loads(printed)["invocation"]["module_args"]["config"]
    assert shown["vrrp_instance"]["WEB"]["interface"] == "eth0"
