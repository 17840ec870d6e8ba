# SPDX-License-Identifier: GPL-3.0-or-later
"""The same words in YAML: what they become, and which key is to blame when they do not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vrrp_agent.conf.check.whole import check
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.load import load
from vrrp_agent.conf.problem import Problem, has_errors, in_order
from vrrp_agent.conf.text.render import render
from vrrp_agent.conf.values.names import Names
from vrrp_agent.conf.yaml.form import from_yaml
from vrrp_agent.conf.yaml.out import to_yaml
from vrrp_agent.conf.yaml.value import merge

from tests.unit.conf.texts import Files, load_text

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.conf"))


def text_of(data: Any) -> str:
    """The text that YAML data makes."""
    made = from_yaml(data, SECTIONS)
    assert not made.problems, [str(problem) for problem in made.problems]
    return render(made.tree, SECTIONS)


def problems_of(data: Any, prefix: str = "") -> List[Problem]:
    """Everything that is wrong with YAML data."""
    made = from_yaml(data, SECTIONS, prefix)
    return in_order(made.problems, check(made.tree, SECTIONS, Names(Files({})), ""))


def router(**words: Any) -> Dict[str, Any]:
    """An instance that is right, with more words in it."""
    body = {"interface": "eth0", "virtual_router_id": 51, "virtual_ipaddress": ["198.51.100.10/24"], **words}
    return {"vrrp_instance": {"VI_1": body}}


def test_blocks_flags_lists_and_lines() -> None:
    data = {
        "vrrp_instance": {
            "VI_1": {
                "interface": "eth0",
                "virtual_router_id": 51,
                "advert_int": 0.1,
                "nopreempt": True,
                "dont_track_primary": False,
                "lower_prio_no_advert": False,
                "virtual_ipaddress": [
                    "198.51.100.100/24 dev eth0",
                    {"address": "198.51.100.101/24", "dev": "eth1", "no_track": True, "home": False},
                ],
                "track_interface": ["eth1", {"interface": "eth2", "weight": -5}],
            },
        },
        "global_defs": {
            "router_id": "n1",
            "vrrp_cpu_affinity": [0, 2],
            "notification_email": ["Ops <ops@example.org>"],
            "smtp_server": "192.0.2.1 25",
        },
        "static_routes": [
            {"dest": "default", "via": "198.51.100.1"},
            {"to": "198.18.0.0/15", "nexthop": ["via 198.51.100.1 weight 2", "via 198.51.100.2"]},
        ],
        "virtual_server": {"192.0.2.1 80": [{"protocol": "TCP"}, {"protocol": "UDP"}]},
    }
    assert (
        text_of(data)
        == """\
global_defs {
    router_id n1
    vrrp_cpu_affinity 0 2
    notification_email {
        "Ops <ops@example.org>"
    }
    smtp_server 192.0.2.1 25
}

static_routes {
    default via 198.51.100.1
    to 198.18.0.0/15 nexthop via 198.51.100.1 weight 2 nexthop via 198.51.100.2
}

vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    advert_int 0.1
    nopreempt
    lower_prio_no_advert false
    virtual_ipaddress {
        198.51.100.100/24 dev eth0
        198.51.100.101/24 dev eth1 no_track
    }
    track_interface {
        eth1
        eth2 weight -5
    }
}

virtual_server 192.0.2.1 80 {
    protocol TCP
}

virtual_server 192.0.2.1 80 {
    protocol UDP
}
"""
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/bin/notify.sh", "notify /bin/notify.sh"),
        ("/bin/notify.sh all 'of it'", "notify \"/bin/notify.sh all 'of it'\""),
        (["/bin/notify.sh a", "nobody", "nogroup"], 'notify "/bin/notify.sh a" nobody nogroup'),
        ('"/bin/notify.sh a" nobody', 'notify "/bin/notify.sh a" nobody'),
        ("/bin/notify.sh {a} #b !c $d", 'notify "/bin/notify.sh {a} #b !c $d"'),
    ],
)
def test_a_command_is_one_string_or_a_list_with_its_account(value: Any, expected: str) -> None:
    assert expected in text_of(router(notify=value)).replace("    ", "")


@pytest.mark.parametrize(
    ("words", "path", "message", "hint"),
    [
        (
            {"virtual_router_id": "51"},
            "virtual_router_id",
            "text stands where a whole number from 1 to 255 belongs",
            "write 51 without quotes",
        ),
        (
            {"virtual_router_id": "abc"},
            "virtual_router_id",
            "text stands where a whole number",
            "from 1 to 255",
        ),
        (
            {"virtual_router_id": 51.0},
            "virtual_router_id",
            "the number 51.0 stands where a whole number",
            "from 1 to 255",
        ),
        (
            {"virtual_router_id": [51]},
            "virtual_router_id",
            "a list stands where a whole number",
            "from 1 to 255",
        ),
        ({"virtual_router_id": 300}, "virtual_router_id", "300 is out of range", "from 1 to 255"),
        ({"virtual_router_id": None}, "virtual_router_id", "has no value", "or take it out"),
        ({"priority": True}, "priority", "true or false stands where a whole number", "from 1 to 255"),
        ({"priority": {"x": 1}}, "priority", "a mapping stands where a whole number", "from 1 to 255"),
        ({"advert_int": float("inf")}, "advert_int", "the number inf", "a number of seconds"),
        (
            {"advert_int": "0.1"},
            "advert_int",
            "text stands where a number of seconds",
            "write 0.1 without quotes",
        ),
        ({"nopreempt": "yes"}, "nopreempt", "text stands where true or false belongs", "write true"),
        ({"nopreempt": 1}, "nopreempt", "the number 1 stands where true or false belongs", "write true"),
        (
            {"lower_prio_no_advert": "on"},
            "lower_prio_no_advert",
            "text stands where on or off belongs",
            "write true or false without quotes",
        ),
        (
            {"interface": 5.5},
            "interface",
            "the number 5.5 stands where an interface name belongs",
            "in quotes",
        ),
        ({"interface": "a b"}, "interface", "'a b' is not an interface name", "ip link"),
        ({"interface": 'eth"0'}, "interface", "keepalived.conf has no way to write this", "double quotes"),
        ({"interface": "eth0\n}"}, "interface", "keepalived.conf has no way to write this", "line ends"),
        ({"prority": 100}, "prority", "unknown key 'prority'", "did you mean 'priority'?"),
        ({"router_id": "x"}, "router_id", "unknown key 'router_id'", "it belongs in global_defs"),
        ({7: 1}, "7", "unknown key '7'", "lists all words"),
        (
            {"virtual_ipaddress": "198.51.100.10"},
            "virtual_ipaddress",
            "text stands where a list belongs",
            "one item per",
        ),
        (
            {"virtual_ipaddress": [7.5]},
            "virtual_ipaddress[0]",
            "the number 7.5 stands where a line belongs",
            "a mapping",
        ),
        ({"virtual_ipaddress": [""]}, "virtual_ipaddress[0]", "the line is empty", "take it out"),
        (
            {"virtual_ipaddress": ["198.51.100.10/24", "nonsense"]},
            "virtual_ipaddress[1]",
            "is not an IP address",
            "",
        ),
        (
            {"virtual_ipaddress": [{"dev": "eth0"}]},
            "virtual_ipaddress[0]",
            "'address' is missing",
            "write 'address: ...'",
        ),
        (
            {"virtual_ipaddress": [{"address": "198.51.100.10", "devv": "x"}]},
            "virtual_ipaddress[0].devv",
            "unknown key 'devv'",
            "did you mean 'dev'?",
        ),
        (
            {"virtual_ipaddress": [{"address": "198.51.100.10", "no_track": "x"}]},
            "virtual_ipaddress[0].no_track",
            "text stands where true or false belongs",
            "write true",
        ),
        (
            {"authentication": "PASS"},
            "authentication",
            "text stands where a mapping belongs",
            "KEYWORD: VALUE",
        ),
        (
            {"authentication": {"auth_type": "PASS", "auth_pass": "123456789"}},
            "authentication.auth_pass",
            "longer than 8 bytes",
            "at most 8",
        ),
        (
            {"unicast_peer": ["2001:db8::1"]},
            "unicast_peer[0]",
            "is IPv6, but the instance is IPv4",
            "IPv4 address",
        ),
        ({"notify": '"/bin/x'}, "notify", "is not closed", "quote the command"),
    ],
)
def test_one_wrong_value_gives_one_problem_with_its_key(
    words: Any, path: str, message: str, hint: str
) -> None:
    data = router()
    data["vrrp_instance"]["VI_1"].update(words)
    problems = [problem for problem in problems_of(data, "vrrp_config") if problem.severity == "error"]
    assert [problem.path for problem in problems] == [f"vrrp_config.vrrp_instance.VI_1.{path}"], problems
    assert message in problems[0].message
    assert hint in problems[0].hint
    assert str(problems[0]).startswith(f"vrrp_config.vrrp_instance.VI_1.{path}: error: ")


@pytest.mark.parametrize(
    ("data", "path", "message"),
    [
        ("text", "", "text stands where a mapping belongs"),
        (["a"], "", "a list stands where a mapping belongs"),
        ({"vrrp_instance": [1]}, "vrrp_instance", "a list stands where a mapping belongs"),
        ({"vrrp_instance": {"A": 5}}, "vrrp_instance.A", "the number 5 stands where a mapping belongs"),
        ({"global_defs": {"global_defs": {}}}, "global_defs.global_defs", "unknown key 'global_defs'"),
        ({"vrrp_instances": {}}, "vrrp_instances", "unknown key 'vrrp_instances'"),
        ({"vrrp_instance": {'a"b': {}}}, 'vrrp_instance.a"b', "no way to write this"),
    ],
)
def test_data_of_the_wrong_shape(data: Any, path: str, message: str) -> None:
    problems = problems_of(data)
    assert problems[0].path == path
    assert message in problems[0].message


def test_a_word_that_is_missing_is_asked_for_by_its_path() -> None:
    data = router()
    del data["vrrp_instance"]["VI_1"]["virtual_router_id"]
    assert [problem.path for problem in problems_of(data)] == ["vrrp_instance.VI_1.virtual_router_id"]


def test_what_others_take_from_comes_first_whatever_the_order_of_the_keys() -> None:
    data = {**router(), "vrrp_script": {"c": {"script": "/bin/true"}}, "global_defs": {"router_id": "x"}}
    tree = from_yaml(data, SECTIONS).tree
    assert [node.keyword for node in tree.children] == ["global_defs", "vrrp_script", "vrrp_instance"]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_says_the_same_after_a_trip_through_yaml(path: Path) -> None:
    loaded = load(str(path), config_id="n1", unsupported="", environment={"SITE": "lab"})
    data = to_yaml(loaded.parsed.tree, SECTIONS)
    data = json.loads(json.dumps(data))
    made = from_yaml(data, SECTIONS)
    assert not made.problems, [str(problem) for problem in made.problems]
    assert to_yaml(made.tree, SECTIONS) == data
    again = load_text(render(made.tree, SECTIONS), unsupported="")
    assert not has_errors(again.problems), again.problems
    assert again.config is not None and loaded.config is not None
    assert replace(again.config, keywords_ignored=()) == replace(loaded.config, keywords_ignored=())
    assert set(again.config.keywords_ignored) == set(loaded.config.keywords_ignored)


def test_the_group_and_the_host_are_merged_at_every_depth() -> None:
    group = {"global_defs": {"router_id": "g"}, "vrrp_instance": {"A": {"priority": 100, "nopreempt": True}}}
    host = {"global_defs": {"router_id": "h"}, "vrrp_instance": {"A": {"priority": 50}, "B": {"priority": 1}}}
    assert merge(group, host) == {
        "global_defs": {"router_id": "h"},
        "vrrp_instance": {"A": {"priority": 50, "nopreempt": True}, "B": {"priority": 1}},
    }
    assert merge({"virtual_ipaddress": ["a", "b"]}, {"virtual_ipaddress": ["c"]}) == {
        "virtual_ipaddress": ["c"]
    }
    assert group["vrrp_instance"]["A"]["priority"] == 100, "the arguments are left alone"


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5)
            | st.sampled_from([name for section in SECTIONS.values() for name in section.index]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(anything)
@settings(max_examples=400, deadline=None)
def test_any_data_gives_a_configuration_or_problems(data: Any) -> None:
    made = from_yaml(data, SECTIONS)
    problems = in_order(made.problems, check(made.tree, SECTIONS, Names(Files({})), ""))
    if not has_errors(problems):
        again = load_text(render(made.tree, SECTIONS) or "global_defs {\n}\n", unsupported="")
        assert not has_errors(again.problems), again.problems
