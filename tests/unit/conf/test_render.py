# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from a tree: it says the same, and saying it again changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.load import load
from vrrp_agent.conf.text.render import can_be_written, line_can_be_written, render
from vrrp_agent.conf.tree import Node, Word

from tests.unit.conf.texts import instance, load_text, tree_of

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.conf"))

CANONICAL = """\
instance blue

global_defs {
    router_id "a # b"
    vrrp_no_swap
}

vrrp_instance VI_1 {
    interface eth0
    virtual_ipaddress {
        198.51.100.10/24 dev eth0
    }
    notify_master "/bin/x 'a b'" root
    authentication {
        auth_type PASS
        auth_pass "se cret"
    }
}
"""


def test_the_layout_is_canonical() -> None:
    messy = CANONICAL.replace("    ", "\t ").replace("\n\n", "\n").replace(" {\n", "\n{ # comment\n")
    assert render(tree_of(messy, unsupported=""), SECTIONS) == CANONICAL


def test_secrets_can_be_masked() -> None:
    text = render(tree_of(CANONICAL), SECTIONS, mask=True)
    assert "se cret" not in text
    assert "auth_pass ********" in text


def test_an_empty_tree_is_an_empty_text() -> None:
    assert render(Node(""), SECTIONS) == ""


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_says_the_same_after_rendering(path: Path) -> None:
    loaded = load(str(path), config_id="n1", unsupported="", environment={"SITE": "lab"})
    assert not [str(problem) for problem in loaded.problems if problem.severity == "error"]
    assert loaded.parsed.tree.children
    text = render(loaded.parsed.tree, SECTIONS)
    again = load_text(text, unsupported="")
    assert again.parsed.tree == loaded.parsed.tree
    assert again.config == loaded.config
    assert render(again.parsed.tree, SECTIONS) == text


# A built-in definition such as ${_PWD} is expanded wherever it stands; that is what it is for.
words = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=0, max_size=12
).filter(
    lambda word: (
        "$_" not in word
        and "${_" not in word
        and can_be_written(SECTIONS["global_defs"].index["router_id"], [Word(word)])
    )
)
lines = st.lists(words.filter(bool), min_size=1, max_size=4).filter(
    lambda line: line_can_be_written([Word(word) for word in line])
)


@given(st.lists(words, max_size=3), st.lists(lines, max_size=4))
@settings(max_examples=300, deadline=None)
def test_parse_of_render_is_the_same_tree(names: List[str], addresses: List[List[str]]) -> None:
    """The grammar does not matter here: any words in any place come back."""
    items = tuple(Node("", tuple(Word(word) for word in line)) for line in addresses)
    tree = Node(
        "",
        children=(
            Node("global_defs", children=tuple(Node("router_id", (Word(name),)) for name in names)),
            Node("vrrp_instance", (Word("A b"),), (Node("virtual_ipaddress", (), items),)),
        ),
    )
    again = load_text(render(tree, SECTIONS)).parsed
    reasons = [problem for problem in again.problems if "is missing before" in problem.message]
    if not reasons:  # an address that is called like a keyword is taken for a forgotten brace
        assert again.tree == tree


@given(st.text(st.sampled_from("ab '\"\\#!{}$\n"), max_size=10))
@settings(max_examples=300, deadline=None)
def test_a_command_comes_back_or_is_refused(command: str) -> None:
    keyword = SECTIONS["vrrp_instance"].index["notify_master"]
    word = Word(command)
    if can_be_written(keyword, [word]):
        tree = Node("", children=(Node("vrrp_instance", (Word("A"),), (Node("notify_master", (word,)),)),))
        assert load_text(render(tree, SECTIONS)).parsed.tree == tree


def _shapes(node: Node) -> List[Tuple[str, ...]]:
    return [(node.keyword, *node.args), *(shape for child in node.children for shape in _shapes(child))]


def test_how_a_command_was_quoted_is_kept() -> None:
    body = 'notify_master \'/bin/x "a b"\' user\nnotify_backup "/bin/y \\"c\\""\nnotify /bin/z'
    tree = tree_of(instance(body), unsupported="")
    assert body.split("\n")[0] in render(tree, SECTIONS)
    assert _shapes(tree_of(render(tree, SECTIONS), unsupported="")) == _shapes(tree)
