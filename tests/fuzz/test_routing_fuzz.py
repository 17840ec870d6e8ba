# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of routes and rules made of their own words: an error or a request, never an exception."""

from __future__ import annotations

from typing import Iterable, List

from hypothesis import event, given, settings
from hypothesis import strategies as st
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.match.judge import judge
from vrrp_agent.conf.model import Config
from vrrp_agent.conf.words import Keyword, Type
from vrrp_agent.daemon.host.interfaces import Interfaces
from vrrp_agent.daemon.ways import Way, describe, key_on, make, tracked_devices, way_devices
from vrrp_agent.kernel.links import Link
from vrrp_agent.kernel.routes import decode_route
from vrrp_agent.kernel.rules import decode_rule

from tests.unit.conf.texts import load_text

VALUES = """
    198.18.0.0/16 198.51.100.1 2001:db8::/32 2001:db8::1 default any all default6 eth0 blue lock main 0 1 5
    100 255 256 65536 4294967295 18446744073709551615 1-2 7/0xff 0x10 0x1ffffffff 3/4 300ms 1s reno ecn high
    enabled inet inet6 1:2:3:4 100/200 tcp -1 nonsense
""".split()  # noqa: SIM905
STARTS = {
    "route_lines": (
        ["198.18.0.0/16", "dev", "eth0"],
        ["2001:db8::/32", "via", "2001:db8::1"],
        ["blackhole", "default"],
    ),
    "rule_lines": (["table", "100"], ["from", "2001:db8::/32", "lookup", "main"], ["prohibit"]),
}
HOST = Interfaces()
HOST.replace(
    [Link(2, "eth0", 0x41, bytes(6), 1500), Link(3, "blue", 0x41, bytes(6), 1500, kind="vrf", mode=9)], []
)


def option(keyword: Keyword) -> st.SearchStrategy[List[str]]:
    """A word with values that fit it, and its own options."""
    parts: List[st.SearchStrategy[List[str]]] = [st.just([keyword.name])]
    for arg in keyword.args:
        values = VALUES
        if arg.type is Type.INTERFACE:
            values = ["blue"] if keyword.name == "vrf" else ["eth0"]
        fitting = [[value] for value in values if judge(arg, value) is None]
        parts.append(st.sampled_from([*fitting, *([[]] if arg.optional else [])]))
    if keyword.options:
        inner = [option(one) for one in SECTIONS[keyword.options].keywords]
        parts.append(st.lists(st.one_of(inner), max_size=3).map(flat))
    return st.tuples(*parts).map(flat)


def flat(parts: Iterable[List[str]]) -> List[str]:
    return [word for part in parts for word in part]


def lines(section: str) -> st.SearchStrategy[List[str]]:
    """Options of the section in any order, sometimes with a word that does not belong there."""
    skipped = ("track_group", "nat", "xresolve")
    options = [option(one) for one in SECTIONS[section].keywords if one.name not in skipped]
    stray = st.sampled_from([[value] for value in VALUES if value != "dev"])
    anything = st.lists(st.one_of([*options, *options, stray]), min_size=1, max_size=5).map(flat)
    good = st.lists(st.one_of(options), max_size=2).map(flat)
    return st.one_of(anything, st.tuples(st.sampled_from(STARTS[section]), good).map(flat))


def requests_for(config: Config) -> None:
    ways: List[Way] = [*config.static_routes, *config.static_rules]
    for way in ways:
        made = make(way, HOST, 7)
        for kind, request in ((24, made.add), (25, made.remove)):
            assert int.from_bytes(request[8:12], "little") == 7
            decode = decode_route if hasattr(way, "next_hops") else decode_rule
            assert decode(kind if hasattr(way, "next_hops") else kind + 8, request) is not None
        assert made.key == key_on(way, HOST)
        assert describe(way)
    way_devices(ways)
    tracked_devices(ways)


@settings(max_examples=300, deadline=None)
@given(lines("route_lines"))
def test_routes(words: List[str]) -> None:
    loaded = load_text("static_routes {\n  " + " ".join(words) + "\n}\n")
    event("a request" if loaded.config is not None else "an error")
    if loaded.config is not None:
        requests_for(loaded.config)


@settings(max_examples=300, deadline=None)
@given(lines("rule_lines"))
def test_rules(words: List[str]) -> None:
    loaded = load_text("static_rules {\n  " + " ".join(words) + "\n}\n")
    event("a request" if loaded.config is not None else "an error")
    if loaded.config is not None:
        requests_for(loaded.config)
