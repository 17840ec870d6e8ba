# SPDX-License-Identifier: GPL-3.0-or-later
"""The table knows the whole language of keepalived 2.4, and nothing that does not exist."""

from __future__ import annotations

from typing import Set, Tuple

import pytest
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.grammar.preprocessor import PREPROCESSOR
from vrrp_agent.conf.words import Shape

from tests.unit.conf.keepalived_words import KEEPALIVED_WORDS

INCLUDES = ("include", "includer", "includem", "includew", "includeb", "includea")


def _words_of_blocks() -> Set[Tuple[str, str]]:
    return {
        (section.id, keyword.name)
        for section in SECTIONS.values()
        if section.shape is not Shape.OPTIONS
        for keyword in section.keywords
        if not keyword.own
    }


def test_words_of_our_own_cannot_be_mistaken_for_keepalived() -> None:
    for section in SECTIONS.values():
        for keyword in section.keywords:
            assert keyword.own == keyword.name.startswith("agent_"), (section.id, keyword.name)


@pytest.mark.parametrize("section", KEEPALIVED_WORDS)
def test_every_word_of_keepalived_is_in_the_table(section: str) -> None:
    missing = set(KEEPALIVED_WORDS[section]) - set(SECTIONS[section].index)
    assert not missing


def test_no_block_knows_a_word_that_keepalived_does_not() -> None:
    expected = {(section, word) for section, words in KEEPALIVED_WORDS.items() for word in words}
    assert _words_of_blocks() - expected == set()


def test_words_that_are_handled_before_parsing_are_documented() -> None:
    named = {keyword.name for section in PREPROCESSOR for keyword in section.keywords}
    for start in (
        "$NAME=VALUE",
        "~SEQ(",
        "~SEQx(",
        "~LST(",
        "@ID",
        "@^ID",
        "${_PWD}",
        "${_ENV",
        "# !",
        "{ }",
    ):
        assert any(name.startswith(start) for name in named), start
    assert named >= set(INCLUDES)


def test_words_handled_before_parsing_are_not_keywords_of_the_table() -> None:
    for section in PREPROCESSOR:
        assert section.id not in SECTIONS
    for name in INCLUDES:
        assert name not in SECTIONS["root"].index


@pytest.mark.parametrize("kind", ["interface", "script", "file", "process", "bfd"])
def test_a_tracked_item_takes_a_weight_that_may_be_reversed(kind: str) -> None:
    section = SECTIONS[f"track_{kind}_lines"]
    weight = section.index["weight"]
    assert len(section.item) == 1
    assert weight.args[1].choices == ("reverse", "noreverse")
    assert weight.args[0].maximum == (254 if kind in ("file", "process") else 253)
    assert weight.args[0].minimum == -(weight.args[0].maximum or 0)
