# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions, loops and conditions, by the examples that the manual describes in words."""

from __future__ import annotations

from typing import List

import pytest
from vrrp_agent.conf.load import load
from vrrp_agent.conf.text.preprocess import Options

from tests.unit.conf.texts import MAIN, Files, lines_of, load_text, the_problem, tree_of, where


def addresses(body: str, **options: object) -> List[str]:
    """The lines of a block that a text makes; what stands above --- goes before the block."""
    definitions, _mark, lines = body.rpartition("---\n")
    return lines_of(f"{definitions}\nvrrp_instance A {{\nvirtual_ipaddress {{\n{lines}\n}}\n}}\n", **options)


def test_a_definition_is_put_in_its_place() -> None:
    assert addresses("$IF=eth1\n$NET=10.1\n---\n${NET}.0.1/24 dev $IF") == ["10.1.0.1/24 dev eth1"]


def test_a_definition_is_expanded_when_it_is_used_not_when_it_is_made() -> None:
    body = "$BASE=10.2.${SUB}\n---\n$SUB=0\n${BASE}.100/32\n$SUB=10\n${BASE}.100/32"
    assert addresses(body) == ["10.2.0.100/32", "10.2.10.100/32"]


def test_an_empty_definition_leaves_nothing_behind() -> None:
    assert addresses("$LABEL=\n---\n10.0.0.1 $LABEL") == ["10.0.0.1"]


def test_a_definition_of_several_lines_brings_whole_blocks() -> None:
    text = r"""
    $INSTANCE= \
    vrrp_instance VI_${NUM} { \
        interface eth0.${NUM} \
        \
        @high priority 130 \
        @low priority 120 \
        virtual_ipaddress { \
            10.0.${NUM}.254/24 \
        } \
    }
    $NUM=0
    $INSTANCE
    $NUM=1
    $INSTANCE
    """
    tree = tree_of(text, config_id="high", unsupported="")
    assert [node.label for node in tree.children] == ["VI_0", "VI_1"]
    assert [str(node.last("priority").args[0]) for node in tree.children] == ["130", "130"]  # type: ignore[union-attr]
    assert lines_of(text, config_id="low") == ["10.0.0.254/24", "10.0.1.254/24"]


def test_definitions_of_several_lines_nest_and_redefine() -> None:
    text = r"""
    $PAIR= \
        $N=1 \
        $ONE \
        $N=2 \
        $ONE
    $ONE= \
        10.${M}.0.${N} \
        10.${M}.1.${N}
    vrrp_instance A {
        virtual_ipaddress {
            $M=7
            $PAIR
            10.9.9.9
        }
    }
    """
    assert lines_of(text) == ["10.7.0.1", "10.7.1.1", "10.7.0.2", "10.7.1.2", "10.9.9.9"]


def test_text_may_stand_before_a_definition_of_several_lines() -> None:
    assert addresses("$REST=dev eth1 \\\n10.0.0.2\n---\n10.0.0.1 $REST") == ["10.0.0.1 dev eth1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("~SEQ(I, 0, 3) 10.0.${I}.1", ["10.0.0.1", "10.0.1.1", "10.0.2.1", "10.0.3.1"]),
        ("~SEQ(I, 3) 10.0.${I}.1", ["10.0.1.1", "10.0.2.1", "10.0.3.1"]),
        ("~SEQ(I,6,-2,2) 10.0.${I}.1", ["10.0.6.1", "10.0.4.1", "10.0.2.1"]),
        ("~SEQ(I,1,2,6) 10.0.0.$I", ["10.0.0.1", "10.0.0.3", "10.0.0.5"]),
        ("~SEQx(I, 144, 16, 192) fe80::${I}:1", ["fe80::90:1", "fe80::a0:1", "fe80::b0:1", "fe80::c0:1"]),
        ("~SEQx(I, 0x90, 0x10, 0xa0) fe80::$I", ["fe80::90", "fe80::a0"]),
        ("~LST(I, 4, 7) 10.0.0.$I", ["10.0.0.4", "10.0.0.7"]),
        ("~LST({I, J}, {10,1},{20,4}) 10.0.${I}.${J}", ["10.0.10.1", "10.0.20.4"]),
        ("~LST({I, J}, {10,1},{20}) 10.0.${I}.1${J}", ["10.0.10.11", "10.0.20.1"]),
        ("~SEQ(I,1,2) ~SEQ(J,3,4) 10.0.${I}.${J}", ["10.0.1.3", "10.0.1.4", "10.0.2.3", "10.0.2.4"]),
        ("~LST(I,1,2) ~LST(J,5,6) 10.0.${I}.${J}", ["10.0.1.5", "10.0.1.6", "10.0.2.5", "10.0.2.6"]),
        (
            "~LST({I, J},  {10,1},{20,4})   ~SEQ(K,168,2,170) 192.${K}.${I}.${J}",
            ["192.168.10.1", "192.170.10.1", "192.168.20.4", "192.170.20.4"],
        ),
    ],
)
def test_a_loop_repeats_its_text(line: str, expected: List[str]) -> None:
    assert addresses(line) == expected


def test_a_name_without_braces_ends_at_a_blank_only() -> None:
    """As in keepalived: $I.1 is not the name I."""
    problem = the_problem("global_defs {\n~SEQ(I,1,1) router_id $I.1\n}\n", lenient=True)
    assert "$I" in problem.message


def test_a_loop_repeats_a_definition_of_several_lines() -> None:
    body = "$TWO= \\\n10.${I}.0.1 \\\n10.${I}.0.2\n---\n~SEQ(I,1,2) $TWO\n10.9.9.9"
    assert addresses(body) == ["10.1.0.1", "10.1.0.2", "10.2.0.1", "10.2.0.2", "10.9.9.9"]


def test_a_loop_may_stand_inside_a_definition() -> None:
    assert addresses("$ALL=~SEQ(I,1,2) 10.0.0.$I\n---\n$ALL\n10.9.9.9") == [
        "10.0.0.1",
        "10.0.0.2",
        "10.9.9.9",
    ]
    body = "$ALL= \\\n10.0.0.9 \\\n~SEQ(I,1,2) 10.0.0.$I \\\n10.0.0.8\n---\n$ALL"
    assert addresses(body) == ["10.0.0.9", "10.0.0.1", "10.0.0.2", "10.0.0.8"]


def test_the_limits_of_a_loop_may_be_definitions() -> None:
    assert addresses("$LAST=2\n---\n~SEQ(I,1,$LAST) 10.0.0.$I") == ["10.0.0.1", "10.0.0.2"]


def test_conditions_choose_lines_by_host() -> None:
    body = "@main 10.0.0.1\n@backup 10.0.0.2\n@^main 10.0.0.3\n@^backup 10.0.0.4"
    assert addresses(body, config_id="main") == ["10.0.0.1", "10.0.0.4"]
    assert addresses(body, config_id="other") == ["10.0.0.3", "10.0.0.4"]
    assert addresses(body) == ["10.0.0.3", "10.0.0.4"]


def test_conditions_and_definitions_go_together() -> None:
    text = "@main $LAST=1\n@backup $LAST=2\n$IF=@main\n---\n10.0.0.$LAST\n$IF 10.0.0.7"
    assert addresses(text.replace(".$LAST", ".${LAST}"), config_id="main") == ["10.0.0.1", "10.0.0.7"]
    assert addresses(text.replace(".$LAST", ".${LAST}"), config_id="backup") == ["10.0.0.2"]


def test_built_in_names() -> None:
    tree = tree_of(
        """
        instance blue
        global_defs {
            router_id ${_INSTANCE}-${_ENV HOST}
            smtp_helo_name "${_PWD}/x"
            notification_email_from a${_HASH}b${_BANG}c
        }
        """,
        unsupported="",
        environment={"HOST": "n1"},
    )
    words = {node.keyword: str(node.args[0]) for node in tree.children[1].children}
    assert words == {
        "router_id": "blue-n1",
        "smtp_helo_name": "/etc/keepalived/x",
        "notification_email_from": "a#b!c",
    }


def test_random_numbers_stay_in_their_range_and_follow_the_seed() -> None:
    body = "global_defs {\nrandom_seed 7\n}\n---\n" + "10.0.0.${_RANDOM 3 5}\n" * 20
    first = addresses(body)
    assert {line.rpartition(".")[2] for line in first} == {"3", "4", "5"}
    assert addresses(body) == first


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("$A=x $A\nrouter_id $A\n", 2, 11, "$A calls itself"),
        ("$A=${B}\n$B=${A}\nrouter_id $A\n", 3, 11, "$A calls itself"),
        ("$A= \\\nglobal_defs { \\\n$A\n$A\n", 3, 1, "$A calls itself"),
        ("$A=~SEQ(I,1,2) $A\n$A\n", 2, 1, "$A calls itself"),
        ("$A = 5\n", 1, 1, "no blank before '='"),
        ("~SEQ(I,1\n", 1, 1, "no closing ')'"),
        ("~SEQ(I) x\n", 1, 1, "needs a name and a last value"),
        ("~SEQ(I,1,0,5) x\n", 1, 1, "never reaches"),
        ("~SEQ(I,1,-1,5) x\n", 1, 1, "never reaches"),
        ("~SEQ(I,a) x\n", 1, 1, "not a whole number"),
        ("~SEQx(I,-1,5) x\n", 1, 1, "from 0 upwards"),
        ("~SEQ(I,1,99999999) x\n", 1, 1, "99999999 times"),
        ("~LST(I) x\n", 1, 1, "at least one value"),
        ("~LST({I,J},{1,2,3}) x\n", 1, 1, "3 values for 2 names"),
        ("~SEQ 5 x\n", 1, 1, "in parentheses"),
        ("router_id ${_ENV NOWHERE}\n", 1, 11, "no variable NOWHERE"),
        ("router_id ${_RANDOM 9 1}\n", 1, 11, "smallest value 9"),
        ("router_id ${_ENV}\n", 1, 11, "takes 1 parameters"),
        ("$A= \\\na \\\nb\nrouter_id ${A}x\n", 4, 11, "several lines"),
    ],
)
def test_a_macro_that_cannot_be_carried_out_is_named(text: str, line: int, column: int, message: str) -> None:
    problem = next(problem for problem in load_text(text).problems if message in problem.message)
    assert where(problem) == (line, column)
    assert problem.severity == "error"
    assert problem.hint


def test_an_unknown_name_is_pointed_out_unless_it_is_in_quotes() -> None:
    assert "${HOME} is not defined" in the_problem("global_defs {\nrouter_id ${HOME}\n}\n").message
    assert not load_text('global_defs {\nrouter_id "$HOME ${HOME}"\n}\n').problems


def test_a_problem_in_a_definition_says_where_it_was_used() -> None:
    problem = the_problem("$A= \\\nglobal_defs { \\\n  nonsense 1 \\\n}\n\n$A\n")
    assert where(problem) == (3, 3)
    assert problem.message.endswith("(in $A, used at /etc/keepalived/keepalived.conf:6)")


def test_an_empty_line_ends_a_definition_with_a_warning() -> None:
    problems = load_text("$A= \\\nglobal_defs { \\\n\n}\n").problems
    assert problems[0].message.startswith("an empty line ends $A")
    assert problems[0].severity == "warning"


def test_expansion_without_end_is_stopped() -> None:
    doubling = "$Z=\n" + "".join(
        f"${chr(64 + n)}=${{{chr(65 + n)}}}${{{chr(65 + n)}}}\n" for n in range(1, 26)
    )
    problems = load_text(doubling + "router_id $A\n").problems
    assert any("used too often" in problem.message for problem in problems)
    loops = Files({MAIN: "~SEQ(A,1,999999) ~SEQ(B,1,999999) ~SEQ(C,1,9) # nothing\n"})
    problem = load(MAIN, reader=loops, options=Options(max_lines=5000)).problems[0]
    assert "grows to more than 5000 lines" in problem.message
