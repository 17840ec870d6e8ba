# SPDX-License-Identifier: GPL-3.0-or-later
"""What the table says of ranges, defaults and support, where a slip would hurt."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Optional

import pytest
import vrrp_agent
from vrrp_agent.conf.grammar.index import SECTIONS

PACKAGE_PATH = str(Path(vrrp_agent.__file__).resolve().parent.parent)


@pytest.mark.parametrize(
    ("section", "word", "low", "high", "default"),
    [
        ("vrrp_instance", "virtual_router_id", 1, 255, None),
        ("vrrp_instance", "priority", 1, 255, "100"),
        ("vrrp_instance", "advert_int", 0.01, 255, "1"),
        ("vrrp_instance", "version", 2, 3, None),
        ("vrrp_instance", "preempt_delay", 0, 1000, "0"),
        ("vrrp_instance", "down_timer_adverts", 1, 100, None),
        ("vrrp_instance", "unicast_ttl", 0, 255, "255"),
        ("vrrp_instance", "garp_master_delay", 0, 4294, None),
        ("global_defs", "vrrp_version", 2, 3, "2"),
        ("global_defs", "vrrp_down_timer_adverts", 1, 100, "3"),
        ("global_defs", "vrrp_garp_master_delay", 0, 4294, "5"),
        ("global_defs", "vrrp_garp_master_repeat", 0, 4294967295, "5"),
        ("global_defs", "vrrp_garp_interval", 0, 4294.967295, None),
        ("global_defs", "vrrp_startup_delay", 0.001, 4294.967295, None),
        ("global_defs", "vrrp_priority", -20, 19, None),
        ("global_defs", "vrrp_rt_priority", 1, 99, None),
        ("vrrp_script", "weight", -253, 253, "0"),
        ("track_file", "weight", -254, 254, "1"),
        ("bfd_instance", "max_hops", -1, 255, "0"),
        ("virtual_server/real_server", "weight", 0, 2147483647, "1"),
        ("unicast_peer_lines", "min_ttl", 0, 255, "0"),
        ("route_lines/nexthop", "weight", 1, 256, "1"),
    ],
)
def test_a_number_has_the_range_and_default_of_keepalived(
    section: str, word: str, low: float, high: float, default: Optional[str]
) -> None:
    keyword = SECTIONS[section].index[word]
    assert (keyword.args[0].minimum, keyword.args[0].maximum, keyword.default) == (low, high, default)


def test_a_word_that_takes_its_default_from_global_defs_has_none_of_its_own() -> None:
    """Otherwise the instance's default would win over what global_defs says."""
    of_instance, of_all = SECTIONS["vrrp_instance"].index, SECTIONS["global_defs"].index
    for name in of_instance:
        if f"vrrp_{name}" in of_all and name != "priority":  # vrrp_priority is a nice value
            assert of_instance[name].default is None, name


@pytest.mark.parametrize("word", ["bfd_instance"])
def test_a_root_word_that_is_not_done_is_not_called_supported(word: str) -> None:
    assert not SECTIONS["root"].index[word].supported


def test_vmac_for_one_address_is_for_virtual_ones_and_track_group_for_static_ones() -> None:
    assert "use_vmac" in SECTIONS["address_lines"].index
    assert "use_vmac" not in SECTIONS["static_address_lines"].index
    assert "track_group" in SECTIONS["static_address_lines"].index
    assert "track_group" not in SECTIONS["address_lines"].index


_MEASURE = """
import __future__, dataclasses, enum, sys, time, typing
before = set(sys.modules)
start = time.process_time_ns()
import vrrp_agent.conf.grammar.index
print(time.process_time_ns() - start)
print(*(name for name in sys.modules if name not in before))
"""


def test_the_table_costs_little_to_import(tmp_path: Path) -> None:
    """30 ms of CPU at most: it is on the way of every command. Compiled once, then the best of a few runs."""
    environment = {**os.environ, "PYTHONPATH": PACKAGE_PATH, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    times_ns, modules = [], ""
    for _ in range(6):
        output = subprocess.run(
            [sys.executable, "-c", _MEASURE], env=environment, check=True, capture_output=True, text=True
        ).stdout
        first, modules = output.split("\n", 1)
        times_ns.append(int(first))
    assert min(times_ns) < 30_000_000
    assert [name for name in modules.split() if not name.startswith("vrrp_agent")] == []
