# SPDX-License-Identifier: GPL-3.0-or-later
"""vrrp_sync_group and garp_group: what they say, and what they may not say."""

from __future__ import annotations

from typing import Tuple

import pytest
from vrrp_agent.conf.model import GarpGroup

from tests.unit.conf.texts import config_of, load_text, messages, the_problem

MS = 1_000_000


def routers(*names: str, body: str = "") -> str:
    """Instances of these names."""
    return "\n".join(
        f"""vrrp_instance {name} {{
          interface eth{at}
          virtual_router_id {51 + at}
          priority 100
          {body}
          virtual_ipaddress {{
            198.51.100.{100 + at}/24
          }}
        }}"""
        for at, name in enumerate(names)
    )


def group(members: str, more: str = "", name: str = "G") -> str:
    return f"vrrp_sync_group {name} {{\n group {{\n{members}\n }}\n{more}\n}}\n"


def said(text: str) -> Tuple[str, str]:
    """Severity and message of the one problem."""
    problem = the_problem(text)
    return problem.severity, problem.message


def test_members_may_stand_on_one_line_or_on_many() -> None:
    for members in ("A B C", "A\nB\nC", "A B\nC"):
        (found,) = config_of(group(members) + routers("A", "B", "C")).groups
        assert (found.name, found.members, found.tracking_weight) == ("G", ("A", "B", "C"), False)


@pytest.mark.parametrize("word", ["sync_group_tracking_weight", "global_tracking"])
def test_weights_can_be_allowed(word: str) -> None:
    (found,) = config_of(group("A B", word) + routers("A", "B")).groups
    assert found.tracking_weight


def test_a_group_may_come_after_its_members() -> None:
    assert config_of(routers("A", "B") + "\n" + group("A B")).groups[0].members == ("A", "B")


@pytest.mark.parametrize(
    ("text", "severity", "message"),
    [
        (group("A A B") + routers("A", "B"), "error", "A is given twice in sync group G"),
        (
            group("A B") + group("B C", name="H") + routers("A", "B", "C"),
            "error",
            "B is in sync group G already",
        ),
        (group("A X B") + routers("A", "B"), "error", "there is no vrrp_instance 'X'"),
        (group("A") + routers("A"), "warning", "sync group G has one member only"),
        (group("") + routers("A"), "error", "sync group G has no members"),
    ],
)
def test_what_a_group_may_not_say(text: str, severity: str, message: str) -> None:
    found, words = said(text)
    assert (found, message in words) == (severity, True), words


def test_an_owner_beside_others_is_pointed_out() -> None:
    text = group("A B") + routers("A", "B").replace("priority 100", "priority 255", 1)
    assert said(text) == (
        "warning",
        "sync group G: A has priority 255 and other members have not",
    )


def test_a_second_group_block_is_ignored_and_named() -> None:
    text = group("A B", "group {\n C\n}") + routers("A", "B", "C")
    assert said(text) == ("warning", "sync group G has a group block already: this one is ignored")
    assert config_of(text).groups[0].members == ("A", "B")


def test_the_old_word_is_pointed_out() -> None:
    assert said(group("A B", "global_tracking") + routers("A", "B"))[1] == "'global_tracking' is an old word"


# garp_group


def test_a_garp_group_has_intervals_and_interfaces() -> None:
    text = """
    garp_group {
      garp_interval 0.1
      gna_interval 0.000002
      interfaces {
        eth0 eth1
        eth2
      }
      interface eth3
    }
    """
    (found,) = config_of(text + routers("A")).garp_groups
    assert found == GarpGroup(("eth0", "eth1", "eth2", "eth3"), 100 * MS, 2000)


def test_a_garp_group_may_do_without_the_pause_that_others_have() -> None:
    text = "global_defs {\n vrrp_garp_interval 1\n}\ngarp_group {\n garp_interval 0\n interface eth0\n}\n"
    assert not messages(text + routers("A"))
    assert config_of(text + routers("A")).garp_groups == (GarpGroup(("eth0",), 0, 0),)


def test_a_garp_group_without_an_interval_is_an_error() -> None:
    text = "garp_group {\n interface eth0\n}\n" + routers("A")
    assert said(text) == ("error", "garp_group without an interval does nothing")


def test_an_interface_belongs_to_one_garp_group() -> None:
    one = "garp_group {\n garp_interval 1\n interface eth0\n}\n"
    severity, message = said(one + one + routers("A"))
    assert severity == "error"
    assert message.startswith("eth0 is in a garp_group already")


# garp_extra_if


@pytest.mark.parametrize(
    ("globally", "own", "expected"),
    [
        ("", "", (0, False)),
        ("vrrp_garp_extra_if 10", "", (10, False)),
        ("vrrp_garp_extra_if all 10", "", (10, True)),
        ("vrrp_vmac_garp_intvl all 10", "", (10, True)),
        ("vrrp_garp_extra_if all 10", "garp_extra_if 20", (20, False)),
        ("vrrp_garp_extra_if 10", "garp_extra_if all 20", (20, True)),
        ("vrrp_garp_extra_if 10", "vmac_garp_intvl all 20", (20, True)),
        ("vrrp_garp_extra_if 10", "garp_extra_if 0", (0, False)),
    ],
)
def test_announcements_on_other_interfaces(globally: str, own: str, expected: Tuple[int, bool]) -> None:
    text = f"global_defs {{\n{globally}\n}}\n" + routers("A", body=own)
    garp = config_of(text).instances[0].garp
    assert (garp.extra_interval_ns // 1_000_000_000, garp.extra_all) == expected


def test_delays_after_start_and_boot_are_both_kept() -> None:
    text = "global_defs {\n vrrp_startup_delay 2\n vrrp_delay_after_boot 30.5\n}\n" + routers("A")
    settings = config_of(text).settings
    assert (settings.startup_delay_ns, settings.delay_after_boot_ns) == (2_000 * MS, 30_500 * MS)
    assert not load_text(text).problems
