# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a router from taking part, and what it does when it may again."""

from __future__ import annotations

from tests.compat.story import Act, Story
from tests.compat.words import START, STOP, cable, ip, one
from tests.lab.lan import VIP4, Lan


def second_interface(lan: Lan) -> None:
    """d has eth1, cabled to the switch but not part of the LAN."""
    lan.d.add_interface("eth1")


STORIES = (
    Story(
        "its own interface", ("interface",), one(), (START, cable("eth0", False), cable("eth0", True), STOP)
    ),
    Story(
        "its own interface does not matter",
        ("dont_track_primary",),
        one("dont_track_primary"),
        (START, cable("eth0", False), cable("eth0", True), STOP),
        ignore=("neighbour", "announced", "speaks", "resigned"),
    ),
    Story(
        "another interface",
        ("track_interface",),
        one("track_interface {", "    eth1", "}"),
        (START, cable("eth1", False), cable("eth1", True), STOP),
        prepare=second_interface,
    ),
    Story(
        "another interface with a weight",
        ("track_interface", "weight"),
        one("track_interface {", "    eth1 weight -30", "}"),
        (START, cable("eth1", False), cable("eth1", True), STOP),
        prepare=second_interface,
    ),
    Story(
        "another interface adds weight",
        ("track_interface", "weight", "reverse"),
        one("track_interface {", "    eth1 weight 20 reverse", "}"),
        (START, cable("eth1", False), cable("eth1", True), STOP),
        prepare=second_interface,
    ),
    Story(
        "the interface of an address",
        ("virtual_ipaddress", "dev"),
        one(addresses=[f"{VIP4}/24", "198.18.0.1/24 dev eth1"]),
        (START, cable("eth1", False), cable("eth1", True), STOP),
        prepare=second_interface,
    ),
    Story(
        "the interface of an address that is not tracked",
        ("no_track",),
        one(addresses=[f"{VIP4}/24", "198.18.0.1/24 dev eth1 no_track"]),
        (START, cable("eth1", False), cable("eth1", True), STOP),
        prepare=second_interface,
    ),
    Story(
        "the source address goes",
        ("track_src_ip",),
        one("track_src_ip", "mcast_src_ip 198.51.100.10"),
        (
            START,
            ip("source goes", "addr", "del", "198.51.100.10/24", "dev", "eth0"),
            ip("source returns", "addr", "add", "198.51.100.10/24", "dev", "eth0"),
            STOP,
        ),
        ignore=("neighbour",),
        differs={
            "source goes/addresses": "`track_src_ip` means FAULT",
            "source goes/speaks": "`track_src_ip` means FAULT",
            "source goes/announced": "`track_src_ip` means FAULT",
            "source goes/events": "`track_src_ip` means FAULT",
            "source returns/announced": "`track_src_ip` means FAULT",
            "source returns/events": "`track_src_ip` means FAULT",
        },
    ),
    Story(
        "somebody removes the virtual address",
        ("virtual_ipaddress",),
        one(),
        (START, ip("remove", "addr", "del", f"{VIP4}/24", "dev", "eth0"), STOP),
    ),
    Story(
        "somebody removes an address that is not tracked",
        ("no_track",),
        one(addresses=[f"{VIP4}/24", "198.51.100.101/24 no_track"]),
        (START, ip("remove", "addr", "del", "198.51.100.101/24", "dev", "eth0"), STOP),
    ),
    Story(
        "unicast without a peer",
        ("unicast_fault_no_peer", "unicast_peer"),
        one("unicast_fault_no_peer", "unicast_peer {", "}"),
        (START, STOP),
    ),
    Story(
        "unicast",
        ("unicast_peer", "unicast_src_ip"),
        one("unicast_src_ip 198.51.100.10", "unicast_peer {", "    198.51.100.11", "}"),
        (START, cable("eth0", False), cable("eth0", True), STOP),
    ),
    Story(
        "an interface goes down and up by hand",
        ("interface",),
        one(),
        (
            START,
            ip("down", "link", "set", "eth0", "down"),
            Act("up", lambda s: (s.d.ip("link", "set", "eth0", "up"),)),
            STOP,
        ),
    ),
)
