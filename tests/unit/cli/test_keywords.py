# SPDX-License-Identifier: GPL-3.0-or-later
"""``vrrp-agent keywords`` as a person or a program reads it."""

from __future__ import annotations

import argparse
import json

import pytest
from vrrp_agent.cli import keywords


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    keywords.add_arguments(parser)
    return keywords.run(parser.parse_args(words))


def test_all_words_are_shown_under_their_sections(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run() == 0
    lines = capsys.readouterr().out.splitlines()
    instance = lines.index("vrrp_instance")
    assert any(line.split()[:3] == ["yes", "virtual_router_id", "VRID"] for line in lines[instance:])
    assert any(line.split()[:3] == ["not", "yet", "track_bfd"] for line in lines[instance:])
    assert lines[0] == "(lexer)"


def test_one_word_shows_its_default_and_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("vrrp_garp_master_delay") == 0
    section, row = capsys.readouterr().out.splitlines()
    assert section == "global_defs"
    assert row.endswith("0 sends none. Default: 5.")


def test_json_has_a_row_for_every_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--json") == 0
    data = json.loads(capsys.readouterr().out)
    by_name = {(row["section"], row["keyword"]): row for row in data}
    priority = by_name["vrrp_instance", "priority"]
    assert priority["arguments"] == "PRIORITY 1..255"
    assert priority["default"] == "100"
    assert priority["supported"] is True
    assert priority["meaning"].endswith(".")
    assert by_name["vrrp_instance", "track_bfd"]["status"] == "not yet"
    assert ("(preprocessor) include", "include") in by_name


def test_json_can_be_filtered(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--json", "vrrp_instance/authentication") == 0
    found = [(row["keyword"], row["own"]) for row in json.loads(capsys.readouterr().out)]
    assert found == [("auth_type", False), ("auth_pass", False), ("agent_auth_pass_file", True)]


def test_an_unknown_word_is_named_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("virtual_router_ip") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "'virtual_router_ip'; did you mean 'virtual_router_id'?" in captured.err


def test_one_unknown_word_among_known_ones_is_an_error_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("priority", "zzzzzz") == 2
    assert "zzzzzz" in capsys.readouterr().err


def test_the_reference_page_is_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--markdown") == 0
    assert capsys.readouterr().out.startswith("# Keywords\n")
