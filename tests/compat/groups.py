# SPDX-License-Identifier: GPL-3.0-or-later
"""Routers that move together, or not at all."""

from __future__ import annotations

from typing import Any, Callable

from tests.compat.faults import second_interface
from tests.compat.stage import Stage
from tests.compat.story import Act, Story
from tests.compat.words import SILENCE, START, STOP, cable, instance, ip, rival, several
from tests.lab.lan import Lan

GROUP = """vrrp_sync_group G {
    group {
        VI_1
        VI_2
    }
    notify "/mnt/record"
    notify_master "/mnt/record group master"
    notify_backup "/mnt/record group backup"
    notify_fault "/mnt/record group fault"
}"""
INSIDE = {"vrid": 52, "interface": "eth1", "addresses": ["198.18.0.1/24"]}


def inside(lan: Lan) -> None:
    """d has eth1 with an address of its own."""
    second_interface(lan)
    lan.d.ip("addr", "add", "198.18.0.10/24", "dev", "eth1")


def three_sides(lan: Lan) -> None:
    """d has eth2 too, which only the group looks at."""
    inside(lan)
    lan.d.add_interface("eth2")


def pair(*lines: str, group: str = GROUP, **words: Any) -> Callable[[Stage], str]:
    """Two instances in a group, on eth0 and eth1."""
    return several(group, instance("VI_1", *lines), instance("VI_2", *lines, **{**INSIDE, **words}))


STORIES = (
    Story(
        "a group follows the cable of one",
        ("vrrp_sync_group", "group"),
        pair(),
        (START, cable("eth1", False), cable("eth1", True), cable("eth0", False), cable("eth0", True), STOP),
        prepare=inside,
    ),
    Story(
        "a group follows the election of one",
        ("vrrp_sync_group",),
        pair(),
        (START, rival(200), SILENCE, STOP),
        prepare=inside,
    ),
    Story(
        "a group waits for all",
        ("vrrp_sync_group",),
        pair(),
        (Act("rival first", lambda s: s.rival(200)), START, SILENCE, STOP),
        prepare=inside,
    ),
    Story(
        "a group begins in fault",
        ("vrrp_sync_group",),
        pair(),
        (Act("no cable", lambda s: s.d.pull_cable("eth1")), START, cable("eth1", True), STOP),
        prepare=inside,
    ),
    Story(
        "two faults in a group",
        ("vrrp_sync_group",),
        pair(),
        (START, cable("eth0", False), cable("eth1", False), cable("eth0", True), cable("eth1", True), STOP),
        prepare=inside,
    ),
    Story(
        "a group hears a lower priority",
        ("vrrp_sync_group",),
        pair("garp_lower_prio_repeat 2", "garp_lower_prio_delay 0"),
        (START, Act("one lower", lambda s: s.tester.send(priority=50, vrid=51)), STOP),
        prepare=inside,
    ),
    Story(
        "members of different priority",
        ("vrrp_sync_group",),
        pair(priority=150),
        (START, rival(120), SILENCE, STOP),
        prepare=inside,
    ),
    Story(
        "a weight in a group is not counted",
        ("sync_group_tracking_weight",),
        pair("track_interface {", "    eth1 weight -20", "}"),
        (START, STOP),
        prepare=inside,
    ),
    Story(
        "weights of a group count when asked for",
        ("sync_group_tracking_weight",),
        pair(
            "track_interface {",
            "    eth1 weight -20",
            "}",
            group=GROUP.replace("    group {", "    sync_group_tracking_weight\n    group {"),
        ),
        (START, STOP),
        prepare=inside,
    ),
    Story(
        "an interface tracked by the group",
        ("track_interface",),
        pair(group=GROUP.replace("    group {", "    track_interface {\n        eth2\n    }\n    group {")),
        (START, cable("eth2", False), cable("eth2", True), STOP),
        prepare=three_sides,
    ),
    Story(
        "a member of a group loses its address",
        ("vrrp_sync_group",),
        pair(),
        (START, ip("remove", "addr", "del", "198.18.0.1/24", "dev", "eth1"), STOP),
        prepare=inside,
        differs={"remove/events": "GROUP BACKUP when one steps down because an address was removed"},
    ),
    Story(
        "the pipe of a group",
        ("notify_fifo",),
        several(
            GROUP,
            instance("VI_1"),
            instance("VI_2", **INSIDE),
            globals_=['notify_fifo "/mnt/fifo"', "script_user root"],
        ),
        (START, rival(200), SILENCE, cable("eth1", False), cable("eth1", True), STOP),
        prepare=inside,
        before_start=Stage.read_fifo,
    ),
)
