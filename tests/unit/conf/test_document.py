# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows that ``keywords`` shows: what they say, what they select, and that the page is up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Tuple

import pytest
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.grammar.preprocessor import PREPROCESSOR
from vrrp_agent.conf.page.markdown import markdown
from vrrp_agent.conf.page.rows import Row, arguments_text, rows, select, supported_sections
from vrrp_agent.conf.words import Arg, Keyword, Section, Shape, Type

TABLE: Tuple[Row, ...] = rows(SECTIONS, PREPROCESSOR)
BY_NAME: Dict[Tuple[str, str], Row] = {(row.section, row.keyword): row for row in TABLE}
PAGE = Path(__file__).parents[3] / "docs" / "keywords.md"


def test_there_is_one_row_for_each_word_and_each_kind_of_line() -> None:
    keywords = sum(len(section.keywords) for section in (*PREPROCESSOR, *SECTIONS.values()))
    items = sum(bool(section.item) for section in SECTIONS.values())
    assert len(TABLE) == keywords + items == len(BY_NAME)


@pytest.mark.parametrize(
    ("section", "keyword", "arguments"),
    [
        ("vrrp_instance", "virtual_router_id", "VRID 1..255"),
        ("vrrp_instance", "state", "MASTER|BACKUP"),
        ("vrrp_instance", "preempt_delay", "SECS 0..1000"),
        ("vrrp_instance", "v3_checksum_as_v2", "[BOOL]"),
        ("vrrp_instance", "virtual_ipaddress", "{ ... }"),
        ("vrrp_instance", "nopreempt", ""),
        ("vrrp_instance/authentication", "auth_pass", "PASSWORD of 8 bytes at most"),
        ("global_defs", "vrrp_garp_interval", "SECS 0..4294.967295"),
        ("global_defs", "vrrp_cpu_affinity", "CPU..."),
        ("root", "vrrp_instance", "NAME { ... }"),
        ("root", "virtual_server", "ADDRESS [PORT] | fwmark N >= 1 | group NAME { ... }"),
        ("virtual_server", "lb_kind", "NAT|DR|TUN [type|port|nocsum|csum|remcsum ...]"),
        ("address_lines", "preferred_lft", "SECS|forever"),
        ("route_lines", "mtu", "[lock] N"),
        ("track_interface_lines", "weight", "WEIGHT -253..253 [reverse|noreverse]"),
        ("linkbeat_lines", "IFNAME", "[MII|ETHTOOL|IOCTL]"),
    ],
)
def test_arguments_read_as_one_writes_them(section: str, keyword: str, arguments: str) -> None:
    assert BY_NAME[section, keyword].arguments == arguments


def test_a_word_is_done_only_where_the_blocks_around_it_are() -> None:
    assert BY_NAME["static_route_lines", "via"].supported
    assert BY_NAME["virtual_server", "delay_loop"].supported
    assert not BY_NAME["virtual_server/real_server/BFD_CHECK", "name"].supported, "BFD is not done yet"
    assert BY_NAME["vrrp_instance", "priority"].status == "yes"
    assert BY_NAME["vrrp_instance", "track_bfd"].status == "not yet"
    assert BY_NAME["virtual_server", "nat_mask"].status == "removed"


def test_support_ends_at_a_word_that_is_not_supported() -> None:
    inner = Section("inner", "Inside.", keywords=(Keyword("deep", "Deep.", supported=True),))
    open_door = Keyword("door", "A door.", block="inner", supported=True)
    for door, reached in (
        (open_door, {"root", "inner"}),
        (Keyword("door", "A door.", block="inner"), {"root"}),
    ):
        table = {"root": Section("root", "All.", keywords=(door,)), "inner": inner}
        assert supported_sections(table) == reached
        assert [row.supported for row in rows(table)] == [door.supported, door.supported]


def test_a_choice_that_is_not_done_yet_is_named_in_the_meaning() -> None:
    kind = Keyword("kind", "A kind.", args=(Arg("KIND", Type.CHOICE, choices=("A", "B"), not_yet=("B",)),))
    (row,) = rows({"root": Section("root", "All.", keywords=(kind,))})
    assert row.meaning == "A kind. Not yet: B."


def test_a_word_of_our_own_is_marked() -> None:
    own = Keyword("agent_word", "Does it.", supported=True, own=True)
    table = {"root": Section("root", "All.", keywords=(own,))}
    assert rows(table)[0].own
    assert "| The agent's own word. Does it. |" in markdown(table)


def test_rows_are_selected_by_section_with_all_inside_it() -> None:
    chosen = select(TABLE, ["vrrp_instance"])
    assert {row.section for row in chosen} >= {"vrrp_instance", "vrrp_instance/authentication"}
    assert [row.keyword for row in chosen if row.section == "root"] == ["vrrp_instance"]


def test_rows_are_selected_by_keyword_wherever_it_stands() -> None:
    assert {row.section for row in select(TABLE, ["garp_master_delay"])} == {"vrrp_instance"}
    assert len(select(TABLE, ["weight"])) > 5
    assert all(row.keyword == "weight" for row in select(TABLE, ["weight"]))


def test_a_keyword_brings_the_lines_of_its_block() -> None:
    chosen = {(row.section, row.keyword) for row in select(TABLE, ["virtual_ipaddress"])}
    assert chosen >= {("vrrp_instance", "virtual_ipaddress"), ("address_lines", "label")}
    assert ("static_address_lines", "label") not in chosen


def test_part_of_a_name_selects_when_nothing_has_the_whole_name() -> None:
    assert {row.keyword for row in select(TABLE, ["garp_lower_prio_d"])} == {
        "garp_lower_prio_delay",
        "vrrp_garp_lower_prio_delay",
    }
    assert select(TABLE, ["no such word"]) == ()
    assert select(TABLE, []) == TABLE


def test_several_arguments_of_each_kind_are_written_out() -> None:
    pairs = Section(
        "pairs", "Pairs.", shape=Shape.OPTIONS, keywords=(Keyword("ttl", "TTL."), Keyword("tos", "T."))
    )
    keyword = Keyword(
        "word",
        "A word.",
        args=(
            Arg("N", Type.INTEGER, minimum=-1, maximum=9),
            Arg("M", Type.DECIMAL, minimum=0.5, optional=True),
        ),
        forms=((Arg("all", literal=True),), ()),
        options="pairs",
    )
    assert arguments_text(keyword, {"pairs": pairs}) == "N -1..9 [M >= 0.5] | all [ttl|tos ...]"


def test_the_reference_page_is_up_to_date() -> None:
    """When it is not: ``build/vrrp-agent keywords --markdown > docs/keywords.md``."""
    assert PAGE.read_text(encoding="utf-8") == markdown(SECTIONS, PREPROCESSOR)


def test_the_page_has_whole_tables_only() -> None:
    for line in markdown(SECTIONS, PREPROCESSOR).splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") == 6, line
