# SPDX-License-Identifier: GPL-3.0-or-later
"""Every word that the agent does can be written as YAML: data, text and data again say the same.

The samples are made from the table, so that a new word is tested from its first day.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import pytest
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.match.fit import fit_keyword, fit_line
from vrrp_agent.conf.match.judge import TRUE_WORDS
from vrrp_agent.conf.page.rows import supported_sections
from vrrp_agent.conf.text.parse import parse_file
from vrrp_agent.conf.text.preprocess import Options
from vrrp_agent.conf.text.render import render
from vrrp_agent.conf.tree import Node
from vrrp_agent.conf.words import Arg, Keyword, Section, Shape, Type
from vrrp_agent.conf.yaml.form import from_yaml
from vrrp_agent.conf.yaml.out import to_yaml

from tests.unit.conf.texts import MAIN, Files

_SAMPLES: Dict[Type, str] = {
    Type.WORD: "word",
    Type.TEXT: "some words",
    Type.BOOL: "off",
    Type.ADDRESS: "198.51.100.9",
    Type.ADDRESS4: "198.51.100.9",
    Type.ADDRESS6: "2001:db8::9",
    Type.PREFIX: "198.51.100.0/25",
    Type.DESTINATION: "198.18.0.0/16",
    Type.ADDRESS_RANGE: "198.51.100.9",
    Type.PORT: "80",
    Type.INTERFACE: "eth0",
    Type.PATH: "/run/some/file",
    Type.COMMAND: "\"/usr/bin/check 'two words' $x\"",
    Type.USER: "nobody",
    Type.GROUP: "nogroup",
    Type.NUMBER_OR_NAME: "7",
    Type.INTEGER_RANGE: "7-9",
    Type.HEX: "00ff",
    Type.MAC: "02:00:5e:00:00:01",
    Type.NAME: "other",
}


class Case(NamedTuple):
    """A word in its place."""

    section: Section
    keyword: Keyword


def sample(arg: Arg) -> str:
    """A word that fits."""
    if arg.literal:
        return arg.name
    if arg.type is Type.CHOICE:
        return next(choice for choice in arg.choices if choice not in arg.not_yet)
    if arg.type in (Type.INTEGER, Type.DECIMAL):
        low = arg.minimum if arg.minimum is not None else 0
        high = arg.maximum if arg.maximum is not None else low + 10
        return str(int(min(max(low + 1, 2), high)))
    if arg.type is Type.INTEGER_RANGE and arg.minimum is not None:
        return f"{arg.minimum}-{arg.minimum + 2}"
    return _SAMPLES[arg.type]


def arguments(args: Tuple[Arg, ...], optional: bool) -> List[str]:
    return [sample(arg) for arg in args if optional or not arg.optional]


def way_to(section_id: str) -> List[Keyword]:
    """The keywords from the root to the section."""
    before: Dict[str, Tuple[str, Keyword]] = {}
    todo = ["root"]
    while todo:
        parent = todo.pop(0)
        for keyword in SECTIONS[parent].keywords:
            if not keyword.supported:
                continue
            for inner in (keyword.block, keyword.options):
                if inner and inner not in before and inner != "root":
                    before[inner] = (parent, keyword)
                    todo.append(inner)
    way: List[Keyword] = []
    while section_id != "root":
        section_id, keyword = before[section_id]
        way.insert(0, keyword)
    return way


def statement(case: Case, optional: bool) -> str:
    """The word with its arguments, and with whatever stands around it."""
    keyword = case.keyword
    inner = " ".join([keyword.name, *arguments(keyword.args, optional)])
    if keyword.block:
        inner += " {\n" + _required(SECTIONS[keyword.block]) + "}"
    section = case.section
    if section.shape is Shape.LINES:
        inner = " ".join((*arguments(section.item, False), inner))
    for outer in reversed(way_to(section.id)):
        head = " ".join([outer.name, *arguments(outer.args, False)])
        shape = SECTIONS[section.id].shape
        if shape is Shape.OPTIONS:
            inner = f"{head} {inner}"
            section = next(one for one in SECTIONS.values() if outer in one.keywords)
            if section.shape is Shape.LINES:
                inner = " ".join((*arguments(section.item, False), inner))
            continue
        inner = f"{head} {{\n{inner}\n}}"
        section = next(one for one in SECTIONS.values() if outer in one.keywords)
    return inner + "\n"


def _required(section: Section) -> str:
    if section.shape is Shape.LINES:
        return " ".join(arguments(section.item, False)) + "\n"
    return ""


def cases() -> Iterator[Any]:
    for id_ in sorted(supported_sections(SECTIONS)):
        for keyword in SECTIONS[id_].keywords:
            if keyword.supported and not keyword.removed:
                yield pytest.param(Case(SECTIONS[id_], keyword), id=f"{id_}-{keyword.name}")


def parsed(text: str) -> Node:
    result = parse_file(MAIN, Files({MAIN: text}), Options(environment={}), SECTIONS)
    assert not result.problems, (text, [str(problem) for problem in result.problems])
    return result.tree


def essence(block: Node, section: Section) -> Any:
    """What a block says, however its switches are spelled."""
    found: List[Any] = []
    for node in block.children:
        words = tuple(str(word) for word in node.args)
        if section.shape is Shape.LINES:
            found.append(words)
            continue
        keyword = section.index[node.keyword]
        if keyword.args and keyword.args[0].type is Type.BOOL:
            words = ("true" if not words or words[0] in TRUE_WORDS else "false",)
        inner = essence(node, SECTIONS[keyword.block]) if keyword.block else ()
        found.append((node.name, words, inner))
    return found


def flaw_of(case: Case, node: Node) -> Optional[str]:
    """What is wrong with the sample itself."""
    todo = [(node, SECTIONS["root"])]
    while todo:
        block, section = todo.pop()
        for child in block.children:
            if section.shape is Shape.LINES:
                fit = fit_line(section, child.args, SECTIONS)
            else:
                keyword = section.index[child.keyword]
                fit = fit_keyword(keyword, child.args, SECTIONS)
                if keyword.block:
                    todo.append((child, SECTIONS[keyword.block]))
            if fit.flaw is not None:
                return fit.flaw.message
    return None


@pytest.mark.parametrize("optional", [False, True], ids=["short", "whole"])
@pytest.mark.parametrize("case", list(cases()))
def test_a_word_says_the_same_after_a_trip_through_yaml(case: Case, optional: bool) -> None:
    text = statement(case, optional)
    tree = parsed(text)
    assert flaw_of(case, tree) is None, text
    data = to_yaml(tree, SECTIONS)
    made, problems = from_yaml(data, SECTIONS)
    assert not problems, (data, [str(problem) for problem in problems])
    again = render(made, SECTIONS)
    root = SECTIONS["root"]
    assert essence(parsed(again), root) == essence(tree, root), f"{text}\n{data}\n{again}"
