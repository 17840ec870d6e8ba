# SPDX-License-Identifier: GPL-3.0-or-later
"""The table holds together: every reference leads somewhere, every default fits, every sentence is one."""

from __future__ import annotations

import re
from typing import Iterator, List, Tuple

import pytest
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.grammar.preprocessor import PREPROCESSOR
from vrrp_agent.conf.words import Arg, Keyword, Section, Shape, Type

ALL_SECTIONS: Tuple[Section, ...] = (*PREPROCESSOR, *SECTIONS.values())
KEYWORDS: List[Tuple[Section, Keyword]] = [
    (section, keyword) for section in SECTIONS.values() for keyword in section.keywords
]
NUMBERS = (Type.INTEGER, Type.DECIMAL, Type.PORT, Type.NUMBER_OR_NAME, Type.INTEGER_RANGE)


def _every_form() -> Iterator[Tuple[str, Tuple[Arg, ...]]]:
    for section, keyword in KEYWORDS:
        for form in (keyword.args, *keyword.forms):
            yield f"{section.id} {keyword.name}", form
    for section in SECTIONS.values():
        yield f"{section.id} item", section.item


FORMS = [pytest.param(form, id=name) for name, form in _every_form() if form]


def test_each_word_stands_once_in_its_section() -> None:
    for section in ALL_SECTIONS:
        assert len(section.index) == len(section.keywords), section.id


def test_every_section_can_be_reached_from_the_root() -> None:
    reached, todo = set(), ["root"]
    while todo:
        section = SECTIONS[todo.pop()]
        if section.id not in reached:
            reached.add(section.id)
            todo += [id_ for keyword in section.keywords for id_ in (keyword.block, keyword.options) if id_]
    assert reached == set(SECTIONS)


def test_blocks_and_inline_options_have_the_right_shape() -> None:
    for section, keyword in KEYWORDS:
        if keyword.block:
            assert SECTIONS[keyword.block].shape is not Shape.OPTIONS, (section.id, keyword.name)
        if keyword.options:
            assert SECTIONS[keyword.options].shape is Shape.OPTIONS, (section.id, keyword.name)


def test_lines_are_made_of_something_and_only_they_have_items() -> None:
    for section in SECTIONS.values():
        if section.shape is Shape.LINES:
            assert section.item or section.keywords, section.id
        else:
            assert not section.item, section.id
            assert not any(keyword.fills for keyword in section.keywords), section.id


def test_an_option_that_stands_for_an_item_names_one_of_the_line() -> None:
    for section, keyword in KEYWORDS:
        if keyword.fills:
            assert keyword.fills in [arg.name for arg in section.item]


def test_an_alias_means_a_word_of_the_same_section_and_is_as_supported() -> None:
    for section, keyword in KEYWORDS:
        if keyword.alias_of:
            assert section.index[keyword.alias_of].supported == keyword.supported, keyword.name
            assert not section.index[keyword.alias_of].alias_of, keyword.name


def test_names_refer_to_blocks_that_have_names() -> None:
    opened = {keyword.block or keyword.name for keyword in SECTIONS["root"].keywords if keyword.args}
    opened |= {keyword.name for keyword in SECTIONS["root"].keywords if keyword.args}
    for name, form in _every_form():
        for arg in form:
            assert (arg.type is Type.NAME) == bool(arg.refers_to), name
            if arg.refers_to:
                assert arg.refers_to in opened, name


@pytest.mark.parametrize("form", FORMS)
def test_arguments_can_be_told_apart(form: Tuple[Arg, ...]) -> None:
    assert len({arg.name for arg in form}) == len(form)
    for arg in form[:-1]:
        assert not arg.many
        assert arg.type is not Type.TEXT
    for arg in form:
        assert (arg.type is Type.CHOICE) <= bool(arg.choices)
        assert set(arg.not_yet) <= set(arg.choices)
        if arg.minimum is not None or arg.maximum is not None:
            assert arg.type in NUMBERS
        if arg.minimum is not None and arg.maximum is not None:
            assert arg.minimum < arg.maximum


@pytest.mark.parametrize(
    ("section", "keyword"),
    [pytest.param(s, k, id=f"{s.id} {k.name}") for s, k in KEYWORDS if k.default is not None],
)
def test_a_default_could_be_written_in_the_file(section: Section, keyword: Keyword) -> None:
    assert keyword.default is not None
    assert keyword.args, "a word without arguments has no default to write"
    first = next(arg for arg in keyword.args if arg.type is not Type.CHOICE or arg.choices != ("lock",))
    if first.type is Type.CHOICE:
        assert keyword.default in first.choices
    elif first.type in (Type.INTEGER, Type.DECIMAL) and keyword.default not in first.choices:
        value = float(keyword.default)
        assert first.minimum is None or value >= first.minimum
        assert first.maximum is None or value <= first.maximum
        assert first.type is Type.DECIMAL or value == int(value)


@pytest.mark.parametrize("section", [pytest.param(section, id=section.id) for section in ALL_SECTIONS])
def test_every_meaning_is_one_plain_sentence(section: Section) -> None:
    for meaning in (section.meaning, *(keyword.meaning for keyword in section.keywords)):
        assert meaning.endswith("."), meaning
        assert re.match(r"[A-Z\"'$]|umask|true", meaning), meaning
        assert "  " not in meaning
        assert len(meaning) <= 160, meaning


def test_every_word_says_since_when_it_exists() -> None:
    for section, keyword in KEYWORDS:
        if section.shape is Shape.KEYWORDS and not keyword.own:
            assert re.fullmatch(r"(after )?\d+\.\d+\.\d+", keyword.since), (section.id, keyword.name)


def test_removed_words_are_never_supported() -> None:
    assert [keyword.name for _, keyword in KEYWORDS if keyword.removed and keyword.supported] == []


def test_secrets_are_marked_so_that_they_can_be_masked() -> None:
    secret = {(section.id, keyword.name) for section, keyword in KEYWORDS if keyword.secret}
    assert secret == {
        ("vrrp_instance/authentication", "auth_pass"),
        ("vrrp_instance/auth_hmac", "key"),
        ("SSL", "password"),
        ("global_defs", "agent_smtp_password"),
    }
