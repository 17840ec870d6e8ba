# SPDX-License-Identifier: GPL-3.0-or-later
"""Which word may stand where, and where blocks begin and end: one mistake, one message, at its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Mapping, Tuple

import pytest
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.words import Section

from tests.unit.conf.texts import instance, load_text, the_problem, where


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        (
            "global_defs {\n  rooter_id x\n}\n",
            (2, 3),
            "unknown word 'rooter_id' in global_defs",
            "did you mean 'router_id'?",
        ),
        (
            "global_def {\n  router_id x\n}\nglobal_defs {\n}\n",
            (1, 1),
            "unknown word 'global_def' at the top level of the file",
            "did you mean 'global_defs'?",
        ),
        (
            "global_defs {\n  priority 100\n}\n",
            (2, 3),
            "'priority' does not belong in global_defs",
            "it belongs in vrrp_instance",
        ),
        (
            "global_defs {\n}\nrouter_id x\n",
            (3, 1),
            "'router_id' does not belong at the top level of the file",
            "it belongs in global_defs",
        ),
        (
            "global_defs {\n  auth_pass x\n}\n",
            (2, 3),
            "'auth_pass' does not belong in global_defs",
            "it belongs in vrrp_instance / authentication",
        ),
        (
            "global_defs {\n  xyzzy {\n  a {\n }\n }\n}\n",
            (2, 3),
            "unknown word 'xyzzy' in global_defs",
            "'vrrp-agent keywords' lists all words",
        ),
        (
            "global_defs\n{\n  router_id x\n}\n}\n",
            (5, 1),
            "'}' closes nothing",
            "look for a '}' too many above",
        ),
        (
            "global_defs\n  router_id x\n}\n",
            (1, 1),
            "'{' is missing after global_defs",
            "write 'global_defs {'",
        ),
        ("global_defs\n}\n", (1, 1), "'{' is missing after global_defs", "write 'global_defs {'"),
        ("global_defs {\n  router_id x\n", (1, 1), "the block global_defs is never closed", "write '}'"),
        ("# x\n  global_defs {", (2, 3), "the block global_defs is never closed", "write '}'"),
        ("global_defs\n", (1, 1), "'{' is missing after global_defs", "write 'global_defs {'"),
        (
            "global_defs {\n  { router_id x\n }\n}\n",
            (2, 3),
            "'{' opens no block here",
            "this is inside global_defs, opened on line 1",
        ),
        (
            "global_defs {\n  router_id x {\n  }\n}\n",
            (2, 15),
            "'{' opens no block here",
            "inside global_defs",
        ),
        ("{\n}\nglobal_defs {\n}\n", (1, 1), "'{' opens no block here", "the top level of the file"),
        ('global_defs {\n  router_id "x\n}\n', (2, 13), 'the quote " is not closed', 'write the closing "'),
        ("global_defs {\n  router_id\n}\n", (2, 3), "router_id: STRING is missing", "write STRING"),
        (
            "global_defs {\n  router_id a b\n}\n",
            (2, 15),
            "'b' is one word too many",
            "write 'router_id STRING'",
        ),
        (
            "global_defs {\n  vrrp_no_swap now\n}\n",
            (2, 16),
            "vrrp_no_swap takes no argument",
            "write 'vrrp_no_swap' alone",
        ),
        ("global_defs {\n  lvs_id x\n}\n", (2, 3), "keepalived no longer knows 'lvs_id'", "write router_id"),
    ],
)
def test_one_mistake_gives_one_message_at_its_place(
    text: str, place: Tuple[int, int], message: str, hint: str
) -> None:
    problem = the_problem(text)
    assert problem.severity == "error"
    assert where(problem) == place
    assert message in problem.message
    assert hint in problem.hint


def test_a_missing_brace_is_reported_where_the_block_was_opened() -> None:
    text = instance(name="A", vrid=1).rstrip()[:-1] + instance(name="B", vrid=2, addresses="198.51.100.11")
    problem = the_problem(text)
    assert where(problem) == (1, 1)
    assert (
        "'}' is missing before 'vrrp_instance': the block vrrp_instance A, opened on line 1"
        in problem.message
    )
    assert "before line 8" in problem.hint


def test_a_missing_brace_after_a_list_of_addresses_is_seen_at_the_next_word() -> None:
    text = instance("priority 100").replace("    }\n    priority", "    priority")
    problem = the_problem(text)
    assert where(problem) == (4, 5)
    assert (
        "'}' is missing before 'priority': the block virtual_ipaddress, opened on line 4" in problem.message
    )


def test_an_instance_may_be_called_like_a_keyword() -> None:
    two = instance(name="priority") + instance(name="notify", vrid=52, addresses="198.51.100.11")
    text = two + "vrrp_sync_group G {\n  group {\n    priority\n    notify\n  }\n}\n"
    assert not load_text(text, unsupported="").problems


def test_every_mistake_of_a_file_is_reported_in_order() -> None:
    text = "global_defs {\n  a 1\n}\n" + instance("b 2\npriority 300\nstate ACTIVE") + "c 3\n"
    problems = load_text(text).problems
    assert [where(problem) for problem in problems] == [(2, 3), (10, 5), (11, 14), (12, 11), (14, 1)]


def test_a_word_given_again_is_pointed_out() -> None:
    problem = the_problem(instance("priority 100\npriority 50"))
    assert (problem.severity, where(problem)) == ("warning", (8, 5))
    assert problem.message == "'priority' is given again: this one counts"
    assert "line 7" in problem.hint


BFD = "bfd_instance B {\n  neighbor_ip 198.51.100.9\n}\n"


def without(section_id: str, name: str) -> Mapping[str, Section]:
    """The table, with one word that the agent does not do."""
    section = SECTIONS[section_id]
    words = tuple(replace(word, supported=False) if word.name == name else word for word in section.keywords)
    return {**SECTIONS, section_id: replace(section, keywords=words)}


def test_a_word_that_is_not_supported_yet_is_named_never_passed_over() -> None:
    text = "global_defs {\n  enable_dbus\n}\n" + instance("track_bfd {\n  B\n}") + BFD
    problems = load_text(text).problems
    assert [(problem.message, where(problem)) for problem in problems] == [
        ("'enable_dbus' is not supported yet", (2, 3)),
        ("'track_bfd' is not supported yet", (10, 5)),
        ("'bfd_instance' is not supported yet", (14, 1)),
    ]
    assert {problem.severity for problem in problems} == {"error"}


def test_lenient_goes_on_without_words_that_are_unknown_or_not_supported() -> None:
    text = instance("track_bfd {\n  B\n}\nfrobnicate 7\npriority 50") + BFD
    loaded = load_text(text, lenient=True)
    assert loaded.config is not None
    assert loaded.config.instances[0].priority == 50
    assert loaded.config.keywords_ignored == ("frobnicate", "track_bfd", "bfd_instance")
    assert {problem.severity for problem in loaded.problems} == {"warning"}
    assert len(loaded.problems) == 3


def test_lenient_still_refuses_what_is_wrong() -> None:
    assert load_text(instance("priority 300"), lenient=True).config is None


def test_an_option_that_is_not_supported_is_named_too() -> None:
    sections = without("address_lines", "use_vmac")
    text = instance(addresses="198.51.100.10/24 dev eth1 use_vmac no_track")
    problem = the_problem(text, sections=sections)
    assert problem.message == "'use_vmac' is not supported yet"
    assert where(problem) == (5, 35)
    loaded = load_text(text, lenient=True, sections=sections)
    assert loaded.config is not None
    address = loaded.config.instances[0].addresses[0]
    assert (address.device, address.no_track) == ("eth1", True)


def test_a_choice_that_is_not_supported_is_named() -> None:
    section = SECTIONS["vrrp_instance/authentication"]
    kind = section.index["auth_type"]
    later = replace(kind, args=(replace(kind.args[0], not_yet=("AH",)),))
    sections = {**SECTIONS, section.id: replace(section, keywords=(later, section.index["auth_pass"]))}
    text = instance("version 2\nauthentication {\n  auth_type AH\n  auth_pass x\n}")
    assert "AH' is not supported yet" in the_problem(text, sections=sections).message


def test_two_blocks_cannot_have_one_name() -> None:
    text = instance(vrid=1) + instance(vrid=2, addresses="198.51.100.11")
    problem = the_problem(text)
    assert problem.message == "there is a vrrp_instance VI_1 already"
    assert where(problem) == (9, 15)
    assert "on line 1" in problem.hint


def test_a_name_that_no_block_has_is_pointed_out() -> None:
    text = instance() + "vrrp_sync_group G {\n  group {\n    VI_1\n    VI_2\n  }\n}\n"
    problem = the_problem(text)
    assert problem.message == "there is no vrrp_instance 'VI_2'"
    assert problem.hint == "did you mean 'VI_1'?"


def test_a_backslash_does_not_continue_a_line() -> None:
    problem = the_problem("global_defs {\n  router_id x \\\n}\n")
    assert (problem.severity, where(problem)) == ("warning", (2, 15))
    assert "part of its last word" in problem.message
