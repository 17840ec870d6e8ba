# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back of a real server of NAT: through the directors while the unit runs, then as before."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from plugins.module_utils._host.real_server import Settings, parts

HOST = f"rs{os.getpid()}"
FAR = {4: "192.0.2.1", 6: "2001:db8:ffff::1"}
DIRECTOR = {4: "198.18.0.1", 6: "2001:db8:1::1"}


def within(*words: str) -> str:
    done = subprocess.run(
        ["ip", "netns", "exec", HOST, *words], capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


@pytest.fixture(autouse=True)
def host() -> Iterator[None]:
    """A host on the network of its directors, and on two others."""
    if os.geteuid():
        pytest.skip("network namespaces need root")
    subprocess.run(["ip", "netns", "add", HOST], check=True)
    try:
        for number in range(3):
            within("ip", "link", "add", f"eth{number}", "type", "veth", "peer", "name", f"far{number}")
            for link in (f"eth{number}", f"far{number}"):
                within("ip", "link", "set", link, "up")
            within("ip", "address", "add", f"198.18.{number}.11/24", "dev", f"eth{number}")
            within("ip", "address", "add", f"2001:db8:{number + 1}::11/64", "dev", f"eth{number}", "nodad")
        yield
    finally:
        subprocess.run(["ip", "netns", "delete", HOST], check=True)


@pytest.mark.parametrize(
    ("family", "route"),
    [
        (4, "via 198.18.1.1"),
        (4, "via 198.18.1.1 metric 100"),
        (4, "nexthop via 198.18.1.1 weight 1 nexthop via 198.18.2.1 weight 3"),
        (6, "via 2001:db8:2::1"),
        (6, "via 2001:db8:2::1 metric 1"),
        (6, "nexthop via 2001:db8:2::1 nexthop via 2001:db8:3::1"),
        (4, ""),
        (6, ""),
    ],
)
def test_answers_go_through_the_director_and_the_stop_leaves_what_was_there(family: int, route: str) -> None:
    ip = ["ip", f"-{family}", "route"]
    if route:
        within(*ip, "add", "default", *route.split())
    before = within(*ip)
    made = parts(Settings("NAT", gateway=DIRECTOR[family]))
    for part in (*made, *made):  # a part may be done twice
        within("sh", "-c", part.do)
    assert f"via {DIRECTOR[family]} " in within(*ip, "get", FAR[family])
    for part in (*reversed(made), *reversed(made)):
        within("sh", "-c", part.undo)
    assert within(*ip) == before


def test_a_link_local_director_is_reached_by_its_link() -> None:
    before = within("ip", "-6", "route")
    made = parts(Settings("NAT", gateway="fe80::1", interface="eth2"))
    for part in (*made, *made):
        within("sh", "-c", part.do)
    assert "via fe80::1 dev eth2" in within("ip", "-6", "route", "get", FAR[6])
    for part in reversed(made):
        within("sh", "-c", part.undo)
    assert within("ip", "-6", "route") == before


def test_a_route_whose_link_is_down_is_still_there_afterwards() -> None:
    within("ip", "route", "add", "default", "via", "198.18.1.1")
    within("ip", "link", "set", "far1", "down")
    made = parts(Settings("NAT", gateway=DIRECTOR[4]))
    for part in made:
        within("sh", "-c", part.do)
    for part in reversed(made):
        within("sh", "-c", part.undo)
    assert "default via 198.18.1.1 dev eth1" in within("ip", "route")


def test_a_route_of_somebody_else_in_the_same_place_is_refused_and_stays() -> None:
    within("ip", "route", "add", "128.0.0.0/1", "via", "198.18.1.1")
    (_first, second) = parts(Settings("NAT", gateway=DIRECTOR[4]))
    with pytest.raises(AssertionError, match="File exists"):
        within("sh", "-c", second.do)
    within("sh", "-c", second.undo)
    assert "128.0.0.0/1 via 198.18.1.1" in within("ip", "route")
